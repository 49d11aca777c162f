#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "audit/registry.h"
#include "config/option.h"
#include "load/registry.h"
#include "source/registry.h"
#include "transform/registry.h"

namespace calve::pipeline {

/// What happens when an audit branch of the job still waits for a decision.
enum class OnOpenBranch { kBlock, kReplace };
inline config::Names<OnOpenBranch> NamesOf(OnOpenBranch) {
  return {
      {"block", OnOpenBranch::kBlock, "Run nothing until a person has published or discarded it."},
      {"replace", OnOpenBranch::kReplace, "Discard it and run."}};
}

/// Figures of a run that are worth telling people of. Those that are not said watch nothing.
struct Thresholds {
  std::optional<RowCount> rows_min;
  std::optional<RowCount> rows_max;
  std::optional<config::Fraction> quarantined_max;
  std::optional<std::chrono::seconds> duration_max;
  static config::Shape<Thresholds> Declaration();
};

struct Monitoring {
  bool alert_on_failure = false;
  bool alert_on_zero_records = false;
  std::vector<std::string> notification_channels;
  Thresholds thresholds;
  static config::Shape<Monitoring> Declaration();
};

struct JobMetadata {
  std::string owner;
  std::string contact_email;
  std::vector<std::string> tags;
  static config::Shape<JobMetadata> Declaration();
};

struct Retries {
  int max = 0;
  std::chrono::seconds backoff{10};
  static config::Shape<Retries> Declaration();
};

struct JobResources {
  std::optional<ByteCount> memory_limit;
  std::optional<int> parallelism;
  static config::Shape<JobResources> Declaration();
};

/// One job (config/jobs/<id>.yaml): what is read, what is done to it, what it promises, where it
/// goes.
struct Job {
  std::string id;    ///< The file's name.
  std::string file;  ///< For messages.
  bool enabled = true;
  std::string cron_expression;
  std::string timezone = "UTC";
  std::string type = "generic";
  config::PartOptions source;
  std::optional<config::PartOptions> transformer;
  std::vector<config::PartOptions> transformers;
  std::string contract;
  config::PartOptions loader;
  OnOpenBranch on_open_branch = OnOpenBranch::kBlock;
  Monitoring monitoring;
  JobMetadata metadata;
  Retries retries;
  std::optional<std::chrono::seconds> timeout;
  JobResources resources;

  /// `transformer` or `transformers`, as one list.
  std::vector<config::PartOptions> steps() const;
};

/// What a job can be made of.
struct Parts {
  source::Registry sources;
  transform::Registry transforms;
  audit::Registry checks;
  load::Registry loaders;

  /// Fill every registry with what the build found.
  static std::unique_ptr<const Parts> All();
};

/// The declaration of a job file, over the parts that exist.
config::Shape<Job> JobShape(const Parts& parts);

}  // namespace calve::pipeline

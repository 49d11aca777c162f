#pragma once

#include <string>

#include "base/time.h"
#include "cli/print.h"
#include "pipeline/run.h"

namespace calve::cli {

/// Shows a person how a run goes: a bar with rows, bytes, rate and time left on a terminal, plain
/// lines elsewhere, nothing with --json.
class RunEvents : public pipeline::Events {
 public:
  struct Options {
    bool terminal = false;
    bool silent = false;
    bool blocks_job = true;  ///< Whether rows that fail their audit keep a job from its next run.
    Clock* clock = nullptr;
  };
  explicit RunEvents(Options options) : options_(options), begun_(options.clock->Monotonic()) {}

  void Planned(const pipeline::Plan& plan) override;
  void Progressed(const pipeline::Progress& progress) override;
  void Extracted(const pipeline::RunReport& report) override;
  void Staged(const load::Report& report) override;
  void Audited(const load::Report& report) override;
  /// The last lines: what was published, or what stopped it and how to go on.
  void Ended(const pipeline::RunReport& report);
  /// What an audit has stopped, and how to go on.
  void AuditFailed(const load::Report& report) const;

 private:
  void ShowBar(const pipeline::Progress& progress);
  static void PrintHeldBack(const load::Report& load);
  bool colour() const { return options_.terminal; }

  const Options options_;
  const Duration begun_;
  Duration shown_{-1'000'000};
  pipeline::Progress last_;
  int64_t quarantined_ = 0;
};

/// Where every row that was read has gone: "2 written + 1 quarantined = 3 read".
std::string Accounting(const pipeline::RunReport& report);

/// The lines that say how the source's columns meet the table's.
std::vector<std::string> DescribeSchemaSteps(const load::SchemaPlan& plan);

}  // namespace calve::cli

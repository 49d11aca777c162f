#include "pipeline/job.h"

#include <algorithm>

#include "base/text.h"
#include "pipeline/cron.h"
#include "pipeline/job_types.h"
#include "pipeline/time_zone.h"

namespace calve::pipeline {

config::Shape<Thresholds> Thresholds::Declaration() {
  config::Shape<Thresholds> shape(
      "thresholds", "Figures of a run that people are told of when they cross these.");
  shape.Optional("rows_min", &Thresholds::rows_min, "Tell when a run read fewer rows.",
                 {.example = "1000"});
  shape.Optional("rows_max", &Thresholds::rows_max, "Tell when a run read more rows.",
                 {.example = "1000000"});
  shape.Optional("quarantined_max", &Thresholds::quarantined_max,
                 "Tell when a larger share of the rows was quarantined.",
                 {.example = "1%", .max = config::Fraction{1}});
  shape.Optional("duration_max", &Thresholds::duration_max, "Tell when a run took longer.",
                 {.example = "10m"});
  shape.Check("rows_max", [](const Thresholds& thresholds) -> Status {
    const bool both = thresholds.rows_min.has_value() && thresholds.rows_max.has_value();
    if (!both || *thresholds.rows_min <= *thresholds.rows_max) return Status::Ok();
    return ConfigError(
        "rows_max is less than rows_min: people would be told of every run; swap them");
  });
  return shape;
}

config::Shape<Monitoring> Monitoring::Declaration() {
  config::Shape<Monitoring> shape("monitoring", "Who is told, and of what.");
  shape.Optional("alert_on_failure", &Monitoring::alert_on_failure,
                 "Tell when a run fails or an audit stops it.");
  shape.Optional("alert_on_zero_records", &Monitoring::alert_on_zero_records,
                 "Tell when a run read no row.");
  shape.Optional("notification_channels", &Monitoring::notification_channels,
                 "Where to tell: slack, email, as set up in calve.yaml.",
                 {.example = "[slack, email]"});
  shape.Check("notification_channels", [](const Monitoring& monitoring) -> Status {
    const std::vector<std::string> known = {"slack", "email", "webhook"};
    for (const std::string& channel : monitoring.notification_channels) {
      if (std::find(known.begin(), known.end(), channel) == known.end())
        return ConfigError("'" + channel + "' is no channel; one of " + Join(known, ", ") +
                           DidYouMean(channel, known));
    }
    return Status::Ok();
  });
  shape.Optional("thresholds", &Monitoring::thresholds,
                 "Figures of a run that people are told of when they cross these.");
  return shape;
}

config::Shape<JobMetadata> JobMetadata::Declaration() {
  config::Shape<JobMetadata> shape("job metadata", "For people.");
  shape.Optional("owner", &JobMetadata::owner, "Who answers for the job.",
                 {.example = "Data Team"});
  shape.Optional("contact_email", &JobMetadata::contact_email, "Where to write.",
                 {.example = "data@example.com"});
  shape.Optional("tags", &JobMetadata::tags, "Words to find it by.",
                 {.example = "[financial, daily]"});
  return shape;
}

config::Shape<Retries> Retries::Declaration() {
  config::Shape<Retries> shape("retries", "What to do when a run fails for a passing reason.");
  shape.Optional("max", &Retries::max, "How many times to run again.", {.min = 0, .max = 100});
  shape.Optional("backoff", &Retries::backoff, "The wait before the first retry; it doubles.");
  return shape;
}

config::Shape<JobResources> JobResources::Declaration() {
  config::Shape<JobResources> shape("job resources", "What one run may use.");
  shape.Optional("memory_limit", &JobResources::memory_limit, "Memory for the whole run.",
                 {.min = ByteCount(64'000'000), .default_text = "the project's"});
  shape.Optional("parallelism", &JobResources::parallelism,
                 "How many parts are read and written at once.",
                 {.min = 1, .max = 256, .default_text = "the number of processors"});
  return shape;
}

std::vector<config::PartOptions> Job::steps() const {
  if (transformer.has_value()) return {*transformer};
  return transformers;
}

std::unique_ptr<const Parts> Parts::All() {
  auto parts = std::make_unique<Parts>();
  source::RegisterParts(parts->sources);
  transform::RegisterParts(parts->transforms);
  audit::RegisterParts(parts->checks);
  load::RegisterParts(parts->loaders);
  return parts;
}

config::Shape<Job> JobShape(const Parts& parts) {
  config::Shape<Job> shape(
      "job", "What is read, what is done to it, what it promises, and where it goes.");
  shape.Optional("enabled", &Job::enabled,
                 "Whether the scheduler runs it; `calve run` always does.");
  shape.Optional("cron_expression", &Job::cron_expression,
                 "When the scheduler runs it: minute hour day month weekday.",
                 {.example = "\"0 5 * * *\""});
  shape.Optional("timezone", &Job::timezone, "The time zone of cron_expression.",
                 {.example = "Europe/Berlin"});
  shape.Optional("type", &Job::type,
                 "The kind of job: generic, or one that is a template, such as fsa_insider_trading "
                 "(docs/guide/insider_trading.md).");
  shape.Required(
      "source", &Job::source, "What is read.",
      {.example = "{type: csv, source_path: incoming/}", .parts = parts.sources.parts()});
  shape.Optional("transformer", &Job::transformer, "What is done to the rows on their way.",
                 {.parts = parts.transforms.parts()});
  shape.Optional("transformers", &Job::transformers, "Several transformers, one after another.",
                 {.parts = parts.transforms.parts()});
  shape.AtMostOneOf({"transformer", "transformers"});
  shape.Optional("contract", &Job::contract,
                 "The contract that the table keeps, by its file's name in contracts/.",
                 {.example = "sales.daily_sales",
                  .default_text = "contracts/<database>.<table>.yaml, when there is one"});
  shape.Required("loader", &Job::loader, "Where the rows go.",
                 {.example = "{type: iceberg, database: sales, table: daily_sales}",
                  .parts = parts.loaders.parts()});
  shape.Optional("on_open_branch", &Job::on_open_branch,
                 "What to do while an audit branch of the job waits for a decision.");
  shape.Optional("monitoring", &Job::monitoring, "Who is told, and of what.");
  shape.Optional("metadata", &Job::metadata, "For people.");
  shape.Optional("retries", &Job::retries, "What to do when a run fails for a passing reason.");
  shape.Optional("timeout", &Job::timeout, "Stop a run that takes longer.",
                 {.example = "30m", .min = std::chrono::seconds(1), .max = std::chrono::days(365)});
  shape.Optional("resources", &Job::resources, "What one run may use.");
  shape.Check("cron_expression", [](const Job& job) -> Status {
    return job.cron_expression.empty() ? Status::Ok() : CheckCron(job.cron_expression);
  });
  shape.Check("timezone", [](const Job& job) { return CheckTimeZone(job.timezone); });
  shape.Check("type", [](const Job& job) -> Status {
    if (job.type == "generic") return Status::Ok();
    std::vector<std::string> known = {"generic"};
    for (const auto& [type, text] : JobTypes()) known.push_back(type);
    return ConfigError("'" + job.type + "' is no type of job; one of " + Join(known, ", ") +
                       DidYouMean(job.type, known));
  });
  return shape;
}

}  // namespace calve::pipeline

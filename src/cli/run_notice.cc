#include "cli/run_notice.h"

#include <fmt/format.h>

#include "base/text.h"

namespace calve::cli {
namespace {

notify::Notice Failed(const pipeline::Job& job, const Error& error) {
  return {.title = job.id + " failed",
          .lines = {error.message, "Nothing of this run was published."}};
}

notify::Notice StoppedByAudit(const pipeline::Job& job, const load::Report& load) {
  notify::Notice notice;
  notice.title = job.id + ": an audit stopped the load of " + load.table;
  for (const audit::Outcome& outcome : load.audit.outcomes) {
    if (outcome.passed || outcome.check.severity != audit::Severity::kFail) continue;
    notice.lines.push_back(outcome.check.name + ": " + outcome.message);
  }
  if (load.branch.empty()) {
    notice.lines.push_back(load.table + " is unchanged; the next run reads the same rows again.");
    return notice;
  }
  notice.lines.push_back("main of " + load.table + " is unchanged; the rows are on branch " +
                         load.branch + ".");
  notice.lines.push_back("Look: calve branch nulls " + load.branch);
  notice.lines.push_back("Then: calve branch publish " + load.branch +
                         " --waive CHECK, or calve branch discard " + load.branch);
  return notice;
}

/// One line for each threshold that the run crossed.
std::vector<std::string> Crossed(const pipeline::Thresholds& thresholds,
                                 const pipeline::RunReport& report) {
  std::vector<std::string> lines;
  const std::string rows = FormatCount(report.rows_read);
  if (thresholds.rows_min.has_value() && report.rows_read < thresholds.rows_min->value())
    lines.push_back(fmt::format("{} rows read, fewer than rows_min {}", rows,
                                FormatCount(thresholds.rows_min->value())));
  if (thresholds.rows_max.has_value() && report.rows_read > thresholds.rows_max->value())
    lines.push_back(fmt::format("{} rows read, more than rows_max {}", rows,
                                FormatCount(thresholds.rows_max->value())));
  const auto held = static_cast<double>(report.load.rows_quarantined);
  if (thresholds.quarantined_max.has_value() &&
      held > thresholds.quarantined_max->value * static_cast<double>(report.rows_read))
    lines.push_back(fmt::format("{} of {} rows quarantined, more than quarantined_max {:g}%",
                                FormatCount(report.load.rows_quarantined), rows,
                                thresholds.quarantined_max->value * 100));
  if (thresholds.duration_max.has_value() && report.took > *thresholds.duration_max)
    lines.push_back(fmt::format("took {:.1f} s, longer than duration_max {} s",
                                std::chrono::duration<double>(report.took).count(),
                                thresholds.duration_max->count()));
  return lines;
}

/// Of a run that neither failed nor was stopped.
std::optional<notify::Notice> OfGoodRun(const pipeline::Job& job,
                                        const pipeline::RunReport& report) {
  if (report.load.ending == load::Ending::kBlocked) return std::nullopt;
  if (report.rows_read == 0 && job.monitoring.alert_on_zero_records)
    return notify::Notice{.title = job.id + " read no row", .lines = {report.plan.read}};
  std::vector<std::string> crossed = Crossed(job.monitoring.thresholds, report);
  if (crossed.empty()) return std::nullopt;
  return notify::Notice{.title = job.id + " crossed a threshold", .lines = std::move(crossed)};
}

std::optional<notify::Notice> WithoutOwner(const pipeline::Job& job,
                                           const Result<pipeline::RunReport>& report) {
  const bool on_failure = job.monitoring.alert_on_failure;
  if (!report.ok()) return on_failure ? std::optional(Failed(job, report.error())) : std::nullopt;
  if (report->load.ending == load::Ending::kAuditFailed)
    return on_failure ? std::optional(StoppedByAudit(job, report->load)) : std::nullopt;
  return OfGoodRun(job, *report);
}

}  // namespace

std::optional<notify::Notice> NoticeOf(const pipeline::Job& job,
                                       const Result<pipeline::RunReport>& report) {
  std::optional<notify::Notice> notice = WithoutOwner(job, report);
  if (notice.has_value() && !job.metadata.owner.empty())
    notice->lines.push_back("Owner: " + job.metadata.owner);
  return notice;
}

}  // namespace calve::cli

#include "cli/recorded_run.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <utility>

#include "base/text.h"
#include "cli/print.h"
#include "cli/run_notice.h"
#include "cli/upkeep_run.h"
#include "io/http.h"
#include "notify/notify.h"

namespace calve::cli {
namespace {

using nlohmann::ordered_json;

ordered_json ToJson(const audit::Outcome& outcome) {
  std::string severity;
  for (const auto& name : NamesOf(audit::Severity{})) {
    if (name.value == outcome.check.severity) severity = name.name;
  }
  return {{"check", outcome.check.name},      {"severity", severity},
          {"passed", outcome.passed},         {"rows_failed", outcome.rows_failed},
          {"rows_total", outcome.rows_total}, {"message", outcome.message}};
}

std::string_view EndingName(load::Ending ending) {
  switch (ending) {
    case load::Ending::kNothing:
      return "nothing";
    case load::Ending::kPublished:
      return "published";
    case load::Ending::kAuditFailed:
      return "audit_failed";
    case load::Ending::kBlocked:
      return "blocked";
  }
  return "nothing";
}

ordered_json ToJson(const pipeline::RunReport& report) {
  ordered_json json = {{"run", report.run},
                       {"job", report.job},
                       {"state", EndingName(report.load.ending)},
                       {"table", report.load.table},
                       {"rows_read", report.rows_read},
                       {"rows_written", report.load.rows_written},
                       {"rows_replaced", report.load.rows_replaced},
                       {"rows_deleting", report.load.rows_deleting},
                       {"rows_outdated", report.load.rows_outdated},
                       {"rows_quarantined", report.load.rows_quarantined},
                       {"quarantined_by_rule", report.quarantined_by_rule},
                       {"rows_dropped", report.rows_dropped},
                       {"rows_made", report.rows_made},
                       {"bytes_read", report.bytes_read.value()},
                       {"files", report.load.files},
                       {"files_adopted", report.load.files_adopted},
                       {"seconds", std::chrono::duration<double>(report.took).count()}};
  if (!report.plan.schema.new_table) json["drift"] = DescribeSchemaSteps(report.plan.schema);
  if (report.load.snapshot_id.has_value()) json["snapshot_id"] = *report.load.snapshot_id;
  if (!report.load.branch.empty()) json["branch"] = report.load.branch;
  if (!report.load.proof.empty()) json["proof"] = report.load.proof;
  ordered_json checks = ordered_json::array();
  for (const audit::Outcome& outcome : report.row_checks) checks.push_back(ToJson(outcome));
  for (const audit::Outcome& outcome : report.load.audit.outcomes)
    checks.push_back(ToJson(outcome));
  json["checks"] = std::move(checks);
  return json;
}

std::string SeverityName(audit::Severity severity) {
  for (const auto& name : NamesOf(audit::Severity{})) {
    if (name.value == severity) return std::string(name.name);
  }
  return "fail";
}

state::RunState StateOf(load::Ending ending) {
  switch (ending) {
    case load::Ending::kNothing:
      return state::RunState::kNothing;
    case load::Ending::kPublished:
      return state::RunState::kPublished;
    case load::Ending::kAuditFailed:
      return state::RunState::kAuditFailed;
    case load::Ending::kBlocked:
      return state::RunState::kBlocked;
  }
  return state::RunState::kFailed;
}

std::vector<state::AuditRecord> AuditsOf(const pipeline::RunReport& report, Timestamp now) {
  std::vector<state::AuditRecord> records;
  const auto add = [&](const audit::Outcome& outcome) {
    records.push_back({.run = report.run,
                       .table = report.load.table,
                       .check = outcome.check.name,
                       .severity = SeverityName(outcome.check.severity),
                       .passed = outcome.passed,
                       .rows_failed = outcome.rows_failed,
                       .rows_total = outcome.rows_total,
                       .message = outcome.message,
                       .at = now});
  };
  for (const audit::Outcome& outcome : report.row_checks) add(outcome);
  for (const audit::Outcome& outcome : report.load.audit.outcomes) add(outcome);
  return records;
}

/// Runs of a job before this one, and how far this one is from what they usually read.
struct History {
  int64_t runs = 0;
  int64_t median = 0;
  int64_t percent = 0;  ///< Negative: fewer rows.
  bool unusual() const { return std::abs(percent) >= kUnusualPercent; }

  static constexpr int64_t kRunsMin = 3;
  static constexpr int64_t kRunsMax = 7;
  static constexpr int64_t kUnusualPercent = 20;
};

/// Nothing when there are too few runs to say what is usual.
std::optional<History> HistoryOf(const std::vector<state::RunRecord>& before, int64_t rows_read) {
  std::vector<int64_t> rows;
  for (const state::RunRecord& record : before) rows.push_back(record.rows_read);
  std::sort(rows.begin(), rows.end());
  History history{.runs = static_cast<int64_t>(rows.size())};
  if (history.runs < History::kRunsMin) return std::nullopt;
  history.median = rows[rows.size() / 2];
  if (history.median == 0) return std::nullopt;
  history.percent = std::llround(100.0 * static_cast<double>(rows_read - history.median) /
                                 static_cast<double>(history.median));
  return history;
}

void PrintHistory(const History& history, int64_t rows_read) {
  PrintLine("history",
            Counted(rows_read, "row") + " read, " + FormatCount(std::abs(history.percent)) + " % " +
                (history.percent < 0 ? "below" : "above") + " the median of the last " +
                FormatCount(history.runs) + " runs (" + FormatCount(history.median) + ")");
}

/// Tell people, and say on the terminal whom. A notice that does not arrive changes nothing about
/// the run.
void TellPeople(Program& program, const pipeline::Job& job, const notify::Notice& notice) {
  Result<const config::LoadedProject*> loaded = program.project();
  if (!loaded.ok()) return;
  const auto http = io::MakeHttpClient();
  for (const notify::Told& told :
       notify::Tell(program.context(), *http, (*loaded)->project.notifications,
                    job.monitoring.notification_channels, notice)) {
    if (!told.status.ok()) {
      PrintError("calve: " + told.channel + " was not told: " + told.status.error().message);
    } else if (!program.options.json) {
      PrintLine("told", told.channel);
    }
  }
}

/// The table that a run loaded, with its catalog where the job names one.
std::string TableOf(const pipeline::Job& job, const pipeline::RunReport& report) {
  const config::Node* catalog = job.loader.node.Find("catalog");
  return (catalog == nullptr ? "" : catalog->text() + ".") + report.load.table;
}

}  // namespace

Result<EndedRun> RunRecorded(Program& program, const pipeline::Job& job, const std::string& id,
                             const RunIt& run_it, const Recording& recording) {
  const Context& context = program.context();
  CALVE_ASSIGN_OR_RETURN(state::Runs * runs, program.runs());

  state::RunRecord record;
  record.run = NewRunId(context.clock->Now(), *context.random);
  record.job = id;
  record.started = context.clock->Now();
  CALVE_RETURN_IF_ERROR(recording.of_stream ? runs->BeginBeside(record) : runs->Begin(record));
  const bool terminal =
      IsTerminal(stdout) && !program.options.plain && std::getenv("NO_COLOR") == nullptr;
  const bool silent = program.options.json || recording.silent;
  RunEvents events({.terminal = terminal, .silent = silent, .clock = context.clock});
  Result<pipeline::RunReport> report = run_it(record.run, events);

  const std::optional<notify::Notice> notice = NoticeOf(job, report);
  record.ended = context.clock->Now();
  if (!report.ok() && recording.of_stream && report.error().kind == ErrorKind::kStopped) {
    CALVE_RETURN_IF_ERROR(runs->Forget(record.run));
    return std::move(report).error();
  }
  if (!report.ok()) {
    record.state = state::RunState::kFailed;
    record.error = report.error().message;
    CALVE_RETURN_IF_ERROR(runs->End(record, {}));
    if (notice.has_value()) TellPeople(program, job, *notice);
    return std::move(report).error();
  }
  if (recording.of_stream && report->load.ending == load::Ending::kNothing) {
    CALVE_RETURN_IF_ERROR(runs->Forget(record.run));
    EndedRun idle{.report = std::move(*report), .json = {}, .exit = ExitCode::kDone};
    return idle;
  }
  record.state = StateOf(report->load.ending);
  record.table = report->load.table;
  record.rows_read = report->rows_read;
  record.rows_written = report->load.rows_written;
  record.rows_quarantined = report->load.rows_quarantined;
  record.rows_dropped = report->rows_dropped;
  record.rows_made = report->rows_made;
  record.bytes_read = report->bytes_read.value();
  record.snapshot_id = report->load.snapshot_id;
  record.branch = report->load.branch;
  record.has_position = report->has_position;
  CALVE_ASSIGN_OR_RETURN(const auto before, runs->Published(id, History::kRunsMax));
  CALVE_RETURN_IF_ERROR(runs->End(record, AuditsOf(*report, *record.ended)));
  // A run that found nothing to read says nothing about sizes.
  const bool loaded = report->load.ending == load::Ending::kPublished ||
                      report->load.ending == load::Ending::kAuditFailed;
  const auto history = loaded ? HistoryOf(before, report->rows_read) : std::nullopt;
  if (history.has_value() && history->unusual() && !silent)
    PrintHistory(*history, report->rows_read);
  events.Ended(*report);
  if (notice.has_value()) TellPeople(program, job, *notice);
  std::optional<ordered_json> kept;
  if (report->load.ending == load::Ending::kPublished && report->load.snapshot_id.has_value())
    kept = KeepUp(program, TableOf(job, *report), *report->load.snapshot_id);
  EndedRun ended{.report = std::move(*report), .json = {}, .exit = ExitCode::kDone};
  ended.json = ToJson(ended.report);
  if (history.has_value()) {
    ended.json["history"] = {{"runs", history->runs},
                             {"rows_median", history->median},
                             {"change_percent", history->percent}};
  }
  if (kept.has_value()) ended.json["upkeep"] = std::move(*kept);
  if (ended.report.load.ending == load::Ending::kBlocked) ended.exit = ExitCode::kBlocked;
  if (ended.report.load.ending == load::Ending::kAuditFailed) ended.exit = ExitCode::kAuditFailed;
  return ended;
}

}  // namespace calve::cli

#include "cli/run_events.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace calve::cli {
namespace {

constexpr size_t kBarWidth = 22;
constexpr Duration kBarEvery{100'000};

std::string Seconds(Duration d) {
  return fmt::format("{:.1f} s", std::chrono::duration<double>(d).count());
}

std::string Rate(ByteCount bytes, Duration took) {
  const double seconds = std::max(0.001, std::chrono::duration<double>(took).count());
  return FormatBytes(
             ByteCount(static_cast<int64_t>(static_cast<double>(bytes.value()) / seconds))) +
         "/s";
}

/// Rows that transformers left out one by one, not by making others of them.
int64_t Filtered(const pipeline::RunReport& report) {
  return report.rows_dropped - std::max<int64_t>(0, report.rows_taken - report.rows_given);
}

/// ", 12 rows replaced in 3 files (2 written anew, 1 with deletes)"; empty without any.
std::string Replaced(const load::Report& report) {
  if (report.rows_replaced == 0) return "";
  const int64_t files = report.files_rewritten + report.files_with_deletes;
  std::string text =
      ", " + Counted(report.rows_replaced, "row") + " replaced in " + Counted(files, "file");
  if (report.files_with_deletes == 0) return text;
  if (report.files_rewritten == 0) return text + ", deleted beside them";
  return text + " (" + FormatCount(report.files_rewritten) + " written anew, " +
         FormatCount(report.files_with_deletes) + " with deletes)";
}

}  // namespace

std::string Accounting(const pipeline::RunReport& report) {
  const int64_t filtered = Filtered(report);
  const auto part = [](int64_t rows, const char* what) {
    return rows > 0 ? " + " + FormatCount(rows) + what : std::string();
  };
  const std::string ends =
      FormatCount(report.load.rows_written) + " written" +
      part(report.load.rows_deleting, " deleting") + part(report.load.rows_outdated, " outdated") +
      part(report.load.rows_quarantined, " quarantined") + part(filtered, " left out");
  const std::string read = FormatCount(report.rows_read) + " read";
  if (report.rows_given == report.rows_taken) return ends + " = " + read;
  return read +
         (report.rows_taken == report.rows_read ? "" : ", " + FormatCount(report.rows_taken)) +
         " → " + Counted(report.rows_given, "row") + " by the transformer → " + ends;
}

std::vector<std::string> DescribeSchemaSteps(const load::SchemaPlan& plan) {
  using Kind = load::SchemaPlan::Step::Kind;
  std::vector<std::string> lines;
  if (plan.new_table) {
    lines.push_back("a new table");
    if (plan.schema != nullptr) {
      for (const iceberg::Field& field : plan.schema->fields())
        lines.push_back("+ " + field.name + " " + field.type.ToString());
    }
  }
  for (const auto& step : plan.steps) {
    switch (step.kind) {
      case Kind::kAdd:
        lines.push_back("+ " + step.column + " " + step.to + "   " + step.why);
        break;
      case Kind::kWiden:
        lines.push_back("~ " + step.column + " " + step.from + " → " + step.to + "   " + step.why);
        break;
      case Kind::kGone:
        lines.push_back("? " + step.column + "   " + step.why);
        break;
      case Kind::kLeaveOut:
        lines.push_back("- " + step.column + " " + step.to + "   " + step.why);
        break;
      case Kind::kReject:
        lines.push_back("! " + step.column + " " + step.from + ", comes as " + step.to + "   " +
                        step.why);
        break;
    }
  }
  return lines;
}

void RunEvents::Planned(const pipeline::Plan& plan) {
  if (options_.silent) return;
  PrintLine("plan", plan.read);
  for (const std::string& note : plan.notes) PrintLine("", note);
  if (!plan.schema.new_table) {
    bool first = true;
    for (const std::string& line : DescribeSchemaSteps(plan.schema)) {
      PrintLine(first ? "schema" : "", line);
      first = false;
    }
  }
}

void RunEvents::ShowBar(const pipeline::Progress& progress) {
  const Duration now = options_.clock->Monotonic();
  const Duration took = now - begun_;
  const double share = progress.bytes_total.value() == 0
                           ? 0
                           : std::min(1.0, static_cast<double>(progress.bytes.value()) /
                                               static_cast<double>(progress.bytes_total.value()));
  std::string left;
  if (share > 0.01 && share < 1)
    left = "   " +
           Seconds(Duration(
               static_cast<int64_t>(static_cast<double>(took.count()) * (1 - share) / share))) +
           " left";
  Print(fmt::format("\r\x1b[Kextract   {} {:3.0f}%   {}   {}   {}{}",
                    Coloured(Bar(share, kBarWidth), Colour::kGreen, true), share * 100,
                    FormatBytes(progress.bytes), Counted(progress.rows, "row"),
                    Rate(progress.bytes, took), left));
  std::fflush(stdout);
}

void RunEvents::Progressed(const pipeline::Progress& progress) {
  last_ = progress;
  if (options_.silent || !options_.terminal) return;
  const Duration now = options_.clock->Monotonic();
  if (now - shown_ < kBarEvery) return;
  shown_ = now;
  ShowBar(progress);
}

void RunEvents::Extracted(const pipeline::RunReport& report) {
  if (options_.silent) return;
  const Duration took = options_.clock->Monotonic() - begun_;
  if (options_.terminal) {
    last_.bytes = std::max(last_.bytes, last_.bytes_total);
    ShowBar(last_);
    Print("\n");
  } else {
    PrintLine("extract", FormatBytes(report.bytes_read) + "   " + Counted(report.rows_read, "row") +
                             "   " + Rate(report.bytes_read, took));
  }
  if (report.rows_taken != report.rows_given)
    PrintLine("transform", Counted(report.rows_taken, "row") + " → " +
                               FormatCount(report.rows_given) + " by the transformer");
  if (const int64_t filtered = Filtered(report); filtered > 0)
    PrintLine("left out", Counted(filtered, "row") + " by transformers");
  quarantined_ = report.load.rows_quarantined;
  if (quarantined_ == 0) return;
  std::string which;
  for (const auto& [rule, rows] : report.quarantined_by_rule)
    which += (which.empty() ? "" : ", ") + rule + " " + FormatCount(rows);
  PrintLine("quarantine", Coloured(Counted(quarantined_, "row"), Colour::kYellow, colour()) +
                              " held back" + (which.empty() ? "" : " (" + which + ")"));
}

void RunEvents::Staged(const load::Report& report) {
  if (options_.silent) return;
  if (report.branch.empty()) {
    PrintLine("stage", report.table + "   " + Counted(report.rows_written, "row") + ", " +
                           FormatBytes(report.bytes));
    return;
  }
  PrintLine(
      "stage",
      report.table + "@" + report.branch + "   " + Counted(report.files, "file") + ", " +
          FormatBytes(report.bytes) +
          (report.files_adopted > 0 ? ", " + FormatCount(report.files_adopted) + " adopted" : "") +
          Replaced(report));
}

void RunEvents::Audited(const load::Report& report) {
  if (options_.silent || report.audit.outcomes.empty() || report.audit.failed()) return;
  const auto passed = std::count_if(report.audit.outcomes.begin(), report.audit.outcomes.end(),
                                    [](const audit::Outcome& o) { return o.passed; });
  std::string text = Coloured(FormatCount(passed) + " passed", Colour::kGreen, colour());
  if (report.audit.warned() > 0)
    text +=
        ", " + Coloured(FormatCount(report.audit.warned()) + " warned", Colour::kYellow, colour());
  PrintLine("checks", text);
  for (const audit::Outcome& outcome : report.audit.outcomes) {
    if (!outcome.passed) PrintLine("", outcome.check.name + ": " + outcome.message);
  }
}

/// Say how to look at the rows of a load of which none was written.
void RunEvents::PrintHeldBack(const load::Report& load) {
  if (load.rows_written == 0 && load.rows_quarantined > 0)
    PrintLine("next", "calve quarantine show " + load.table);
}

void RunEvents::AuditFailed(const load::Report& report) const {
  std::string first_where;
  std::string waive;
  bool first = true;
  for (const audit::Outcome& outcome : report.audit.outcomes) {
    if (outcome.passed || outcome.check.severity != audit::Severity::kFail) continue;
    PrintLine(first ? "audit" : "", Coloured("FAILED", Colour::kRed, colour()) + "   " +
                                        outcome.check.name + ": " + outcome.message);
    if (first_where.empty()) first_where = outcome.where;
    waive += " --waive '" + outcome.check.name + "'";
    first = false;
  }
  if (report.branch.empty()) {
    PrintLine("target", report.table +
                            " is unchanged; its source was not passed over: the next run "
                            "reads the same rows again");
    PrintLine("next",
              "mend the rows at their source or the contract, then calve run the job again");
    return;
  }
  PrintLine("main",
            report.table + " is unchanged" +
                (report.main_snapshot_id.has_value()
                     ? " (snapshot " + std::to_string(*report.main_snapshot_id) + ")"
                     : " (it has no rows yet)") +
                (options_.blocks_job ? "; this job waits until the branch is decided" : ""));
  PrintLine("look", "calve query \"SELECT * FROM " + report.table + "@" + report.branch +
                        (first_where.empty() ? "" : " WHERE " + first_where) + " LIMIT 10\"");
  PrintLine("next", "calve branch publish " + report.branch + waive +
                        "     or     calve branch discard " + report.branch);
}

void RunEvents::Ended(const pipeline::RunReport& report) {
  if (options_.silent) return;
  const load::Report& load = report.load;
  switch (load.ending) {
    case load::Ending::kNothing:
      PrintLine("done", Seconds(report.took) + "   " +
                            (report.rows_read > 0 ? Accounting(report) : "nothing new") + "; " +
                            (report.plan.schema.new_table
                                 ? "no row to write: " + load.table + " is made with its first row"
                                 : load.table + " is unchanged"));
      PrintHeldBack(load);
      break;
    case load::Ending::kBlocked:
      PrintLine("blocked", Coloured("WAITS", Colour::kYellow, colour()) + "   branch " +
                               load.branch + " of " + load.table +
                               " failed its audit and is not decided yet");
      PrintLine("look", "calve branch nulls " + load.branch);
      PrintLine("next", "calve branch publish " + load.branch +
                            " --waive CHECK     or     calve branch discard " + load.branch);
      PrintLine("", "to replace it at each run, set on_open_branch: replace in the job");
      break;
    case load::Ending::kAuditFailed:
      AuditFailed(load);
      break;
    case load::Ending::kPublished:
      PrintLine("publish",
                load.table + "   " +
                    (load.snapshot_id.has_value() ? "main → " + std::to_string(*load.snapshot_id)
                                                  : load.published_as) +
                    "   proved: " + load.proof);
      PrintLine("done", Seconds(report.took) + "   " + Accounting(report));
      PrintHeldBack(load);
      break;
  }
}

}  // namespace calve::cli

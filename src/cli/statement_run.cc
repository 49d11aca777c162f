#include "cli/statement_run.h"

#include <cstdlib>
#include <functional>
#include <vector>

#include "base/random.h"
#include "base/text.h"
#include "cli/dead_runs.h"
#include "cli/print.h"
#include "cli/report.h"
#include "cli/run_events.h"
#include "cli/upkeep_run.h"
#include "statement/statement.h"

namespace calve::cli {
namespace {

using Kind = engine::Statement::Kind;

Result<statement::Resources> ResourcesOf(Program& program) {
  statement::Resources resources;
  CALVE_ASSIGN_OR_RETURN(resources.engine, program.locked_engine());
  CALVE_ASSIGN_OR_RETURN(resources.resolver, program.resolver());
  CALVE_ASSIGN_OR_RETURN(const pipeline::Resources run, program.ResourcesFor(pipeline::Job{}));
  resources.load = run.load;
  CALVE_ASSIGN_OR_RETURN(const pipeline::Parts* parts, program.parts());
  resources.checks = &parts->checks;
  resources.contract = [&program](const std::string& table) { return program.LoadContract(table); };
  resources.parallelism = program.parallelism();
  resources.buffer_bytes_max = ByteCount(run.memory_limit.value() / 2);
  return resources;
}

std::string Rows(const statement::Outcome& outcome) {
  std::vector<std::string> parts;
  const auto add = [&](int64_t rows, const char* what) {
    if (rows > 0) parts.push_back(Counted(rows, "row") + " " + what);
  };
  add(outcome.rows_inserted, "inserted");
  add(outcome.rows_updated, "updated");
  add(outcome.rows_deleted, "deleted");
  return parts.empty() ? "no row changed" : Join(parts, ", ");
}

const char* DefinitionText(const statement::Outcome& outcome) {
  switch (outcome.kind) {
    case Kind::kCreateTable:
    case Kind::kCreateNamespace:
      return outcome.changed ? "made" : "is there already";
    case Kind::kDropTable:
      return outcome.changed ? "dropped; its files stay" : "is not there";
    case Kind::kDropNamespace:
      return outcome.changed ? "dropped" : "is not there";
    case Kind::kRenameTable:
      return outcome.changed ? "renamed" : "is not there";
    default:
      return outcome.changed ? "changed" : "is so already";
  }
}

bool ChangesRows(const statement::Outcome& outcome) {
  return outcome.kind == Kind::kInsert || outcome.kind == Kind::kUpdate ||
         outcome.kind == Kind::kDelete || outcome.kind == Kind::kMerge || outcome.rows_inserted > 0;
}

ExitCode Tell(const statement::Outcome& outcome, bool json) {
  Report report(json);
  report.Fact("table", outcome.target);
  report.Fact("changed", outcome.changed && outcome.load.ending != load::Ending::kAuditFailed);
  if (!ChangesRows(outcome)) {
    report.Hint("done", outcome.target + "   " + DefinitionText(outcome));
    return report.Done();
  }
  const bool failed = outcome.load.ending == load::Ending::kAuditFailed;
  report.Fact("state", failed ? "audit_failed" : outcome.changed ? "published" : "nothing");
  report.Fact("rows_inserted", outcome.rows_inserted);
  report.Fact("rows_updated", outcome.rows_updated);
  report.Fact("rows_deleted", outcome.rows_deleted);
  if (outcome.load.snapshot_id.has_value()) report.Fact("snapshot_id", *outcome.load.snapshot_id);
  if (!outcome.load.branch.empty()) report.Fact("branch", outcome.load.branch);
  if (!failed) {
    if (outcome.load.snapshot_id.has_value())
      report.Hint("publish", outcome.target + "   main → " +
                                 std::to_string(*outcome.load.snapshot_id) +
                                 "   proved: " + outcome.load.proof);
    report.Hint("done", outcome.target + "   " + Rows(outcome));
  }
  return report.Done(failed ? ExitCode::kAuditFailed : ExitCode::kDone);
}

bool IsOfRows(const engine::Statement& statement) {
  return statement.kind == Kind::kInsert || statement.kind == Kind::kUpdate ||
         statement.kind == Kind::kDelete || statement.kind == Kind::kMerge;
}

/// Run a statement. One that changes rows is a run in calve.runs, of the job `query.sales.orders`, so
/// that the next one removes what it leaves if it dies.
Result<statement::Outcome> RunOnRecord(
    Program& program, const engine::Statement& statement,
    const std::function<Result<statement::Outcome>(const std::string& run)>& run_it) {
  const Context& context = program.context();
  state::RunRecord record;
  record.run = NewRunId(context.clock->Now(), *context.random);
  if (!IsOfRows(statement)) return run_it(record.run);
  const std::string named = Join(statement.target.parts, ".");
  const Result<Program::NamedTable> table = program.Table(named);
  if (!table.ok()) return run_it(record.run);  // Which knows better what is wrong.
  CALVE_ASSIGN_OR_RETURN(state::Runs * runs, program.runs());
  record.job = "query." + named;
  record.table = table->name.ToString();
  record.started = context.clock->Now();
  CALVE_RETURN_IF_ERROR(SweepDeadRuns(program, *table, record.job));
  CALVE_RETURN_IF_ERROR(runs->BeginBeside(record));
  Result<statement::Outcome> outcome = run_it(record.run);
  record.ended = context.clock->Now();
  if (!outcome.ok()) {
    record.state = state::RunState::kFailed;
    record.error = outcome.error().message;
    // While a commit may still come true nothing was removed: the next statement looks.
    if (outcome.error().kind == ErrorKind::kUnknownOutcome) runs->LeavesFiles(record.run);
  } else {
    record.state = outcome->load.ending == load::Ending::kAuditFailed
                       ? state::RunState::kAuditFailed
                   : outcome->load.ending == load::Ending::kPublished ? state::RunState::kPublished
                                                                      : state::RunState::kNothing;
    record.rows_written = outcome->load.rows_written;
    record.snapshot_id = outcome->load.snapshot_id;
    record.branch = outcome->load.branch;
  }
  CALVE_RETURN_IF_ERROR(runs->End(record, {}));
  return outcome;
}

}  // namespace

Result<ExitCode> RunStatement(Program& program, const std::string& sql,
                              const engine::Statement& statement) {
  const Context& context = program.context();
  CALVE_ASSIGN_OR_RETURN(const statement::Resources resources, ResourcesOf(program));
  const bool terminal =
      IsTerminal(stdout) && !program.options.plain && std::getenv("NO_COLOR") == nullptr;
  RunEvents events({.terminal = terminal,
                    .silent = program.options.json,
                    .blocks_job = false,
                    .clock = context.clock});
  CALVE_ASSIGN_OR_RETURN(const statement::Outcome outcome,
                         RunOnRecord(program, statement, [&](const std::string& run) {
                           return statement::Run(context, sql, statement, run, resources, &events);
                         }));
  if (outcome.load.ending == load::Ending::kAuditFailed && !program.options.json)
    events.AuditFailed(outcome.load);
  const ExitCode exit = Tell(outcome, program.options.json);
  if (outcome.load.ending == load::Ending::kPublished && outcome.load.snapshot_id.has_value())
    KeepUp(program, Join(statement.target.parts, "."), *outcome.load.snapshot_id);
  return exit;
}

}  // namespace calve::cli

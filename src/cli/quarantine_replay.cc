#include "cli/quarantine_replay.h"

#include <algorithm>
#include <set>

#include "base/text.h"
#include "cli/print.h"
#include "cli/recorded_run.h"
#include "cli/report.h"
#include "columnar/row_text.h"
#include "load/load.h"

namespace calve::cli {
namespace {

/// The jobs whose rows were held back from a table.
Result<std::vector<std::string>> JobsOf(Program& program, const Program::NamedTable& quarantine) {
  CALVE_ASSIGN_OR_RETURN(engine::CatalogResolver * resolver, program.resolver());
  CALVE_ASSIGN_OR_RETURN(engine::Engine * engine, program.locked_engine());
  CALVE_ASSIGN_OR_RETURN(
      const auto stream,
      engine->Query(program.context(), "SELECT DISTINCT job FROM " + SqlNameOf(quarantine),
                    {.resolver = resolver, .tables = {}}));
  const std::string suffix = pipeline::ReplayIdOf("");
  std::set<std::string> jobs;
  while (true) {
    CALVE_ASSIGN_OR_RETURN(const columnar::Batch batch, stream->Next(program.context()));
    if (batch == nullptr) break;
    for (int64_t row = 0; row < batch->num_rows(); ++row) {
      std::string job = columnar::CellText(*batch->column(0), row);
      if (job.ends_with(suffix)) job.resize(job.size() - suffix.size());
      jobs.insert(std::move(job));
    }
  }
  return std::vector<std::string>(jobs.begin(), jobs.end());
}

/// What the replays of a table's rows have come to.
struct Replayed {
  load::HeldRows::Outcome rows;
  nlohmann::ordered_json runs = nlohmann::ordered_json::array();
  ExitCode exit = ExitCode::kDone;
};

Status ReplayJob(Program& program, const std::string& table, const std::string& id,
                 Replayed* replayed) {
  const Context& context = program.context();
  CALVE_ASSIGN_OR_RETURN(const pipeline::Job job, program.LoadJob(id));
  CALVE_ASSIGN_OR_RETURN(const auto contract, program.ContractOf(job));
  CALVE_ASSIGN_OR_RETURN(const pipeline::Resources resources, program.ResourcesFor(job));
  CALVE_ASSIGN_OR_RETURN(
      const auto held,
      pipeline::OpenHeldRows(job, NewRunId(context.clock->Now(), *context.random), resources));
  if (held->target() != table) {
    return ConfigError("rows of job " + id + " were held back from " + table +
                       ", but the job loads " + held->target() +
                       " now; let it load the table that it did");
  }
  CALVE_RETURN_IF_ERROR(held->Begin(context));
  const auto run_it = [&](const std::string& run, pipeline::Events& events) {
    return pipeline::ReplayJob(context, job, contract.has_value() ? &*contract : nullptr, *held,
                               run, resources, events);
  };
  // How many rows a replay has says nothing of its source.
  pipeline::Job told = job;
  told.monitoring.thresholds = {};
  told.monitoring.alert_on_zero_records = false;
  while (held->left() > 0) {
    CALVE_ASSIGN_OR_RETURN(EndedRun ended,
                           RunRecorded(program, told, pipeline::ReplayIdOf(id), run_it));
    replayed->runs.push_back(std::move(ended.json));
    replayed->exit = ended.exit;
    if (ended.exit != ExitCode::kDone) return Status::Ok();
    if (ended.report.load.ending == load::Ending::kNothing && ended.report.rows_read > 0) {
      return RefusedError("table " + table +
                          " is gone, and not one row that was held back can be loaded: nothing "
                          "would say which have been tried; run job " +
                          id + " first");
    }
  }
  CALVE_ASSIGN_OR_RETURN(const auto outcome, held->Finish(context));
  replayed->rows.rows += outcome.rows;
  replayed->rows.held_back_again += outcome.held_back_again;
  replayed->rows.stay += outcome.stay;
  replayed->rows.unpublished += outcome.unpublished;
  return Status::Ok();
}

std::string Describe(const load::HeldRows::Outcome& rows) {
  std::vector<std::string> parts;
  if (rows.rows > 0) {
    parts.push_back(FormatCount(rows.rows - rows.held_back_again) + " of " +
                    Counted(rows.rows, "row") + " went through");
  }
  if (rows.held_back_again > 0)
    parts.push_back(FormatCount(rows.held_back_again) + " held back again");
  if (rows.stay > 0) parts.push_back(FormatCount(rows.stay) + " cannot be read again and stay");
  if (rows.unpublished > 0) {
    parts.push_back(FormatCount(rows.unpublished) +
                    " stay, since the next run of their job reads them anyway");
  }
  return parts.empty() ? "no row to try again" : Join(parts, ", ");
}

}  // namespace

std::string SqlNameOf(const Program::NamedTable& table) {
  std::string name = engine::QuoteIdentifier(table.catalog->name()) + ".";
  for (const std::string& level : table.name.ns) name += engine::QuoteIdentifier(level) + ".";
  return name + engine::QuoteIdentifier(table.name.name);
}

Result<ExitCode> ReplayQuarantine(Program& program, const Program::NamedTable& quarantine,
                                  const std::string& table, const std::string& job) {
  CALVE_ASSIGN_OR_RETURN(std::vector<std::string> jobs, JobsOf(program, quarantine));
  if (!job.empty()) {
    if (std::find(jobs.begin(), jobs.end(), job) == jobs.end()) {
      return ConfigError("no row of job '" + job + "' is held back from " + table +
                         DidYouMean(job, jobs));
    }
    jobs = {job};
  }
  Replayed replayed;
  for (const std::string& id : jobs) {
    CALVE_RETURN_IF_ERROR(ReplayJob(program, table, id, &replayed));
    if (replayed.exit != ExitCode::kDone) break;
  }
  Report report(program.options.json);
  report.Fact("table", table);
  report.Fact("rows", replayed.rows.rows);
  report.Fact("held_back_again", replayed.rows.held_back_again);
  report.Fact("not_readable", replayed.rows.stay);
  report.Fact("not_published", replayed.rows.unpublished);
  report.Fact("runs", std::move(replayed.runs));
  if (jobs.empty()) {
    report.Hint("replay", "nothing is in quarantine");
  } else if (replayed.exit == ExitCode::kDone) {
    report.Hint("replay", Describe(replayed.rows));
  }
  return report.Done(replayed.exit);
}

}  // namespace calve::cli

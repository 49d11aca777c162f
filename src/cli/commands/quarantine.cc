#include <CLI/CLI.hpp>

#include "base/text.h"
#include "cli/batch_sink.h"
#include "cli/branches.h"
#include "cli/print.h"
#include "cli/program.h"
#include "cli/quarantine_replay.h"
#include "cli/registry.h"
#include "cli/report.h"
#include "cli/snapshot_summary.h"
#include "iceberg/produce.h"

namespace calve::cli {
namespace {

constexpr std::string_view kSuffix = "__quarantine";

struct QuarantineArguments {
  std::string table;
  std::string job;
  int64_t limit = 20;
};

Result<ExitCode> ListQuarantines(Program& program) {
  CALVE_ASSIGN_OR_RETURN(const auto tables, AllTables(program));
  TextTable printed({"table", "rows held back", "quarantine"}, {false, true});
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  for (const Program::NamedTable& table : tables) {
    if (!table.name.name.ends_with(kSuffix)) continue;
    CALVE_ASSIGN_OR_RETURN(const auto loaded,
                           table.catalog->LoadTable(program.context(), table.name));
    const iceberg::Snapshot* main = loaded.metadata->current_snapshot();
    const int64_t rows = NumberOf(main, "total-records");
    const std::string quarantine = table.name.ToString();
    const std::string of = quarantine.substr(0, quarantine.size() - kSuffix.size());
    printed.Add({of, FormatCount(rows), quarantine});
    json.push_back({{"table", of}, {"rows", rows}, {"quarantine", quarantine}});
  }
  PrintEither(program.options.json, json,
              printed.empty() ? "nothing is in quarantine\n" : printed.Render());
  return ExitCode::kDone;
}

/// The quarantine of a table. Fails with kNotFound when none of its rows was ever held back.
Result<Program::NamedTable> QuarantineOf(Program& program, const std::string& table) {
  CALVE_ASSIGN_OR_RETURN(const Program::NamedTable named,
                         program.Table(table + std::string(kSuffix)));
  const auto loaded = named.catalog->LoadTable(program.context(), named.name);
  if (loaded.ok()) return named;
  if (loaded.error().kind != ErrorKind::kNotFound) return std::move(loaded).error();
  return NotFoundError("no row of " + table +
                       " was ever held back; calve quarantine list shows which tables have some");
}

Result<ExitCode> ShowQuarantine(Program& program, const QuarantineArguments& arguments) {
  CALVE_ASSIGN_OR_RETURN(const Program::NamedTable named, QuarantineOf(program, arguments.table));
  CALVE_ASSIGN_OR_RETURN(engine::CatalogResolver * resolver, program.resolver());
  CALVE_ASSIGN_OR_RETURN(engine::Engine * engine, program.locked_engine());
  const std::string sql = "SELECT rule, reason, origin, raw, run FROM " + SqlNameOf(named) +
                          " ORDER BY quarantined_at DESC, origin" +
                          (arguments.limit > 0 ? " LIMIT " + std::to_string(arguments.limit) : "");
  CALVE_ASSIGN_OR_RETURN(const auto stream, engine->Query(program.context(), sql,
                                                          {.resolver = resolver, .tables = {}}));
  CALVE_ASSIGN_OR_RETURN(const auto sink, OpenBatchSink(program.options.json ? "json" : "table", "",
                                                        stream->schema(), 0));
  while (true) {
    CALVE_ASSIGN_OR_RETURN(const columnar::Batch batch, stream->Next(program.context()));
    if (batch == nullptr) break;
    CALVE_RETURN_IF_ERROR(sink->Write(batch));
  }
  CALVE_RETURN_IF_ERROR(sink->Close());
  return ExitCode::kDone;
}

Result<ExitCode> DropQuarantine(Program& program, const QuarantineArguments& arguments) {
  CALVE_ASSIGN_OR_RETURN(const Program::NamedTable named, QuarantineOf(program, arguments.table));
  commit::Committer committer(*named.catalog, program.files());
  commit::Change change;
  change.pipeline = "calve quarantine drop";
  change.run = NewRunId(program.context().clock->Now(), *program.context().random);
  change.rows.operation = iceberg::Operation::kDelete;
  change.rows.remove_matching = iceberg::Expression::True();
  CALVE_RETURN_IF_ERROR(
      committer.Commit(program.context(), named.name, std::move(change), commit::Proof::kManual));
  Report report(program.options.json);
  report.Line("drop",
              named.name.ToString() + " is empty; its earlier snapshots still hold the rows",
              "emptied", named.name.ToString());
  return report.Done();
}

Result<ExitCode> Replay(Program& program, const QuarantineArguments& arguments) {
  CALVE_ASSIGN_OR_RETURN(const Program::NamedTable named, QuarantineOf(program, arguments.table));
  const std::string quarantine = named.name.ToString();
  return ReplayQuarantine(program, named, quarantine.substr(0, quarantine.size() - kSuffix.size()),
                          arguments.job);
}

using Verb = Result<ExitCode> (*)(Program&, const QuarantineArguments&);

CLI::App* AddVerb(CLI::App& parent, Program& program, const char* name, const char* meaning,
                  Verb verb, const std::shared_ptr<QuarantineArguments>& arguments) {
  CLI::App* command = parent.add_subcommand(name, meaning);
  command->add_option("TABLE", arguments->table, "The table whose rows were held back")->required();
  command->callback([&program, arguments, verb] {
    program.todo = [&program, arguments, verb] { return verb(program, *arguments); };
  });
  return command;
}

}  // namespace

CALVE_PART(quarantine) {
  registry.Add(
      {.name = "quarantine", .add = [](CLI::App& app, Program& program) {
         CLI::App* quarantine = app.add_subcommand(
             "quarantine", "Look at rows that were held back, try them again, or drop them");
         quarantine->require_subcommand(1);
         auto arguments = std::make_shared<QuarantineArguments>();
         quarantine->add_subcommand("list", "Tables with rows in quarantine")->callback([&program] {
           program.todo = [&program] { return ListQuarantines(program); };
         });
         CLI::App* show = AddVerb(*quarantine, program, "show",
                                  "The rows, with rule, reason, origin and the row as it came",
                                  ShowQuarantine, arguments);
         show->add_option("--limit", arguments->limit, "Rows shown at most; 0: all")
             ->capture_default_str()
             ->check(CLI::NonNegativeNumber);
         CLI::App* replay =
             AddVerb(*quarantine, program, "replay",
                     "Let rows that were held back go the way of their jobs once more, as these "
                     "are now",
                     Replay, arguments);
         replay->add_option("--job", arguments->job, "Only rows of this job");
         AddVerb(*quarantine, program, "drop", "Empty the quarantine of a table", DropQuarantine,
                 arguments);
       }});
}

}  // namespace calve::cli

#include <CLI/CLI.hpp>

#include "cli/batch_sink.h"
#include "cli/program.h"
#include "cli/registry.h"
#include "cli/statement_run.h"

namespace calve::cli {
namespace {

struct QueryArguments {
  std::string sql;
  std::string format = "table";
  std::string output;
  int64_t limit = 1000;
};

Result<ExitCode> RunQuery(Program& program, const QueryArguments& arguments) {
  const Context& context = program.context();
  CALVE_ASSIGN_OR_RETURN(engine::CatalogResolver * resolver, program.resolver());
  CALVE_ASSIGN_OR_RETURN(engine::Engine * engine, program.locked_engine());
  CALVE_ASSIGN_OR_RETURN(
      const engine::Statement statement,
      engine->Parse(context, arguments.sql, {.resolver = resolver, .tables = {}}));
  if (statement.kind != engine::Statement::Kind::kQuery)
    return RunStatement(program, arguments.sql, statement);
  CALVE_ASSIGN_OR_RETURN(const auto stream, engine->Query(context, arguments.sql,
                                                          {.resolver = resolver, .tables = {}}));
  const std::string format = program.options.json ? "json" : arguments.format;
  CALVE_ASSIGN_OR_RETURN(
      const auto sink, OpenBatchSink(format, arguments.output, stream->schema(), arguments.limit));
  while (true) {
    CALVE_ASSIGN_OR_RETURN(const columnar::Batch batch, stream->Next(context));
    if (batch == nullptr) break;
    CALVE_RETURN_IF_ERROR(sink->Write(batch));
  }
  CALVE_RETURN_IF_ERROR(sink->Close());
  return ExitCode::kDone;
}

}  // namespace

CALVE_PART(query) {
  registry.Add(
      {.name = "query", .add = [](CLI::App& app, Program& program) {
         CLI::App* command = app.add_subcommand(
             "query",
             "Run SQL over tables: ns.table, ns.table@branch, iceberg('place'), calve.runs; "
             "INSERT, UPDATE, DELETE, MERGE INTO, CREATE, ALTER and DROP change them");
         auto arguments = std::make_shared<QueryArguments>();
         command->add_option("SQL", arguments->sql, "One statement of DuckDB's dialect")
             ->required();
         command->add_option("--format", arguments->format, "table, csv, json, parquet or arrow")
             ->capture_default_str();
         command->add_option("-o,--output", arguments->output,
                             "A file in place of standard output");
         command->add_option("--limit", arguments->limit, "Rows that a table shows at most; 0: all")
             ->capture_default_str()
             ->check(CLI::NonNegativeNumber);
         command->callback([&program, arguments] {
           program.todo = [&program, arguments] { return RunQuery(program, *arguments); };
         });
       }});
}

}  // namespace calve::cli

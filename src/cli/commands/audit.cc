#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "cli/print.h"
#include "cli/program.h"
#include "cli/registry.h"
#include "cli/report.h"
#include "columnar/convert.h"

namespace calve::cli {
namespace {

struct AuditArguments {
  std::string table;
  std::string contract;
};

Result<ExitCode> AuditNow(Program& program, const AuditArguments& arguments) {
  const Context& context = program.context();
  const size_t at = arguments.table.find('@');
  const std::string name = arguments.table.substr(0, at);
  CALVE_ASSIGN_OR_RETURN(
      const auto contract,
      program.LoadContract(arguments.contract.empty() ? name : arguments.contract));
  if (!contract.has_value()) {
    return ConfigError("there is no contract contracts/" +
                       (arguments.contract.empty() ? name : arguments.contract) +
                       ".yaml; write one, or name another with --contract");
  }
  CALVE_ASSIGN_OR_RETURN(engine::CatalogResolver * resolver, program.resolver());
  CALVE_ASSIGN_OR_RETURN(engine::Engine * engine, program.engine());
  CALVE_ASSIGN_OR_RETURN(const pipeline::Parts* parts, program.parts());
  engine::TableReference reference;
  reference.parts = Split(name, '.');
  if (at != std::string::npos) {
    const std::string ref = arguments.table.substr(at + 1);
    const auto id = ParseInteger(ref);
    if (id.has_value()) {
      reference.snapshot_id = *id;
    } else {
      reference.ref = ref;
    }
  }
  CALVE_ASSIGN_OR_RETURN(const engine::ResolvedTable resolved,
                         resolver->Resolve(context, reference));
  const auto* table = std::get_if<engine::IcebergTable>(&resolved);
  if (table == nullptr) return ConfigError(arguments.table + " is no Iceberg table");
  audit::AuditScope scope;
  scope.table = *table;
  CALVE_ASSIGN_OR_RETURN(scope.inputs.schema, columnar::ToArrowSchema(*table->schema));
  scope.inputs.now_ms = MillisSinceEpoch(context.clock->Now());
  scope.resolver = resolver;
  CALVE_ASSIGN_OR_RETURN(const Program::NamedTable named, program.Table(name));
  scope.catalog = named.catalog->name();
  CALVE_ASSIGN_OR_RETURN(const audit::Report report,
                         audit::AuditTable(context, *contract, parts->checks, *engine, scope));
  TextTable printed({"check", "result", ""});
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  bool failed = false;
  for (const audit::Outcome& outcome : report.outcomes) {
    const bool warns = outcome.check.severity == audit::Severity::kWarn;
    failed = failed || (!outcome.passed && !warns);
    printed.Add({outcome.check.name,
                 outcome.passed ? "passed"
                 : warns        ? "warned"
                                : "FAILED",
                 outcome.passed ? "" : outcome.message});
    json.push_back({{"check", outcome.check.name},
                    {"passed", outcome.passed},
                    {"rows_failed", outcome.rows_failed},
                    {"message", outcome.message}});
  }
  if (program.options.json) {
    PrintEither(true, json, "");
  } else {
    PrintLine("audit",
              arguments.table + "   " + Counted(report.rows, "row") + "   snapshot " +
                  (table->snapshot_id.has_value() ? std::to_string(table->snapshot_id->value())
                                                  : "none"));
    Print(printed.Render());
  }
  return failed ? ExitCode::kAuditFailed : ExitCode::kDone;
}

}  // namespace

CALVE_PART(audit) {
  registry.Add(
      {.name = "audit", .add = [](CLI::App& app, Program& program) {
         CLI::App* command = app.add_subcommand("audit", "Run a contract on a table as it stands");
         auto arguments = std::make_shared<AuditArguments>();
         command->add_option("TABLE", arguments->table, "ns.table, or ns.table@branch")->required();
         command->add_option("--contract", arguments->contract,
                             "A contract in contracts/; the table's own otherwise");
         command->callback([&program, arguments] {
           program.todo = [&program, arguments] { return AuditNow(program, *arguments); };
         });
       }});
}

}  // namespace calve::cli

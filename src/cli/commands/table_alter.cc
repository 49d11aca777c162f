#include <CLI/CLI.hpp>

#include <memory>
#include <string>
#include <vector>

#include "base/text.h"
#include "cli/print.h"
#include "cli/program.h"
#include "cli/registry.h"
#include "cli/report.h"
#include "statement/table_changes.h"

namespace calve::cli {
namespace {

struct AlterArguments {
  std::string table;
  std::vector<std::string> changes;
};

Result<ExitCode> Alter(Program& program, const AlterArguments& arguments) {
  CALVE_ASSIGN_OR_RETURN(const Program::NamedTable named, program.Table(arguments.table));
  commit::Committer committer(*named.catalog, program.files());
  bool changed = false;
  CALVE_RETURN_IF_ERROR(
      committer.Update(program.context(), named.name,
                       [&](const iceberg::TableMetadata& base) -> Result<iceberg::TableChange> {
                         CALVE_ASSIGN_OR_RETURN(iceberg::TableChange change,
                                                statement::ChangeTable(base, arguments.changes));
                         changed = !change.updates.empty();
                         return change;
                       }));
  Report report(program.options.json);
  report.Line("alter",
              named.name.ToString() + (changed ? "   " : "   is so already: ") +
                  Join(arguments.changes, "; "),
              "changed", changed);
  report.Fact("table", named.name.ToString());
  return report.Done();
}

}  // namespace

/// Sorted behind `table`, whose subcommand this is.
CALVE_PART(table_alter) {
  registry.Add(
      {.name = "table_alter", .add = [](CLI::App& app, Program& program) {
         CLI::App* command = app.get_subcommand("table")->add_subcommand(
             "alter", "Change columns, partitions, properties or the format of a table");
         auto arguments = std::make_shared<AlterArguments>();
         command->add_option("TABLE", arguments->table, "The table: ns.table or catalog.ns.table")
             ->required();
         command
             ->add_option("CHANGE", arguments->changes,
                          "What to change, one text each, all in one commit")
             ->required();
         command->footer(std::string("Changes:\n") + statement::TableChangeForms());
         command->callback([&program, arguments] {
           program.todo = [&program, arguments] { return Alter(program, *arguments); };
         });
       }});
}

}  // namespace calve::cli

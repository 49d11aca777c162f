#include <CLI/CLI.hpp>

#include <memory>
#include <optional>
#include <string>

#include "base/text.h"
#include "cli/age_option.h"
#include "cli/print.h"
#include "cli/program.h"
#include "cli/registry.h"
#include "cli/report.h"

namespace calve::cli {
namespace {

constexpr int64_t kAgeMinDefaultMs = int64_t{3} * 24 * 3600 * 1000;
constexpr size_t kShownMax = 20;

struct OrphansArguments {
  std::string table;
  std::optional<int64_t> age_min_ms;
  bool remove = false;
};

Result<ExitCode> FindOrphans(Program& program, const OrphansArguments& arguments) {
  const Context& context = program.context();
  CALVE_ASSIGN_OR_RETURN(const Program::NamedTable named, program.Table(arguments.table));
  commit::Committer committer(*named.catalog, program.files());
  CALVE_ASSIGN_OR_RETURN(
      const commit::Committer::Orphans found,
      committer.FindOrphans(
          context, named.name,
          std::chrono::milliseconds(arguments.age_min_ms.value_or(kAgeMinDefaultMs))));
  const auto count = static_cast<int64_t>(found.files.size());
  Report report(program.options.json);
  report.Line("found",
              Counted(count, "file") + " that nothing of " + named.name.ToString() + " reaches, " +
                  FormatBytes(found.bytes),
              "found", count);
  report.Fact("bytes", found.bytes.value());
  report.Fact("files", found.files);
  for (size_t i = 0; i < found.files.size() && i < kShownMax; ++i) report.Hint("", found.files[i]);
  if (found.files.size() > kShownMax)
    report.Hint("", "and " + FormatCount(count - static_cast<int64_t>(kShownMax)) +
                        " more; --json lists all");
  if (found.unknown > 0)
    report.Line("left", Counted(found.unknown, "file") + " of no kind that a table has",
                "files_unknown", found.unknown);
  if (found.files.empty()) return report.Done();
  if (!arguments.remove) {
    report.Hint("next", "calve table orphans " + arguments.table + " --delete   removes them");
    return report.Done();
  }
  CALVE_ASSIGN_OR_RETURN(const int64_t removed,
                         committer.RemoveOrphans(context, named.name, found));
  report.Line("delete", Counted(removed, "file") + " removed", "removed", removed);
  return report.Done();
}

}  // namespace

/// Sorted behind `table`, whose subcommand this is.
CALVE_PART(table_orphans) {
  registry.Add(
      {.name = "table_orphans", .add = [](CLI::App& app, Program& program) {
         CLI::App* command = app.get_subcommand("table")->add_subcommand(
             "orphans", "Find files in the table's folders that nothing of it reaches");
         auto arguments = std::make_shared<OrphansArguments>();
         command->add_option("TABLE", arguments->table, "The table: ns.table or catalog.ns.table")
             ->required();
         AddAgeOption(*command, "--older-than", arguments->age_min_ms,
                      "Only files of such an age, such as 12h or 5d; younger ones may be those of "
                      "a load under way. Three days if not given");
         command->add_flag("--delete", arguments->remove, "Remove them, after looking once more");
         command->callback([&program, arguments] {
           program.todo = [&program, arguments] { return FindOrphans(program, *arguments); };
         });
       }});
}

}  // namespace calve::cli

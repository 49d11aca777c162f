#include <CLI/CLI.hpp>

#include <cstdio>
#include <memory>
#include <optional>
#include <string>

#include "base/text.h"
#include "cli/print.h"
#include "cli/program.h"
#include "cli/registry.h"
#include "cli/report.h"
#include "cli/snapshot_summary.h"

namespace calve::cli {
namespace {

struct DropArguments {
  std::string table;
  bool purge = false;
  bool yes = false;
};

/// Say what goes, and what becomes of the files.
void ShowWhatGoes(Report& report, const std::string& name, const catalog::LoadedTable& table,
                  const std::optional<commit::TableExtent>& extent) {
  const iceberg::TableMetadata& metadata = *table.metadata;
  const iceberg::Snapshot* main = metadata.current_snapshot();
  const int64_t rows = NumberOf(main, "total-records");
  const auto snapshots = static_cast<int64_t>(metadata.snapshots.size());
  report.Line("table",
              name + "   " + Counted(rows, "row") + " in " +
                  Counted(NumberOf(main, "total-data-files"), "file") + ", " +
                  FormatBytes(ByteCount(NumberOf(main, "total-files-size"))) + "; " +
                  Counted(snapshots, "snapshot"),
              "rows", rows);
  report.Fact("snapshots", snapshots);
  for (const auto& [branch, ref] : metadata.refs) {
    if (branch != iceberg::kMainBranch) report.Hint("", branch + " goes too");
  }
  if (!extent.has_value()) {
    report.Line("files", "stay; " + table.metadata_location + " brings the table back", "metadata",
                table.metadata_location);
    return;
  }
  const auto files = static_cast<int64_t>(extent->row_files.size() + extent->metadata_files.size());
  report.Line("files",
              Counted(files, "file") + " below " + metadata.location + " go, " +
                  FormatBytes(extent->bytes) + " of rows in all snapshots",
              "files", files);
  report.Fact("bytes", extent->bytes.value());
  if (extent->files_elsewhere > 0)
    report.Hint("", Counted(extent->files_elsewhere, "file") + " outside its folders stay");
}

/// See that a person wants it: by --yes, or by an answer on the terminal.
Status Confirm(const DropArguments& arguments, bool json) {
  if (arguments.yes) return Status::Ok();
  if (json || !IsTerminal(stdin) || !IsTerminal(stdout))
    return ConfigError("nothing was dropped: nobody can be asked here; add --yes to drop " +
                       arguments.table);
  Print("drop it? [y/N] ");
  std::fflush(stdout);
  char answer[16] = {};
  const bool read = std::fgets(answer, sizeof(answer), stdin) != nullptr;
  const std::string said = read ? ToLower(Trim(answer)) : std::string();
  if (said == "y" || said == "yes") return Status::Ok();
  return RefusedError("nothing was dropped");
}

Result<ExitCode> Drop(Program& program, const DropArguments& arguments) {
  const Context& context = program.context();
  CALVE_ASSIGN_OR_RETURN(const Program::NamedTable named, program.Table(arguments.table));
  CALVE_ASSIGN_OR_RETURN(const catalog::LoadedTable table,
                         named.catalog->LoadTable(context, named.name));
  commit::Committer committer(*named.catalog, program.files());
  std::optional<commit::TableExtent> extent;
  if (arguments.purge) {
    CALVE_ASSIGN_OR_RETURN(extent, committer.ExtentOf(context, table));
  }
  const commit::TableExtent* purged = extent.has_value() ? &*extent : nullptr;
  CALVE_RETURN_IF_ERROR(committer.CheckDrop(named.name, table, purged));
  const std::string name = named.name.ToString();
  Report report(program.options.json);
  ShowWhatGoes(report, name, table, extent);
  CALVE_RETURN_IF_ERROR(Confirm(arguments, program.options.json));
  CALVE_RETURN_IF_ERROR(committer.Drop(context, named.name, table, purged));
  report.Line("drop", name + " is gone; its jobs read everything again at their next run",
              "dropped", name);
  const catalog::TableName held_back{named.name.ns, named.name.name + "__quarantine"};
  if (named.catalog->LoadTable(context, held_back).ok())
    report.Hint("", held_back.ToString() + " holds its rows that were held back; it stays");
  return report.Done();
}

}  // namespace

/// Sorted behind `table`, whose subcommand this is.
CALVE_PART(table_drop) {
  registry.Add(
      {.name = "table_drop", .add = [](CLI::App& app, Program& program) {
         CLI::App* command = app.get_subcommand("table")->add_subcommand(
             "drop", "Take a table out of its catalog, after showing what goes");
         auto arguments = std::make_shared<DropArguments>();
         command->add_option("TABLE", arguments->table, "The table: ns.table or catalog.ns.table")
             ->required();
         command->add_flag("--purge", arguments->purge,
                           "Delete its files too: those in its folders that a snapshot reaches");
         command->add_flag("--yes,-y", arguments->yes, "Do not ask");
         command->callback([&program, arguments] {
           program.todo = [&program, arguments] { return Drop(program, *arguments); };
         });
       }});
}

}  // namespace calve::cli

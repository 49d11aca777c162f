#include <CLI/CLI.hpp>

#include <memory>
#include <string>

#include "base/text.h"
#include "cli/print.h"
#include "cli/program.h"
#include "cli/registry.h"
#include "cli/report.h"
#include "upkeep/manifests.h"

namespace calve::cli {
namespace {

struct ManifestArguments {
  std::string table;
  bool all = false;
  bool dry = false;
};

Result<ExitCode> RewriteManifests(Program& program, const ManifestArguments& arguments) {
  const Context& context = program.context();
  CALVE_ASSIGN_OR_RETURN(const Program::NamedTable named, program.Table(arguments.table));
  CALVE_ASSIGN_OR_RETURN(const catalog::LoadedTable table,
                         named.catalog->LoadTable(context, named.name));
  CALVE_ASSIGN_OR_RETURN(
      const upkeep::ManifestPlan plan,
      upkeep::PlanManifests(context, program.files(), *table.metadata, arguments.all));
  Report report(program.options.json);
  const std::string total = FormatCount(plan.manifests_total);
  report.Line(
      "plan",
      plan.manifests == 0
          ? "nothing to do: none of " + Counted(plan.manifests_total, "manifest") + " is worth it"
          : Counted(plan.manifests, "manifest") + ", " + FormatBytes(ByteCount(plan.bytes)) +
                " of " + total + " are worth it",
      "manifests_planned", plan.manifests);
  report.Fact("manifests_total", plan.manifests_total);
  report.Fact("bytes_planned", plan.bytes);
  if (arguments.dry || plan.manifests == 0) return report.Done();

  const upkeep::ManifestOptions options{.all = arguments.all,
                                        .run_id = NewRunId(context.clock->Now(), *context.random)};
  CALVE_ASSIGN_OR_RETURN(
      const upkeep::ManifestReport done,
      upkeep::RewriteManifests(context, *named.catalog, program.files(), named.name, options));
  report.Line("rewrite",
              Counted(done.manifests_before, "manifest") + " → " +
                  FormatCount(done.manifests_after) + "   " + Counted(done.entries, "file"),
              "files", done.entries);
  report.Fact("manifests_before", done.manifests_before);
  report.Fact("manifests_after", done.manifests_after);
  if (done.snapshot_id.has_value())
    report.Line("publish",
                named.name.ToString() + "   main is snapshot " + std::to_string(*done.snapshot_id),
                "snapshot_id", *done.snapshot_id);
  return report.Done();
}

}  // namespace

/// Sorted behind `table`, whose subcommand this is.
CALVE_PART(table_rewrite_manifests) {
  registry.Add(
      {.name = "table_rewrite_manifests", .add = [](CLI::App& app, Program& program) {
         CLI::App* command = app.get_subcommand("table")->add_subcommand(
             "rewrite-manifests",
             "Lay the table's manifests out anew: the same files, fewer lists of them");
         auto arguments = std::make_shared<ManifestArguments>();
         command->add_option("TABLE", arguments->table, "The table: ns.table or catalog.ns.table")
             ->required();
         command->add_flag("--all", arguments->all, "Every manifest, whatever its size");
         command->add_flag("--dry-run", arguments->dry, "Say what would be done, and do nothing");
         command->callback([&program, arguments] {
           program.todo = [&program, arguments] { return RewriteManifests(program, *arguments); };
         });
       }});
}

}  // namespace calve::cli

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
#include "upkeep/expiry.h"

namespace calve::cli {
namespace {

struct ExpireArguments {
  std::string table;
  std::optional<int64_t> age_max_ms;
  std::optional<int64_t> snapshots_min;
  bool dry = false;
};

Result<ExitCode> Expire(Program& program, const ExpireArguments& arguments) {
  const Context& context = program.context();
  CALVE_ASSIGN_OR_RETURN(const Program::NamedTable named, program.Table(arguments.table));
  CALVE_ASSIGN_OR_RETURN(const catalog::LoadedTable table,
                         named.catalog->LoadTable(context, named.name));
  const upkeep::ExpiryRules rules{.age_max_ms = arguments.age_max_ms,
                                  .snapshots_min = arguments.snapshots_min};
  const int64_t now_ms = MillisSinceEpoch(context.clock->Now());
  const auto choose = [&](const iceberg::TableMetadata& base) {
    return upkeep::ChooseExpired(base, rules, now_ms);
  };
  CALVE_ASSIGN_OR_RETURN(const commit::Committer::Expiry planned, choose(*table.metadata));
  const auto total = static_cast<int64_t>(table.metadata->snapshots.size());
  const auto gone = static_cast<int64_t>(planned.snapshots.size());
  Report report(program.options.json);
  report.Line("plan", Counted(gone, "snapshot") + " of " + FormatCount(total) + " can go",
              "snapshots_planned", gone);
  for (const std::string& ref : planned.refs)
    report.Hint("", ref + " is older than it may be and goes too");
  if (arguments.dry || (planned.snapshots.empty() && planned.refs.empty())) return report.Done();
  commit::Committer committer(*named.catalog, program.files());
  CALVE_ASSIGN_OR_RETURN(const commit::Committer::Expired expired,
                         committer.Expire(context, named.name, choose));
  report.Line("expire",
              Counted(expired.snapshots, "snapshot") + " gone, and " +
                  Counted(expired.files, "file") + " that only they had; " +
                  FormatBytes(expired.bytes) + " of rows",
              "snapshots", expired.snapshots);
  report.Fact("refs", expired.refs);
  report.Fact("files", expired.files);
  report.Fact("bytes", expired.bytes.value());
  return report.Done();
}

}  // namespace

/// Sorted behind `table`, whose subcommand this is.
CALVE_PART(table_expire) {
  registry.Add(
      {.name = "table_expire", .add = [](CLI::App& app, Program& program) {
         CLI::App* command = app.get_subcommand("table")->add_subcommand(
             "expire", "Give up old snapshots, and delete the files that only they had");
         auto arguments = std::make_shared<ExpireArguments>();
         command->add_option("TABLE", arguments->table, "The table: ns.table or catalog.ns.table")
             ->required();
         AddAgeOption(*command, "--older-than", arguments->age_max_ms,
                      "Snapshots of such an age go, such as 12h or 5d; else the table's "
                      "history.expire.max-snapshot-age-ms, or five days");
         command
             ->add_option("--keep", arguments->snapshots_min,
                          "So many stay on each branch, however old")
             ->check(CLI::PositiveNumber);
         command->add_flag("--dry-run", arguments->dry, "Say what would go, and do nothing");
         command->callback([&program, arguments] {
           program.todo = [&program, arguments] { return Expire(program, *arguments); };
         });
       }});
}

}  // namespace calve::cli

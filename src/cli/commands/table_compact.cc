#include <CLI/CLI.hpp>

#include <atomic>
#include <cstdio>
#include <memory>
#include <string>

#include "base/text.h"
#include "cli/print.h"
#include "cli/program.h"
#include "cli/registry.h"
#include "cli/report.h"
#include "upkeep/compaction.h"

namespace calve::cli {
namespace {

struct CompactArguments {
  std::string table;
  uint64_t target_bytes = 0;
  int64_t files_min = upkeep::CompactionRules().files_min;
  bool all = false;
  bool dry = false;
};

/// A line that fills while rows are written, where a person looks at it.
class RowsBar {
 public:
  RowsBar(bool shown, int64_t total) : shown_(shown), total_(total) {}
  ~RowsBar() {
    if (shown_) Print("\r\033[K");
  }
  void Add(int64_t rows) {
    const int64_t done = done_ += rows;
    const auto percent = static_cast<int>(total_ == 0 ? 100 : done * 100 / total_);
    if (!shown_ || percent_.exchange(percent) == percent) return;
    Print("\rrewrite    " + Bar(percent / 100.0, 30) + " " + FormatCount(done) + " of " +
          FormatCount(total_) + " rows");
    std::fflush(stdout);
  }

 private:
  const bool shown_;
  const int64_t total_;
  std::atomic<int64_t> done_ = 0;
  std::atomic<int> percent_ = -1;
};

std::string FilesOf(int64_t files, int64_t bytes) {
  return Counted(files, "file") + ", " + FormatBytes(ByteCount(bytes));
}

Result<ExitCode> Compact(Program& program, const CompactArguments& arguments) {
  const Context& context = program.context();
  CALVE_ASSIGN_OR_RETURN(const Program::NamedTable named, program.Table(arguments.table));
  CALVE_ASSIGN_OR_RETURN(const catalog::LoadedTable table,
                         named.catalog->LoadTable(context, named.name));
  const upkeep::CompactionRules rules{.target_bytes = static_cast<int64_t>(arguments.target_bytes),
                                      .files_min = arguments.files_min,
                                      .all = arguments.all};
  CALVE_ASSIGN_OR_RETURN(const upkeep::CompactionPlan plan,
                         upkeep::PlanCompaction(context, program.files(), *table.metadata, rules));
  Report report(program.options.json);
  report.Line("plan",
              plan.groups.empty()
                  ? "nothing to do: none of " + Counted(plan.files_total, "file") + " is worth it"
                  : FilesOf(plan.files, plan.bytes) + " of " + FormatCount(plan.files_total) +
                        " are worth it",
              "files_planned", plan.files);
  report.Fact("files_total", plan.files_total);
  report.Fact("bytes_planned", plan.bytes);
  if (arguments.dry || plan.groups.empty()) return report.Done();

  RowsBar bar(!program.options.json && !program.options.plain && IsTerminal(stdout), plan.rows);
  upkeep::CompactionOptions options{.rules = rules,
                                    .run_id = NewRunId(context.clock->Now(), *context.random),
                                    .parallelism = program.parallelism(),
                                    .buffer_bytes_max = program.memory_limit().value() / 4,
                                    .wrote = [&](int64_t rows) { bar.Add(rows); }};
  CALVE_ASSIGN_OR_RETURN(
      const upkeep::CompactionReport done,
      upkeep::Compact(context, *named.catalog, program.files(), named.name, options));
  report.Line("rewrite",
              FilesOf(done.files_before, done.bytes_before) + " → " +
                  FilesOf(done.files_after, done.bytes_after) + "   " + Counted(done.rows, "row"),
              "rows", done.rows);
  report.Fact("files_before", done.files_before);
  report.Fact("files_after", done.files_after);
  report.Fact("bytes_before", done.bytes_before);
  report.Fact("bytes_after", done.bytes_after);
  if (done.deletes_gone > 0)
    report.Line("deletes", Counted(done.deletes_gone, "file") + " of deletes gone", "deletes_gone",
                done.deletes_gone);
  if (done.groups_overtaken > 0)
    report.Line("left",
                Counted(done.groups_overtaken, "group") +
                    " of files as they were: other writers changed them meanwhile",
                "groups_overtaken", done.groups_overtaken);
  if (done.snapshot_id.has_value())
    report.Line("publish",
                named.name.ToString() + "   main is snapshot " + std::to_string(*done.snapshot_id),
                "snapshot_id", *done.snapshot_id);
  return report.Done();
}

}  // namespace

/// Sorted behind `table`, whose subcommand this is.
CALVE_PART(table_compact) {
  registry.Add(
      {.name = "table_compact", .add = [](CLI::App& app, Program& program) {
         CLI::App* command = app.get_subcommand("table")->add_subcommand(
             "compact", "Lay the table's files out anew: the same rows, fewer files, no deletes");
         auto arguments = std::make_shared<CompactArguments>();
         command->add_option("TABLE", arguments->table, "The table: ns.table or catalog.ns.table")
             ->required();
         command
             ->add_option("--target-size", arguments->target_bytes,
                          "Of new files, such as 256MB; else the table's "
                          "write.target-file-size-bytes")
             ->transform(CLI::AsSizeValue(/*kb_is_1000=*/true))
             ->type_name("SIZE");
         command
             ->add_option("--min-files", arguments->files_min,
                          "So many small files in a partition are worth it")
             ->capture_default_str();
         command->add_flag("--all", arguments->all, "Every file, whatever its size");
         command->add_flag("--dry-run", arguments->dry, "Say what would be done, and do nothing");
         command->callback([&program, arguments] {
           program.todo = [&program, arguments] { return Compact(program, *arguments); };
         });
       }});
}

}  // namespace calve::cli

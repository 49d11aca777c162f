#include "cli/upkeep_run.h"

#include <vector>

#include "base/random.h"
#include "base/text.h"
#include "cli/dead_runs.h"
#include "cli/print.h"
#include "upkeep/keeper.h"

namespace calve::cli {
namespace {

using nlohmann::ordered_json;

std::string Describe(const upkeep::KeepReport& report) {
  std::vector<std::string> parts;
  const upkeep::CompactionReport& compaction = report.compaction;
  if (compaction.files_before > 0) {
    parts.push_back(Counted(compaction.files_before, "file") + ", " +
                    FormatBytes(ByteCount(compaction.bytes_before)) + " → " +
                    Counted(compaction.files_after, "file"));
  }
  if (compaction.deletes_gone > 0)
    parts.push_back(Counted(compaction.deletes_gone, "file") + " of deletes gone");
  if (report.manifests.manifests_before > 0) {
    parts.push_back(Counted(report.manifests.manifests_before, "manifest") + " → " +
                    FormatCount(report.manifests.manifests_after));
  }
  if (report.expired.snapshots > 0)
    parts.push_back(Counted(report.expired.snapshots, "snapshot") + " expired");
  return Join(parts, ", ");
}

ordered_json ToJson(const upkeep::KeepReport& report) {
  ordered_json json = {{"files_before", report.compaction.files_before},
                       {"files_after", report.compaction.files_after},
                       {"deletes_gone", report.compaction.deletes_gone},
                       {"manifests_before", report.manifests.manifests_before},
                       {"manifests_after", report.manifests.manifests_after},
                       {"snapshots_expired", report.expired.snapshots}};
  if (report.snapshot_id().has_value()) json["snapshot_id"] = *report.snapshot_id();
  return json;
}

/// Do what is due; nothing when nothing is, or another process is at it.
Result<std::optional<upkeep::KeepReport>> KeepIfDue(Program& program, const std::string& name,
                                                    int64_t snapshot_id) {
  const Context& context = program.context();
  CALVE_ASSIGN_OR_RETURN(const Program::NamedTable table, program.Table(name));
  CALVE_ASSIGN_OR_RETURN(const catalog::LoadedTable loaded,
                         table.catalog->LoadTable(context, table.name));
  CALVE_ASSIGN_OR_RETURN(const bool due,
                         upkeep::IsDue(*loaded.metadata, iceberg::SnapshotId(snapshot_id)));
  if (!due) return std::optional<upkeep::KeepReport>();

  CALVE_ASSIGN_OR_RETURN(state::Runs * runs, program.runs());
  state::RunRecord record;
  record.run = NewRunId(context.clock->Now(), *context.random);
  record.job = "upkeep." + name;
  record.table = table.name.ToString();
  record.started = context.clock->Now();
  if (Status begun = runs->Begin(record); !begun.ok()) {
    if (begun.error().kind == ErrorKind::kRefused) return std::optional<upkeep::KeepReport>();
    return std::move(begun).error();
  }
  const auto keep = [&]() -> Result<upkeep::KeepReport> {
    CALVE_RETURN_IF_ERROR(SweepDeadRuns(program, table, record.job));
    return upkeep::Keep(context, *table.catalog, program.files(), table.name,
                        {.run_id = record.run,
                         .parallelism = program.parallelism(),
                         .buffer_bytes_max = program.memory_limit().value() / 4});
  };
  Result<upkeep::KeepReport> kept = keep();
  record.ended = context.clock->Now();
  if (!kept.ok()) {
    record.state = state::RunState::kFailed;
    record.error = kept.error().message;
    runs->LeavesFiles(record.run);
    CALVE_RETURN_IF_ERROR(runs->End(record, {}));
    return std::move(kept).error();
  }
  record.snapshot_id = kept->snapshot_id();
  record.state =
      record.snapshot_id.has_value() ? state::RunState::kPublished : state::RunState::kNothing;
  CALVE_RETURN_IF_ERROR(runs->End(record, {}));
  return std::optional<upkeep::KeepReport>(std::move(*kept));
}

}  // namespace

std::optional<ordered_json> KeepUp(Program& program, const std::string& table,
                                   int64_t snapshot_id) {
  const Result<std::optional<upkeep::KeepReport>> kept = KeepIfDue(program, table, snapshot_id);
  if (!kept.ok()) {
    PrintError("calve: upkeep of " + table +
               " did not come to its end, the rows of this run are "
               "not concerned: " +
               kept.error().message);
    return std::nullopt;
  }
  if (!kept->has_value()) return std::nullopt;
  const std::string what = Describe(**kept);
  if (what.empty()) return std::nullopt;
  if (!program.options.json) PrintLine("upkeep", table + "   " + what);
  return ToJson(**kept);
}

}  // namespace calve::cli

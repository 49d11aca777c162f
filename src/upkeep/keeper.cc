#include "upkeep/keeper.h"

#include <algorithm>
#include <optional>

#include "base/text.h"
#include "upkeep/expiry.h"

namespace calve::upkeep {
namespace {

/// A load takes two numbers, one on its branch and one on main: every twelfth load looks.
constexpr int64_t kNumbersBetweenLooks = 24;
/// Reading may cost so much more than it would of the compacted table.
constexpr int64_t kCostPercent = 130;
/// So many small manifests make a rewrite worth it.
constexpr int64_t kManifestsMin = 20;

std::optional<int64_t> Total(const iceberg::Snapshot& snapshot, const char* name) {
  const auto found = snapshot.summary.find(name);
  return found == snapshot.summary.end() ? std::nullopt : ParseInteger(found->second);
}

/// Whether a commit was the first after a multiple of so many.
bool IsTimeToLook(const iceberg::TableMetadata& table, const iceberg::Snapshot& snapshot) {
  const iceberg::Snapshot* parent =
      snapshot.parent_id.has_value() ? table.FindSnapshot(*snapshot.parent_id) : nullptr;
  const int64_t number = snapshot.sequence_number.value();
  const int64_t before = parent == nullptr ? number - 2 : parent->sequence_number.value();
  return number / kNumbersBetweenLooks > std::max<int64_t>(before, 0) / kNumbersBetweenLooks;
}

bool IsCostlyToRead(const iceberg::TableMetadata& table, const iceberg::Snapshot& snapshot) {
  const auto files = Total(snapshot, "total-data-files");
  const auto deletes = Total(snapshot, "total-delete-files");
  const auto bytes = Total(snapshot, "total-files-size");
  if (!files || !deletes || !bytes) return true;  // Another writer's: it takes a look to know.
  const int64_t target = TargetBytesOf(table, {});
  const int64_t cost = *bytes + (*files + *deletes) * kOpenFileBytes;
  const int64_t compacted = *bytes + (*bytes / target + 1) * kOpenFileBytes;
  return cost > compacted / 100 * kCostPercent;
}

bool SaysHowLongItsPastStays(const iceberg::TableMetadata& table) {
  return table.properties.contains("history.expire.max-snapshot-age-ms") ||
         table.properties.contains("history.expire.min-snapshots-to-keep");
}

}  // namespace

Result<bool> IsDue(const iceberg::TableMetadata& table, iceberg::SnapshotId snapshot) {
  const std::string said(table.Property("calve.upkeep", "auto"));
  if (said != "auto" && said != "off") {
    return ConfigError("table property calve.upkeep: expected auto or off, found " + Quote(said));
  }
  if (said == "off" || table.format_version < 2) return false;
  const iceberg::Snapshot* made = table.FindSnapshot(snapshot);
  const iceberg::Snapshot* now = table.current_snapshot();
  return made != nullptr && now != nullptr && IsTimeToLook(table, *made) &&
         IsCostlyToRead(table, *now);
}

std::optional<int64_t> KeepReport::snapshot_id() const {
  return manifests.snapshot_id.has_value() ? manifests.snapshot_id : compaction.snapshot_id;
}

Result<KeepReport> Keep(const Context& context, catalog::Catalog& catalog, io::FileSystem& files,
                        const catalog::TableName& table, const KeepOptions& options) {
  KeepReport report;
  CALVE_ASSIGN_OR_RETURN(report.compaction, Compact(context, catalog, files, table,
                                                    {.rules = {.amortized = true},
                                                     .run_id = options.run_id,
                                                     .parallelism = options.parallelism,
                                                     .buffer_bytes_max = options.buffer_bytes_max,
                                                     .wrote = {}}));
  CALVE_ASSIGN_OR_RETURN(catalog::LoadedTable now, catalog.LoadTable(context, table));
  CALVE_ASSIGN_OR_RETURN(const ManifestPlan manifests,
                         PlanManifests(context, files, *now.metadata, /*all=*/false));
  if (manifests.manifests >= kManifestsMin) {
    CALVE_ASSIGN_OR_RETURN(report.manifests, RewriteManifests(context, catalog, files, table,
                                                              {.run_id = options.run_id + "-m"}));
  }
  const bool expires = catalog.capabilities().refs == catalog::Capabilities::Refs::kIceberg &&
                       now.metadata->Property("gc.enabled", "true") != "false" &&
                       SaysHowLongItsPastStays(*now.metadata);
  if (!expires) return report;
  const int64_t now_ms = MillisSinceEpoch(context.clock->Now());
  commit::Committer committer(catalog, files);
  CALVE_ASSIGN_OR_RETURN(report.expired,
                         committer.Expire(context, table, [&](const iceberg::TableMetadata& base) {
                           return ChooseExpired(base, {}, now_ms);
                         }));
  return report;
}

}  // namespace calve::upkeep

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "commit/committer.h"
#include "commit/unreached.h"
#include "iceberg/change.h"

namespace calve::commit {
namespace {

using iceberg::Snapshot;
using iceberg::TableMetadata;

/// The change that gives snapshots and references up; it holds while no reference has moved, so that
/// nobody has begun to need them.
iceberg::TableChange ChangeFor(const TableMetadata& base, const Committer::Expiry& expiry) {
  iceberg::TableChange change = iceberg::ChangeOf(base);
  for (const auto& [name, ref] : base.refs)
    change.requirements.push_back(iceberg::AssertRefSnapshotId(name, ref.snapshot_id));
  for (const std::string& ref : expiry.refs)
    change.updates.push_back(iceberg::RemoveSnapshotRef(ref));
  auto positions = KeepPositions(base, expiry.snapshots);
  if (!positions.empty()) change.updates.push_back(iceberg::SetProperties(std::move(positions)));
  for (const iceberg::StatisticsFile& file : base.statistics) {
    if (expiry.snapshots.contains(file.snapshot_id))
      change.updates.push_back(iceberg::RemoveStatistics(file.snapshot_id));
  }
  for (const auto& file : base.partition_statistics) {
    if (expiry.snapshots.contains(file.snapshot_id))
      change.updates.push_back(iceberg::RemovePartitionStatistics(file.snapshot_id));
  }
  change.updates.push_back(iceberg::RemoveSnapshots(
      std::vector<iceberg::SnapshotId>(expiry.snapshots.begin(), expiry.snapshots.end())));
  return change;
}

/// Find the files of snapshots that are gone since `before`, and of their statistics.
Result<Unreached> FindExpired(const Context& context, catalog::Catalog& catalog,
                              io::FileSystem& files, const catalog::TableName& table,
                              const TableMetadata& before, const TableMetadata& now) {
  std::vector<const Snapshot*> expired;
  for (const Snapshot& snapshot : before.snapshots) {
    if (now.FindSnapshot(snapshot.id) == nullptr) expired.push_back(&snapshot);
  }
  CALVE_ASSIGN_OR_RETURN(Unreached unreached,
                         FindUnreached(context, catalog, files, table, before, expired));
  const auto add_statistics = [&](const auto& then, const auto& still) {
    for (const auto& file : then) {
      const bool stays = std::any_of(still.begin(), still.end(),
                                     [&](const auto& other) { return other.path == file.path; });
      if (!stays) unreached.files.push_back(file.path);
    }
  };
  add_statistics(before.statistics, now.statistics);
  add_statistics(before.partition_statistics, now.partition_statistics);
  return unreached;
}

}  // namespace

Result<Committer::Expired> Committer::Expire(
    const Context& context, const catalog::TableName& table,
    const std::function<Result<Expiry>(const TableMetadata& base)>& choose) {
  if (catalog_.native_refs() != nullptr) {
    return RefusedError("in catalog " + catalog_.name() +
                        " the branches are the catalog's own, and "
                        "share the snapshots of " +
                        table.ToString() +
                        ": none of them can be expired by the table alone; take the catalog's own "
                        "garbage collection");
  }
  iceberg::MetadataPtr before;
  Expired expired;
  CALVE_ASSIGN_OR_RETURN(
      const catalog::LoadedTable now,
      Update(context, table, [&](const TableMetadata& base) -> Result<iceberg::TableChange> {
        if (base.Property("gc.enabled", "true") == "false") {
          return RefusedError("the property gc.enabled of " + table.ToString() +
                              " is false: its files may be those of other tables too, so nothing "
                              "is expired; set gc.enabled = true where they are not");
        }
        CALVE_ASSIGN_OR_RETURN(const Expiry expiry, choose(base));
        expired = {.snapshots = static_cast<int64_t>(expiry.snapshots.size()),
                   .refs = static_cast<int64_t>(expiry.refs.size())};
        before = std::make_shared<const TableMetadata>(base);
        if (expiry.snapshots.empty() && expiry.refs.empty()) return iceberg::TableChange();
        return ChangeFor(base, expiry);
      }));
  if (expired.snapshots == 0) return expired;
  CALVE_RETURN_IF_ERROR(context.Step("expire.committed"));
  CALVE_ASSIGN_OR_RETURN(const Unreached unreached,
                         FindExpired(context, catalog_, files_, table, *before, *now.metadata));
  Remove(context, unreached.files);
  expired.files = static_cast<int64_t>(unreached.files.size());
  expired.bytes = unreached.bytes;
  return expired;
}

}  // namespace calve::commit

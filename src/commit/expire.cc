#include <algorithm>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/executor.h"
#include "catalog/table_files.h"
#include "commit/committer.h"
#include "commit/own_files.h"
#include "iceberg/change.h"
#include "iceberg/manifest.h"

namespace calve::commit {
namespace {

using iceberg::ManifestFile;
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

/// The manifests of snapshots, each once.
Result<std::vector<ManifestFile>> ManifestsOf(const Context& context, iceberg::Files& files,
                                              const TableMetadata& metadata,
                                              const std::vector<const Snapshot*>& snapshots) {
  std::vector<std::vector<ManifestFile>> lists(snapshots.size());
  CALVE_RETURN_IF_ERROR(context.executor->ParallelFor(snapshots.size(), [&](size_t i) -> Status {
    CALVE_ASSIGN_OR_RETURN(lists[i],
                           iceberg::ReadManifestList(context, files, metadata, *snapshots[i]));
    return Status::Ok();
  }));
  std::set<std::string> seen;
  std::vector<ManifestFile> manifests;
  for (std::vector<ManifestFile>& list : lists) {
    for (ManifestFile& manifest : list) {
      if (seen.insert(manifest.path).second) manifests.push_back(std::move(manifest));
    }
  }
  return manifests;
}

/// Call visit(file) for every data and delete file that manifests name, with those that they name as
/// deleted if so wished. One at a time.
Status ForEachFile(const Context& context, iceberg::Files& files, const TableMetadata& metadata,
                   const std::vector<ManifestFile>& manifests, bool deleted_too,
                   const std::function<void(const iceberg::DataFile&)>& visit) {
  std::mutex mutex;
  return context.executor->ParallelFor(manifests.size(), [&](size_t i) -> Status {
    CALVE_RETURN_IF_ERROR(context.CheckStop());
    CALVE_ASSIGN_OR_RETURN(
        const auto entries,
        iceberg::ReadManifest(context, files, metadata, manifests[i],
                              {.metrics = false, .deleted_entries = deleted_too}));
    std::lock_guard lock(mutex);
    for (const iceberg::ManifestEntry& entry : entries) visit(*entry.file);
    return Status::Ok();
  });
}

/// Files that only expired snapshots had, in the order in which they may go: rows first, so that
/// what names them is there as long as they are.
struct Unreached {
  std::vector<std::string> files;
  ByteCount bytes{0};
};

/// `before` is the table with the expired snapshots, `now` without them.
Result<Unreached> FindUnreached(const Context& context, io::FileSystem& files,
                                const TableMetadata& before, const TableMetadata& now) {
  catalog::TableFiles table_files(files);
  std::vector<const Snapshot*> expired;
  for (const Snapshot& snapshot : before.snapshots) {
    if (now.FindSnapshot(snapshot.id) == nullptr) expired.push_back(&snapshot);
  }
  std::vector<const Snapshot*> kept;
  for (const Snapshot& snapshot : now.snapshots) kept.push_back(&snapshot);
  CALVE_ASSIGN_OR_RETURN(auto gone, ManifestsOf(context, table_files, before, expired));
  CALVE_ASSIGN_OR_RETURN(const auto live, ManifestsOf(context, table_files, now, kept));
  std::set<std::string> needed;
  for (const ManifestFile& manifest : live) needed.insert(manifest.path);
  std::erase_if(gone, [&](const ManifestFile& manifest) { return needed.contains(manifest.path); });

  std::map<std::string, int64_t> candidates;
  CALVE_RETURN_IF_ERROR(ForEachFile(context, table_files, before, gone, /*deleted_too=*/true,
                                    [&](const iceberg::DataFile& file) {
                                      candidates.emplace(file.path, file.file_size_in_bytes);
                                    }));
  if (!candidates.empty()) {
    CALVE_RETURN_IF_ERROR(
        ForEachFile(context, table_files, now, live, /*deleted_too=*/false,
                    [&](const iceberg::DataFile& file) { candidates.erase(file.path); }));
  }
  Unreached unreached;
  for (const auto& [path, bytes] : candidates) {
    unreached.files.push_back(path);
    unreached.bytes += ByteCount(bytes);
  }
  for (const ManifestFile& manifest : gone) unreached.files.push_back(manifest.path);
  const std::vector<std::string> ledgers = KeptLedgers(now);
  for (const Snapshot* snapshot : expired) {
    if (!snapshot->manifest_list.empty()) unreached.files.push_back(snapshot->manifest_list);
    const std::string ledger = SummaryText(*snapshot, summary::kLedger);
    const bool is_kept = std::find(ledgers.begin(), ledgers.end(), ledger) != ledgers.end();
    if (!ledger.empty() && !is_kept) unreached.files.push_back(ledger);
  }
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
                         FindUnreached(context, files_, *before, *now.metadata));
  Remove(context, unreached.files);
  expired.files = static_cast<int64_t>(unreached.files.size());
  expired.bytes = unreached.bytes;
  return expired;
}

}  // namespace calve::commit

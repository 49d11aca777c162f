#include "commit/unreached.h"

#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <utility>

#include "base/executor.h"
#include "catalog/table_files.h"
#include "commit/own_files.h"
#include "commit/position.h"
#include "commit/proof.h"
#include "iceberg/manifest.h"

namespace calve::commit {
namespace {

using iceberg::ManifestFile;
using iceberg::Snapshot;
using iceberg::TableMetadata;

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

}  // namespace

Result<Unreached> FindUnreached(const Context& context, io::FileSystem& files,
                                const TableMetadata& before,
                                const std::vector<const Snapshot*>& gone,
                                const TableMetadata& now) {
  catalog::TableFiles table_files(files);
  std::vector<const Snapshot*> kept;
  for (const Snapshot& snapshot : now.snapshots) kept.push_back(&snapshot);
  CALVE_ASSIGN_OR_RETURN(auto manifests, ManifestsOf(context, table_files, before, gone));
  CALVE_ASSIGN_OR_RETURN(const auto live, ManifestsOf(context, table_files, now, kept));
  std::set<std::string> needed;
  for (const ManifestFile& manifest : live) needed.insert(manifest.path);
  std::erase_if(manifests,
                [&](const ManifestFile& manifest) { return needed.contains(manifest.path); });

  std::map<std::string, int64_t> candidates;
  CALVE_RETURN_IF_ERROR(ForEachFile(context, table_files, before, manifests, /*deleted_too=*/true,
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
  for (const ManifestFile& manifest : manifests) unreached.files.push_back(manifest.path);
  std::set<std::string> ledgers;
  for (std::string& ledger : KeptLedgers(now)) ledgers.insert(std::move(ledger));
  for (const Snapshot* snapshot : kept) ledgers.insert(SummaryText(*snapshot, summary::kLedger));
  for (const Snapshot* snapshot : gone) {
    if (!snapshot->manifest_list.empty()) unreached.files.push_back(snapshot->manifest_list);
    const std::string ledger = SummaryText(*snapshot, summary::kLedger);
    if (!ledger.empty() && !ledgers.contains(ledger)) unreached.files.push_back(ledger);
  }
  return unreached;
}

bool IsBaseGone(const Snapshot& staged, const TableMetadata& now) {
  return staged.parent_id.has_value() && now.FindSnapshot(*staged.parent_id) == nullptr;
}

}  // namespace calve::commit

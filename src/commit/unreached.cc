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
#include "commit/reach.h"
#include "iceberg/manifest.h"

namespace calve::commit {
namespace {

using iceberg::ManifestFile;
using iceberg::Snapshot;
using iceberg::TableMetadata;

/// Snapshots that are gone may have lost files already: who looks for orphans takes them too.
enum class Whose { kLive, kGone };

bool MayPass(const Status& read, Whose whose) {
  return read.ok() || (whose == Whose::kGone && read.error().kind == ErrorKind::kNotFound);
}

/// The manifests of snapshots, each once.
Result<std::vector<ManifestFile>> ManifestsOf(const Context& context, iceberg::Files& files,
                                              const TableMetadata& metadata,
                                              const std::vector<const Snapshot*>& snapshots,
                                              Whose whose) {
  std::vector<std::vector<ManifestFile>> lists(snapshots.size());
  CALVE_RETURN_IF_ERROR(context.executor->ParallelFor(snapshots.size(), [&](size_t i) -> Status {
    auto list = iceberg::ReadManifestList(context, files, metadata, *snapshots[i]);
    if (list.ok()) lists[i] = std::move(*list);
    return MayPass(list.status(), whose) ? Status::Ok() : list.status();
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
/// deleted where they are gone. One at a time.
Status ForEachFile(const Context& context, iceberg::Files& files, const TableMetadata& metadata,
                   const std::vector<ManifestFile>& manifests, Whose whose,
                   const std::function<void(const iceberg::DataFile&)>& visit) {
  std::mutex mutex;
  return context.executor->ParallelFor(manifests.size(), [&](size_t i) -> Status {
    CALVE_RETURN_IF_ERROR(context.CheckStop());
    const auto entries =
        iceberg::ReadManifest(context, files, metadata, manifests[i],
                              {.metrics = false, .deleted_entries = whose == Whose::kGone});
    if (!entries.ok()) return MayPass(entries.status(), whose) ? Status::Ok() : entries.status();
    std::lock_guard lock(mutex);
    for (const iceberg::ManifestEntry& entry : *entries) visit(*entry.file);
    return Status::Ok();
  });
}

Result<Unreached> FindIn(const Context& context, io::FileSystem& files, const TableMetadata& before,
                         const std::vector<const Snapshot*>& gone, const TableMetadata& now) {
  catalog::TableFiles table_files(files);
  std::vector<const Snapshot*> kept;
  for (const Snapshot& snapshot : now.snapshots) kept.push_back(&snapshot);
  CALVE_ASSIGN_OR_RETURN(auto manifests,
                         ManifestsOf(context, table_files, before, gone, Whose::kGone));
  CALVE_ASSIGN_OR_RETURN(const auto live,
                         ManifestsOf(context, table_files, now, kept, Whose::kLive));
  std::set<std::string> needed;
  for (const ManifestFile& manifest : live) needed.insert(manifest.path);
  std::erase_if(manifests,
                [&](const ManifestFile& manifest) { return needed.contains(manifest.path); });

  std::map<std::string, int64_t> candidates;
  CALVE_RETURN_IF_ERROR(ForEachFile(context, table_files, before, manifests, Whose::kGone,
                                    [&](const iceberg::DataFile& file) {
                                      candidates.emplace(file.path, file.file_size_in_bytes);
                                    }));
  if (!candidates.empty()) {
    CALVE_RETURN_IF_ERROR(
        ForEachFile(context, table_files, now, live, Whose::kLive,
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

}  // namespace

Result<Unreached> FindUnreached(const Context& context, catalog::Catalog& catalog,
                                io::FileSystem& files, const catalog::TableName& table,
                                const TableMetadata& before,
                                const std::vector<const Snapshot*>& gone) {
  Unreached unreached;
  CALVE_RETURN_IF_ERROR(
      LookAtWhole(context, catalog, table, [&](const catalog::LoadedTable& now) -> Status {
        CALVE_ASSIGN_OR_RETURN(unreached, FindIn(context, files, before, gone, *now.metadata));
        return Status::Ok();
      }));
  return unreached;
}

bool IsBaseGone(const Snapshot& staged, const TableMetadata& now) {
  return staged.parent_id.has_value() && now.FindSnapshot(*staged.parent_id) == nullptr;
}

}  // namespace calve::commit

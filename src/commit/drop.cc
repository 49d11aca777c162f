#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "catalog/metadata_store.h"
#include "catalog/table_files.h"
#include "commit/committer.h"
#include "iceberg/manifest.h"
#include "io/uri.h"

namespace calve::commit {
namespace {

using iceberg::TableMetadata;

/// The folders that a table keeps its files in.
std::vector<std::string> FoldersOf(const TableMetadata& metadata) {
  return {metadata.location, catalog::MetadataFolder(metadata),
          std::string(metadata.Property("write.data.path", ""))};
}

/// Gathers the files that a table reaches, each once.
class Reach {
 public:
  explicit Reach(const TableMetadata& metadata) : folders_(FoldersOf(metadata)) {}

  void Add(const std::string& uri) {
    if (!uri.empty() && IsNew(uri)) extent_.metadata_files.push_back(uri);
  }
  void AddRows(const iceberg::DataFile& file) {
    if (!IsNew(file.path)) return;
    extent_.row_files.push_back(file.path);
    extent_.bytes += ByteCount(file.file_size_in_bytes);
  }
  TableExtent Take() && { return std::move(extent_); }

 private:
  /// Whether it is the table's own, seen for the first time.
  bool IsNew(const std::string& uri) {
    if (!seen_.insert(io::OneSpelling(uri)).second) return false;
    const bool own = std::any_of(folders_.begin(), folders_.end(), [&](const std::string& folder) {
      return io::IsBelow(uri, folder);
    });
    if (!own) ++extent_.files_elsewhere;
    return own;
  }

  const std::vector<std::string> folders_;
  std::set<std::string> seen_;
  TableExtent extent_;
};

/// Remove the folders that are empty once these files are gone. Where one is not, it stays.
void RemoveEmptyFolders(const Context& context, io::FileSystem& files,
                        const TableMetadata& metadata, const std::vector<std::string>& uris) {
  const std::vector<std::string> roots = FoldersOf(metadata);
  std::set<std::string> folders;
  for (std::string uri : uris) {
    for (size_t slash = uri.rfind('/'); slash != std::string::npos; slash = uri.rfind('/')) {
      uri.resize(slash);
      const bool own = std::any_of(roots.begin(), roots.end(), [&](const std::string& root) {
        return io::OneSpelling(uri) == io::OneSpelling(root) || io::IsBelow(uri, root);
      });
      if (!own || !folders.insert(uri).second) break;
    }
  }
  for (auto folder = folders.rbegin(); folder != folders.rend(); ++folder) {
    if (Status removed = files.DeleteEmptyFolder(context, *folder); !removed.ok())
      context.log->Debug("a folder stays", {{"folder", *folder}});
  }
}

}  // namespace

Result<TableExtent> Committer::ExtentOf(const Context& context, const catalog::LoadedTable& table) {
  const TableMetadata& metadata = *table.metadata;
  catalog::TableFiles table_files(files_);
  Reach reach(metadata);
  reach.Add(table.metadata_location);
  for (const iceberg::MetadataLogEntry& entry : metadata.metadata_log)
    reach.Add(entry.metadata_file);
  for (const iceberg::StatisticsFile& file : metadata.statistics) reach.Add(file.path);
  for (const auto& file : metadata.partition_statistics) reach.Add(file.path);
  std::set<std::string> read;
  for (const iceberg::Snapshot& snapshot : metadata.snapshots) {
    CALVE_RETURN_IF_ERROR(context.CheckStop());
    reach.Add(snapshot.manifest_list);
    const auto ledger = snapshot.summary.find(std::string(summary::kLedger));
    if (ledger != snapshot.summary.end()) reach.Add(ledger->second);
    CALVE_ASSIGN_OR_RETURN(const auto manifests,
                           iceberg::ReadManifestList(context, table_files, metadata, snapshot));
    for (const iceberg::ManifestFile& manifest : manifests) {
      if (!read.insert(manifest.path).second) continue;
      reach.Add(manifest.path);
      CALVE_ASSIGN_OR_RETURN(const auto entries,
                             iceberg::ReadManifest(context, table_files, metadata, manifest,
                                                   {.metrics = false, .deleted_entries = true}));
      for (const iceberg::ManifestEntry& entry : entries) reach.AddRows(*entry.file);
    }
  }
  return std::move(reach).Take();
}

Status Committer::CheckDrop(const catalog::TableName& table, const catalog::LoadedTable& known,
                            const TableExtent* purged) {
  if (purged == nullptr && !catalog_.capabilities().drop_keeps_metadata) {
    return RefusedError(
        "in catalog " + catalog_.name() + " the metadata files are what makes " + table.ToString() +
        " a table, so it cannot be dropped and its files stay; add --purge to drop it "
        "with its files");
  }
  if (purged != nullptr && known.metadata->Property("gc.enabled", "true") == "false") {
    return RefusedError("the property gc.enabled of " + table.ToString() +
                        " is false: its files may be those of other tables too; drop it without "
                        "--purge, or set gc.enabled = true");
  }
  return Status::Ok();
}

Status Committer::Drop(const Context& context, const catalog::TableName& table,
                       const catalog::LoadedTable& known, const TableExtent* purged) {
  CALVE_RETURN_IF_ERROR(CheckDrop(table, known, purged));
  std::lock_guard queue(QueueOf(table));
  CALVE_ASSIGN_OR_RETURN(const catalog::LoadedTable now, catalog_.LoadTable(context, table));
  if (now.metadata_location != known.metadata_location) {
    return ConflictError("another writer has changed " + table.ToString() +
                         " since it was looked at; look at it again");
  }
  CALVE_RETURN_IF_ERROR(catalog_.DropTable(context, table));
  if (purged == nullptr) return Status::Ok();
  // The table is gone: rows go first, so that what stays after a failure can still be found.
  std::vector<std::string> all = purged->row_files;
  all.insert(all.end(), purged->metadata_files.begin(), purged->metadata_files.end());
  const Context whole = context.WithStop({});
  CALVE_RETURN_IF_ERROR(files_.DeleteAll(whole, all));
  RemoveEmptyFolders(whole, files_, *known.metadata, all);
  return Status::Ok();
}

}  // namespace calve::commit

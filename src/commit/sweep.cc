#include <charconv>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "catalog/metadata_store.h"
#include "catalog/table_files.h"
#include "commit/committer.h"
#include "iceberg/manifest.h"

namespace calve::commit {
namespace {

using iceberg::TableMetadata;

std::string_view FileName(std::string_view uri) { return uri.substr(uri.rfind('/') + 1); }

/// The number in front of a metadata file's name (00007-<uuid>.metadata.json), or -1.
int64_t MetadataNumber(std::string_view name) {
  if (!name.ends_with(".metadata.json")) return -1;
  int64_t number = -1;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  return error == std::errc() && end != name.data() + name.size() && *end == '-' ? number : -1;
}

/// Every file that some snapshot of the table reaches, by the name's last part: names hold the
/// run's id and are unique.
Result<std::set<std::string, std::less<>>> ReachableNames(const Context& context,
                                                          io::FileSystem& files,
                                                          const TableMetadata& metadata) {
  catalog::TableFiles table_files(files);
  std::set<std::string, std::less<>> names;
  std::set<std::string> seen;
  for (const iceberg::Snapshot& snapshot : metadata.snapshots) {
    names.emplace(FileName(snapshot.manifest_list));
    const auto ledger = snapshot.summary.find(std::string(summary::kLedger));
    if (ledger != snapshot.summary.end()) names.emplace(FileName(ledger->second));
    CALVE_ASSIGN_OR_RETURN(const auto manifests,
                           iceberg::ReadManifestList(context, table_files, metadata, snapshot));
    for (const iceberg::ManifestFile& manifest : manifests) {
      if (!seen.insert(manifest.path).second) continue;
      names.emplace(FileName(manifest.path));
      CALVE_ASSIGN_OR_RETURN(const auto entries,
                             iceberg::ReadManifest(context, table_files, metadata, manifest,
                                                   {.metrics = false, .deleted_entries = true}));
      for (const iceberg::ManifestEntry& entry : entries) names.emplace(FileName(entry.file->path));
    }
  }
  return names;
}

/// Files whose name holds the run's id; a folder that is not there holds none.
Result<std::vector<std::string>> FilesOfRun(const Context& context, io::FileSystem& files,
                                            const std::string& folder, const std::string& run) {
  std::vector<std::string> found;
  const std::string tag = ToLower(run);
  Status listed = files.List(context, folder, {.recursive = true},
                             [&](std::span<const io::FileInfo> page) -> Result<bool> {
                               for (const io::FileInfo& info : page) {
                                 if (ToLower(FileName(info.uri)).find(tag) != std::string::npos)
                                   found.push_back(info.uri);
                               }
                               return true;
                             });
  if (!listed.ok() && listed.error().kind != ErrorKind::kNotFound) return std::move(listed).error();
  return found;
}

/// Metadata files that lost their race: their number is not beyond the current file's, so the swap
/// that would have made them current has failed for good; they are no older than the oldest one
/// logged, and not logged.
Result<std::vector<std::string>> LostMetadata(const Context& context, io::FileSystem& files,
                                              const catalog::LoadedTable& table) {
  const TableMetadata& metadata = *table.metadata;
  const int64_t current = MetadataNumber(FileName(table.metadata_location));
  std::vector<std::string> lost;
  if (current < 0) return lost;
  int64_t oldest = current;
  std::set<std::string, std::less<>> logged = {std::string(FileName(table.metadata_location))};
  for (const iceberg::MetadataLogEntry& entry : metadata.metadata_log) {
    const std::string_view name = FileName(entry.metadata_file);
    logged.emplace(name);
    const int64_t number = MetadataNumber(name);
    if (number >= 0) oldest = std::min(oldest, number);
  }
  Status listed =
      files.List(context, catalog::MetadataFolder(metadata), {},
                 [&](std::span<const io::FileInfo> page) -> Result<bool> {
                   for (const io::FileInfo& info : page) {
                     const std::string_view name = FileName(info.uri);
                     const int64_t number = MetadataNumber(name);
                     if (number >= oldest && number <= current && !logged.contains(name))
                       lost.push_back(info.uri);
                   }
                   return true;
                 });
  if (!listed.ok() && listed.error().kind != ErrorKind::kNotFound) return std::move(listed).error();
  return lost;
}

}  // namespace

Result<int64_t> Committer::Sweep(const Context& context, const catalog::TableName& table,
                                 const std::string& run) {
  // The listings come before the metadata: what a commit adds after the listing is not in it, what
  // came before is reachable.
  CALVE_ASSIGN_OR_RETURN(const catalog::LoadedTable before, catalog_.LoadTable(context, table));
  std::string data_folder(before.metadata->Property("write.data.path", ""));
  if (data_folder.empty()) data_folder = before.metadata->location + "/data";
  CALVE_ASSIGN_OR_RETURN(std::vector<std::string> candidates,
                         FilesOfRun(context, files_, data_folder, run));
  CALVE_ASSIGN_OR_RETURN(
      const auto metadata_files,
      FilesOfRun(context, files_, catalog::MetadataFolder(*before.metadata), run));
  candidates.insert(candidates.end(), metadata_files.begin(), metadata_files.end());
  CALVE_ASSIGN_OR_RETURN(const std::vector<std::string> lost,
                         LostMetadata(context, files_, before));
  CALVE_ASSIGN_OR_RETURN(const catalog::LoadedTable now, catalog_.LoadTable(context, table));
  CALVE_ASSIGN_OR_RETURN(const auto reachable, ReachableNames(context, files_, *now.metadata));
  std::vector<std::string> orphans = lost;
  for (const std::string& uri : candidates) {
    if (!reachable.contains(FileName(uri))) orphans.push_back(uri);
  }
  CALVE_RETURN_IF_ERROR(files_.DeleteAll(context, orphans));
  return static_cast<int64_t>(orphans.size());
}

}  // namespace calve::commit

#include "commit/reach.h"

#include "catalog/table_files.h"
#include "commit/own_files.h"
#include "commit/position.h"
#include "commit/proof.h"
#include "iceberg/manifest.h"

namespace calve::commit {
namespace {

/// Looks at a table whose files go away under them, before that is told as an error.
constexpr int kLooksMax = 20;

}  // namespace

std::string_view FileName(std::string_view uri) { return uri.substr(uri.rfind('/') + 1); }

Status AddReachable(const Context& context, io::FileSystem& files,
                    const catalog::LoadedTable& table, Names& names) {
  const iceberg::TableMetadata& metadata = *table.metadata;
  names.emplace(FileName(table.metadata_location));
  for (const iceberg::MetadataLogEntry& entry : metadata.metadata_log)
    names.emplace(FileName(entry.metadata_file));
  for (const iceberg::StatisticsFile& file : metadata.statistics)
    names.emplace(FileName(file.path));
  for (const auto& file : metadata.partition_statistics) names.emplace(FileName(file.path));
  for (const std::string& ledger : KeptLedgers(metadata)) names.emplace(FileName(ledger));
  catalog::TableFiles table_files(files);
  Names seen;
  for (const iceberg::Snapshot& snapshot : metadata.snapshots) {
    CALVE_RETURN_IF_ERROR(context.CheckStop());
    names.emplace(FileName(snapshot.manifest_list));
    names.emplace(FileName(SummaryText(snapshot, summary::kLedger)));
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
  return Status::Ok();
}

Status LookAtWhole(const Context& context, catalog::Catalog& catalog,
                   const catalog::TableName& table,
                   const std::function<Status(const catalog::LoadedTable& now)>& look) {
  for (int looks = 1;; ++looks) {
    CALVE_ASSIGN_OR_RETURN(const catalog::LoadedTable now, catalog.LoadTable(context, table));
    Status looked = look(now);
    const bool is_missing = !looked.ok() && looked.error().kind == ErrorKind::kNotFound;
    if (!is_missing || looks == kLooksMax) return looked;
    CALVE_ASSIGN_OR_RETURN(const catalog::LoadedTable newer, catalog.LoadTable(context, table));
    if (newer.metadata_location == now.metadata_location) return looked;
  }
}

Result<iceberg::TableMetadata> ReadMetadata(const Context& context, io::FileSystem& files,
                                            const std::string& uri) {
  CALVE_ASSIGN_OR_RETURN(const std::string bytes, files.ReadFile(context, uri));
  CALVE_ASSIGN_OR_RETURN(const std::string json, iceberg::DecompressMetadata(bytes));
  return iceberg::ParseTableMetadata(json);
}

}  // namespace calve::commit

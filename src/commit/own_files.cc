#include "commit/own_files.h"

#include <set>

#include "commit/proof.h"
#include "iceberg/manifest.h"

namespace calve::commit {

using iceberg::Snapshot;
using iceberg::TableMetadata;

std::string SummaryText(const Snapshot& snapshot, std::string_view key) {
  const auto found = snapshot.summary.find(std::string(key));
  return found == snapshot.summary.end() ? std::string() : found->second;
}

Result<OwnFiles> FindOwnFiles(const Context& context, iceberg::Files& files,
                              const TableMetadata& metadata, const Snapshot& snapshot,
                              const Snapshot* heir) {
  std::set<std::string> kept;
  std::set<std::string> kept_rows;
  if (heir != nullptr) {
    CALVE_ASSIGN_OR_RETURN(const auto manifests,
                           iceberg::ReadManifestList(context, files, metadata, *heir));
    for (const auto& manifest : manifests) kept.insert(manifest.path);
    kept.insert(SummaryText(*heir, summary::kLedger));
    kept.insert(heir->manifest_list);
  }
  OwnFiles own;
  CALVE_ASSIGN_OR_RETURN(const auto manifests,
                         iceberg::ReadManifestList(context, files, metadata, snapshot));
  for (const iceberg::ManifestFile& manifest : manifests) {
    if (manifest.added_snapshot_id != snapshot.id || kept.contains(manifest.path)) continue;
    own.metadata.push_back(manifest.path);
    if (heir != nullptr) continue;  // The heir has the rows.
    CALVE_ASSIGN_OR_RETURN(const auto entries, iceberg::ReadManifest(context, files, metadata,
                                                                     manifest, {.metrics = false}));
    for (const iceberg::ManifestEntry& entry : entries) {
      if (entry.status == iceberg::EntryStatus::kAdded && entry.snapshot_id == snapshot.id)
        own.rows.push_back(entry.file->path);
    }
  }
  if (!kept.contains(snapshot.manifest_list)) own.metadata.push_back(snapshot.manifest_list);
  const std::string ledger = SummaryText(snapshot, summary::kLedger);
  if (!ledger.empty() && !kept.contains(ledger)) own.metadata.push_back(ledger);
  return own;
}

}  // namespace calve::commit

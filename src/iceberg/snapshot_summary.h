#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "iceberg/manifest.h"
#include "iceberg/metadata.h"

// The counts of a snapshot's summary (Iceberg spec, Optional Snapshot Summary Fields). For use
// within the room.

namespace calve::iceberg {

/// Counts what a snapshot adds and removes. Threads: one.
class SnapshotSummary {
 public:
  explicit SnapshotSummary(const TableMetadata& metadata) : metadata_(metadata) {}

  void Added(const DataFile& file) { Count(added_, file); }
  void Removed(const DataFile& file) { Count(removed_, file); }
  bool removed_any() const { return removed_.data_files + removed_.delete_files > 0; }

  /// Put the counts into `summary`: what was added and removed, and totals. Files and records are
  /// counted in `manifests`, the whole new list; the other totals are carried on from the parent's,
  /// and left out when it does not say them.
  void WriteTo(std::map<std::string, std::string>& summary, const Snapshot* parent,
               const std::vector<ManifestFile>& manifests) const;

 private:
  struct Counts {
    int64_t data_files = 0;
    int64_t records = 0;
    int64_t delete_files = 0;  ///< Of all three kinds.
    int64_t position_delete_files = 0;
    int64_t equality_delete_files = 0;
    int64_t deletion_vectors = 0;
    int64_t position_deletes = 0;
    int64_t equality_deletes = 0;
    int64_t bytes = 0;
  };
  void Count(Counts& counts, const DataFile& file);

  const TableMetadata& metadata_;
  Counts added_;
  Counts removed_;
  std::set<std::string> partitions_;  ///< Paths of those that changed.
};

}  // namespace calve::iceberg

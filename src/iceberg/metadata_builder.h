#pragma once

#include <cstdint>
#include <optional>
#include <set>

#include "base/result.h"
#include "iceberg/metadata.h"
#include "iceberg/update.h"

namespace calve::iceberg {

/// Metadata while updates are applied to it, and what the change has done so far. For one thread.
///
/// Updates change metadata() directly; the steps that several of them share, and the invariants of
/// the whole, are here.
class MetadataBuilder {
 public:
  /// Start from `base`, or from nothing when it is null.
  MetadataBuilder(const TableMetadata* base, const ApplyOptions& options);

  TableMetadata& metadata() { return metadata_; }
  /// Whether the table is being made by this change.
  bool creating() const { return base_ == nullptr; }

  // What the change added last, for ids of -1.
  std::optional<SchemaId> last_added_schema;
  std::optional<SpecId> last_added_spec;
  std::optional<SortOrderId> last_added_order;

  /// Say that the current schema, the default spec or the default order changed: Build checks that
  /// they fit together.
  void LayoutChanged() { layout_changed_ = true; }

  /// Append a snapshot; the caller has checked it.
  void AddSnapshot(Snapshot snapshot);
  /// Point a reference at a snapshot that exists; main also becomes the current snapshot, in the
  /// log.
  void SetRef(const std::string& name, const SnapshotRef& ref);
  /// Remove a reference; without main there is no current snapshot.
  void RemoveRef(const std::string& name);
  /// Remove snapshots with their statistics and the references to them.
  void RemoveSnapshots(const std::set<SnapshotId>& ids);

  /// Complete times and logs, check all invariants, and give the metadata.
  Result<TableMetadata> Build() &&;

 private:
  void CorrectSnapshotLog();
  void AppendMetadataLog();
  Status CheckLayout() const;

  const TableMetadata* base_;
  const ApplyOptions& options_;
  TableMetadata metadata_;
  bool layout_changed_ = false;
  bool removed_snapshots_ = false;
  std::set<SnapshotId> added_snapshots_;
  std::set<SnapshotId>
      were_current_;  ///< Snapshots that this change made current, be it for a moment.
};

}  // namespace calve::iceberg

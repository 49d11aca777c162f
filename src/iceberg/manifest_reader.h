#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "avro/decoder.h"
#include "avro/projection.h"
#include "avro/schema.h"
#include "iceberg/manifest.h"
#include "iceberg/metrics_filter.h"
#include "iceberg/partition_codec.h"

// The one way by which manifests are read: a plan compiled from the manifest's own schema, entries
// pruned while they are decoded, and only what is kept made into a DataFile. For use within the
// room.

namespace calve::iceberg {

/// The six maps of a data_file, in the order of Metrics.
enum class MetricsMap {
  kColumnSizes,
  kValueCounts,
  kNullCounts,
  kNanCounts,
  kLowerBounds,
  kUpperBounds
};
inline constexpr size_t kMetricsMaps = 6;

/// An entry as it lies in a block: numbers read, the rest as views.
struct RawEntry {
  EntryStatus status = EntryStatus::kAdded;
  std::optional<SnapshotId> snapshot_id;
  std::optional<SequenceNumber> sequence_number;
  std::optional<SequenceNumber> file_sequence_number;
  FileContent content = FileContent::kData;
  std::string_view path;
  std::string_view format;
  std::string_view partition;  ///< Encoded.
  int64_t record_count = 0;
  int64_t file_size_in_bytes = 0;
  std::array<std::string_view, kMetricsMaps> maps;  ///< Encoded; empty when absent.
  std::optional<std::string_view> key_metadata;
  std::string_view split_offsets;  ///< Encoded; empty when absent.
  std::string_view equality_ids;   ///< Encoded; empty when absent.
  std::optional<SortOrderId> sort_order_id;
  std::optional<RowId> first_row_id;
  std::optional<std::string_view> referenced_data_file;
  std::optional<int64_t> content_offset;
  std::optional<int64_t> content_size_in_bytes;
};

/// What a scan asks of each entry. All pointers may be null and outlive the scan.
struct EntryFilter {
  bool deleted_entries = false;            ///< Keep entries of status DELETED too.
  bool metrics = false;                    ///< Decode all counts and bounds of kept entries.
  const Expression* partition = nullptr;   ///< Projected, without kNot.
  const MetricsFilter* columns = nullptr;  ///< On counts and bounds.
  std::span<const FieldId> bounds =
      {};  ///< Also decode these columns' bounds of kept entries, ascending.
};

/// What was read of one manifest.
struct ManifestScan {
  std::vector<ManifestEntry> entries;  ///< Kept ones, numbers inherited.
  int64_t live_files = 0;              ///< Before pruning.
  Type partition_type;                 ///< Of the entries' values.
};

/// Read one manifest and keep the entries that the filter keeps.
Result<ManifestScan> ScanManifest(const Context& context, Files& files,
                                  const TableMetadata& metadata, const ManifestFile& manifest,
                                  const EntryFilter& filter);

/// Find a manifest's spec. Fails with kData when the table does not have it.
Result<const PartitionSpec*> SpecOf(const TableMetadata& metadata, const ManifestFile& manifest);

}  // namespace calve::iceberg

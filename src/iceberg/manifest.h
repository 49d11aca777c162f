#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/context.h"
#include "base/result.h"
#include "iceberg/files.h"
#include "iceberg/metadata.h"
#include "iceberg/partition.h"

namespace calve::iceberg {

enum class FileContent { kData = 0, kPositionDeletes = 1, kEqualityDeletes = 2 };
enum class FileFormat { kParquet, kAvro, kOrc, kPuffin };
std::string_view ToString(FileFormat format);

/// A small map by field id, sorted by id. Built once, looked up often.
template <typename T>
class FieldMap {
 public:
  void Set(FieldId id, T value);  ///< Keeps order; last wins.
  const T* Find(FieldId id) const;
  bool empty() const { return entries_.empty(); }
  size_t size() const { return entries_.size(); }
  auto begin() const { return entries_.begin(); }
  auto end() const { return entries_.end(); }
  bool operator==(const FieldMap&) const = default;
  void Reserve(size_t count) { entries_.reserve(count); }

 private:
  std::vector<std::pair<FieldId, T>> entries_;
};

template <typename T>
void FieldMap<T>::Set(FieldId id, T value) {
  if (entries_.empty() || entries_.back().first < id) {  // Manifests hold them in order.
    entries_.emplace_back(id, std::move(value));
    return;
  }
  const auto place =
      std::lower_bound(entries_.begin(), entries_.end(), id,
                       [](const auto& entry, FieldId wanted) { return entry.first < wanted; });
  if (place->first == id) {
    place->second = std::move(value);
  } else {
    entries_.emplace(place, id, std::move(value));
  }
}

template <typename T>
const T* FieldMap<T>::Find(FieldId id) const {
  const auto place =
      std::lower_bound(entries_.begin(), entries_.end(), id,
                       [](const auto& entry, FieldId wanted) { return entry.first < wanted; });
  return place != entries_.end() && place->first == id ? &place->second : nullptr;
}

/// Counts and bounds per column of one file (spec, Manifests). Bounds are binary single values.
struct Metrics {
  FieldMap<int64_t> column_sizes;  ///< Bytes.
  FieldMap<int64_t> value_counts;
  FieldMap<int64_t> null_value_counts;
  FieldMap<int64_t> nan_value_counts;
  FieldMap<std::string> lower_bounds;
  FieldMap<std::string> upper_bounds;
  bool operator==(const Metrics&) const = default;
};

/// A data file, or a file of deletes (a deletion vector is a blob within one).
struct DataFile {
  FileContent content = FileContent::kData;
  std::string path;  ///< URI, byte for byte as written.
  FileFormat format = FileFormat::kParquet;
  SpecId spec_id{0};  ///< Of the manifest that lists it.
  PartitionValues partition;
  int64_t record_count = 0;
  int64_t file_size_in_bytes = 0;
  Metrics metrics;
  std::optional<std::string> key_metadata;
  std::vector<int64_t> split_offsets;
  std::vector<FieldId> equality_ids;
  std::optional<SortOrderId> sort_order_id;
  std::optional<RowId> first_row_id;
  std::optional<std::string> referenced_data_file;
  std::optional<int64_t> content_offset;
  std::optional<int64_t> content_size_in_bytes;
  bool is_deletion_vector() const { return format == FileFormat::kPuffin; }
  bool operator==(const DataFile&) const = default;
};
using DataFilePtr = std::shared_ptr<const DataFile>;

enum class EntryStatus { kExisting = 0, kAdded = 1, kDeleted = 2 };

/// One line of a manifest. After ReadManifest the inherited numbers are filled in.
struct ManifestEntry {
  EntryStatus status = EntryStatus::kAdded;
  std::optional<SnapshotId> snapshot_id;
  std::optional<SequenceNumber> sequence_number;
  std::optional<SequenceNumber> file_sequence_number;
  DataFilePtr file;
};

/// What a manifest list says of one partition field over a whole manifest.
struct PartitionFieldSummary {
  bool contains_null = false;
  std::optional<bool> contains_nan;
  std::optional<std::string> lower_bound;
  std::optional<std::string> upper_bound;
  bool operator==(const PartitionFieldSummary&) const = default;
};

enum class ManifestContent { kData = 0, kDeletes = 1 };

/// One line of a manifest list.
struct ManifestFile {
  std::string path;
  int64_t length = 0;  ///< Bytes.
  SpecId spec_id{0};
  ManifestContent content = ManifestContent::kData;
  SequenceNumber sequence_number{0};
  SequenceNumber min_sequence_number{0};
  SnapshotId added_snapshot_id;
  std::optional<int64_t> added_files_count;
  std::optional<int64_t> existing_files_count;
  std::optional<int64_t> deleted_files_count;
  std::optional<int64_t> added_rows_count;
  std::optional<int64_t> existing_rows_count;
  std::optional<int64_t> deleted_rows_count;
  std::vector<PartitionFieldSummary> partitions;  ///< Empty when unknown.
  std::optional<std::string> key_metadata;
  std::optional<RowId> first_row_id;  ///< v3 data manifests
  bool has_live_files() const {
    return added_files_count.value_or(1) + existing_files_count.value_or(1) > 0;
  }
  bool operator==(const ManifestFile&) const = default;
};

/// Read the manifests of a snapshot, v1 to v3, also v1's embedded list. Fails with kData naming the
/// file.
Result<std::vector<ManifestFile>> ReadManifestList(const Context& context, Files& files,
                                                   const TableMetadata& metadata,
                                                   const Snapshot& snapshot);

struct ReadManifestOptions {
  bool metrics = true;           ///< Decode counts and bounds; false skips over them.
  bool deleted_entries = false;  ///< Also return entries of status DELETED.
};
/// Read one manifest whole, numbers and row ids inherited (spec, Sequence Number Inheritance, First
/// Row ID Inheritance).
Result<std::vector<ManifestEntry>> ReadManifest(const Context& context, Files& files,
                                                const TableMetadata& metadata,
                                                const ManifestFile& manifest,
                                                const ReadManifestOptions& options = {});

}  // namespace calve::iceberg

#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "iceberg/ids.h"
#include "iceberg/partition.h"
#include "iceberg/schema.h"
#include "iceberg/snapshot.h"
#include "iceberg/snapshot_list.h"

namespace calve::iceberg {

struct SnapshotLogEntry {
  int64_t timestamp_ms = 0;
  SnapshotId snapshot_id;
  bool operator==(const SnapshotLogEntry&) const = default;
};

struct MetadataLogEntry {
  int64_t timestamp_ms = 0;
  std::string metadata_file;
  bool operator==(const MetadataLogEntry&) const = default;
};

/// A Puffin file of statistics that a snapshot names; carried through unharmed.
struct BlobMetadata {
  std::string type;
  SnapshotId snapshot_id;
  SequenceNumber sequence_number{0};
  std::vector<FieldId> fields;
  std::map<std::string, std::string> properties;
  bool operator==(const BlobMetadata&) const = default;
};
struct StatisticsFile {
  SnapshotId snapshot_id;
  std::string path;
  int64_t file_size_in_bytes = 0;
  int64_t file_footer_size_in_bytes = 0;
  std::optional<std::string> key_metadata;
  std::vector<BlobMetadata> blobs;
  bool operator==(const StatisticsFile&) const = default;
};
struct PartitionStatisticsFile {
  SnapshotId snapshot_id;
  std::string path;
  int64_t file_size_in_bytes = 0;
  bool operator==(const PartitionStatisticsFile&) const = default;
};
struct EncryptedKey {
  std::string key_id;
  std::string encrypted_key_metadata;  ///< base64, as it stands in the JSON.
  std::optional<std::string> encrypted_by_id;
  std::map<std::string, std::string> properties;
  bool operator==(const EncryptedKey&) const = default;
};

/// A table's metadata (spec, Table Metadata), versions 1 to 3. A value; loaders share it as
/// shared_ptr<const>.
///
/// Held in one form for all versions: v1's single schema, spec and missing refs are lifted on
/// reading.
struct TableMetadata {
  int format_version = 2;
  std::string table_uuid;
  std::string location;  ///< URI without trailing slash.
  SequenceNumber last_sequence_number{0};
  int64_t last_updated_ms = 0;
  FieldId last_column_id{0};
  std::vector<SchemaPtr> schemas;
  SchemaId current_schema_id{0};
  std::vector<PartitionSpec> specs;
  SpecId default_spec_id{0};
  FieldId last_partition_id{999};
  std::vector<SortOrder> sort_orders;
  SortOrderId default_sort_order_id{0};
  std::map<std::string, std::string> properties;
  std::optional<SnapshotId> current_snapshot_id;
  SnapshotList snapshots;
  std::vector<SnapshotLogEntry> snapshot_log;
  std::vector<MetadataLogEntry> metadata_log;
  std::map<std::string, SnapshotRef> refs;
  std::vector<StatisticsFile> statistics;
  std::vector<PartitionStatisticsFile> partition_statistics;
  RowId next_row_id{0};  ///< v3
  std::vector<EncryptedKey> encryption_keys;

  /// The current schema, default spec and order; Parse and Apply have checked that they exist.
  const SchemaPtr& schema() const;
  const PartitionSpec& spec() const;
  const SortOrder& sort_order() const;
  const SchemaPtr* FindSchema(SchemaId id) const;
  const PartitionSpec* FindSpec(SpecId id) const;
  const SortOrder* FindSortOrder(SortOrderId id) const;
  const Snapshot* FindSnapshot(SnapshotId id) const;
  const Snapshot* current_snapshot() const;
  /// The head of a branch, or what a tag names; nullptr when there is none.
  const Snapshot* FindRef(std::string_view name) const;
  /// The snapshot that was current at `timestamp_ms`, by the snapshot log; nullptr when the table
  /// was empty then.
  const Snapshot* SnapshotAsOf(int64_t timestamp_ms) const;
  /// The schema that reads `snapshot`: its own when it names one, else the current.
  const SchemaPtr& SchemaOf(const Snapshot& snapshot) const;
  /// A table property, or `fallback`.
  std::string_view Property(std::string_view key, std::string_view fallback) const;
};

using MetadataPtr = std::shared_ptr<const TableMetadata>;

/// Read metadata JSON (not compressed). Fails with kData naming key, expected and found; kRefused
/// for version 4 and later.
Result<TableMetadata> ParseTableMetadata(std::string_view json);
/// Write metadata JSON of the table's own version (2 or 3; 1 is kept readable).
std::string SerializeTableMetadata(const TableMetadata& metadata);

/// Decompress metadata when its bytes say that they are gzip or zstd, whatever its name; fails with
/// kData on broken or absurdly large input.
Result<std::string> DecompressMetadata(std::string_view bytes);
/// Gzip metadata for `write.metadata.compression-codec=gzip`.
std::string CompressMetadata(std::string_view json);

/// The name of the next metadata file beside `previous` (may be empty):
/// 00007-<uuid>[.gz].metadata.json.
std::string NextMetadataFileName(std::string_view previous, std::string_view uuid, bool gzip);

/// Write a schema, spec or order as the spec's JSON, for manifest headers and REST.
std::string SerializeSchema(const Schema& schema);
Result<SchemaPtr> ParseSchema(std::string_view json);
std::string SerializePartitionFields(const PartitionSpec& spec);
Result<PartitionSpec> ParsePartitionSpec(std::string_view json);
std::string SerializePartitionSpec(const PartitionSpec& spec);
Result<SortOrder> ParseSortOrder(std::string_view json);
std::string SerializeSortOrder(const SortOrder& order);

}  // namespace calve::iceberg

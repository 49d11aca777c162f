#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "avro/encoder.h"
#include "avro/file_writer.h"
#include "avro/schema.h"
#include "base/random.h"
#include "iceberg/manifest.h"
#include "iceberg/partition_summary.h"

// Writing of manifests. For use within the room.

namespace calve::iceberg {

struct ManifestWriterOptions {
  int format_version = 2;
  ManifestContent content = ManifestContent::kData;
  SnapshotId snapshot_id;  ///< Of the snapshot being made.
  SchemaPtr schema;        ///< For the header.
  const PartitionSpec* spec = nullptr;
  Type partition_type;  ///< Of the entries' values.
};

/// A manifest in memory, not yet numbered.
struct EncodedManifest {
  /// Without path; `sequence_number`, `min_sequence_number` and `first_row_id` are left to who
  /// lists it.
  ManifestFile manifest;
  std::string bytes;
  /// The least number of the live entries that have one of their own.
  std::optional<SequenceNumber> least_own_number;
  /// Rows of live data files that will inherit their row ids from this manifest.
  int64_t rows_without_ids = 0;
};

/// Writes the entries of one manifest to memory. Threads: one.
class ManifestWriter {
 public:
  static Result<ManifestWriter> Open(const ManifestWriterOptions& options, Random& random);

  /// Add an entry. ADDED ones get the snapshot being made and no numbers but a data sequence number
  /// that they bring along, so that another attempt can take the manifest as it is; DELETED ones
  /// get the snapshot being made; all but ADDED need their numbers.
  Status Add(const ManifestEntry& entry);
  /// Bytes so far, those not yet compressed included.
  int64_t bytes_estimated() const { return writer_->bytes_estimated(); }
  int64_t entry_count() const { return writer_->record_count(); }
  Result<EncodedManifest> Close();

 private:
  ManifestWriter(const ManifestWriterOptions& options)
      : options_(options), summary_(options.partition_type) {}
  Status WriteEntry(avro::Encoder& e, const ManifestEntry& entry);
  Status WriteFile(avro::Encoder& e, const DataFile& file, EntryStatus status);
  void Count(const ManifestEntry& entry);

  ManifestWriterOptions options_;
  PartitionSummary summary_;
  std::unique_ptr<std::string> bytes_;
  std::optional<avro::FileWriter> writer_;
  EncodedManifest out_;
};

}  // namespace calve::iceberg

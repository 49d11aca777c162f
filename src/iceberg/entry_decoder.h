#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "avro/decoder.h"
#include "avro/projection.h"
#include "avro/schema.h"
#include "iceberg/manifest_reader.h"
#include "iceberg/partition_codec.h"

// Decodes the entries of one manifest by a plan compiled once. For use within the room.

namespace calve::iceberg {

/// Keeps pointers into the manifest's schema. Threads: one.
class EntryDecoder {
 public:
  /// Fails with kData when a required field is missing or of another shape.
  static Result<EntryDecoder> Compile(const avro::Schema& schema, const Type& partition_type,
                                      const EntryFilter& filter, const PartitionSpec& spec);

  const Type& partition_type() const { return partition_.type(); }
  /// Whether the entries hold sequence numbers at all; v1's don't.
  bool has_sequence_numbers() const { return entry_.Has(kSequenceNumber); }

  /// Read the next entry of a block that begins at `block`, and say whether it is kept. Of an entry
  /// that is not kept only status, record count and row id are sure to be there. The views hold as
  /// long as the block.
  bool Read(avro::Decoder& decoder, const char* block, RawEntry& out);

  /// Make the DataFile of the entry read last, which was kept.
  Result<DataFilePtr> MakeFile(const RawEntry& raw, SpecId spec_id) const;

 private:
  enum EntrySlot { kStatus, kSnapshotId, kSequenceNumber, kFileSequenceNumber, kDataFile };
  enum FileSlot {
    kColumnSizes,  // The maps first, as MetricsMap.
    kValueCounts,
    kNullCounts,
    kNanCounts,
    kLowerBounds,
    kUpperBounds,
    kContent,
    kPath,
    kFormat,
    kPartition,
    kRecordCount,
    kFileSize,
    kKeyMetadata,
    kSplitOffsets,
    kEqualityIds,
    kSortOrderId,
    kFirstRowId,
    kReferencedDataFile,
    kContentOffset,
    kContentSize,
  };
  /// How to walk one of the maps.
  struct MapPlan {
    avro::Projection entry;
    const avro::Node* array = nullptr;
    bool plain = false;  ///< Exactly a key, then a value.
    bool bytes = false;  ///< The value is bytes, else a number.
  };

  explicit EntryDecoder(const EntryFilter& filter, const PartitionSpec& spec)
      : filter_(filter), spec_(&spec) {}
  Status CompileMaps();
  Status CheckList(FileSlot slot, std::string_view name) const;
  void ReadFileField(const avro::Projection::Item& item, avro::Decoder& d, RawEntry& out);
  void ReadPartition(const avro::Node& type, avro::Decoder& d, RawEntry& out);
  template <typename Visit>
  static void WalkMap(const MapPlan& plan, avro::Decoder& decoder, Visit&& visit);
  void CollectStats(const MapPlan& plan, MetricsMap map, avro::Decoder& d);
  void ReadMaps(const RawEntry& raw, Metrics& metrics) const;
  void ReadBounds(const RawEntry& raw, Metrics& metrics) const;

  EntryFilter filter_;
  const PartitionSpec* spec_;
  avro::Projection entry_;
  avro::Projection file_;
  PartitionReader partition_;
  std::array<MapPlan, kMetricsMaps> maps_;
  std::vector<ColumnStats> stats_;  ///< Of filter_.columns, for the entry being read.
  bool skip_stats_ = false;         ///< The entry is not kept, whatever its statistics say.

  // Entries of one partition lie together: the last one's bytes, values and verdict.
  std::string last_partition_;
  PartitionValues last_values_;
  bool last_matches_ = false;
  bool has_last_ = false;
  const char* block_ = nullptr;
};

}  // namespace calve::iceberg

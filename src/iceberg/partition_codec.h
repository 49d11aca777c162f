#pragma once

#include <optional>
#include <string>
#include <vector>

#include "avro/decoder.h"
#include "avro/encoder.h"
#include "avro/projection.h"
#include "iceberg/partition.h"
#include "iceberg/type.h"
#include "iceberg/value.h"

// Partition values as manifests hold them. For use within the room.

namespace calve::iceberg {

/// Reads the partition struct of one manifest's entries. Keeps pointers into the manifest's schema.
/// Threads: any may read.
class PartitionReader {
 public:
  PartitionReader() = default;
  /// `record` is the struct in the manifest's schema; `type` has the spec's fields, of which those
  /// of type `unknown` take the manifest's own type.
  PartitionReader(const avro::Node* record, const Type& type);

  /// The values' struct type, without unknowns that the manifest could tell.
  const Type& type() const { return type_; }
  /// Read the values in the spec's order; a field that the manifest lacks is null.
  PartitionValues Read(avro::Decoder& decoder) const;

 private:
  avro::Projection projection_;
  Type type_;
};

/// Write the values as ManifestEntrySchema has them. Fails with kBug when a value is not of its
/// type.
Status WritePartition(avro::Encoder& encoder, const Type& type, const PartitionValues& values);

/// A text that is equal exactly when spec and values are equal: floats by their bits with one NaN
/// (spec, Scan Planning, note 3).
std::string PartitionKey(SpecId spec_id, const PartitionValues& values);

}  // namespace calve::iceberg

#pragma once

#include <optional>
#include <vector>

#include "base/result.h"
#include "iceberg/manifest.h"
#include "iceberg/partition.h"

// What a manifest list says of the partitions of a manifest. For use within the room.

namespace calve::iceberg {

/// Gathers nulls, NaNs and bounds of the partition values of one manifest's files. Threads: one.
class PartitionSummary {
 public:
  explicit PartitionSummary(const Type& partition_type);

  void Add(const PartitionValues& values);
  /// One summary a field, in the spec's order. Nothing at all when a field's bounds would mislead:
  /// implementations differ in how they order uuids, and a field without bounds reads as only null.
  Result<std::vector<PartitionFieldSummary>> Finish() const;

 private:
  struct FieldState {
    Type type;
    bool contains_null = false;
    bool contains_nan = false;
    Value lower;
    Value upper;
  };
  static void AddValue(FieldState& field, const Value& value);

  std::vector<FieldState> fields_;
  std::optional<PartitionValues> last_;  ///< Files of one partition lie together.
};

}  // namespace calve::iceberg

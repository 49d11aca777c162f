#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "columnar/convert.h"
#include "iceberg/partition.h"

namespace calve::writer {

/// A partition that rows of a batch belong to.
struct PartitionOfRows {
  std::string key;  ///< Equal for equal partitions, over all batches.
  iceberg::PartitionValues values;
};

/// The partitions of a batch, and which of them each row belongs to.
struct PartitionedRows {
  std::vector<PartitionOfRows> partitions;  ///< In the order in which they first appear.
  std::vector<uint32_t> partition_of_row;   ///< An index into `partitions`.
};

/// Tells the partitions of rows by a partition spec. Immutable. Threads: any.
class Partitioner {
 public:
  /// Fails with kRefused on a transform that is not known, with kConfig on one that does not take
  /// its column.
  static Result<Partitioner> Make(const iceberg::PartitionSpec& spec,
                                  const iceberg::Schema& schema);

  /// Compute the partition of every row.
  Result<PartitionedRows> Number(const columnar::Batch& batch) const;

 private:
  /// One field of the spec, with the way to its source column.
  struct Source {
    iceberg::Transform transform;
    std::vector<int> path;  ///< Column, then the child of each struct; empty for a dropped source.
    iceberg::Type type;
    iceberg::Type result;
  };
  std::vector<Source> sources_;
};

}  // namespace calve::writer

#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "columnar/convert.h"
#include "iceberg/partition.h"

namespace calve::writer {

/// The rows of one batch that belong to one partition.
struct PartitionRows {
  std::string key;  ///< Equal for equal partitions, over all batches.
  iceberg::PartitionValues values;
  columnar::Batch rows;  ///< In the batch's order.
};

/// Splits batches by a partition spec. Immutable. Threads: any.
class Partitioner {
 public:
  /// Fails with kRefused on a transform that is not known, with kConfig on one that does not take
  /// its column.
  static Result<Partitioner> Make(const iceberg::PartitionSpec& spec,
                                  const iceberg::Schema& schema);

  /// Compute the partition of every row and gather the rows of each; in the order of first
  /// appearance.
  Result<std::vector<PartitionRows>> Split(const columnar::Batch& batch) const;

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

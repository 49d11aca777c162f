#pragma once

#include <cstdint>
#include <vector>

#include "base/result.h"
#include "columnar/convert.h"

namespace calve::writer {

/// Rows in the order of their partitions.
struct ArrangedRows {
  struct Range {
    uint32_t partition;
    int64_t first;
    int64_t count;
  };
  columnar::Batch rows;       ///< Null when there are none.
  std::vector<Range> ranges;  ///< One per partition that has rows, in the order of their numbers.

  columnar::Batch RowsOf(const Range& range) const { return rows->Slice(range.first, range.count); }
};

/// Rows held back as they come, until they are put into the order of their partitions at once: the
/// cost is by rows then, however many partitions they fall into.
class HeldRows {
 public:
  /// `partition_of_row` numbers partitions over all batches.
  void Add(columnar::Batch rows, std::vector<uint32_t> partition_of_row);
  bool empty() const { return batches_.empty(); }

  /// Give the rows in the order of partitions, within one in the order in which they came; none are
  /// held afterwards. Needs room for one column more than is held.
  Result<ArrangedRows> Arrange();

 private:
  std::vector<columnar::Batch> batches_;
  std::vector<uint32_t> partition_of_row_;  ///< Over all batches.
};

}  // namespace calve::writer

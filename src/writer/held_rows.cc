#include "writer/held_rows.h"

#include <arrow/array/concatenate.h>
#include <arrow/buffer.h>
#include <arrow/compute/api_vector.h>
#include <arrow/datum.h>
#include <arrow/record_batch.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "columnar/arrow_status.h"

namespace calve::writer {
namespace {

using ArrayPtr = std::shared_ptr<arrow::Array>;

/// Where the rows of each partition begin when they are put in order, and the end of all.
std::vector<int64_t> Starts(const std::vector<uint32_t>& partition_of_row) {
  const uint32_t last = *std::max_element(partition_of_row.begin(), partition_of_row.end());
  std::vector<int64_t> starts(static_cast<size_t>(last) + 2);
  for (const uint32_t partition : partition_of_row) ++starts[partition + size_t{1}];
  for (size_t i = 1; i < starts.size(); ++i) starts[i] += starts[i - 1];
  return starts;
}

/// The rows by number in the order of their partitions.
ArrayPtr OrderOf(const std::vector<uint32_t>& partition_of_row, std::vector<int64_t> next) {
  std::vector<int32_t> order(partition_of_row.size());
  for (size_t row = 0; row < order.size(); ++row) {
    order[static_cast<size_t>(next[partition_of_row[row]]++)] = static_cast<int32_t>(row);
  }
  const auto count = static_cast<int64_t>(order.size());
  return std::make_shared<arrow::Int32Array>(count, arrow::Buffer::FromVector(std::move(order)));
}

/// Each column is let go of as soon as it is in order.
Result<columnar::Batch> Gather(std::vector<columnar::Batch> batches, const ArrayPtr& order) {
  const std::shared_ptr<arrow::Schema> schema = batches.front()->schema();
  std::vector<arrow::ArrayVector> columns(static_cast<size_t>(schema->num_fields()));
  for (const columnar::Batch& batch : batches) {
    for (int i = 0; i < schema->num_fields(); ++i)
      columns[static_cast<size_t>(i)].push_back(batch->column(i));
  }
  batches.clear();
  arrow::ArrayVector gathered;
  for (arrow::ArrayVector& pieces : columns) {
    ArrayPtr column = pieces.front();
    if (pieces.size() > 1) {
      CALVE_ASSIGN_OR_RETURN(column, arrow::Concatenate(pieces));
    }
    pieces.clear();
    if (order != nullptr) {
      CALVE_ASSIGN_OR_RETURN(
          const arrow::Datum taken,
          arrow::compute::Take(column, order, arrow::compute::TakeOptions::NoBoundsCheck()));
      column = taken.make_array();
    }
    gathered.push_back(std::move(column));
  }
  const int64_t count = gathered.front()->length();
  return arrow::RecordBatch::Make(schema, count, std::move(gathered));
}

}  // namespace

void HeldRows::Add(columnar::Batch rows, std::vector<uint32_t> partition_of_row) {
  batches_.push_back(std::move(rows));
  partition_of_row_.insert(partition_of_row_.end(), partition_of_row.begin(),
                           partition_of_row.end());
}

Result<ArrangedRows> HeldRows::Arrange() {
  ArrangedRows out;
  if (batches_.empty()) return out;
  const std::vector<uint32_t> partition_of_row = std::exchange(partition_of_row_, {});
  const std::vector<int64_t> starts = Starts(partition_of_row);
  for (size_t i = 0; i + 1 < starts.size(); ++i) {
    if (starts[i] == starts[i + 1]) continue;
    out.ranges.push_back({.partition = static_cast<uint32_t>(i),
                          .first = starts[i],
                          .count = starts[i + 1] - starts[i]});
  }
  const ArrayPtr order = out.ranges.size() == 1 ? nullptr : OrderOf(partition_of_row, starts);
  CALVE_ASSIGN_OR_RETURN(out.rows, Gather(std::exchange(batches_, {}), order));
  return out;
}

}  // namespace calve::writer

#include "writer/sorted_runs.h"

#include <arrow/array/builder_primitive.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "columnar/arrow_status.h"

namespace calve::writer {
namespace {

using iceberg::Field;
using iceberg::FieldId;

TEST(SortedRuns, ManyRunsAreMergedInSteps) {
  ASSERT_TRUE(columnar::StartArrow().ok());
  const auto schema = *iceberg::Schema::Make(
      iceberg::SchemaId(0),
      {Field{.id = FieldId(1), .name = "n", .type = iceberg::Type::Int(), .required = true}});
  const auto columns = *columnar::ToArrowSchema(*schema);
  iceberg::TableMetadata table;
  table.sort_orders = {{.id = iceberg::SortOrderId(1), .fields = {{.source_id = FieldId(1)}}}};
  table.default_sort_order_id = iceberg::SortOrderId(1);
  const auto order = RowOrder::Of(table, *schema);
  ASSERT_TRUE(order.ok()) << order.error().message;
  RowSpill spill(columns);
  SortedRuns runs(*order, spill, 16);
  // More than 32 times 32.
  constexpr int kRuns = 1100;
  constexpr int kRowsOfRun = 10;
  for (int run = 0; run < kRuns; ++run) {
    arrow::Int32Builder numbers;
    for (int i = 0; i < kRowsOfRun; ++i)
      ASSERT_TRUE(numbers.Append((run * kRowsOfRun + i) * 7919 % (kRuns * kRowsOfRun)).ok());
    ASSERT_TRUE(runs.Add(arrow::RecordBatch::Make(columns, kRowsOfRun, {*numbers.Finish()})).ok());
  }
  EXPECT_GE(runs.bytes(), int64_t{4} * kRuns * kRowsOfRun);
  std::vector<int> merged;
  while (true) {
    const auto rows = runs.Next();
    ASSERT_TRUE(rows.ok()) << rows.error().message;
    if (*rows == nullptr) break;
    const auto& numbers = static_cast<const arrow::Int32Array&>(*(*rows)->column(0));
    merged.insert(merged.end(), numbers.raw_values(), numbers.raw_values() + numbers.length());
  }
  std::vector<int> expected(kRuns * kRowsOfRun);
  std::iota(expected.begin(), expected.end(), 0);
  EXPECT_EQ(merged, expected);
  EXPECT_TRUE(runs.empty());
  EXPECT_EQ(runs.bytes(), 0);
}

}  // namespace
}  // namespace calve::writer

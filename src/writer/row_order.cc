#include "writer/row_order.h"

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/compute/api_vector.h>
#include <arrow/datum.h>

#include <algorithm>
#include <compare>
#include <memory>
#include <numeric>
#include <utility>

#include "columnar/arrow_status.h"
#include "writer/column_path.h"
#include "writer/transform_column.h"

namespace calve::writer {
namespace {

using iceberg::SortField;
using iceberg::Transform;
using iceberg::Value;

/// Which of two values comes first in a field's order.
std::strong_ordering CompareIn(const SortField& field, const Value& a, const Value& b) {
  if (a.is_null() || b.is_null()) {
    if (a.is_null() == b.is_null()) return std::strong_ordering::equal;
    return a.is_null() == field.nulls_first ? std::strong_ordering::less
                                            : std::strong_ordering::greater;
  }
  return field.ascending ? Compare(a, b) : Compare(b, a);
}

/// The place of each row's value among all values of the column, so that rows are compared by
/// numbers.
std::vector<uint32_t> Ranks(const SortField& field, const CodedColumn& column) {
  std::vector<uint32_t> codes(column.values.size());
  std::iota(codes.begin(), codes.end(), 0U);
  std::sort(codes.begin(), codes.end(), [&](uint32_t a, uint32_t b) {
    return CompareIn(field, column.values[a], column.values[b]) < 0;
  });
  std::vector<uint32_t> rank_of_code(codes.size());
  for (size_t rank = 0; rank < codes.size(); ++rank)
    rank_of_code[codes[rank]] = static_cast<uint32_t>(rank);
  std::vector<uint32_t> ranks(column.code_of_row.size());
  for (size_t row = 0; row < ranks.size(); ++row)
    ranks[row] = rank_of_code[column.code_of_row[row]];
  return ranks;
}

std::vector<int32_t> OrderBy(const std::vector<std::vector<uint32_t>>& ranks) {
  std::vector<int32_t> order(ranks.front().size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int32_t a, int32_t b) {
    for (const std::vector<uint32_t>& rank : ranks) {
      const uint32_t left = rank[static_cast<size_t>(a)];
      const uint32_t right = rank[static_cast<size_t>(b)];
      if (left != right) return left < right;
    }
    return false;
  });
  return order;
}

}  // namespace

Result<RowOrder> RowOrder::Of(const iceberg::TableMetadata& table, const iceberg::Schema& schema) {
  RowOrder order;
  if (table.sort_orders.empty()) return order;  // Metadata in the making.
  for (const SortField& field : table.sort_order().fields) {
    const iceberg::Field* column = schema.FindById(field.source_id);
    if (column == nullptr || field.transform.kind() == Transform::Kind::kUnknown) return RowOrder();
    CALVE_ASSIGN_OR_RETURN(iceberg::Type result, field.transform.ResultType(column->type));
    order.fields_.push_back({.field = field,
                             .path = ColumnPath(schema, field.source_id),
                             .type = column->type,
                             .result = std::move(result)});
  }
  order.id_ = table.sort_order().id;
  return order;
}

Result<RowOrder::Sorted> RowOrder::Sort(const columnar::Batch& rows) const {
  std::vector<CodedColumn> columns;
  std::vector<std::vector<uint32_t>> ranks;
  for (const Field& field : fields_) {
    const bool is_void = field.field.transform.kind() == Transform::Kind::kVoid;
    CALVE_ASSIGN_OR_RETURN(const auto column,
                           ColumnAt(*rows, is_void ? std::vector<int>() : field.path));
    CALVE_ASSIGN_OR_RETURN(
        columns.emplace_back(),
        TransformColumn(field.field.transform, field.type, field.result, column));
    ranks.push_back(Ranks(field.field, columns.back()));
  }
  std::vector<int32_t> order = OrderBy(ranks);
  Sorted sorted;
  for (const CodedColumn& column : columns) {
    sorted.first.push_back(column.values[column.code_of_row[static_cast<size_t>(order.front())]]);
    sorted.last.push_back(column.values[column.code_of_row[static_cast<size_t>(order.back())]]);
  }
  if (std::is_sorted(order.begin(), order.end())) {
    sorted.rows = rows;
    return sorted;
  }
  const auto count = static_cast<int64_t>(order.size());
  const std::shared_ptr<arrow::Array> indices =
      std::make_shared<arrow::Int32Array>(count, arrow::Buffer::FromVector(std::move(order)));
  CALVE_ASSIGN_OR_RETURN(
      const arrow::Datum taken,
      arrow::compute::Take(rows, indices, arrow::compute::TakeOptions::NoBoundsCheck()));
  sorted.rows = taken.record_batch();
  return sorted;
}

bool RowOrder::InOrder(const Key& a, const Key& b) const {
  for (size_t i = 0; i < fields_.size(); ++i) {
    const auto order = CompareIn(fields_[i].field, a[i], b[i]);
    if (order != 0) return order < 0;
  }
  return true;
}

}  // namespace calve::writer

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

std::strong_ordering InDirection(const SortField& field, std::strong_ordering order) {
  return field.ascending ? order : 0 <=> order;
}

/// The values of one field of the order, a row each.
class KeyColumn {
 public:
  virtual ~KeyColumn() = default;
  virtual std::strong_ordering Compare(int32_t a, int32_t b) const = 0;
  virtual Value At(int32_t row) const = 0;
};

/// Values as the rows have them, compared where they lie.
template <typename Array, typename Read>
class PlainKeys : public KeyColumn {
 public:
  PlainKeys(const SortField& field, const iceberg::Type& type, std::shared_ptr<arrow::Array> array,
            Read read)
      : field_(field),
        type_(type),
        array_(std::move(array)),
        typed_(static_cast<const Array&>(*array_)),
        read_(std::move(read)) {}

  std::strong_ordering Compare(int32_t a, int32_t b) const override {
    const bool null = typed_.IsNull(a);
    if (null || typed_.IsNull(b)) {
      if (null == typed_.IsNull(b)) return std::strong_ordering::equal;
      return null == field_.nulls_first ? std::strong_ordering::less
                                        : std::strong_ordering::greater;
    }
    return InDirection(field_, read_(typed_, a) <=> read_(typed_, b));
  }
  Value At(int32_t row) const override {
    return typed_.IsNull(row) ? Value() : columnar::ValueAt(*array_, row, type_);
  }

 private:
  const SortField& field_;
  const iceberg::Type& type_;
  const std::shared_ptr<arrow::Array> array_;
  const Array& typed_;
  const Read read_;
};

/// Transformed values, compared by the place of each among all of the column.
class RankedKeys : public KeyColumn {
 public:
  RankedKeys(const SortField& field, CodedColumn column) : column_(std::move(column)) {
    std::vector<uint32_t> codes(column_.values.size());
    std::iota(codes.begin(), codes.end(), 0U);
    std::sort(codes.begin(), codes.end(), [&](uint32_t a, uint32_t b) {
      return CompareIn(field, column_.values[a], column_.values[b]) < 0;
    });
    rank_of_code_.resize(codes.size());
    for (size_t rank = 0; rank < codes.size(); ++rank)
      rank_of_code_[codes[rank]] = static_cast<uint32_t>(rank);
  }

  std::strong_ordering Compare(int32_t a, int32_t b) const override {
    return rank_of_code_[CodeOf(a)] <=> rank_of_code_[CodeOf(b)];
  }
  Value At(int32_t row) const override { return column_.values[CodeOf(row)]; }

 private:
  uint32_t CodeOf(int32_t row) const { return column_.code_of_row[static_cast<size_t>(row)]; }

  const CodedColumn column_;
  std::vector<uint32_t> rank_of_code_;
};

template <typename Array, typename Read>
std::unique_ptr<KeyColumn> Plain(const SortField& field, const iceberg::Type& type,
                                 std::shared_ptr<arrow::Array> array, Read read) {
  return std::make_unique<PlainKeys<Array, Read>>(field, type, std::move(array), std::move(read));
}

/// Null for types whose order is not that of what Arrow holds.
std::unique_ptr<KeyColumn> PlainKeysOf(const SortField& field, const iceberg::Type& type,
                                       const std::shared_ptr<arrow::Array>& array) {
  const auto number = [](const auto& values, int32_t row) { return int64_t{values.Value(row)}; };
  const auto bytes = [](const auto& values, int32_t row) { return values.GetView(row); };
  switch (array->type_id()) {
    case arrow::Type::INT32:
      return Plain<arrow::Int32Array>(field, type, array, number);
    case arrow::Type::DATE32:
      return Plain<arrow::Date32Array>(field, type, array, number);
    case arrow::Type::INT64:
      return Plain<arrow::Int64Array>(field, type, array, number);
    case arrow::Type::TIME64:
      return Plain<arrow::Time64Array>(field, type, array, number);
    case arrow::Type::TIMESTAMP:
      return Plain<arrow::TimestampArray>(field, type, array, number);
    case arrow::Type::STRING:
    case arrow::Type::BINARY:
      return Plain<arrow::BinaryArray>(field, type, array, bytes);
    default:
      return nullptr;
  }
}

std::vector<int32_t> OrderBy(const std::vector<std::unique_ptr<KeyColumn>>& keys, int64_t rows) {
  std::vector<int32_t> order(static_cast<size_t>(rows));
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int32_t a, int32_t b) {
    for (const auto& key : keys) {
      const auto found = key->Compare(a, b);
      if (found != 0) return found < 0;
    }
    return false;
  });
  return order;
}

Result<std::unique_ptr<KeyColumn>> KeysOf(const arrow::RecordBatch& rows, const SortField& field,
                                          const std::vector<int>& path, const iceberg::Type& type,
                                          const iceberg::Type& result) {
  const bool is_void = field.transform.kind() == Transform::Kind::kVoid;
  CALVE_ASSIGN_OR_RETURN(const auto column, ColumnAt(rows, is_void ? std::vector<int>() : path));
  std::unique_ptr<KeyColumn> keys;
  if (field.transform.kind() == Transform::Kind::kIdentity) keys = PlainKeysOf(field, type, column);
  if (keys == nullptr) {
    CALVE_ASSIGN_OR_RETURN(CodedColumn coded,
                           TransformColumn(field.transform, type, result, column));
    keys = std::make_unique<RankedKeys>(field, std::move(coded));
  }
  return keys;
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

Result<columnar::Batch> RowOrder::Sort(const columnar::Batch& rows) const {
  std::vector<std::unique_ptr<KeyColumn>> keys;
  for (const Field& field : fields_) {
    CALVE_ASSIGN_OR_RETURN(keys.emplace_back(),
                           KeysOf(*rows, field.field, field.path, field.type, field.result));
  }
  std::vector<int32_t> order = OrderBy(keys, rows->num_rows());
  keys.clear();
  if (std::is_sorted(order.begin(), order.end())) return rows;
  const auto count = static_cast<int64_t>(order.size());
  const std::shared_ptr<arrow::Array> indices =
      std::make_shared<arrow::Int32Array>(count, arrow::Buffer::FromVector(std::move(order)));
  CALVE_ASSIGN_OR_RETURN(
      const arrow::Datum taken,
      arrow::compute::Take(rows, indices, arrow::compute::TakeOptions::NoBoundsCheck()));
  return taken.record_batch();
}

Result<RowOrder::Key> RowOrder::KeyOf(const arrow::RecordBatch& rows, int64_t row) const {
  const columnar::Batch one = rows.Slice(row, 1);
  Key key;
  for (const Field& field : fields_) {
    CALVE_ASSIGN_OR_RETURN(const auto column,
                           KeysOf(*one, field.field, field.path, field.type, field.result));
    key.push_back(column->At(0));
  }
  return key;
}

Result<int64_t> RowOrder::CountUpTo(const arrow::RecordBatch& rows, const Key& key) const {
  int64_t first = 0;
  int64_t count = rows.num_rows();
  while (count > 0) {
    const int64_t half = count / 2;
    CALVE_ASSIGN_OR_RETURN(const Key middle, KeyOf(rows, first + half));
    if (InOrder(middle, key)) {
      first += half + 1;
      count -= half + 1;
    } else {
      count = half;
    }
  }
  return first;
}

bool RowOrder::InOrder(const Key& a, const Key& b) const {
  for (size_t i = 0; i < fields_.size(); ++i) {
    const auto order = CompareIn(fields_[i].field, a[i], b[i]);
    if (order != 0) return order < 0;
  }
  return true;
}

}  // namespace calve::writer

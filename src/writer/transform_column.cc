#include "writer/transform_column.h"

#include <arrow/builder.h>
#include <arrow/compute/api_vector.h>
#include <arrow/datum.h>
#include <arrow/util/checked_cast.h>
#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <string>
#include <unordered_map>

#include "columnar/arrow_status.h"
#include "columnar/convert.h"
#include "iceberg/decimal.h"

namespace calve::writer {
namespace {

using arrow::internal::checked_cast;
using iceberg::Transform;
using iceberg::Type;
using iceberg::TypeKind;
using iceberg::Value;
using ArrayPtr = std::shared_ptr<arrow::Array>;

constexpr int64_t kDaySeconds = 86'400;

int64_t FloorDivide(int64_t a, int64_t b) { return a / b - (a % b != 0 && (a % b < 0) != (b < 0)); }

/// Whole units of a time transform in one unit of the column; 0 where the column is no time or the
/// units are no fixed length.
int64_t FixedUnit(Transform::Kind kind, TypeKind type) {
  const int64_t seconds = kind == Transform::Kind::kDay    ? kDaySeconds
                          : kind == Transform::Kind::kHour ? 3'600
                                                           : 0;
  if (type == TypeKind::kTimestamp || type == TypeKind::kTimestampTz) return seconds * 1'000'000;
  if (type == TypeKind::kTimestampNs || type == TypeKind::kTimestampTzNs)
    return seconds * 1'000'000'000;
  return 0;
}

/// Days or hours since 1970 of a column of timestamps, in the exact type of the transform's
/// results.
Result<ArrayPtr> FloorUnits(const arrow::Array& column, int64_t unit, const Type& result) {
  const int64_t* in = checked_cast<const arrow::TimestampArray&>(column).raw_values();
  arrow::Int32Builder builder;
  CALVE_RETURN_IF_ERROR(builder.Reserve(column.length()));
  for (int64_t i = 0; i < column.length(); ++i) {
    if (column.IsNull(i)) {
      builder.UnsafeAppendNull();
    } else {
      builder.UnsafeAppend(static_cast<int32_t>(FloorDivide(in[i], unit)));
    }
  }
  CALVE_ASSIGN_OR_RETURN(const ArrayPtr units, builder.Finish());
  CALVE_ASSIGN_OR_RETURN(const std::shared_ptr<arrow::DataType> type,
                         columnar::ToArrowType(result));
  CALVE_ASSIGN_OR_RETURN(ArrayPtr typed, units->View(type));
  return typed;
}

/// Floats are told apart by their bits, so that -0.0 and 0.0 stay what they are.
Result<ArrayPtr> ByBits(const ArrayPtr& column) {
  const bool is_float = column->type_id() == arrow::Type::FLOAT;
  if (!is_float && column->type_id() != arrow::Type::DOUBLE) return column;
  CALVE_ASSIGN_OR_RETURN(ArrayPtr bits, column->View(is_float ? arrow::int32() : arrow::int64()));
  return bits;
}

/// One NaN stands for all.
Value Canonical(Value value) {
  if (const float* f = value.get_if<float>(); f != nullptr && std::isnan(*f))
    return Value(std::numeric_limits<float>::quiet_NaN());
  if (const double* d = value.get_if<double>(); d != nullptr && std::isnan(*d))
    return Value(std::numeric_limits<double>::quiet_NaN());
  return value;
}

/// A marker and the bytes; nothing for null.
Result<std::string> KeyOf(const Type& result, const Value& value) {
  if (value.is_null()) return std::string();
  CALVE_ASSIGN_OR_RETURN(std::string bytes, iceberg::ToBytes(result, value));
  return "v" + bytes;
}

/// Truncation goes down, which may take a digit more than a decimal holds: no manifest has room for
/// such a partition.
Status CheckFits(const Transform& transform, const Type& type, const Value& from,
                 const Value& value) {
  const iceberg::Decimal* decimal = value.get_if<iceberg::Decimal>();
  if (decimal == nullptr || iceberg::FitsPrecision(*decimal, type.precision())) return Status::Ok();
  return DataError(fmt::format(
      "{} by {} is in the partition {}, which is no {}: give the column more digits, or the table "
      "another partition transform",
      iceberg::ToText(type, from), transform.ToString(), iceberg::ToText(type, value),
      type.ToString()));
}

class Coder {
 public:
  explicit Coder(const Type& result) : result_(result) {}

  Result<uint32_t> CodeOf(Value value) {
    CALVE_ASSIGN_OR_RETURN(std::string key, KeyOf(result_, value));
    const auto [at, added] = codes_.emplace(key, static_cast<uint32_t>(coded.values.size()));
    if (added) {
      coded.values.push_back(std::move(value));
      coded.keys.push_back(std::move(key));
    }
    return at->second;
  }

  CodedColumn coded;

 private:
  const Type& result_;
  std::unordered_map<std::string, uint32_t> codes_;
};

}  // namespace

Result<CodedColumn> TransformColumn(const Transform& transform, const Type& type,
                                    const Type& result, const ArrayPtr& column) {
  Coder coder(result);
  if (column->null_count() == column->length()) {
    coder.coded.code_of_row.resize(static_cast<size_t>(column->length()));
    CALVE_RETURN_IF_ERROR(coder.CodeOf(Value::Null()));
    return std::move(coder.coded);
  }
  ArrayPtr coarse = column;
  const int64_t unit = FixedUnit(transform.kind(), type.kind());
  const bool is_done = unit != 0;
  if (is_done) {
    CALVE_ASSIGN_OR_RETURN(coarse, FloorUnits(*column, unit, result));
  }
  CALVE_ASSIGN_OR_RETURN(const ArrayPtr keys, ByBits(coarse));
  CALVE_ASSIGN_OR_RETURN(const arrow::Datum encoded, arrow::compute::DictionaryEncode(keys));
  const ArrayPtr encoded_array = encoded.make_array();
  const auto& dictionary = checked_cast<const arrow::DictionaryArray&>(*encoded_array);
  CALVE_ASSIGN_OR_RETURN(const ArrayPtr distinct, dictionary.dictionary()->View(coarse->type()));

  std::vector<uint32_t> code_of_entry(static_cast<size_t>(distinct->length()));
  for (int64_t i = 0; i < distinct->length(); ++i) {
    Value value = columnar::ValueAt(*distinct, i, is_done ? result : type);
    if (!is_done) {
      Value transformed = transform.Apply(type, value);
      CALVE_RETURN_IF_ERROR(CheckFits(transform, type, value, transformed));
      value = std::move(transformed);
    }
    CALVE_ASSIGN_OR_RETURN(code_of_entry[static_cast<size_t>(i)],
                           coder.CodeOf(Canonical(std::move(value))));
  }
  uint32_t null_code = 0;
  if (column->null_count() > 0) {
    CALVE_ASSIGN_OR_RETURN(null_code, coder.CodeOf(Value::Null()));
  }
  const auto& indices = checked_cast<const arrow::Int32Array&>(*dictionary.indices());
  coder.coded.code_of_row.resize(static_cast<size_t>(column->length()));
  for (int64_t i = 0; i < column->length(); ++i) {
    coder.coded.code_of_row[static_cast<size_t>(i)] =
        indices.IsNull(i) ? null_code : code_of_entry[static_cast<size_t>(indices.Value(i))];
  }
  return std::move(coder.coded);
}

}  // namespace calve::writer

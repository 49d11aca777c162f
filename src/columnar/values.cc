#include <arrow/array.h>
#include <arrow/array/util.h>
#include <arrow/builder.h>
#include <arrow/scalar.h>
#include <arrow/util/byte_size.h>
#include <arrow/util/checked_cast.h>
#include <arrow/util/decimal.h>

#include <algorithm>

#include "columnar/arrow_status.h"
#include "columnar/convert.h"

namespace calve::columnar {
namespace {

using arrow::internal::checked_cast;
using iceberg::TypeKind;
using iceberg::Value;

iceberg::Decimal ToDecimal(const uint8_t* bytes) {
  const arrow::Decimal128 value(bytes);
  const auto high = static_cast<unsigned __int128>(static_cast<uint64_t>(value.high_bits()));
  return {static_cast<iceberg::Int128>((high << 64) | value.low_bits())};
}

arrow::Decimal128 ToArrowDecimal(iceberg::Decimal value) {
  const auto bits = static_cast<unsigned __int128>(value.unscaled);
  return arrow::Decimal128(static_cast<int64_t>(static_cast<uint64_t>(bits >> 64)),
                           static_cast<uint64_t>(bits));
}

template <typename ArrayType>
auto At(const arrow::Array& array, int64_t row) {
  return checked_cast<const ArrayType&>(array).Value(row);
}

template <typename BuilderType, typename T>
arrow::Status Put(arrow::ArrayBuilder& builder, const T& value) {
  return checked_cast<BuilderType&>(builder).Append(value);
}

arrow::Status Append(arrow::ArrayBuilder& builder, const iceberg::Type& type, const Value& value) {
  switch (type.kind()) {
    case TypeKind::kBoolean:
      return Put<arrow::BooleanBuilder>(builder, value.as<bool>());
    case TypeKind::kInt:
      return Put<arrow::Int32Builder>(builder, value.as<int32_t>());
    case TypeKind::kDate:
      return Put<arrow::Date32Builder>(builder, value.as<int32_t>());
    case TypeKind::kLong:
      return Put<arrow::Int64Builder>(builder, value.as<int64_t>());
    case TypeKind::kTime:
      return Put<arrow::Time64Builder>(builder, value.as<int64_t>());
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampTz:
    case TypeKind::kTimestampNs:
    case TypeKind::kTimestampTzNs:
      return Put<arrow::TimestampBuilder>(builder, value.as<int64_t>());
    case TypeKind::kFloat:
      return Put<arrow::FloatBuilder>(builder, value.as<float>());
    case TypeKind::kDouble:
      return Put<arrow::DoubleBuilder>(builder, value.as<double>());
    case TypeKind::kDecimal:
      return Put<arrow::Decimal128Builder>(builder, ToArrowDecimal(value.as<iceberg::Decimal>()));
    case TypeKind::kString:
      return Put<arrow::StringBuilder>(builder, value.as<std::string>());
    case TypeKind::kBinary:
      return Put<arrow::BinaryBuilder>(builder, value.as<std::string>());
    case TypeKind::kFixed:
      if (std::ssize(value.as<std::string>()) != type.length()) {
        return arrow::Status::Invalid("a fixed value of ", value.as<std::string>().size(),
                                      " bytes where the type has ", type.length());
      }
      return Put<arrow::FixedSizeBinaryBuilder>(builder, std::string_view(value.as<std::string>()));
    case TypeKind::kUuid:
      return checked_cast<arrow::FixedSizeBinaryBuilder&>(builder).Append(
          value.as<iceberg::Uuid>().data());
    case TypeKind::kUnknown:
    case TypeKind::kVariant:
    case TypeKind::kGeometry:
    case TypeKind::kGeography:
    case TypeKind::kStruct:
    case TypeKind::kList:
    case TypeKind::kMap:
      break;
  }
  return arrow::Status::TypeError("type ", type.ToString(), " has no single values");
}

}  // namespace

Value ValueAt(const arrow::Array& array, int64_t row, const iceberg::Type& type) {
  if (array.IsNull(row)) return Value::Null();
  switch (type.kind()) {
    case TypeKind::kBoolean:
      return Value(At<arrow::BooleanArray>(array, row));
    case TypeKind::kInt:
      return Value(At<arrow::Int32Array>(array, row));
    case TypeKind::kDate:
      return Value(At<arrow::Date32Array>(array, row));
    case TypeKind::kLong:
      return Value(At<arrow::Int64Array>(array, row));
    case TypeKind::kTime:
      return Value(At<arrow::Time64Array>(array, row));
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampTz:
    case TypeKind::kTimestampNs:
    case TypeKind::kTimestampTzNs:
      return Value(At<arrow::TimestampArray>(array, row));
    case TypeKind::kFloat:
      return Value(At<arrow::FloatArray>(array, row));
    case TypeKind::kDouble:
      return Value(At<arrow::DoubleArray>(array, row));
    case TypeKind::kDecimal:
      return Value(ToDecimal(checked_cast<const arrow::Decimal128Array&>(array).GetValue(row)));
    case TypeKind::kString:
    case TypeKind::kBinary:
      return Value(std::string(checked_cast<const arrow::BinaryArray&>(array).GetView(row)));
    case TypeKind::kFixed:
      return Value(
          std::string(checked_cast<const arrow::FixedSizeBinaryArray&>(array).GetView(row)));
    case TypeKind::kUuid: {
      iceberg::Uuid uuid;
      std::copy_n(checked_cast<const arrow::FixedSizeBinaryArray&>(array).GetValue(row),
                  uuid.size(), uuid.begin());
      return Value(uuid);
    }
    case TypeKind::kUnknown:
    case TypeKind::kVariant:
    case TypeKind::kGeometry:
    case TypeKind::kGeography:
    case TypeKind::kStruct:
    case TypeKind::kList:
    case TypeKind::kMap:
      return Value::Null();
  }
  return Value::Null();
}

Status AppendValue(arrow::ArrayBuilder& builder, const iceberg::Type& type, const Value& value) {
  return StatusOf(value.is_null() ? builder.AppendNull() : Append(builder, type, value));
}

Result<std::shared_ptr<arrow::Array>> Repeat(const iceberg::Type& type, const Value& value,
                                             int64_t length) {
  CALVE_ASSIGN_OR_RETURN(const std::shared_ptr<arrow::DataType> arrow_type, ToArrowType(type));
  std::shared_ptr<arrow::Array> array;
  if (value.is_null() || length == 0) {
    CALVE_ASSIGN_OR_RETURN(array, arrow::MakeArrayOfNull(arrow_type, length));
    return array;
  }
  CALVE_ASSIGN_OR_RETURN(const std::unique_ptr<arrow::ArrayBuilder> builder,
                         arrow::MakeBuilder(arrow_type));
  CALVE_RETURN_IF_ERROR(AppendValue(*builder, type, value));
  CALVE_ASSIGN_OR_RETURN(const std::shared_ptr<arrow::Array> one, builder->Finish());
  CALVE_ASSIGN_OR_RETURN(const std::shared_ptr<arrow::Scalar> scalar, one->GetScalar(0));
  CALVE_ASSIGN_OR_RETURN(array, arrow::MakeArrayFromScalar(*scalar, length));
  return array;
}

int64_t BatchBytes(const arrow::RecordBatch& batch) {
  const arrow::Result<int64_t> bytes = arrow::util::ReferencedBufferSize(batch);
  return bytes.ok() ? *bytes : arrow::util::TotalBufferSize(batch);
}

}  // namespace calve::columnar

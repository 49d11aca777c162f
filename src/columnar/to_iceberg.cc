#include <arrow/extension/uuid.h>
#include <arrow/extension_type.h>
#include <arrow/type.h>
#include <arrow/util/checked_cast.h>
#include <fmt/format.h>

#include <algorithm>

#include "columnar/arrow_status.h"
#include "columnar/convert.h"

namespace calve::columnar {
namespace {

using arrow::internal::checked_cast;
using iceberg::FieldId;
using iceberg::Type;
using iceberg::TypeKind;

constexpr int kDecimalDigitsMax = 38;

/// Turns Arrow types into Iceberg's, counting ids in the order in which fields are met.
class Translation {
 public:
  explicit Translation(int format_version) : format_version_(format_version) {}

  Result<Type> Of(const arrow::DataType& type);
  Result<iceberg::Field> FieldOf(const arrow::Field& field);

 private:
  Result<Type> OfTimestamp(const arrow::TimestampType& type) const;
  Result<Type> OfDecimal(const arrow::DecimalType& type) const;
  Result<Type> OfList(const arrow::Field& element);
  Result<Type> OfMap(const arrow::MapType& type);
  Result<Type> OfStruct(const arrow::DataType& type);
  FieldId NextId() { return FieldId(++last_id_); }

  int format_version_;
  int32_t last_id_ = 0;
};

Error NoIcebergType(const arrow::DataType& type, std::string_view why) {
  return DataError(fmt::format("Arrow type {} has no exact Iceberg type{}", type.ToString(), why));
}

Result<Type> Translation::Of(const arrow::DataType& type) {
  using Id = arrow::Type;
  switch (type.id()) {
    case Id::NA:
      return format_version_ >= 3 ? Type::Of(TypeKind::kUnknown) : Type::String();
    case Id::BOOL:
      return Type::Boolean();
    case Id::INT8:
    case Id::INT16:
    case Id::INT32:
    case Id::UINT8:
    case Id::UINT16:
      return Type::Int();
    case Id::UINT32:
    case Id::INT64:
      return Type::Long();
    case Id::UINT64:
      return Type::Decimal(20, 0);
    case Id::HALF_FLOAT:
    case Id::FLOAT:
      return Type::Float();
    case Id::DOUBLE:
      return Type::Double();
    case Id::DECIMAL32:
    case Id::DECIMAL64:
    case Id::DECIMAL128:
    case Id::DECIMAL256:
      return OfDecimal(checked_cast<const arrow::DecimalType&>(type));
    case Id::DATE32:
    case Id::DATE64:
      return Type::Date();
    case Id::TIME32:
      return Type::Time();
    case Id::TIME64:
      if (checked_cast<const arrow::Time64Type&>(type).unit() == arrow::TimeUnit::NANO) {
        return NoIcebergType(type, ": times have microseconds");
      }
      return Type::Time();
    case Id::TIMESTAMP:
      return OfTimestamp(checked_cast<const arrow::TimestampType&>(type));
    case Id::STRING:
    case Id::LARGE_STRING:
    case Id::STRING_VIEW:
      return Type::String();
    case Id::BINARY:
    case Id::LARGE_BINARY:
    case Id::BINARY_VIEW:
      return Type::Binary();
    case Id::FIXED_SIZE_BINARY:
      return Type::Fixed(checked_cast<const arrow::FixedSizeBinaryType&>(type).byte_width());
    case Id::EXTENSION: {
      const auto& extension = checked_cast<const arrow::ExtensionType&>(type);
      if (extension.extension_name() == "arrow.uuid") return Type::UuidType();
      if (extension.extension_name() == "arrow.parquet.variant") {
        if (format_version_ >= 3) return Type::Of(TypeKind::kVariant);
        return NoIcebergType(type, " in format version 2: variants need version 3");
      }
      return Of(*extension.storage_type());
    }
    case Id::DICTIONARY:
      return Of(*checked_cast<const arrow::DictionaryType&>(type).value_type());
    case Id::RUN_END_ENCODED:
      return Of(*checked_cast<const arrow::RunEndEncodedType&>(type).value_type());
    case Id::LIST:
    case Id::LARGE_LIST:
    case Id::FIXED_SIZE_LIST:
    case Id::LIST_VIEW:
    case Id::LARGE_LIST_VIEW:
      return OfList(*type.field(0));
    case Id::MAP:
      return OfMap(checked_cast<const arrow::MapType&>(type));
    case Id::STRUCT:
      return OfStruct(type);
    default:
      return NoIcebergType(type, "; convert the column first");
  }
}

Result<Type> Translation::OfTimestamp(const arrow::TimestampType& type) const {
  const bool zoned = !type.timezone().empty();
  if (type.unit() != arrow::TimeUnit::NANO) return zoned ? Type::TimestampTz() : Type::Timestamp();
  if (format_version_ < 3) {
    return NoIcebergType(
        type, " before format version 3: use version 3 or convert the column to microseconds");
  }
  return Type::Of(zoned ? TypeKind::kTimestampTzNs : TypeKind::kTimestampNs);
}

/// Scales below 0 or above the precision become digits before or after the point.
Result<Type> Translation::OfDecimal(const arrow::DecimalType& type) const {
  const int scale = std::max(type.scale(), 0);
  const int precision = std::max(type.precision() - std::min(type.scale(), 0), scale);
  if (precision > kDecimalDigitsMax)
    return NoIcebergType(type, ": decimals have at most 38 digits");
  return Type::Decimal(precision, scale);
}

Result<Type> Translation::OfList(const arrow::Field& element) {
  const FieldId id = NextId();
  CALVE_ASSIGN_OR_RETURN(Type type, Of(*element.type()));
  return Type::List(id, std::move(type), !element.nullable());
}

Result<Type> Translation::OfMap(const arrow::MapType& type) {
  const FieldId key_id = NextId();
  CALVE_ASSIGN_OR_RETURN(Type key, Of(*type.key_type()));
  const FieldId value_id = NextId();
  CALVE_ASSIGN_OR_RETURN(Type value, Of(*type.item_type()));
  return Type::Map(key_id, std::move(key), value_id, std::move(value),
                   !type.item_field()->nullable());
}

Result<Type> Translation::OfStruct(const arrow::DataType& type) {
  std::vector<iceberg::Field> fields;
  for (const auto& field : type.fields()) {
    CALVE_ASSIGN_OR_RETURN(fields.emplace_back(), FieldOf(*field));
  }
  return Type::Struct(std::move(fields));
}

/// A column that holds nothing but nulls may not be required, whatever Arrow says.
Result<iceberg::Field> Translation::FieldOf(const arrow::Field& field) {
  iceberg::Field out{.id = NextId(), .name = field.name(), .type = {}};
  auto type = Of(*field.type());
  if (!type.ok()) {
    return Error{type.error().kind,
                 fmt::format("column {}: {}", field.name(), type.error().message)};
  }
  out.type = *std::move(type);
  out.required = !field.nullable() && field.type()->id() != arrow::Type::NA;
  return out;
}

}  // namespace

Result<Type> ToIcebergType(const arrow::DataType& type, int format_version) {
  return Translation(format_version).Of(type);
}

Result<std::vector<iceberg::Field>> ToIcebergFields(const arrow::Schema& schema,
                                                    int format_version) {
  Translation translation(format_version);
  std::vector<iceberg::Field> fields;
  for (const auto& field : schema.fields()) {
    CALVE_ASSIGN_OR_RETURN(fields.emplace_back(), translation.FieldOf(*field));
  }
  return fields;
}

}  // namespace calve::columnar

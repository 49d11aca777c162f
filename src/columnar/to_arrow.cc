#include <arrow/type.h>
#include <arrow/util/key_value_metadata.h>
#include <fmt/format.h>

#include "columnar/arrow_status.h"
#include "columnar/convert.h"

namespace calve::columnar {
namespace {

using iceberg::TypeKind;

Result<std::shared_ptr<arrow::Field>> ToArrowField(const iceberg::Field& field) {
  auto type = ToArrowType(field.type);
  if (!type.ok()) {
    return Error{type.error().kind, fmt::format("column {}: {}", field.name, type.error().message)};
  }
  const auto metadata =
      arrow::key_value_metadata({std::string(kFieldIdKey)}, {std::to_string(field.id.value())});
  return arrow::field(field.name, *std::move(type), !field.required, metadata);
}

Result<arrow::FieldVector> ToArrowFields(const std::vector<iceberg::Field>& fields) {
  arrow::FieldVector out;
  out.reserve(fields.size());
  for (const iceberg::Field& field : fields) {
    CALVE_ASSIGN_OR_RETURN(out.emplace_back(), ToArrowField(field));
  }
  return out;
}

}  // namespace

Result<std::shared_ptr<arrow::DataType>> ToArrowType(const iceberg::Type& type) {
  switch (type.kind()) {
    case TypeKind::kBoolean:
      return arrow::boolean();
    case TypeKind::kInt:
      return arrow::int32();
    case TypeKind::kLong:
      return arrow::int64();
    case TypeKind::kFloat:
      return arrow::float32();
    case TypeKind::kDouble:
      return arrow::float64();
    case TypeKind::kDecimal:
      return arrow::decimal128(type.precision(), type.scale());
    case TypeKind::kDate:
      return arrow::date32();
    case TypeKind::kTime:
      return arrow::time64(arrow::TimeUnit::MICRO);
    case TypeKind::kTimestamp:
      return arrow::timestamp(arrow::TimeUnit::MICRO);
    case TypeKind::kTimestampTz:
      return arrow::timestamp(arrow::TimeUnit::MICRO, "UTC");
    case TypeKind::kTimestampNs:
      return arrow::timestamp(arrow::TimeUnit::NANO);
    case TypeKind::kTimestampTzNs:
      return arrow::timestamp(arrow::TimeUnit::NANO, "UTC");
    case TypeKind::kString:
      return arrow::utf8();
    case TypeKind::kUuid:
      return arrow::fixed_size_binary(16);
    case TypeKind::kFixed:
      return arrow::fixed_size_binary(static_cast<int32_t>(type.length()));
    case TypeKind::kBinary:
      return arrow::binary();
    case TypeKind::kUnknown:
      return arrow::null();
    case TypeKind::kVariant:
      return arrow::struct_({arrow::field("metadata", arrow::binary(), /*nullable=*/false),
                             arrow::field("value", arrow::binary(), /*nullable=*/false)});
    case TypeKind::kGeometry:
    case TypeKind::kGeography:
      return RefusedError(fmt::format(
          "type {} can be neither read nor written; leave the column out", type.ToString()));
    case TypeKind::kStruct: {
      CALVE_ASSIGN_OR_RETURN(arrow::FieldVector fields, ToArrowFields(type.fields()));
      return arrow::struct_(std::move(fields));
    }
    case TypeKind::kList: {
      CALVE_ASSIGN_OR_RETURN(const std::shared_ptr<arrow::Field> element,
                             ToArrowField(type.fields()[0]));
      return arrow::list(element);
    }
    case TypeKind::kMap: {
      CALVE_ASSIGN_OR_RETURN(const std::shared_ptr<arrow::Field> key,
                             ToArrowField(type.fields()[0]));
      CALVE_ASSIGN_OR_RETURN(const std::shared_ptr<arrow::Field> value,
                             ToArrowField(type.fields()[1]));
      return std::make_shared<arrow::MapType>(key->WithNullable(false), value);
    }
  }
  return BugError("a type of no known kind");
}

Result<std::shared_ptr<arrow::Schema>> ToArrowSchema(const iceberg::Schema& schema) {
  CALVE_ASSIGN_OR_RETURN(arrow::FieldVector fields, ToArrowFields(schema.fields()));
  return arrow::schema(std::move(fields));
}

}  // namespace calve::columnar

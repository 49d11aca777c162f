#include "columnar/row_text.h"

#include <arrow/array/array_binary.h>
#include <arrow/array/array_nested.h>
#include <arrow/extension/uuid.h>
#include <arrow/extension_type.h>
#include <arrow/scalar.h>
#include <arrow/type.h>

#include "base/text.h"
#include "columnar/convert.h"
#include "columnar/exact_cast.h"
#include "columnar/variant_array.h"
#include "columnar/variant_json.h"
#include "iceberg/json.h"
#include "iceberg/schema_json.h"

namespace calve::columnar {
namespace {

/// Whether a type is the one that ToArrowType gives for an Iceberg type, so that ValueAt reads it.
bool IsExact(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::BOOL:
    case arrow::Type::INT32:
    case arrow::Type::INT64:
    case arrow::Type::FLOAT:
    case arrow::Type::DOUBLE:
    case arrow::Type::DECIMAL128:
    case arrow::Type::DATE32:
    case arrow::Type::STRING:
    case arrow::Type::BINARY:
    case arrow::Type::FIXED_SIZE_BINARY:
      return true;
    case arrow::Type::TIME64:
      return static_cast<const arrow::Time64Type&>(type).unit() == arrow::TimeUnit::MICRO;
    case arrow::Type::TIMESTAMP: {
      const auto unit = static_cast<const arrow::TimestampType&>(type).unit();
      return unit == arrow::TimeUnit::MICRO || unit == arrow::TimeUnit::NANO;
    }
    default:
      return false;
  }
}

std::string StructJson(const arrow::StructArray& array, int64_t row) {
  std::string json = "{";
  for (int i = 0; i < array.num_fields(); ++i) {
    json += (i == 0 ? "" : ", ") + Quote(array.type()->field(i)->name()) + ": " +
            CellJson(*array.field(i), row);
  }
  return json + "}";
}

std::string ListJson(const arrow::Array& items) {
  std::string json = "[";
  for (int64_t i = 0; i < items.length(); ++i) json += (i == 0 ? "" : ", ") + CellJson(items, i);
  return json + "]";
}

/// The JSON of a variant; nothing where the column holds none.
std::optional<std::string> VariantText(const arrow::Array& column, int64_t row) {
  if (column.type_id() == arrow::Type::EXTENSION)
    return VariantText(*static_cast<const arrow::ExtensionArray&>(column).storage(), row);
  if (!IsVariantType(*column.type())) return std::nullopt;
  const auto& fields = static_cast<const arrow::StructArray&>(column);
  const auto bytes = [&](int i) {
    return static_cast<const arrow::BinaryArray&>(*fields.field(i)).GetView(row);
  };
  return VariantToJson(bytes(0), bytes(1)).value_or("?");
}

bool IsBare(const arrow::DataType& type, const std::string& text) {
  return arrow::is_integer(type.id()) || arrow::is_decimal(type.id()) ||
         type.id() == arrow::Type::BOOL ||
         (arrow::is_floating(type.id()) &&
          text.find_first_not_of("0123456789.eE+-") == std::string::npos);
}

}  // namespace

std::string CellText(const arrow::Array& column, int64_t row) {
  if (column.IsNull(row)) return "NULL";
  if (auto variant = VariantText(column, row)) return *std::move(variant);
  const Result<iceberg::Type> type = ToIcebergType(*column.type(), 3);
  if (type.ok() && type->is_primitive()) {
    if (IsExact(*column.type())) return iceberg::ToText(*type, ValueAt(column, row, *type));
    // Unsigned and small numbers, other units, dictionaries, uuid: what another program's file has.
    const auto exact = CastExactly(column.Slice(row, 1), *type, {});
    if (exact.ok()) return iceberg::ToText(*type, ValueAt(**exact, 0, *type));
  }
  const auto scalar = column.GetScalar(row);
  return scalar.ok() ? (*scalar)->ToString() : "?";
}

std::string CellJson(const arrow::Array& column, int64_t row) {
  if (column.IsNull(row)) return "null";
  if (auto variant = VariantText(column, row)) return *std::move(variant);
  switch (column.type_id()) {
    case arrow::Type::STRUCT:
      return StructJson(static_cast<const arrow::StructArray&>(column), row);
    case arrow::Type::LIST:
    case arrow::Type::LARGE_LIST:
    case arrow::Type::FIXED_SIZE_LIST:
    case arrow::Type::MAP: {
      const auto scalar = column.GetScalar(row);
      if (!scalar.ok()) break;
      return ListJson(*static_cast<const arrow::BaseListScalar&>(**scalar).value);
    }
    default:
      break;
  }
  const std::string text = CellText(column, row);
  return IsBare(*column.type(), text) ? text : Quote(text);
}

std::string RowAsJson(const arrow::RecordBatch& batch, int64_t row) {
  std::string json = "{";
  for (int i = 0; i < batch.num_columns(); ++i) {
    json +=
        (i == 0 ? "" : ", ") + Quote(batch.column_name(i)) + ": " + CellJson(*batch.column(i), row);
  }
  return json + "}";
}

Result<std::string> SchemaAsJson(const arrow::Schema& schema) {
  CALVE_ASSIGN_OR_RETURN(auto fields, ToIcebergFields(schema, 3));
  CALVE_ASSIGN_OR_RETURN(const auto printed,
                         iceberg::Schema::Make(iceberg::SchemaId(0), std::move(fields)));
  return iceberg::DumpJson(iceberg::SchemaToJson(*printed));
}

Result<std::shared_ptr<arrow::Schema>> ParseSchema(const std::string& json) {
  CALVE_ASSIGN_OR_RETURN(const iceberg::Json document, iceberg::ParseJson(json));
  CALVE_ASSIGN_OR_RETURN(const auto object, iceberg::JsonObject::Of(document, ""));
  CALVE_ASSIGN_OR_RETURN(const iceberg::SchemaPtr schema, iceberg::SchemaFromJson(object));
  CALVE_ASSIGN_OR_RETURN(const std::shared_ptr<arrow::Schema> plain, ToArrowSchema(*schema));
  // As sources give them: 16 bytes may be no uuid.
  arrow::FieldVector fields = plain->fields();
  for (size_t i = 0; i < fields.size(); ++i) {
    if (schema->fields()[i].type.kind() == iceberg::TypeKind::kUuid)
      fields[i] = fields[i]->WithType(arrow::extension::uuid());
    if (schema->fields()[i].type.kind() == iceberg::TypeKind::kVariant)
      fields[i] = fields[i]->WithType(VariantExtensionType());
  }
  return arrow::schema(std::move(fields));
}

}  // namespace calve::columnar

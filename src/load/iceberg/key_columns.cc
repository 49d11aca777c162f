#include "load/iceberg/key_columns.h"

#include <arrow/array/array_primitive.h>
#include <arrow/util/checked_cast.h>

#include <algorithm>

#include "base/text.h"
#include "columnar/convert.h"

namespace calve::load {
namespace {

/// Whether values are equal exactly when their bytes are, also in other writers' files.
bool IsExact(const iceberg::Type& type) {
  switch (type.kind()) {
    case iceberg::TypeKind::kBoolean:
    case iceberg::TypeKind::kInt:
    case iceberg::TypeKind::kLong:
    case iceberg::TypeKind::kDecimal:
    case iceberg::TypeKind::kDate:
    case iceberg::TypeKind::kTime:
    case iceberg::TypeKind::kTimestamp:
    case iceberg::TypeKind::kTimestampTz:
    case iceberg::TypeKind::kTimestampNs:
    case iceberg::TypeKind::kTimestampTzNs:
    case iceberg::TypeKind::kString:
    case iceberg::TypeKind::kUuid:
    case iceberg::TypeKind::kFixed:
    case iceberg::TypeKind::kBinary:
      return true;
    case iceberg::TypeKind::kFloat:
    case iceberg::TypeKind::kDouble:
    case iceberg::TypeKind::kUnknown:
    case iceberg::TypeKind::kVariant:
    case iceberg::TypeKind::kGeometry:
    case iceberg::TypeKind::kGeography:
    case iceberg::TypeKind::kStruct:
    case iceberg::TypeKind::kList:
    case iceberg::TypeKind::kMap:
      return false;
  }
  return false;
}

/// Columns of a schema. `what` names them: "the key".
Result<std::vector<iceberg::Field>> FieldsNamed(const iceberg::Schema& schema,
                                                const std::vector<std::string>& names,
                                                const std::string& what) {
  std::vector<iceberg::Field> fields;
  std::vector<std::string> known;
  for (const iceberg::Field& field : schema.fields()) known.push_back(field.name);
  for (const std::string& name : names) {
    const auto found =
        std::find_if(schema.fields().begin(), schema.fields().end(),
                     [&](const iceberg::Field& field) { return field.name == name; });
    if (found == schema.fields().end()) {
      return ConfigError(what + " names a column '" + name + "' that the rows do not have" +
                         DidYouMean(name, known));
    }
    if (!IsExact(found->type)) {
      return ConfigError(what + " names column " + name + " of type " + found->type.ToString() +
                         ", whose values cannot be compared exactly; " + what +
                         " is made of whole numbers, decimals, texts, dates, times, uuids, "
                         "booleans or bytes");
    }
    fields.push_back(*found);
    fields.back().required = false;  // Older files may lack it.
  }
  return fields;
}

}  // namespace

iceberg::Field PositionField() {
  return {.id = iceberg::reserved::kPos,
          .name = "_pos",
          .type = iceberg::Type::Long(),
          .required = true};
}

Result<KeyColumns> KeyColumns::Of(const iceberg::Schema& schema,
                                  const std::vector<std::string>& names,
                                  const std::vector<std::string>& latest_by) {
  KeyColumns columns;
  columns.schema_id_ = schema.id();
  CALVE_ASSIGN_OR_RETURN(columns.fields_, FieldsNamed(schema, names, "the key"));
  CALVE_ASSIGN_OR_RETURN(columns.latest_by_, FieldsNamed(schema, latest_by, "latest_by"));
  std::erase_if(columns.latest_by_, [&](const iceberg::Field& field) {
    return std::find(names.begin(), names.end(), field.name) != names.end();
  });
  std::vector<iceberg::Field> fields = columns.fields_;
  fields.push_back(PositionField());
  CALVE_ASSIGN_OR_RETURN(columns.projection_, iceberg::Schema::Make(schema.id(), fields));
  return columns;
}

Result<iceberg::SchemaPtr> KeyColumns::Stored() const {
  std::vector<iceberg::Field> fields = fields_;
  fields.insert(fields.end(), latest_by_.begin(), latest_by_.end());
  return iceberg::Schema::Make(schema_id_, std::move(fields));
}

Result<iceberg::SchemaPtr> KeyColumns::LatestProjection() const {
  CALVE_ASSIGN_OR_RETURN(const iceberg::SchemaPtr stored, Stored());
  std::vector<iceberg::Field> fields = stored->fields();
  fields.push_back(PositionField());
  return iceberg::Schema::Make(schema_id_, std::move(fields));
}

std::string KeyColumns::names() const {
  std::vector<std::string> names;
  for (const iceberg::Field& field : fields_) names.push_back(field.name);
  return Join(names, ", ");
}

reader::RowKeys KeyColumns::KeysOf(const arrow::RecordBatch& rows) const {
  std::vector<std::shared_ptr<arrow::Array>> columns;
  for (size_t i = 0; i < fields_.size(); ++i) columns.push_back(rows.column(static_cast<int>(i)));
  return reader::RowKeys(std::move(columns));
}

int64_t KeyColumns::PositionOf(const arrow::RecordBatch& rows, int64_t row) {
  const auto& last = *rows.column(rows.num_columns() - 1);
  return arrow::internal::checked_cast<const arrow::Int64Array&>(last).Value(row);
}

std::vector<iceberg::Value> KeyColumns::LatestOf(const arrow::RecordBatch& rows,
                                                 int64_t row) const {
  std::vector<iceberg::Value> values;
  for (size_t i = 0; i < latest_by_.size(); ++i) {
    const auto column = static_cast<int>(fields_.size() + i);
    values.push_back(columnar::ValueAt(*rows.column(column), row, latest_by_[i].type));
  }
  return values;
}

std::string KeyColumns::TextOf(const arrow::RecordBatch& rows, int64_t row) const {
  std::string text;
  for (size_t i = 0; i < fields_.size(); ++i) {
    const iceberg::Type& type = fields_[i].type;
    const iceberg::Value value = columnar::ValueAt(*rows.column(static_cast<int>(i)), row, type);
    text += (i == 0 ? "" : ", ") + fields_[i].name + " " + iceberg::ToText(type, value);
  }
  return text;
}

}  // namespace calve::load

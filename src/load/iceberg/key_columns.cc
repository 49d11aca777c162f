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

}  // namespace

iceberg::Field PositionField() {
  return {.id = iceberg::reserved::kPos,
          .name = "_pos",
          .type = iceberg::Type::Long(),
          .required = true};
}

Result<KeyColumns> KeyColumns::Of(const iceberg::Schema& schema,
                                  const std::vector<std::string>& names) {
  KeyColumns columns;
  std::vector<std::string> known;
  for (const iceberg::Field& field : schema.fields()) known.push_back(field.name);
  for (const std::string& name : names) {
    const auto found =
        std::find_if(schema.fields().begin(), schema.fields().end(),
                     [&](const iceberg::Field& field) { return field.name == name; });
    if (found == schema.fields().end()) {
      return ConfigError("the key names a column '" + name + "' that the rows do not have" +
                         DidYouMean(name, known));
    }
    if (!IsExact(found->type)) {
      return ConfigError("the key names column " + name + " of type " + found->type.ToString() +
                         ", whose values cannot be compared exactly; a key is made of whole "
                         "numbers, decimals, texts, dates, times, uuids, booleans or bytes");
    }
    columns.fields_.push_back(*found);
    columns.fields_.back().required = false;  // Older files may lack it.
  }
  std::vector<iceberg::Field> fields = columns.fields_;
  fields.push_back(PositionField());
  CALVE_ASSIGN_OR_RETURN(columns.projection_, iceberg::Schema::Make(schema.id(), fields));
  return columns;
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

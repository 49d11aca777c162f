#include "engine/duckdb/file_columns.h"

#include <algorithm>

namespace calve::engine {
namespace {

using duckdb::LogicalTypeId;
using iceberg::TypeKind;
using Column = duckdb::MultiFileColumnDefinition;
using Columns = duckdb::vector<Column>;

bool HasIds(const Columns& columns) {
  return std::ranges::any_of(
      columns, [](const Column& c) { return !c.identifier.IsNull() || HasIds(c.children); });
}

/// Where the fields of a column's type stand: a map's key and value are one level down.
Columns& FieldsOf(Column& column) {
  const bool is_map = column.type.id() == LogicalTypeId::MAP && column.children.size() == 1;
  return is_map ? column.children[0].children : column.children;
}
const Columns& FieldsOf(const Column& column) { return FieldsOf(const_cast<Column&>(column)); }

/// Under which name the i-th field of a type is mapped.
std::string NameIn(const Column& parent, size_t i) {
  if (parent.type.id() == LogicalTypeId::LIST) return "element";
  if (parent.type.id() == LogicalTypeId::MAP) return i == 0 ? "key" : "value";
  return FieldsOf(parent)[i].name;
}

class IdGiver {
 public:
  void Map(Column& column, const std::string& name,
           const std::vector<iceberg::MappedField>& mapped) {
    const auto found = std::ranges::find_if(
        mapped, [&](const auto& m) { return std::ranges::count(m.names, name) > 0; });
    const bool known = found != mapped.end();
    column.identifier =
        known && found->field_id ? duckdb::Value::INTEGER(found->field_id->value()) : Unused();
    static const std::vector<iceberg::MappedField> kNone;
    auto& fields = FieldsOf(column);
    for (size_t i = 0; i < fields.size(); ++i)
      Map(fields[i], NameIn(column, i), known ? found->fields : kNone);
  }

  void Fill(Columns& columns) {
    for (Column& column : columns) {
      if (column.identifier.IsNull()) column.identifier = Unused();
      Fill(column.children);
    }
  }

 private:
  duckdb::Value Unused() { return duckdb::Value::INTEGER(--last_); }
  int32_t last_ = 0;
};

bool IsOneOf(LogicalTypeId id, std::initializer_list<LogicalTypeId> ids) {
  return std::ranges::count(ids, id) > 0;
}

bool ReadsExactly(const duckdb::LogicalType& local, const iceberg::Type& type) {
  using enum LogicalTypeId;
  const auto id = local.id();
  switch (type.kind()) {
    case TypeKind::kBoolean:
      return id == BOOLEAN;
    case TypeKind::kInt:
      return IsOneOf(id, {TINYINT, SMALLINT, INTEGER, UTINYINT, USMALLINT});
    case TypeKind::kLong:
      return IsOneOf(id, {TINYINT, SMALLINT, INTEGER, BIGINT, UTINYINT, USMALLINT, UINTEGER});
    case TypeKind::kFloat:
      return id == FLOAT;
    case TypeKind::kDouble:
      return id == DOUBLE || id == FLOAT;
    case TypeKind::kDecimal:
      return id == DECIMAL && duckdb::DecimalType::GetScale(local) == type.scale() &&
             duckdb::DecimalType::GetWidth(local) <= type.precision();
    case TypeKind::kDate:
      return id == DATE;
    case TypeKind::kTime:
      return id == TIME;
    case TypeKind::kTimestamp:
      return IsOneOf(id, {TIMESTAMP, TIMESTAMP_TZ, TIMESTAMP_MS, DATE});
    case TypeKind::kTimestampTz:
      return IsOneOf(id, {TIMESTAMP, TIMESTAMP_TZ, TIMESTAMP_MS});
    case TypeKind::kTimestampNs:
      return id == TIMESTAMP_NS;
    case TypeKind::kString:
      return id == VARCHAR;
    case TypeKind::kUuid:
      return id == UUID;
    case TypeKind::kFixed:
    case TypeKind::kBinary:
      return id == BLOB;
    case TypeKind::kStruct:
      return id == STRUCT;
    case TypeKind::kList:
      return id == LIST;
    case TypeKind::kMap:
      return id == MAP;
    case TypeKind::kTimestampTzNs:
    case TypeKind::kUnknown:
    case TypeKind::kVariant:
    case TypeKind::kGeometry:
    case TypeKind::kGeography:
      return false;
  }
  return false;
}

bool ReadsExactly(const Columns& columns, const std::vector<iceberg::Field>& fields) {
  return std::ranges::all_of(fields, [&](const iceberg::Field& field) {
    const auto column = std::ranges::find_if(columns, [&](const Column& c) {
      return !c.identifier.IsNull() && c.GetIdentifierFieldId() == field.id.value();
    });
    if (column == columns.end()) return true;  // its default is read
    return ReadsExactly(column->type, field.type) &&
           ReadsExactly(FieldsOf(*column), field.type.fields());
  });
}

}  // namespace

void GiveIds(Columns& columns, const iceberg::NameMapping* mapping) {
  IdGiver giver;
  if (mapping != nullptr && !HasIds(columns)) {
    for (Column& column : columns) giver.Map(column, column.name, mapping->fields());
  }
  giver.Fill(columns);
}

bool ReadsFileExactly(const Columns& columns, const iceberg::Schema& schema) {
  return ReadsExactly(columns, schema.fields());
}

}  // namespace calve::engine

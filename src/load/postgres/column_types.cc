#include "load/postgres/column_types.h"

namespace calve::load::postgres {
namespace {

using iceberg::Type;
using iceberg::TypeKind;

ColumnType ListOf(const Type& element) {
  const ColumnType jsonb{.form = Form::kJson, .sql = "jsonb", .oid = 3802};
  if (element.is_nested()) return jsonb;
  const auto made = ColumnTypeOf(element);
  if (!made.ok()) return jsonb;
  return {.form = Form::kArray,
          .sql = made->sql + "[]",
          .oid = 0,
          .element = made->form,
          .element_oid = made->oid};
}

}  // namespace

Result<ColumnType> ColumnTypeOf(const Type& type) {
  switch (type.kind()) {
    case TypeKind::kBoolean:
      return ColumnType{.form = Form::kBoolean, .sql = "boolean", .oid = 16};
    case TypeKind::kInt:
      return ColumnType{.form = Form::kInt4, .sql = "integer", .oid = 23};
    case TypeKind::kLong:
      return ColumnType{.form = Form::kInt8, .sql = "bigint", .oid = 20};
    case TypeKind::kFloat:
      return ColumnType{.form = Form::kFloat4, .sql = "real", .oid = 700};
    case TypeKind::kDouble:
      return ColumnType{.form = Form::kFloat8, .sql = "double precision", .oid = 701};
    case TypeKind::kDecimal:
      return ColumnType{.form = Form::kNumeric,
                        .sql = "numeric(" + std::to_string(type.precision()) + "," +
                               std::to_string(type.scale()) + ")",
                        .oid = 1700};
    case TypeKind::kDate:
      return ColumnType{.form = Form::kDate, .sql = "date", .oid = 1082};
    case TypeKind::kTime:
      return ColumnType{.form = Form::kTime, .sql = "time without time zone", .oid = 1083};
    case TypeKind::kTimestamp:
      return ColumnType{
          .form = Form::kTimestamp, .sql = "timestamp without time zone", .oid = 1114};
    case TypeKind::kTimestampTz:
      return ColumnType{.form = Form::kTimestamp, .sql = "timestamp with time zone", .oid = 1184};
    case TypeKind::kString:
    case TypeKind::kUnknown:
      return ColumnType{.form = Form::kText, .sql = "text", .oid = 25};
    case TypeKind::kUuid:
      return ColumnType{.form = Form::kUuid, .sql = "uuid", .oid = 2950};
    case TypeKind::kFixed:
    case TypeKind::kBinary:
      return ColumnType{.form = Form::kBytes, .sql = "bytea", .oid = 17};
    case TypeKind::kStruct:
    case TypeKind::kMap:
      return ColumnType{.form = Form::kJson, .sql = "jsonb", .oid = 3802};
    case TypeKind::kList:
      return ListOf(type.fields()[0].type);
    case TypeKind::kTimestampNs:
    case TypeKind::kTimestampTzNs:
    case TypeKind::kVariant:
    case TypeKind::kGeometry:
    case TypeKind::kGeography:
      break;
  }
  return RefusedError("PostgreSQL has no type that holds " + type.ToString() +
                      " exactly; convert the column with a transformer");
}

}  // namespace calve::load::postgres

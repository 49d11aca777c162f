#include "audit/columns.h"

#include <set>

#include "base/text.h"
#include "columnar/convert.h"
#include "columnar/text_value.h"
#include "columnar/variant_array.h"
#include "engine/engine.h"

namespace calve::audit {

Status RequireColumns(const Check& check, const arrow::Schema& schema,
                      const std::vector<std::string>& columns) {
  std::vector<std::string> wrong;
  for (const std::string& column : columns) {
    if (schema.GetFieldIndex(column) >= 0) continue;
    wrong.push_back("check " + check.name + " names a column '" + column +
                    "', which the table does not have" + DidYouMean(column, schema.field_names()));
  }
  return wrong.empty() ? Status::Ok() : Status(ConfigError(Join(wrong, "; ")));
}

namespace {

std::string TypeName(const arrow::DataType& type) {
  if (columnar::IsVariantType(type)) return "variant";
  const Result<iceberg::Type> named = columnar::ToIcebergType(type, 3);
  return named.ok() ? named->ToString() : type.ToString();
}

/// The column's type; columns that are not there were refused before.
const arrow::DataType& TypeOf(const arrow::Schema& schema, const std::string& column) {
  return *schema.GetFieldByName(column)->type();
}

bool IsComparable(const arrow::DataType& type, const std::string& text) {
  const columnar::TextFormats formats;
  if (arrow::is_integer(type.id()) || arrow::is_decimal(type.id()) ||
      arrow::is_floating(type.id())) {
    return columnar::ReadDecimal(text, 38, 19, formats).has_value() ||
           columnar::ReadDouble(text, formats).has_value();
  }
  if (type.id() == arrow::Type::BOOL) return columnar::ReadBoolean(text).has_value();
  if (type.id() == arrow::Type::TIME64) return columnar::ReadTime(text, 1'000'000'000).has_value();
  if (type.id() == arrow::Type::DATE32 || type.id() == arrow::Type::TIMESTAMP) {
    return columnar::ReadDate(text, formats).has_value() ||
           columnar::ReadTimestamp(text, false, 1'000'000, formats).has_value() ||
           columnar::ReadTimestamp(text, true, 1'000'000, formats).has_value();
  }
  return true;
}

}  // namespace

Status RequireText(const Check& check, const arrow::Schema& schema, const std::string& column) {
  CALVE_RETURN_IF_ERROR(RequireValues(check, schema, {column}));
  const arrow::DataType& type = TypeOf(schema, column);
  if (type.id() == arrow::Type::STRING) return Status::Ok();
  return ConfigError("check " + check.name + " is about text, but column " + column + " is " +
                     TypeName(type) + "; use a range or condition check");
}

Status RequireMoment(const Check& check, const arrow::Schema& schema, const std::string& column) {
  CALVE_RETURN_IF_ERROR(RequireValues(check, schema, {column}));
  const arrow::DataType& type = TypeOf(schema, column);
  if (type.id() == arrow::Type::DATE32 || type.id() == arrow::Type::TIMESTAMP) return Status::Ok();
  return ConfigError("check " + check.name + " needs a date or timestamp column, but " + column +
                     " is " + TypeName(type) + "; name the column that says how new a row is");
}

Status RequireValues(const Check& check, const arrow::Schema& schema,
                     const std::vector<std::string>& columns) {
  for (const std::string& column : columns) {
    const arrow::DataType& type = TypeOf(schema, column);
    if (!arrow::is_nested(type.id())) continue;
    return ConfigError("check " + check.name + " is about single values, but column " + column +
                       " is " + TypeName(type) +
                       ", which holds several; use a sql check on what is in it, or not_null");
  }
  return Status::Ok();
}

Status RequireComparable(const Check& check, const arrow::Schema& schema, const std::string& column,
                         const config::Node& value) {
  CALVE_RETURN_IF_ERROR(RequireValues(check, schema, {column}));
  const arrow::DataType& type = TypeOf(schema, column);
  if (IsComparable(type, value.text())) return Status::Ok();
  return ConfigError("check " + check.name + " compares '" + value.text() + "' with column " +
                     column + ", which is " + TypeName(type) + "; write a value of that type");
}

bool IsAbove(const config::Node& low, const config::Node& high) {
  const columnar::TextFormats formats;
  const auto a = columnar::ReadDouble(low.text(), formats);
  const auto b = columnar::ReadDouble(high.text(), formats);
  if (a.has_value() && b.has_value()) return *a > *b;
  const auto first = columnar::ReadDate(low.text(), formats);
  const auto last = columnar::ReadDate(high.text(), formats);
  return first.has_value() && last.has_value() && *first > *last;
}

std::string SqlValue(const config::Node& value) {
  const config::CoreType type = config::CoreTypeOf(value);
  const bool bare =
      !value.quoted() && (type == config::CoreType::kInteger || type == config::CoreType::kBool ||
                          (type == config::CoreType::kFloat &&
                           value.text().find_first_not_of("0123456789.-") == std::string::npos));
  return bare ? value.text() : engine::QuoteLiteral(value.text());
}

std::string ShownName(const std::string& column) {
  static const std::set<std::string> kWords = {
      "all",  "and",      "any",  "asc",   "case",  "check",  "column", "default",
      "desc", "distinct", "else", "end",   "for",   "from",   "group",  "having",
      "in",   "into",     "is",   "join",  "left",  "like",   "limit",  "not",
      "null", "offset",   "on",   "or",    "order", "select", "table",  "then",
      "to",   "union",    "user", "using", "when",  "where",  "window", "with"};
  const bool plain =
      !kWords.contains(column) && !column.empty() && !(column[0] >= '0' && column[0] <= '9') &&
      column.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string::npos;
  return plain ? column : engine::QuoteIdentifier(column);
}

std::string ColumnList(const std::vector<std::string>& columns) {
  std::string list;
  for (const std::string& column : columns)
    list += (list.empty() ? "" : ", ") + engine::QuoteIdentifier(column);
  return list;
}

}  // namespace calve::audit

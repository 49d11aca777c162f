#include "audit/columns.h"

#include "base/text.h"
#include "engine/engine.h"

namespace calve::audit {

Status RequireColumns(const Check& check, const arrow::Schema& schema,
                      const std::vector<std::string>& columns) {
  for (const std::string& column : columns) {
    if (schema.GetFieldIndex(column) >= 0) continue;
    return ConfigError("check " + check.name + " names a column '" + column +
                       "', which the table does not have" +
                       DidYouMean(column, schema.field_names()));
  }
  return Status::Ok();
}

std::string SqlValue(const config::Node& value) {
  const config::CoreType type = config::CoreTypeOf(value);
  const bool bare =
      !value.quoted() && (type == config::CoreType::kInteger || type == config::CoreType::kBool ||
                          (type == config::CoreType::kFloat &&
                           value.text().find_first_not_of("0123456789.-") == std::string::npos));
  return bare ? value.text() : engine::QuoteLiteral(value.text());
}

std::string ColumnList(const std::vector<std::string>& columns) {
  std::string list;
  for (const std::string& column : columns)
    list += (list.empty() ? "" : ", ") + engine::QuoteIdentifier(column);
  return list;
}

}  // namespace calve::audit

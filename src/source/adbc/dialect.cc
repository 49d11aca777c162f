#include "source/adbc/dialect.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace calve::source::adbc {
namespace {

bool IsNumber(const std::string& text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E';
  }) && text.find("--") == std::string::npos;  // Else it begins a comment.
}

std::string Replaced(std::string text, const std::string& value) {
  return text.replace(text.find("{}"), 2, value);
}

}  // namespace

Dialect Dialect::Of(std::string_view vendor) {
  constexpr std::array<std::string_view, 6> kBackquotes = {"mysql", "mariadb",    "bigquery",
                                                           "spark", "databricks", "clickhouse"};
  const std::string name = ToLower(vendor);
  const auto is = [&](std::string_view word) { return name.find(word) != std::string::npos; };
  Dialect dialect;
  if (std::any_of(kBackquotes.begin(), kBackquotes.end(), is)) {
    dialect.name_quote = "`";
    dialect.backslash_escapes = true;
    dialect.zoned_cast = "CAST('{}' AS TIMESTAMP)";
  }
  if (is("snowflake")) dialect.backslash_escapes = true;
  if (is("postgresql")) dialect.batch_bytes_option = "adbc.postgresql.batch_size_hint_bytes";
  if (is("oracle")) {
    dialect.one_row = " FETCH FIRST 1 ROWS ONLY";
    dialect.from_nothing = " FROM dual";
    dialect.zoned_cast = "TIMESTAMP '{}'";
    dialect.numbers_option = "adbc.oracle.number_mode";
    dialect.declared_numbers = "auto";
    dialect.exact_numbers = "string";
  }
  return dialect;
}

std::string Dialect::QuoteName(const std::string& name) const {
  std::string quoted = name_quote;
  for (const char c : name) {
    quoted += c;
    if (name_quote == std::string(1, c)) quoted += c;
  }
  return quoted + name_quote;
}

std::string Dialect::QuoteText(const std::string& text) const {
  std::string quoted = "'";
  for (const char c : text) {
    if (c == '\'' || (c == '\\' && backslash_escapes)) quoted += c;
    quoted += c;
  }
  return quoted + "'";
}

std::string Dialect::Literal(Comparison comparison, std::string text) const {
  // Dates and times are written as SQL does, which has no T.
  if (comparison == Comparison::kTimestamp || comparison == Comparison::kTimestampTz)
    std::replace(text.begin(), text.end(), 'T', ' ');
  switch (comparison) {
    case Comparison::kNumber:
      return IsNumber(text) ? text : QuoteText(text);
    case Comparison::kDate:
      return "DATE " + QuoteText(text);
    case Comparison::kTimestamp:
      return "TIMESTAMP " + QuoteText(text);
    case Comparison::kTimestampTz: {
      const std::string quoted = QuoteText(text);
      return Replaced(zoned_cast, quoted.substr(1, quoted.size() - 2));
    }
    case Comparison::kText:
    case Comparison::kNone:
      return QuoteText(text);
  }
  return text;
}

}  // namespace calve::source::adbc

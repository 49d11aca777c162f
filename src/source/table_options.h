#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "config/option.h"

namespace calve::source {

/// How far back a source looks for rows that came late: a time, or a number.
struct LookBack {
  int64_t micros = 0;  ///< Of columns that are dates or times.
  int64_t number = 0;  ///< Of columns that are numbers.
  bool is_time = false;
};

/// Nothing when the text is neither a time such as 1h nor a number.
std::optional<LookBack> ReadLookBack(const std::string& text);

/// Options of every source that reads the tables of a database.
struct TableOptions {
  std::string table;
  std::vector<std::string> tables;
  std::string query;
  std::vector<std::string> columns;
  std::string where;
  bool incremental = false;
  std::string cursor_column;
  std::string look_back;

  static config::Shape<TableOptions> Declaration();
  /// Of all tables that are named.
  std::vector<std::string> Patterns() const;
  /// Nothing where none is given; checked by the declaration.
  std::optional<LookBack> ParsedLookBack() const;
};

/// Whether a name of a table is one of several.
bool IsPattern(std::string_view name);
/// Whether a name of a table fits a pattern with * (any characters) and ? (one).
bool MatchesName(std::string_view name, std::string_view pattern);

}  // namespace calve::source

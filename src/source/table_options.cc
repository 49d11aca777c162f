#include "source/table_options.h"

#include "base/text.h"

namespace calve::source {
namespace {

/// A duration as the configuration writes them.
std::optional<int64_t> ReadMicros(const std::string& text) {
  config::Faults faults;
  const config::OptionNotes notes;
  int64_t micros = 0;
  if (!config::ReadDuration(config::Node::Scalar(text), {"look_back", notes}, {.faults = faults}, 1,
                            micros))
    return std::nullopt;
  return micros;
}

}  // namespace

std::optional<LookBack> ReadLookBack(const std::string& text) {
  if (const auto number = ParseInteger(text); number.has_value())
    return LookBack{.number = *number};
  const auto micros = ReadMicros(text);
  if (!micros.has_value()) return std::nullopt;
  return LookBack{.micros = *micros, .is_time = true};
}

config::Shape<TableOptions> TableOptions::Declaration() {
  config::Shape<TableOptions> shape("table source");
  shape.Optional("table", &TableOptions::table, "The table or view to read.",
                 {.example = "orders"});
  shape.Optional("tables", &TableOptions::tables,
                 "Several tables of the same kind, read as one: names, or patterns with * and ?. A "
                 "column that some of them lack is NULL there.",
                 {.example = "[orders_2025, orders_2026_*]"});
  shape.Optional(
      "query", &TableOptions::query, "A SELECT whose rows are read, in place of a table.",
      {.example = "\"SELECT o.*, c.name FROM orders o JOIN customers c USING (customer)\""});
  shape.ExactlyOneOf({"table", "tables", "query"});
  shape.Optional("columns", &TableOptions::columns,
                 "Which columns are read, in this order; all when it is not given.",
                 {.example = "[id, amount, updated_at]"});
  shape.Optional("where", &TableOptions::where,
                 "A condition in the database's own SQL; only rows that meet it are read.",
                 {.example = "\"status <> 'draft'\""});
  shape.Optional("incremental", &TableOptions::incremental,
                 "Read only rows whose `cursor_column` is beyond what the last run has read.");
  shape.Optional("cursor_column", &TableOptions::cursor_column,
                 "The column that grows: an id that counts up, or the time of a row's last change. "
                 "Rows that come later with the same value are read, each once.",
                 {.example = "updated_at"});
  shape.Optional("look_back", &TableOptions::look_back,
                 "How far below the greatest value rows may still turn up, such as those of "
                 "transactions that end late: a time (`1h`, `2d`) or, for a column of numbers, a "
                 "number. Rows in this stretch that were read before are not read again.",
                 {.example = "1h"});
  shape.Check("columns", [](const TableOptions& o) -> Status {
    for (size_t i = 0; i < o.columns.size(); ++i) {
      for (size_t j = 0; j < i; ++j) {
        if (o.columns[i] == o.columns[j])
          return ConfigError("column '" + o.columns[i] + "' stands twice; name each column once");
      }
    }
    return Status::Ok();
  });
  shape.Check("look_back", [](const TableOptions& o) -> Status {
    if (o.look_back.empty()) return Status::Ok();
    const auto back = ReadLookBack(o.look_back);
    if (!back.has_value() || back->micros < 0 || back->number < 0) {
      return ConfigError("'" + o.look_back +
                         "' is no stretch to look back; expected a time such as 1h or 2d, or a "
                         "number for a column of numbers");
    }
    if (o.cursor_column.empty())
      return ConfigError("look_back goes with cursor_column; name the column");
    return Status::Ok();
  });
  shape.Check("incremental", [](const TableOptions& o) -> Status {
    if (o.incremental && o.cursor_column.empty()) {
      return ConfigError(
          "an incremental job needs cursor_column, the column that grows, such as an id or the "
          "time of a row's last change");
    }
    return Status::Ok();
  });
  shape.CheckNode([](const TableOptions& o, const config::Node& node, config::Faults& faults) {
    if (!o.incremental || o.cursor_column.empty() || o.columns.empty()) return;
    for (const std::string& column : o.columns) {
      if (column == o.cursor_column) return;
    }
    const config::Node* place = node.Find("columns");
    faults.Add(place == nullptr ? node.place() : place->place(),
               "cursor_column '" + o.cursor_column + "' is not among the columns; add it");
  });
  return shape;
}

std::vector<std::string> TableOptions::Patterns() const {
  std::vector<std::string> patterns = tables;
  if (!table.empty()) patterns.push_back(table);
  return patterns;
}

std::optional<LookBack> TableOptions::ParsedLookBack() const {
  return look_back.empty() ? std::nullopt : ReadLookBack(look_back);
}

bool IsPattern(std::string_view name) { return name.find_first_of("*?") != std::string_view::npos; }

bool MatchesName(std::string_view name, std::string_view pattern) {
  size_t n = 0;
  size_t p = 0;
  size_t star = std::string_view::npos;  // The last * met, and what it stands for so far.
  size_t taken = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      taken = n;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == name[n])) {
      ++p;
      ++n;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      n = ++taken;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

}  // namespace calve::source

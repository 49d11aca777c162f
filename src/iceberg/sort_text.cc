#include "iceberg/sort_text.h"

#include <optional>
#include <string_view>

#include "base/text.h"

namespace calve::iceberg {
namespace {

/// What stands after the column.
struct Direction {
  std::optional<bool> ascending;
  std::optional<bool> nulls_first;
};

/// Take one word of direction off the end of `text`; false when none is there.
bool TakeWord(std::string_view& text, Direction& direction) {
  const size_t space = text.rfind(' ');
  if (space == std::string_view::npos) return false;
  const std::string word = ToLower(text.substr(space + 1));
  const bool is_null_order = word == "nulls_first" || word == "nulls_last";
  if (!is_null_order && word != "asc" && word != "desc") return false;
  std::optional<bool>& said = is_null_order ? direction.nulls_first : direction.ascending;
  if (said.has_value()) return false;
  said = word == "nulls_first" || word == "asc";
  text = Trim(text.substr(0, space));
  return true;
}

}  // namespace

Result<std::vector<SortField>> ParseSortFields(const std::vector<std::string>& texts,
                                               const Schema& schema) {
  std::vector<SortField> fields;
  for (const std::string& text : texts) {
    std::string_view column = Trim(text);
    Direction direction;
    while (schema.FindByName(column) == nullptr && TakeWord(column, direction)) {
    }
    CALVE_ASSIGN_OR_RETURN(const auto parsed,
                           ParsePartitionFields({std::string(column)}, schema, FieldId(999)));
    const bool ascending = direction.ascending.value_or(true);
    fields.push_back({.source_id = parsed.front().source_id,
                      .transform = parsed.front().transform,
                      .ascending = ascending,
                      .nulls_first = direction.nulls_first.value_or(ascending)});
  }
  return fields;
}

}  // namespace calve::iceberg

#include "iceberg/sort_text.h"

#include <optional>
#include <string_view>

#include "base/text.h"
#include "iceberg/partition_rules.h"

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

/// A transform of a column as a person writes it.
std::string TextOf(const Transform& transform, FieldId source, const Schema& schema) {
  const std::string column = schema.FullName(source).value_or("?");
  if (transform.kind() == Transform::Kind::kIdentity) return column;
  const std::string text = transform.ToString();
  const size_t bracket = text.find('[');
  if (bracket == std::string::npos) return text + "(" + column + ")";
  return text.substr(0, bracket) + "(" + text.substr(bracket + 1, text.size() - bracket - 2) +
         ", " + column + ")";
}

}  // namespace

std::vector<std::string> PartitionTexts(const PartitionSpec& spec, const Schema& schema) {
  std::vector<std::string> texts;
  for (const PartitionField& field : spec.fields)
    texts.push_back(TextOf(field.transform, field.source_id, schema));
  return texts;
}

std::vector<std::string> SortTexts(const SortOrder& order, const Schema& schema) {
  std::vector<std::string> texts;
  for (const SortField& field : order.fields) {
    std::string text = TextOf(field.transform, field.source_id, schema);
    if (!field.ascending) text += " desc";
    if (field.nulls_first != field.ascending)
      text += field.nulls_first ? " nulls_first" : " nulls_last";
    texts.push_back(std::move(text));
  }
  return texts;
}

Result<std::vector<SortField>> ParseSortFields(const std::vector<std::string>& texts,
                                               const Schema& schema) {
  std::vector<SortField> fields;
  for (const std::string& text : texts) {
    std::string_view column = Trim(text);
    Direction direction;
    while (schema.FindByName(column) == nullptr && TakeWord(column, direction)) {
    }
    CALVE_ASSIGN_OR_RETURN(const PartitionField parsed, ParseTransformOf(column, schema));
    const bool ascending = direction.ascending.value_or(true);
    fields.push_back({.source_id = parsed.source_id,
                      .transform = parsed.transform,
                      .ascending = ascending,
                      .nulls_first = direction.nulls_first.value_or(ascending)});
  }
  CALVE_RETURN_IF_ERROR(CheckSortFields(fields, schema));
  return fields;
}

}  // namespace calve::iceberg

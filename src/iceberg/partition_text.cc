#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "iceberg/partition.h"
#include "iceberg/partition_rules.h"

namespace calve::iceberg {
namespace {

/// `name(first, second)` in its parts; a column alone has no transform.
struct WrittenField {
  std::string transform;
  std::string column;
  std::optional<std::string> parameter;
};

bool IsNumber(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// A column may have parentheses in its name, so that the whole text is looked up first.
Result<WrittenField> Split(std::string_view text, const Schema& schema) {
  const std::string_view trimmed = Trim(text);
  const size_t open = trimmed.find('(');
  if (open == std::string_view::npos || schema.FindByName(trimmed) != nullptr) {
    return WrittenField{"identity", std::string(trimmed), std::nullopt};
  }
  if (trimmed.back() != ')') {
    return ConfigError(fmt::format("expected a closing parenthesis in {}", Quote(text)));
  }
  WrittenField written{ToLower(Trim(trimmed.substr(0, open))), "", std::nullopt};
  const std::string_view inside = Trim(trimmed.substr(open + 1, trimmed.size() - open - 2));
  const size_t first_comma = inside.find(',');
  const size_t last_comma = inside.rfind(',');
  if (first_comma != std::string_view::npos && IsNumber(Trim(inside.substr(0, first_comma)))) {
    written.parameter = std::string(Trim(inside.substr(0, first_comma)));
    written.column = std::string(Trim(inside.substr(first_comma + 1)));
  } else if (last_comma != std::string_view::npos &&
             IsNumber(Trim(inside.substr(last_comma + 1)))) {
    written.parameter = std::string(Trim(inside.substr(last_comma + 1)));
    written.column = std::string(Trim(inside.substr(0, last_comma)));
  } else {
    written.column = std::string(inside);
  }
  return written;
}

Result<Transform> TransformOf(const WrittenField& written, std::string_view text) {
  static const std::vector<std::string> kNames = {"identity", "bucket", "truncate", "year",
                                                  "month",    "day",    "hour",     "void"};
  std::string name = written.transform;
  const bool plural = name == "years" || name == "months" || name == "days" || name == "hours";
  if (plural) name.pop_back();
  if (std::find(kNames.begin(), kNames.end(), name) == kNames.end()) {
    return ConfigError(fmt::format("expected one of the transforms {}, found {} in {}{}",
                                   Join(kNames, ", "), Quote(name), Quote(text),
                                   DidYouMean(name, kNames)));
  }
  const bool wants_parameter = name == "bucket" || name == "truncate";
  if (wants_parameter != written.parameter.has_value()) {
    return ConfigError(wants_parameter
                           ? fmt::format("expected {}(N, column), found {}", name, Quote(text))
                           : fmt::format("expected {}(column), found {}", name, Quote(text)));
  }
  const std::string form = wants_parameter ? fmt::format("{}[{}]", name, *written.parameter) : name;
  Result<Transform> transform = Transform::Parse(form);
  if (!transform.ok()) return ConfigError(transform.error().message);
  return transform;
}

}  // namespace

std::string PartitionFieldName(const Transform& transform, const std::string& column) {
  switch (transform.kind()) {
    case Transform::Kind::kIdentity:
    case Transform::Kind::kUnknown:
      return column;
    case Transform::Kind::kBucket:
      return column + "_bucket";
    case Transform::Kind::kTruncate:
      return column + "_trunc";
    case Transform::Kind::kYear:
      return column + "_year";
    case Transform::Kind::kMonth:
      return column + "_month";
    case Transform::Kind::kDay:
      return column + "_day";
    case Transform::Kind::kHour:
      return column + "_hour";
    case Transform::Kind::kVoid:
      return column + "_null";
  }
  return column;
}

Result<PartitionField> ParseTransformOf(std::string_view text, const Schema& schema) {
  CALVE_ASSIGN_OR_RETURN(const WrittenField written, Split(text, schema));
  CALVE_ASSIGN_OR_RETURN(const Transform transform, TransformOf(written, text));
  const Field* source = schema.FindByName(written.column);
  if (source == nullptr) {
    return ConfigError(fmt::format("{} names the column {}, which the table does not have{}",
                                   Quote(text), Quote(written.column),
                                   DidYouMean(written.column, schema.full_names())));
  }
  return PartitionField{
      .source_id = source->id, .field_id = {}, .name = {}, .transform = transform};
}

Result<std::vector<PartitionField>> ParsePartitionFields(const std::vector<std::string>& texts,
                                                         const Schema& schema,
                                                         FieldId last_assigned) {
  std::vector<PartitionField> fields;
  for (const std::string& text : texts) {
    CALVE_ASSIGN_OR_RETURN(PartitionField field, ParseTransformOf(text, schema));
    field.field_id = last_assigned += FieldId(1);
    field.name = PartitionFieldName(field.transform, schema.FullName(field.source_id).value_or(""));
    fields.push_back(std::move(field));
  }
  CALVE_RETURN_IF_ERROR(CheckPartitionFields(fields, schema));
  return fields;
}

}  // namespace calve::iceberg

#include "source/json/json_shape.h"

#include <simdjson.h>

#include "base/text.h"
#include "columnar/arrow_status.h"
#include "columnar/convert.h"
#include "columnar/text_column.h"

namespace calve::source {
namespace {

namespace ondemand = simdjson::ondemand;

/// Everything seen at one place of the documents.
struct Place {
  columnar::TypeGuess numbers{columnar::TextFormats{}};
  columnar::TypeGuess texts{columnar::TextFormats{}};
  bool has_bool = false;
  bool has_number = false;
  bool has_text = false;
  bool has_object = false;
  bool has_array = false;
  std::vector<std::pair<std::string, std::unique_ptr<Place>>> fields;
  std::map<std::string, size_t, std::less<>> field_places;
  std::unique_ptr<Place> element;
  int64_t first_line = 0;

  Place& Field(std::string_view name) {
    const auto known = field_places.find(name);
    if (known != field_places.end()) return *fields[known->second].second;
    field_places.emplace(std::string(name), fields.size());
    fields.emplace_back(std::string(name), std::make_unique<Place>());
    return *fields.back().second;
  }
};

std::string_view Token(ondemand::value value) {
  std::string_view token = value.raw_json_token();
  while (!token.empty() && (token.back() == ' ' || token.back() == '\t' || token.back() == '\r' ||
                            token.back() == '\n'))
    token.remove_suffix(1);
  return token;
}

simdjson::error_code SeeValue(ondemand::value value, Place* place, int64_t line);

simdjson::error_code SeeObject(ondemand::object object, Place* place, int64_t line) {
  for (auto field : object) {
    std::string_view name;
    if (const auto error = field.unescaped_key().get(name)) return error;
    ondemand::value value;
    if (const auto error = field.value().get(value)) return error;
    if (const auto error = SeeValue(value, &place->Field(name), line)) return error;
  }
  return simdjson::SUCCESS;
}

simdjson::error_code SeeValue(ondemand::value value, Place* place, int64_t line) {
  if (place->first_line == 0) place->first_line = line;
  ondemand::json_type type;
  if (const auto error = value.type().get(type)) return error;
  switch (type) {
    case ondemand::json_type::null:
      return simdjson::SUCCESS;
    case ondemand::json_type::boolean:
      place->has_bool = true;
      return simdjson::SUCCESS;
    case ondemand::json_type::number:
      place->has_number = true;
      place->numbers.See(Token(value));
      return simdjson::SUCCESS;
    case ondemand::json_type::string: {
      place->has_text = true;
      std::string_view text;
      if (const auto error = value.get_string().get(text)) return error;
      place->texts.See(text);
      return simdjson::SUCCESS;
    }
    case ondemand::json_type::object: {
      place->has_object = true;
      ondemand::object object;
      if (const auto error = value.get_object().get(object)) return error;
      return SeeObject(object, place, line);
    }
    case ondemand::json_type::array: {
      place->has_array = true;
      ondemand::array array;
      if (const auto error = value.get_array().get(array)) return error;
      if (place->element == nullptr) place->element = std::make_unique<Place>();
      for (auto element : array) {
        ondemand::value item;
        if (const auto error = element.get(item)) return error;
        if (const auto error = SeeValue(item, place->element.get(), line)) return error;
      }
      return simdjson::SUCCESS;
    }
  }
  return simdjson::SUCCESS;
}

std::shared_ptr<arrow::DataType> TypeOf(const Place& place, const std::string& path,
                                        std::vector<std::string>* notes) {
  const int kinds = int{place.has_bool} + int{place.has_number} + int{place.has_text} +
                    int{place.has_object} + int{place.has_array};
  if (kinds == 0) {
    notes->push_back(
        "column " + path +
        " holds only null in the sample and is read as string; give its type under types");
    return arrow::utf8();
  }
  if (kinds > 1) {
    notes->push_back("column " + path +
                     " holds values of several kinds and is read as text, as each stands");
    return arrow::utf8();
  }
  if (place.has_bool) return arrow::boolean();
  if (place.has_number) {
    auto type = place.numbers.type();
    if (!place.numbers.surprise().empty())
      notes->push_back("column " + path + " is " + type->ToString() + ": " +
                       place.numbers.surprise());
    return type;
  }
  if (place.has_text) {
    const auto guess = place.texts.type();
    return guess->id() == arrow::Type::DATE32 || guess->id() == arrow::Type::TIMESTAMP
               ? guess
               : arrow::utf8();
  }
  if (place.has_array)
    return arrow::list(arrow::field("element", TypeOf(*place.element, path + ".element", notes)));
  if (place.fields.empty()) {
    notes->push_back("column " + path + " holds only empty objects and is kept as JSON text");
    return arrow::utf8();
  }
  arrow::FieldVector fields;
  for (const auto& [name, field] : place.fields)
    fields.push_back(arrow::field(name, TypeOf(*field, path + "." + name, notes)));
  return arrow::struct_(std::move(fields));
}

/// Whether a table's column may become `to`.
bool Widens(const arrow::DataType& from, const arrow::DataType& to) {
  const Result<iceberg::Type> before = columnar::ToIcebergType(from, 2);
  const Result<iceberg::Type> after = columnar::ToIcebergType(to, 2);
  return before.ok() && after.ok() && iceberg::IsPromotion(*before, *after, 2);
}

}  // namespace

struct JsonShape::State {
  Place root;
  ondemand::parser parser;
};

JsonShape::JsonShape() : state_(std::make_unique<State>()) {}
JsonShape::~JsonShape() = default;

void JsonShape::See(std::string_view line, int64_t number) {
  ondemand::document document;
  if (state_->parser.iterate(line.data(), line.size(), line.size() + kJsonPadding).get(document))
    return;
  ondemand::object object;
  if (document.get_object().get(object)) return;
  // A line that breaks off in the middle has taught what stood before; the reader rejects it.
  (void)SeeObject(object, &state_->root, number);
}

Result<std::shared_ptr<arrow::Schema>> JsonShape::Schema(const SchemaOptions& options,
                                                         std::vector<std::string>* notes) const {
  std::vector<std::string> names;
  for (const auto& [name, place] : state_->root.fields) names.push_back(name);
  for (const auto& [name, type] : options.types) {
    if (!state_->root.field_places.contains(name)) {
      return ConfigError("types names a column '" + name + "', which the sample does not have" +
                         DidYouMean(name, names));
    }
  }
  arrow::FieldVector fields;
  for (const auto& [name, place] : state_->root.fields) {
    const auto said = options.types.find(name);
    if (said != options.types.end()) {
      CALVE_ASSIGN_OR_RETURN(const iceberg::Type type, iceberg::Type::Parse(said->second));
      CALVE_ASSIGN_OR_RETURN(auto arrow_type, columnar::ToArrowType(type));
      fields.push_back(arrow::field(name, std::move(arrow_type)));
      continue;
    }
    std::vector<std::string> own_notes;
    auto guess = TypeOf(*place, name, &own_notes);
    const auto wanted = options.wanted == nullptr ? nullptr : options.wanted->GetFieldByName(name);
    if (wanted != nullptr && !wanted->type()->Equals(*guess)) {
      const bool nested = guess->id() == arrow::Type::STRUCT || guess->id() == arrow::Type::LIST;
      if (!nested && !(options.widen && Widens(*wanted->type(), *guess) &&
                       guess->id() != arrow::Type::DECIMAL128))
        guess = wanted->type();
    } else if (wanted == nullptr) {
      notes->insert(notes->end(), own_notes.begin(), own_notes.end());
    }
    fields.push_back(arrow::field(name, std::move(guess)));
  }
  return arrow::schema(std::move(fields));
}

}  // namespace calve::source

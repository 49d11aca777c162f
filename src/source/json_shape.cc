#include "source/json_shape.h"

#include "base/text.h"
#include "columnar/arrow_status.h"
#include "columnar/convert.h"
#include "columnar/text_column.h"
#include "columnar/variant_array.h"
#include "source/json_cursor.h"

namespace calve::source {
namespace {

/// Everything seen at one place of the documents.
struct Place {
  columnar::TypeGuess numbers{columnar::TextFormats{}};
  columnar::TypeGuess texts{columnar::TextFormats{}};
  bool has_bool = false;
  bool has_number = false;
  bool has_text = false;
  bool has_object = false;
  bool has_array = false;
  bool is_too_wide = false;
  std::vector<std::pair<std::string, std::unique_ptr<Place>>> fields;
  std::map<std::string, size_t, std::less<>> field_places;
  std::unique_ptr<Place> element;
  int64_t first_line = 0;

  /// The place of a key; null for one too many.
  Place* Field(std::string_view name) {
    const auto known = field_places.find(name);
    if (known != field_places.end()) return fields[known->second].second.get();
    if (fields.size() == JsonShape::kColumnsMax) {
      is_too_wide = true;
      return nullptr;
    }
    field_places.emplace(std::string(name), fields.size());
    fields.emplace_back(std::string(name), std::make_unique<Place>());
    return fields.back().second.get();
  }
};

/// Deeper values stay JSON text: types of many levels serve nobody and cost every reader its stack.
constexpr int kDepthMax = 32;

void SeeValue(JsonCursor& cursor, Place* place, int64_t line, int depth);

void SeeObject(JsonCursor& cursor, Place* place, int64_t line, int depth) {
  std::string_view name;
  cursor.EnterObject();
  while (cursor.NextKey(&name)) {
    if (Place* field = place->Field(name)) {
      SeeValue(cursor, field, line, depth);
    } else {
      cursor.TakeRaw();
    }
  }
}

void SeeValue(JsonCursor& cursor, Place* place, int64_t line, int depth) {
  if (place->first_line == 0) place->first_line = line;
  switch (cursor.Peek()) {
    case JsonKind::kNone:
      return;
    case JsonKind::kNull:
      cursor.TakeScalar();
      return;
    case JsonKind::kBoolean:
      cursor.TakeScalar();
      place->has_bool = place->has_bool || cursor.ok();
      return;
    case JsonKind::kNumber: {
      const std::string_view number = cursor.TakeScalar();
      if (!cursor.ok()) return;
      place->has_number = true;
      place->numbers.See(number);
      return;
    }
    case JsonKind::kString: {
      const std::string_view text = cursor.TakeString();
      if (!cursor.ok()) return;
      place->has_text = true;
      place->texts.See(text);
      return;
    }
    case JsonKind::kObject:
      place->has_object = true;
      if (depth == kDepthMax) {
        cursor.TakeRaw();
      } else {
        SeeObject(cursor, place, line, depth + 1);
      }
      return;
    case JsonKind::kArray:
      place->has_array = true;
      if (place->element == nullptr) place->element = std::make_unique<Place>();
      if (depth == kDepthMax) {
        cursor.TakeRaw();
        return;
      }
      cursor.EnterArray();
      while (cursor.NextElement()) SeeValue(cursor, place->element.get(), line, depth + 1);
      return;
  }
}

std::shared_ptr<arrow::DataType> TypeOf(const Place& place, const std::string& path, int depth,
                                        std::vector<std::string>* notes) {
  const int kinds = int{place.has_bool} + int{place.has_number} + int{place.has_text} +
                    int{place.has_object} + int{place.has_array};
  if (kinds == 0) {
    notes->push_back(
        "column " + path +
        " holds only null in the sample and is read as string; give its type under types");
    return arrow::utf8();
  }
  if (kinds > 1 || place.is_too_wide) {
    notes->push_back("column " + path + " holds values of " +
                     (kinds > 1 ? "several kinds" : "more than 20,000 keys") +
                     " and is read as text, as each stands");
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
  if (depth == kDepthMax) {
    notes->push_back("column " + path + " is nested deeper than " + std::to_string(kDepthMax) +
                     " levels and is kept as JSON text from there on");
    return arrow::utf8();
  }
  if (place.has_array)
    return arrow::list(
        arrow::field("element", TypeOf(*place.element, path + ".element", depth + 1, notes)));
  if (place.fields.empty()) {
    notes->push_back("column " + path + " holds only empty objects and is kept as JSON text");
    return arrow::utf8();
  }
  arrow::FieldVector fields;
  for (const auto& [name, field] : place.fields)
    fields.push_back(arrow::field(name, TypeOf(*field, path + "." + name, depth + 1, notes)));
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
};

JsonShape::JsonShape() : state_(std::make_unique<State>()) {}
JsonShape::~JsonShape() = default;

bool JsonShape::See(std::string_view line, int64_t number) {
  JsonCursor cursor(line);
  if (!cursor.ok() || cursor.Peek() != JsonKind::kObject) return false;
  // A line that breaks off in the middle has taught what stood before; the reader rejects it.
  SeeObject(cursor, &state_->root, number, 1);
  cursor.Finish();
  return cursor.ok();
}

bool JsonShape::has_columns() const { return !state_->root.fields.empty(); }
bool JsonShape::is_too_wide() const { return state_->root.is_too_wide; }
bool JsonShape::Has(const std::string& column) const {
  return state_->root.field_places.contains(column);
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
      CALVE_ASSIGN_OR_RETURN(auto arrow_type, columnar::TextType(type));
      fields.push_back(arrow::field(name, std::move(arrow_type)));
      continue;
    }
    std::vector<std::string> own_notes;
    auto guess = TypeOf(*place, name, 1, &own_notes);
    const auto wanted = options.wanted == nullptr ? nullptr : options.wanted->GetFieldByName(name);
    if (wanted != nullptr && !wanted->type()->Equals(*guess)) {
      const bool nested = guess->id() == arrow::Type::STRUCT || guess->id() == arrow::Type::LIST;
      const bool widens = options.widen && Widens(*wanted->type(), *guess) &&
                          guess->id() != arrow::Type::DECIMAL128;
      // Of a variant no sample says what it holds.
      const bool is_variant = columnar::IsVariantType(*wanted->type());
      if (!widens && (!nested || options.is_whole || is_variant)) guess = wanted->type();
    } else if (wanted == nullptr) {
      notes->insert(notes->end(), own_notes.begin(), own_notes.end());
    }
    fields.push_back(arrow::field(name, std::move(guess)));
  }
  if (options.is_whole && options.wanted != nullptr) {
    for (const auto& field : options.wanted->fields()) {
      // 16 bytes may be a uuid, which only a value would say.
      const bool is_open = field->type()->id() == arrow::Type::FIXED_SIZE_BINARY ||
                           field->type()->id() == arrow::Type::NA;
      if (!is_open && !Has(field->name()))
        fields.push_back(arrow::field(field->name(), field->type()));
    }
  }
  return arrow::schema(std::move(fields));
}

}  // namespace calve::source

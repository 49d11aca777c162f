#include "iceberg/json.h"

#include <fmt/format.h>

#include <limits>

#include "base/text.h"

namespace calve::iceberg {
namespace {

constexpr int kDepthMax = 400;
constexpr size_t kShownMax = 60;  // characters of a value in an error

/// Whether brackets nest deeper than a recursive reader should follow.
bool TooDeep(std::string_view text) {
  int depth = 0;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      if (++depth > kDepthMax) return true;
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
  return false;
}

/// The line and column of a byte, counted from 1.
std::string LineAndColumn(std::string_view text, size_t byte) {
  size_t line = 1;
  size_t column = 1;
  for (const char c : text.substr(0, byte)) {
    column = c == '\n' ? 1 : column + 1;
    if (c == '\n') ++line;
  }
  return fmt::format("line {}, column {}", line, column);
}

template <typename T>
std::optional<T> AsInteger(const Json& json) {
  if (json.is_number_unsigned()) {
    const auto number = json.get<uint64_t>();
    if (number > static_cast<uint64_t>(std::numeric_limits<T>::max())) return std::nullopt;
    return static_cast<T>(number);
  }
  if (!json.is_number_integer()) return std::nullopt;
  const auto number = json.get<int64_t>();
  if (number < std::numeric_limits<T>::min() || number > std::numeric_limits<T>::max())
    return std::nullopt;
  return static_cast<T>(number);
}

template <typename T>
constexpr std::string_view kIntegerName = "a 64-bit integer";
template <>
constexpr std::string_view kIntegerName<int32_t> = "a 32-bit integer";

}  // namespace

Result<Json> ParseJson(std::string_view text) {
  if (TooDeep(text)) {
    return DataError(fmt::format("expected JSON nested at most {} deep, found more", kDepthMax));
  }
  try {
    return Json::parse(text);
  } catch (const Json::parse_error& error) {
    const size_t byte = error.byte > 0 ? error.byte - 1 : 0;
    return DataError(fmt::format("expected JSON, found a fault at {} (byte {})",
                                 LineAndColumn(text, byte), byte));
  } catch (const Json::exception&) {
    return DataError("expected JSON with numbers that fit 64 bits, found one out of range");
  }
}

std::string DumpJson(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string Describe(const Json& json) {
  if (json.is_object()) return "an object";
  if (json.is_array()) return "an array";
  std::string shown = DumpJson(json);
  if (shown.size() > kShownMax) shown = shown.substr(0, kShownMax) + "...";
  if (json.is_string()) return "the string " + shown;
  if (json.is_number()) return "the number " + shown;
  return shown;
}

Error Unexpected(std::string_view place, std::string_view expected, const Json& found) {
  return DataError(fmt::format("{}: expected {}, found {}", place.empty() ? "the document" : place,
                               expected, Describe(found)));
}

Result<JsonObject> JsonObject::Of(const Json& json, std::string place) {
  if (!json.is_object()) return Unexpected(place, "an object", json);
  return JsonObject(&json, std::move(place));
}

std::string JsonObject::PlaceOf(std::string_view key) const {
  return place_.empty() ? std::string(key) : fmt::format("{}.{}", place_, key);
}

std::string JsonObject::ElementPlace(std::string_view key, size_t index) const {
  return fmt::format("{}[{}]", PlaceOf(key), index);
}

const Json* JsonObject::Find(std::string_view key) const {
  const auto found = json_->find(std::string(key));
  return found == json_->end() || found->is_null() ? nullptr : &*found;
}

bool JsonObject::Has(std::string_view key) const { return json_->contains(std::string(key)); }

Result<const Json*> JsonObject::Require(std::string_view key) const {
  const Json* value = Find(key);
  if (value == nullptr) {
    return DataError(
        fmt::format("{}: expected a value, found {}", PlaceOf(key), Has(key) ? "null" : "none"));
  }
  return value;
}

Result<int32_t> JsonObject::Int(std::string_view key) const {
  CALVE_ASSIGN_OR_RETURN(const Json* value, Require(key));
  const auto number = AsInteger<int32_t>(*value);
  if (!number) return Unexpected(PlaceOf(key), kIntegerName<int32_t>, *value);
  return *number;
}

Result<int64_t> JsonObject::Long(std::string_view key) const {
  CALVE_ASSIGN_OR_RETURN(const Json* value, Require(key));
  const auto number = AsInteger<int64_t>(*value);
  if (!number) return Unexpected(PlaceOf(key), kIntegerName<int64_t>, *value);
  return *number;
}

Result<SnapshotId> JsonObject::GetSnapshotId(std::string_view key) const {
  CALVE_ASSIGN_OR_RETURN(const Json* value, Require(key));
  if (value->is_number_unsigned()) return SnapshotId(static_cast<int64_t>(value->get<uint64_t>()));
  CALVE_ASSIGN_OR_RETURN(const int64_t id, Long(key));
  return SnapshotId(id);
}

Result<bool> JsonObject::Bool(std::string_view key) const {
  CALVE_ASSIGN_OR_RETURN(const Json* value, Require(key));
  if (!value->is_boolean()) return Unexpected(PlaceOf(key), "true or false", *value);
  return value->get<bool>();
}

Result<std::string> JsonObject::Text(std::string_view key) const {
  CALVE_ASSIGN_OR_RETURN(const Json* value, Require(key));
  if (!value->is_string()) return Unexpected(PlaceOf(key), "a string", *value);
  return value->get<std::string>();
}

Result<const Json*> JsonObject::Array(std::string_view key) const {
  CALVE_ASSIGN_OR_RETURN(const Json* value, Require(key));
  if (!value->is_array()) return Unexpected(PlaceOf(key), "an array", *value);
  return value;
}

Result<std::optional<int32_t>> JsonObject::OptionalInt(std::string_view key) const {
  if (Find(key) == nullptr) return std::optional<int32_t>();
  CALVE_ASSIGN_OR_RETURN(const int32_t value, Int(key));
  return std::optional(value);
}

Result<std::optional<int64_t>> JsonObject::OptionalLong(std::string_view key) const {
  if (Find(key) == nullptr) return std::optional<int64_t>();
  CALVE_ASSIGN_OR_RETURN(const int64_t value, Long(key));
  return std::optional(value);
}

Result<std::optional<SnapshotId>> JsonObject::OptionalSnapshotId(std::string_view key) const {
  if (Find(key) == nullptr) return std::optional<SnapshotId>();
  CALVE_ASSIGN_OR_RETURN(const SnapshotId value, GetSnapshotId(key));
  return std::optional(value);
}

Result<std::optional<bool>> JsonObject::OptionalBool(std::string_view key) const {
  if (Find(key) == nullptr) return std::optional<bool>();
  CALVE_ASSIGN_OR_RETURN(const bool value, Bool(key));
  return std::optional(value);
}

Result<std::optional<std::string>> JsonObject::OptionalText(std::string_view key) const {
  if (Find(key) == nullptr) return std::optional<std::string>();
  CALVE_ASSIGN_OR_RETURN(std::string value, Text(key));
  return std::optional(std::move(value));
}

Result<std::map<std::string, std::string>> JsonObject::TextMap(std::string_view key) const {
  std::map<std::string, std::string> values;
  const Json* object = Find(key);
  if (object == nullptr) return values;
  if (!object->is_object()) return Unexpected(PlaceOf(key), "an object of strings", *object);
  for (const auto& [name, value] : object->items()) {
    if (!value.is_string()) return Unexpected(PlaceOf(key) + "." + name, "a string", value);
    values[name] = value.get<std::string>();
  }
  return values;
}

Result<std::vector<std::string>> JsonObject::TextList(std::string_view key) const {
  CALVE_ASSIGN_OR_RETURN(const Json* array, Array(key));
  std::vector<std::string> values;
  for (size_t i = 0; i < array->size(); ++i) {
    const Json& value = (*array)[i];
    if (!value.is_string()) return Unexpected(ElementPlace(key, i), "a string", value);
    values.push_back(value.get<std::string>());
  }
  return values;
}

Result<std::vector<int32_t>> JsonObject::IntList(std::string_view key) const {
  CALVE_ASSIGN_OR_RETURN(const Json* array, Array(key));
  std::vector<int32_t> values;
  for (size_t i = 0; i < array->size(); ++i) {
    const auto value = AsInteger<int32_t>((*array)[i]);
    if (!value) return Unexpected(ElementPlace(key, i), kIntegerName<int32_t>, (*array)[i]);
    values.push_back(*value);
  }
  return values;
}

Result<std::vector<int64_t>> JsonObject::LongList(std::string_view key) const {
  CALVE_ASSIGN_OR_RETURN(const Json* array, Array(key));
  std::vector<int64_t> values;
  for (size_t i = 0; i < array->size(); ++i) {
    const auto value = AsInteger<int64_t>((*array)[i]);
    if (!value) return Unexpected(ElementPlace(key, i), kIntegerName<int64_t>, (*array)[i]);
    values.push_back(*value);
  }
  return values;
}

}  // namespace calve::iceberg

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

#include "avro/json_limits.h"
#include "avro/value.h"
#include "base/text.h"

namespace calve::avro {

using Json = nlohmann::ordered_json;

namespace {

constexpr int kLevelsMax = 256;

Result<Value> FromJson(const Node& node, const Json& json, int level);

Error Misfit(const Node& node, const Json& json) {
  const std::string text = json.dump().substr(0, 80);
  return DataError("expected a default of Avro type " + std::string(ToString(node.kind)) +
                   (node.is_named() ? " " + Quote(node.full_name()) : "") + ", found " +
                   (IsValidUtf8(text) ? text : "a long text"));
}

/// Make the bytes that a text's code points 0 to 255 stand for; empty when it has higher ones.
std::optional<std::string> BytesOf(const std::string& text) {
  std::string bytes;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto lead = static_cast<uint8_t>(text[i]);
    if (lead < 0x80) {
      bytes.push_back(text[i]);
    } else if ((lead == 0xc2 || lead == 0xc3) && i + 1 < text.size()) {
      bytes.push_back(static_cast<char>((lead & 3) << 6 | (text[++i] & 0x3f)));
    } else {
      return std::nullopt;
    }
  }
  return bytes;
}

std::optional<int64_t> IntegerOf(const Json& json, int64_t min, int64_t max) {
  if (!json.is_number_integer()) return std::nullopt;
  if (json.is_number_unsigned() && json.get<uint64_t>() > static_cast<uint64_t>(max)) {
    return std::nullopt;
  }
  const auto value = json.get<int64_t>();
  if (value < min || value > max) return std::nullopt;
  return value;
}

Result<Value> RecordFromJson(const Node& node, const Json& json, int level) {
  if (!json.is_object()) return Misfit(node, json);
  RecordValue record;
  for (const Field& field : node.fields) {
    const auto given = json.find(field.name);
    const Json value =
        given != json.end() ? *given : Json::parse(field.default_json.value_or(""), nullptr, false);
    if (value.is_discarded()) return Misfit(node, json);
    CALVE_ASSIGN_OR_RETURN(Value made, FromJson(*field.type, value, level + 1));
    record.fields.push_back(std::move(made));
  }
  return Value(std::move(record));
}

Result<Value> ContainerFromJson(const Node& node, const Json& json, int level) {
  if (node.kind == Kind::kArray) {
    if (!json.is_array()) return Misfit(node, json);
    ArrayValue array;
    for (const Json& item : json) {
      CALVE_ASSIGN_OR_RETURN(Value made, FromJson(*node.element, item, level + 1));
      array.items.push_back(std::move(made));
    }
    return Value(std::move(array));
  }
  if (!json.is_object()) return Misfit(node, json);
  MapValue map;
  for (const auto& [key, item] : json.items()) {
    CALVE_ASSIGN_OR_RETURN(Value made, FromJson(*node.element, item, level + 1));
    map.entries.emplace_back(key, std::move(made));
  }
  return Value(std::move(map));
}

Result<Value> UnionFromJson(const Node& node, const Json& json, int level) {
  for (size_t i = 0; i < node.branches.size(); ++i) {
    Result<Value> made = FromJson(*node.branches[i], json, level + 1);
    if (!made.ok()) continue;
    made->branch = static_cast<int32_t>(i);
    return made;
  }
  return Misfit(node, json);
}

Result<Value> TextFromJson(const Node& node, const Json& json) {
  if (!json.is_string()) return Misfit(node, json);
  const auto& text = json.get_ref<const std::string&>();
  if (node.kind == Kind::kString) return Value(text);
  if (node.kind == Kind::kEnum) {
    const bool known =
        std::find(node.symbols.begin(), node.symbols.end(), text) != node.symbols.end();
    return known ? Result<Value>(Value(SymbolValue{text})) : Misfit(node, json);
  }
  std::optional<std::string> bytes = BytesOf(text);
  if (!bytes) return Misfit(node, json);
  if (node.kind == Kind::kBytes) return Value(BytesValue{std::move(*bytes)});
  if (bytes->size() != static_cast<size_t>(node.size_bytes)) return Misfit(node, json);
  return Value(FixedValue{std::move(*bytes)});
}

Result<Value> NumberFromJson(const Node& node, const Json& json) {
  if (node.kind == Kind::kFloat || node.kind == Kind::kDouble) {
    if (!json.is_number()) return Misfit(node, json);
    const double value = json.get<double>();
    return node.kind == Kind::kDouble ? Value(value) : Value(static_cast<float>(value));
  }
  const bool is_int = node.kind == Kind::kInt;
  const std::optional<int64_t> value =
      is_int ? IntegerOf(json, INT32_MIN, INT32_MAX) : IntegerOf(json, INT64_MIN, INT64_MAX);
  if (!value) return Misfit(node, json);
  return is_int ? Value(static_cast<int32_t>(*value)) : Value(*value);
}

Result<Value> FromJson(const Node& node, const Json& json, int level) {
  if (level > kLevelsMax)
    return DataError("expected a default of few levels, found an endless one");
  switch (node.kind) {
    case Kind::kNull:
      return json.is_null() ? Result<Value>(Value()) : Misfit(node, json);
    case Kind::kBoolean:
      return json.is_boolean() ? Result<Value>(Value(json.get<bool>())) : Misfit(node, json);
    case Kind::kInt:
    case Kind::kLong:
    case Kind::kFloat:
    case Kind::kDouble:
      return NumberFromJson(node, json);
    case Kind::kBytes:
    case Kind::kString:
    case Kind::kEnum:
    case Kind::kFixed:
      return TextFromJson(node, json);
    case Kind::kRecord:
      return RecordFromJson(node, json, level);
    case Kind::kArray:
    case Kind::kMap:
      return ContainerFromJson(node, json, level);
    case Kind::kUnion:
      return UnionFromJson(node, json, level);
  }
  return Misfit(node, json);
}

}  // namespace

Result<Value> ValueFromJson(const Node& node, std::string_view json) {
  const bool walkable = NestsAtMost(json, kLevelsMax);
  const Json parsed = walkable ? Json::parse(json, nullptr, /*allow_exceptions=*/false)
                               : Json(Json::value_t::discarded);
  if (parsed.is_discarded()) return DataError("expected a default in JSON");
  return FromJson(node, parsed, 1);
}

}  // namespace calve::avro

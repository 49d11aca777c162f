#include "avro/schema.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

namespace calve::avro {

std::string_view ToString(Kind kind) {
  switch (kind) {
    case Kind::kNull:
      return "null";
    case Kind::kBoolean:
      return "boolean";
    case Kind::kInt:
      return "int";
    case Kind::kLong:
      return "long";
    case Kind::kFloat:
      return "float";
    case Kind::kDouble:
      return "double";
    case Kind::kBytes:
      return "bytes";
    case Kind::kString:
      return "string";
    case Kind::kRecord:
      return "record";
    case Kind::kEnum:
      return "enum";
    case Kind::kArray:
      return "array";
    case Kind::kMap:
      return "map";
    case Kind::kUnion:
      return "union";
    case Kind::kFixed:
      return "fixed";
  }
  return "";
}

const std::string* Attributes::Find(std::string_view name) const {
  for (const Entry& entry : entries_) {
    if (entry.first == name) return &entry.second;
  }
  return nullptr;
}

std::optional<int64_t> Attributes::GetInt(std::string_view name) const {
  const std::string* json = Find(name);
  if (json == nullptr) return std::nullopt;
  int64_t value = 0;
  const char* end = json->data() + json->size();
  const auto [stop, fault] = std::from_chars(json->data(), end, value);
  if (fault != std::errc() || stop != end) return std::nullopt;
  return value;
}

std::optional<std::string> Attributes::GetString(std::string_view name) const {
  const std::string* json = Find(name);
  if (json == nullptr) return std::nullopt;
  const auto parsed = nlohmann::json::parse(*json, nullptr, /*allow_exceptions=*/false);
  if (!parsed.is_string()) return std::nullopt;
  return parsed.get<std::string>();
}

std::optional<bool> Attributes::GetBool(std::string_view name) const {
  const std::string* json = Find(name);
  if (json == nullptr) return std::nullopt;
  if (*json == "true") return true;
  if (*json == "false") return false;
  return std::nullopt;
}

void Attributes::SetInt(std::string_view name, int64_t value) {
  SetJson(name, std::to_string(value));
}

void Attributes::SetString(std::string_view name, std::string_view value) {
  SetJson(name,
          nlohmann::json(value).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

void Attributes::SetBool(std::string_view name, bool value) {
  SetJson(name, value ? "true" : "false");
}

void Attributes::SetJson(std::string_view name, std::string json) {
  for (Entry& entry : entries_) {
    if (entry.first == name) {
      entry.second = std::move(json);
      return;
    }
  }
  entries_.emplace_back(name, std::move(json));
}

std::optional<int32_t> Field::field_id() const {
  const std::optional<int64_t> id = attributes.GetInt("field-id");
  if (!id || *id != static_cast<int32_t>(*id)) return std::nullopt;
  return static_cast<int32_t>(*id);
}

const Field* Node::FindField(std::string_view field_name) const {
  for (const Field& field : fields) {
    if (field.name == field_name) return &field;
  }
  return nullptr;
}

const Field* Node::FindFieldById(int32_t field_id) const {
  for (const Field& field : fields) {
    if (field.field_id() == field_id) return &field;
  }
  return nullptr;
}

const Node* Node::OptionalOf() const {
  if (kind != Kind::kUnion || branches.size() != 2) return nullptr;
  if (branches[0]->kind == Kind::kNull) return branches[1];
  if (branches[1]->kind == Kind::kNull) return branches[0];
  return nullptr;
}

}  // namespace calve::avro

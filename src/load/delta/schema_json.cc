#include "load/delta/schema_json.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>
#include <utility>

#include "base/text.h"
#include "iceberg/schema.h"

namespace calve::load::delta {
namespace {

using iceberg::Field;
using iceberg::FieldId;
using iceberg::Type;
using iceberg::TypeKind;
using nlohmann::ordered_json;

constexpr std::array<std::pair<std::string_view, TypeKind>, 10> kPrimitives = {{
    {"string", TypeKind::kString},
    {"long", TypeKind::kLong},
    {"integer", TypeKind::kInt},
    {"float", TypeKind::kFloat},
    {"double", TypeKind::kDouble},
    {"boolean", TypeKind::kBoolean},
    {"binary", TypeKind::kBinary},
    {"date", TypeKind::kDate},
    {"timestamp", TypeKind::kTimestampTz},
    {"timestamp_ntz", TypeKind::kTimestamp},
}};

/// What a column's metadata says that a writer would have to keep.
constexpr std::array<std::string_view, 3> kPromises = {
    "delta.invariants", "delta.generationExpression", "delta.identity.start"};

Error Unknown(const std::string& column, const std::string& type) {
  return RefusedError("column " + column + " is " + type +
                      ", a type of Delta that calve does not write");
}

Result<Type> ParseType(const ordered_json& json, const std::string& column);

Result<Type> ParsePrimitive(const std::string& name, const std::string& column) {
  for (const auto& [known, kind] : kPrimitives) {
    if (known == name) return Type::Of(kind);
  }
  if (!name.starts_with("decimal")) return Unknown(column, name);
  auto decimal = Type::Parse(name == "decimal" ? "decimal(10,0)" : name);
  if (!decimal.ok()) return Unknown(column, name);
  return decimal;
}

Result<std::vector<Field>> ParseFields(const ordered_json& json, const std::string& parent) {
  std::vector<Field> fields;
  for (const ordered_json& field : json.at("fields")) {
    const auto name = field.at("name").get<std::string>();
    const std::string full = parent.empty() ? name : parent + "." + name;
    CALVE_ASSIGN_OR_RETURN(Type type, ParseType(field.at("type"), full));
    if (const auto metadata = field.find("metadata"); metadata != field.end()) {
      for (const std::string_view promise : kPromises) {
        if (!metadata->contains(promise)) continue;
        return RefusedError("column " + full + " has " + std::string(promise) +
                            ", which calve does not keep");
      }
    }
    fields.push_back({.id = FieldId(static_cast<int32_t>(fields.size()) + 1),
                      .name = name,
                      .type = std::move(type),
                      .required = !field.value("nullable", true)});
  }
  return fields;
}

Result<Type> ParseType(const ordered_json& json, const std::string& column) {
  if (json.is_string()) return ParsePrimitive(json.get<std::string>(), column);
  const auto kind = json.at("type").get<std::string>();
  if (kind == "struct") {
    CALVE_ASSIGN_OR_RETURN(auto fields, ParseFields(json, column));
    return Type::Struct(std::move(fields));
  }
  if (kind == "array") {
    CALVE_ASSIGN_OR_RETURN(Type element, ParseType(json.at("elementType"), column + ".element"));
    return Type::List(FieldId(1), std::move(element), !json.value("containsNull", true));
  }
  if (kind == "map") {
    CALVE_ASSIGN_OR_RETURN(Type key, ParseType(json.at("keyType"), column + ".key"));
    CALVE_ASSIGN_OR_RETURN(Type value, ParseType(json.at("valueType"), column + ".value"));
    return Type::Map(FieldId(1), std::move(key), FieldId(2), std::move(value),
                     !json.value("valueContainsNull", true));
  }
  return Unknown(column, kind);
}

Result<ordered_json> PrintType(const Type& type, const std::string& column);

Result<ordered_json> PrintField(const Field& field, const std::string& parent) {
  const std::string full = parent.empty() ? field.name : parent + "." + field.name;
  CALVE_ASSIGN_OR_RETURN(ordered_json type, PrintType(field.type, full));
  return ordered_json{{"name", field.name},
                      {"type", std::move(type)},
                      {"nullable", !field.required},
                      {"metadata", ordered_json::object()}};
}

Result<ordered_json> PrintStruct(const std::vector<Field>& fields, const std::string& parent) {
  ordered_json list = ordered_json::array();
  for (const Field& field : fields) {
    CALVE_ASSIGN_OR_RETURN(ordered_json printed, PrintField(field, parent));
    list.push_back(std::move(printed));
  }
  return ordered_json{{"type", "struct"}, {"fields", std::move(list)}};
}

Result<ordered_json> PrintType(const Type& type, const std::string& column) {
  for (const auto& [name, kind] : kPrimitives) {
    if (kind == type.kind()) return ordered_json(name);
  }
  switch (type.kind()) {
    case TypeKind::kDecimal:
      return ordered_json("decimal(" + std::to_string(type.precision()) + "," +
                          std::to_string(type.scale()) + ")");
    case TypeKind::kStruct:
      return PrintStruct(type.fields(), column);
    case TypeKind::kList: {
      const Field& element = type.fields()[0];
      CALVE_ASSIGN_OR_RETURN(ordered_json inner, PrintType(element.type, column + ".element"));
      return ordered_json{{"type", "array"},
                          {"elementType", std::move(inner)},
                          {"containsNull", !element.required}};
    }
    case TypeKind::kMap: {
      CALVE_ASSIGN_OR_RETURN(ordered_json key, PrintType(type.fields()[0].type, column + ".key"));
      CALVE_ASSIGN_OR_RETURN(ordered_json value,
                             PrintType(type.fields()[1].type, column + ".value"));
      return ordered_json{{"type", "map"},
                          {"keyType", std::move(key)},
                          {"valueType", std::move(value)},
                          {"valueContainsNull", !type.fields()[1].required}};
    }
    default:  // The others that Delta does not have.
      return RefusedError("column " + column + " is " + type.ToString() +
                          ", which Delta has no type for; convert it with a transformer, to a "
                          "string for one");
  }
}

}  // namespace

Result<std::vector<Field>> ParseSchema(const std::string& text) {
  const auto json = ordered_json::parse(text, nullptr, /*allow_exceptions=*/false);
  try {
    return ParseFields(json, "");
  } catch (const nlohmann::json::exception& fault) {
    return DataError(std::string("the table's schema cannot be read: ") + fault.what());
  }
}

Result<std::string> PrintSchema(const std::vector<Field>& fields, const std::string& before) {
  CALVE_ASSIGN_OR_RETURN(ordered_json schema, PrintStruct(fields, ""));
  const auto known = ordered_json::parse(before.empty() ? "{}" : before, nullptr, false);
  if (!known.is_object() || !known.contains("fields")) return schema.dump();
  for (ordered_json& field : schema["fields"]) {
    for (const ordered_json& old : known["fields"]) {
      if (old.value("name", "") == field["name"] && old.contains("metadata"))
        field["metadata"] = old["metadata"];
    }
  }
  return schema.dump();
}

bool HoldsTimestampNtz(const std::vector<Field>& fields) {
  return std::any_of(fields.begin(), fields.end(), [](const Field& field) {
    return field.type.kind() == TypeKind::kTimestamp || HoldsTimestampNtz(field.type.fields());
  });
}

}  // namespace calve::load::delta

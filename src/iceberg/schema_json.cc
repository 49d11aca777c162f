#include "iceberg/schema_json.h"

#include <fmt/format.h>

#include "base/text.h"

namespace calve::iceberg {
namespace {

Result<std::optional<Value>> ReadDefault(const JsonObject& object, std::string_view key,
                                         const Type& type) {
  const Json* json = object.Find(key);
  if (json == nullptr) return std::optional<Value>();
  CALVE_ASSIGN_OR_RETURN(Value value, ValueFromJson(type, *json, object.PlaceOf(key)));
  return std::optional(std::move(value));
}

Result<FieldId> ReadId(const JsonObject& object, std::string_view key) {
  CALVE_ASSIGN_OR_RETURN(const int32_t id, object.Int(key));
  return FieldId(id);
}

Result<Type> ReadType(const JsonObject& object, std::string_view key) {
  CALVE_ASSIGN_OR_RETURN(const Json* json, object.Require(key));
  return TypeFromJson(*json, object.PlaceOf(key));
}

Result<Field> ReadField(const JsonObject& object) {
  Field field;
  CALVE_ASSIGN_OR_RETURN(field.id, ReadId(object, "id"));
  CALVE_ASSIGN_OR_RETURN(field.name, object.Text("name"));
  CALVE_ASSIGN_OR_RETURN(field.required, object.Bool("required"));
  CALVE_ASSIGN_OR_RETURN(field.type, ReadType(object, "type"));
  CALVE_ASSIGN_OR_RETURN(field.doc, object.OptionalText("doc"));
  CALVE_ASSIGN_OR_RETURN(field.initial_default, ReadDefault(object, "initial-default", field.type));
  CALVE_ASSIGN_OR_RETURN(field.write_default, ReadDefault(object, "write-default", field.type));
  return field;
}

Result<std::vector<Field>> ReadFields(const JsonObject& object) {
  CALVE_RETURN_IF_ERROR(object.Require("fields"));
  return object.Objects<Field>("fields", ReadField);
}

Result<Type> ReadList(const JsonObject& object) {
  CALVE_ASSIGN_OR_RETURN(const FieldId id, ReadId(object, "element-id"));
  CALVE_ASSIGN_OR_RETURN(Type element, ReadType(object, "element"));
  CALVE_ASSIGN_OR_RETURN(const bool required, object.Bool("element-required"));
  return Type::List(id, std::move(element), required);
}

Result<Type> ReadMap(const JsonObject& object) {
  CALVE_ASSIGN_OR_RETURN(const FieldId key_id, ReadId(object, "key-id"));
  CALVE_ASSIGN_OR_RETURN(Type key, ReadType(object, "key"));
  CALVE_ASSIGN_OR_RETURN(const FieldId value_id, ReadId(object, "value-id"));
  CALVE_ASSIGN_OR_RETURN(Type value, ReadType(object, "value"));
  CALVE_ASSIGN_OR_RETURN(const bool required, object.Bool("value-required"));
  return Type::Map(key_id, std::move(key), value_id, std::move(value), required);
}

Json FieldToJson(const Field& field) {
  Json json;
  json["id"] = field.id.value();
  json["name"] = field.name;
  json["required"] = field.required;
  json["type"] = TypeToJson(field.type);
  SetIf(json, "doc", field.doc);
  if (field.initial_default)
    json["initial-default"] = ValueToJson(field.type, *field.initial_default);
  if (field.write_default) json["write-default"] = ValueToJson(field.type, *field.write_default);
  return json;
}

Json FieldsToJson(const std::vector<Field>& fields) {
  Json json = Json::array();
  for (const Field& field : fields) json.push_back(FieldToJson(field));
  return json;
}

}  // namespace

Result<Type> TypeFromJson(const Json& json, const std::string& place) {
  if (json.is_string()) {
    Result<Type> type = Type::Parse(json.get<std::string>());
    if (!type.ok()) return While(place, std::move(type).error());
    return type;
  }
  CALVE_ASSIGN_OR_RETURN(const JsonObject object, JsonObject::Of(json, place));
  CALVE_ASSIGN_OR_RETURN(const std::string name, object.Text("type"));
  if (name == "struct") {
    CALVE_ASSIGN_OR_RETURN(std::vector<Field> fields, ReadFields(object));
    return Type::Struct(std::move(fields));
  }
  if (name == "list") return ReadList(object);
  if (name == "map") return ReadMap(object);
  return DataError(fmt::format("{}: expected struct, list or map, found {}", object.PlaceOf("type"),
                               Quote(name)));
}

Json TypeToJson(const Type& type) {
  if (!type.is_nested()) return type.ToString();
  const std::vector<Field>& fields = type.fields();
  Json json;
  if (type.kind() == TypeKind::kStruct) {
    json["type"] = "struct";
    json["fields"] = FieldsToJson(fields);
  } else if (type.kind() == TypeKind::kList) {
    json["type"] = "list";
    json["element-id"] = fields[0].id.value();
    json["element"] = TypeToJson(fields[0].type);
    json["element-required"] = fields[0].required;
  } else {
    json["type"] = "map";
    json["key-id"] = fields[0].id.value();
    json["key"] = TypeToJson(fields[0].type);
    json["value-id"] = fields[1].id.value();
    json["value"] = TypeToJson(fields[1].type);
    json["value-required"] = fields[1].required;
  }
  return json;
}

Result<SchemaPtr> SchemaFromJson(const JsonObject& object) {
  CALVE_ASSIGN_OR_RETURN(const std::string name, object.Text("type"));
  if (name != "struct") {
    return DataError(
        fmt::format("{}: expected \"struct\", found {}", object.PlaceOf("type"), Quote(name)));
  }
  CALVE_ASSIGN_OR_RETURN(const std::optional<int32_t> id, object.OptionalInt("schema-id"));
  CALVE_ASSIGN_OR_RETURN(std::vector<Field> fields, ReadFields(object));
  std::vector<FieldId> identifiers;
  if (object.Find("identifier-field-ids") != nullptr) {
    CALVE_ASSIGN_OR_RETURN(const std::vector<int32_t> ids, object.IntList("identifier-field-ids"));
    for (const int32_t identifier : ids) identifiers.emplace_back(identifier);
  }
  Result<SchemaPtr> schema =
      Schema::Make(SchemaId(id.value_or(0)), std::move(fields), std::move(identifiers));
  if (!schema.ok() && !object.place().empty())
    return While(object.place(), std::move(schema).error());
  return schema;
}

Json SchemaToJson(const Schema& schema) {
  Json json;
  json["type"] = "struct";
  json["schema-id"] = schema.id().value();
  if (!schema.identifier_field_ids().empty()) {
    for (const FieldId id : schema.identifier_field_ids())
      json["identifier-field-ids"].push_back(id.value());
  }
  json["fields"] = FieldsToJson(schema.fields());
  return json;
}

}  // namespace calve::iceberg

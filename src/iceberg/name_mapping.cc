#include "iceberg/name_mapping.h"

#include <fmt/format.h>

#include <set>

#include "base/text.h"
#include "iceberg/json.h"

namespace calve::iceberg {
namespace {

Result<MappedField> ReadMappedField(const JsonObject& object);

/// No two fields of one level may have a name in common: a column could be either.
Result<std::vector<MappedField>> CheckLevel(std::vector<MappedField> fields,
                                            const std::string& place) {
  std::set<std::string> names;
  for (const MappedField& field : fields) {
    for (const std::string& name : field.names) {
      if (!names.insert(name).second) {
        return DataError(fmt::format("{}: expected every name once, found {} twice",
                                     place.empty() ? "name mapping" : place, Quote(name)));
      }
    }
  }
  return fields;
}

Result<MappedField> ReadMappedField(const JsonObject& object) {
  MappedField field;
  CALVE_ASSIGN_OR_RETURN(const auto id, object.OptionalInt("field-id"));
  if (id) field.field_id = FieldId(*id);
  if (object.Find("names") != nullptr) {
    CALVE_ASSIGN_OR_RETURN(field.names, object.TextList("names"));
  }
  CALVE_ASSIGN_OR_RETURN(auto fields, object.Objects<MappedField>("fields", ReadMappedField));
  CALVE_ASSIGN_OR_RETURN(field.fields, CheckLevel(std::move(fields), object.PlaceOf("fields")));
  return field;
}

Json ToJson(const std::vector<MappedField>& fields) {
  Json json = Json::array();
  for (const MappedField& field : fields) {
    Json item = Json::object();
    if (field.field_id) item["field-id"] = field.field_id->value();
    item["names"] = field.names;
    if (!field.fields.empty()) item["fields"] = ToJson(field.fields);
    json.push_back(std::move(item));
  }
  return json;
}

std::vector<MappedField> MapFields(const std::vector<Field>& fields) {
  std::vector<MappedField> mapped;
  for (const Field& field : fields) {
    mapped.push_back({field.id, {field.name}, MapFields(field.type.fields())});
  }
  return mapped;
}

}  // namespace

Result<NameMapping> NameMapping::Parse(std::string_view json) {
  CALVE_ASSIGN_OR_RETURN(const Json document, ParseJson(json));
  if (!document.is_array()) return Unexpected("name mapping", "an array", document);
  std::vector<MappedField> fields;
  for (size_t i = 0; i < document.size(); ++i) {
    CALVE_ASSIGN_OR_RETURN(const JsonObject object,
                           JsonObject::Of(document[i], fmt::format("[{}]", i)));
    CALVE_ASSIGN_OR_RETURN(MappedField field, ReadMappedField(object));
    fields.push_back(std::move(field));
  }
  CALVE_ASSIGN_OR_RETURN(fields, CheckLevel(std::move(fields), ""));
  return NameMapping(std::move(fields));
}

NameMapping NameMapping::Of(const Schema& schema) {
  return NameMapping(MapFields(schema.fields()));
}

std::string NameMapping::Serialize() const { return DumpJson(ToJson(fields_)); }

}  // namespace calve::iceberg

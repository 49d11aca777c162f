#include "iceberg/partition_json.h"

#include <fmt/format.h>

#include "base/text.h"

namespace calve::iceberg {
namespace {

constexpr int kFirstPartitionFieldId = 1000;

/// Read `transform` and its columns: `source-id`, or v3's `source-ids`.
///
/// Every v3 reader must read tables with transforms that it does not know, as all of several
/// columns are.
template <typename F>
Status ReadTransform(const JsonObject& object, F& field) {
  CALVE_ASSIGN_OR_RETURN(const std::string text, object.Text("transform"));
  Result<Transform> transform = Transform::Parse(text);
  if (!transform.ok()) return While(object.PlaceOf("transform"), std::move(transform).error());
  field.transform = std::move(transform).value();
  if (object.Find("source-id") != nullptr || object.Find("source-ids") == nullptr) {
    CALVE_ASSIGN_OR_RETURN(const int32_t id, object.Int("source-id"));
    field.source_id = FieldId(id);
    return Status::Ok();
  }
  CALVE_ASSIGN_OR_RETURN(const std::vector<int32_t> ids, object.IntList("source-ids"));
  if (ids.empty()) {
    return DataError(
        fmt::format("{}: expected the id of a column, found none", object.PlaceOf("source-ids")));
  }
  field.source_id = FieldId(ids[0]);
  for (size_t i = 1; i < ids.size(); ++i) field.more_source_ids.emplace_back(ids[i]);
  if (ids.size() > 1) field.transform = Transform::Unknown(text);
  return Status::Ok();
}

template <typename F>
void WriteTransform(const F& field, Json& json) {
  json["transform"] = field.transform.ToString();
  if (field.more_source_ids.empty()) {
    json["source-id"] = field.source_id.value();
    return;
  }
  json["source-ids"] = {field.source_id.value()};
  for (const FieldId id : field.more_source_ids) json["source-ids"].push_back(id.value());
}

Result<PartitionField> ReadPartitionField(const JsonObject& object) {
  PartitionField field;
  CALVE_RETURN_IF_ERROR(ReadTransform(object, field));
  CALVE_ASSIGN_OR_RETURN(const std::optional<int32_t> id, object.OptionalInt("field-id"));
  field.field_id = id ? FieldId(*id) : kMissingFieldId;
  CALVE_ASSIGN_OR_RETURN(field.name, object.Text("name"));
  return field;
}

/// Read `value` as one of two words, ignoring case; true for the first.
Result<bool> ReadChoice(const JsonObject& object, std::string_view key, std::string_view first,
                        std::string_view second) {
  CALVE_ASSIGN_OR_RETURN(const std::string text, object.Text(key));
  const std::string lower = ToLower(text);
  if (lower == first) return true;
  if (lower == second) return false;
  return DataError(fmt::format("{}: expected {} or {}, found {}", object.PlaceOf(key), first,
                               second, Quote(text)));
}

Result<SortField> ReadSortField(const JsonObject& object) {
  SortField field;
  CALVE_RETURN_IF_ERROR(ReadTransform(object, field));
  CALVE_ASSIGN_OR_RETURN(field.ascending, ReadChoice(object, "direction", "asc", "desc"));
  CALVE_ASSIGN_OR_RETURN(field.nulls_first,
                         ReadChoice(object, "null-order", "nulls-first", "nulls-last"));
  return field;
}

}  // namespace

Result<std::vector<PartitionField>> PartitionFieldsFromJson(const JsonObject& object,
                                                            std::string_view key) {
  CALVE_RETURN_IF_ERROR(object.Require(key));
  CALVE_ASSIGN_OR_RETURN(auto fields, object.Objects<PartitionField>(key, ReadPartitionField));
  size_t missing = 0;
  for (const PartitionField& field : fields) missing += field.field_id == kMissingFieldId ? 1 : 0;
  if (missing != 0 && missing != fields.size()) {
    return DataError(
        fmt::format("{}: expected a field-id for every field or for none, found {} of {} without",
                    object.PlaceOf(key), missing, fields.size()));
  }
  return fields;
}

void CountMissingFieldIds(std::vector<PartitionField>& fields) {
  for (size_t i = 0; i < fields.size(); ++i) {
    if (fields[i].field_id != kMissingFieldId) continue;
    fields[i].field_id = FieldId(kFirstPartitionFieldId + static_cast<int>(i));
  }
}

Result<PartitionSpec> PartitionSpecFromJson(const JsonObject& object) {
  PartitionSpec spec;
  CALVE_ASSIGN_OR_RETURN(const int32_t id, object.Int("spec-id"));
  spec.id = SpecId(id);
  CALVE_ASSIGN_OR_RETURN(spec.fields, PartitionFieldsFromJson(object, "fields"));
  return spec;
}

Json PartitionFieldsToJson(const PartitionSpec& spec) {
  Json fields = Json::array();
  for (const PartitionField& field : spec.fields) {
    Json json;
    json["name"] = field.name;
    WriteTransform(field, json);
    json["field-id"] = field.field_id.value();
    fields.push_back(std::move(json));
  }
  return fields;
}

Json PartitionSpecToJson(const PartitionSpec& spec) {
  Json json;
  json["spec-id"] = spec.id.value();
  json["fields"] = PartitionFieldsToJson(spec);
  return json;
}

Result<SortOrder> SortOrderFromJson(const JsonObject& object) {
  SortOrder order;
  CALVE_ASSIGN_OR_RETURN(const int32_t id, object.Int("order-id"));
  order.id = SortOrderId(id);
  CALVE_RETURN_IF_ERROR(object.Require("fields"));
  CALVE_ASSIGN_OR_RETURN(order.fields, object.Objects<SortField>("fields", ReadSortField));
  return order;
}

Json SortOrderToJson(const SortOrder& order) {
  Json json;
  json["order-id"] = order.id.value();
  json["fields"] = Json::array();
  for (const SortField& field : order.fields) {
    Json item;
    WriteTransform(field, item);
    item["direction"] = field.ascending ? "asc" : "desc";
    item["null-order"] = field.nulls_first ? "nulls-first" : "nulls-last";
    json["fields"].push_back(std::move(item));
  }
  return json;
}

}  // namespace calve::iceberg

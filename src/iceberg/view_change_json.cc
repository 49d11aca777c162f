#include <fmt/format.h>

#include "base/text.h"
#include "iceberg/schema_json.h"
#include "iceberg/view.h"
#include "iceberg/view_json.h"

namespace calve::iceberg {
namespace {

constexpr std::string_view kAssertCreate = "assert-create";
constexpr std::string_view kAssertUuid = "assert-view-uuid";

Result<ViewUpdate> ReadAssignUuid(const JsonObject& object) {
  CALVE_ASSIGN_OR_RETURN(std::string uuid, object.Text("uuid"));
  return ViewUpdate(view_update::AssignUuid{std::move(uuid)});
}

Result<ViewUpdate> ReadUpgradeFormatVersion(const JsonObject& object) {
  CALVE_ASSIGN_OR_RETURN(const int32_t version, object.Int("format-version"));
  return ViewUpdate(view_update::UpgradeFormatVersion{version});
}

Result<ViewUpdate> ReadAddSchema(const JsonObject& object) {
  CALVE_ASSIGN_OR_RETURN(const Json* json, object.Require("schema"));
  CALVE_ASSIGN_OR_RETURN(const JsonObject schema_object, JsonObject::Of(*json, "schema"));
  CALVE_ASSIGN_OR_RETURN(SchemaPtr schema, SchemaFromJson(schema_object));
  return ViewUpdate(view_update::AddSchema{std::move(schema)});
}

Result<ViewUpdate> ReadSetLocation(const JsonObject& object) {
  CALVE_ASSIGN_OR_RETURN(std::string location, object.Text("location"));
  return ViewUpdate(view_update::SetLocation{std::move(location)});
}

Result<ViewUpdate> ReadSetProperties(const JsonObject& object) {
  CALVE_RETURN_IF_ERROR(object.Require("updates"));
  CALVE_ASSIGN_OR_RETURN(auto properties, object.TextMap("updates"));
  return ViewUpdate(view_update::SetProperties{std::move(properties)});
}

Result<ViewUpdate> ReadRemoveProperties(const JsonObject& object) {
  CALVE_ASSIGN_OR_RETURN(std::vector<std::string> keys, object.TextList("removals"));
  return ViewUpdate(view_update::RemoveProperties{std::move(keys)});
}

Result<ViewUpdate> ReadAddVersion(const JsonObject& object) {
  CALVE_ASSIGN_OR_RETURN(const Json* json, object.Require("view-version"));
  CALVE_ASSIGN_OR_RETURN(const JsonObject version_object, JsonObject::Of(*json, "view-version"));
  CALVE_ASSIGN_OR_RETURN(ViewVersion version, ViewVersionFromJson(version_object));
  return ViewUpdate(view_update::AddVersion{std::move(version)});
}

Result<ViewUpdate> ReadSetCurrentVersion(const JsonObject& object) {
  CALVE_ASSIGN_OR_RETURN(const int32_t id, object.Int("view-version-id"));
  return ViewUpdate(view_update::SetCurrentVersion{id});
}

/// How the alternatives of ViewUpdate stand in JSON, in their order.
struct Kind {
  std::string_view action;
  Result<ViewUpdate> (*read)(const JsonObject& object);
};
constexpr Kind kKinds[] = {
    {"assign-uuid", ReadAssignUuid},       {"upgrade-format-version", ReadUpgradeFormatVersion},
    {"add-schema", ReadAddSchema},         {"set-location", ReadSetLocation},
    {"set-properties", ReadSetProperties}, {"remove-properties", ReadRemoveProperties},
    {"add-view-version", ReadAddVersion},  {"set-current-view-version", ReadSetCurrentVersion}};
static_assert(std::size(kKinds) == std::variant_size_v<ViewUpdate>);

/// Add to an object what an update says besides its action.
struct Write {
  Json& json;

  void operator()(const view_update::AssignUuid& update) { json["uuid"] = update.uuid; }
  void operator()(const view_update::UpgradeFormatVersion& update) {
    json["format-version"] = update.format_version;
  }
  void operator()(const view_update::AddSchema& update) {
    json["schema"] = SchemaToJson(*update.schema);
    // Deprecated, but some catalogs (Nessie 0.99) fail without it.
    json["last-column-id"] = update.schema->highest_field_id().value();
  }
  void operator()(const view_update::SetLocation& update) { json["location"] = update.location; }
  void operator()(const view_update::SetProperties& update) { json["updates"] = update.properties; }
  void operator()(const view_update::RemoveProperties& update) { json["removals"] = update.keys; }
  void operator()(const view_update::AddVersion& update) {
    json["view-version"] = ViewVersionToJson(update.version);
  }
  void operator()(const view_update::SetCurrentVersion& update) {
    json["view-version-id"] = update.id;
  }
};

}  // namespace

Result<ViewUpdate> ParseViewUpdate(std::string_view text) {
  CALVE_ASSIGN_OR_RETURN(const Json document, ParseJson(text));
  CALVE_ASSIGN_OR_RETURN(const JsonObject object, JsonObject::Of(document, ""));
  CALVE_ASSIGN_OR_RETURN(const std::string written, object.Text("action"));
  const std::string action = ToLower(written);
  std::vector<std::string> known;
  for (const Kind& kind : kKinds) {
    known.emplace_back(kind.action);
    if (action != kind.action) continue;
    Result<ViewUpdate> update = kind.read(object);
    if (!update.ok()) return While(action, std::move(update).error());
    return update;
  }
  return DataError(fmt::format("action: expected one of {}; found {}{}", Join(known, ", "),
                               Quote(written), DidYouMean(action, known)));
}

std::string SerializeViewUpdate(const ViewUpdate& update) {
  Json json = {{"action", kKinds[update.index()].action}};
  std::visit(Write{json}, update);
  return DumpJson(json);
}

Result<ViewRequirement> ParseViewRequirement(std::string_view text) {
  CALVE_ASSIGN_OR_RETURN(const Json document, ParseJson(text));
  CALVE_ASSIGN_OR_RETURN(const JsonObject object, JsonObject::Of(document, ""));
  CALVE_ASSIGN_OR_RETURN(const std::string type, object.Text("type"));
  if (ToLower(type) == kAssertCreate) return ViewRequirement{};
  if (ToLower(type) != kAssertUuid) {
    return DataError(
        fmt::format("type: expected {} or {}, found {}", kAssertCreate, kAssertUuid, Quote(type)));
  }
  CALVE_ASSIGN_OR_RETURN(std::string uuid, object.Text("uuid"));
  return ViewRequirement{std::move(uuid)};
}

std::string SerializeViewRequirement(const ViewRequirement& requirement) {
  if (!requirement.uuid) return DumpJson({{"type", kAssertCreate}});
  return DumpJson({{"type", kAssertUuid}, {"uuid", *requirement.uuid}});
}

}  // namespace calve::iceberg

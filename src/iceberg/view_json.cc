#include "iceberg/view_json.h"

#include <fmt/format.h>

#include <set>

#include "base/text.h"
#include "iceberg/metadata_rules.h"
#include "iceberg/schema_json.h"

namespace calve::iceberg {
namespace {

Result<ViewRepresentation> RepresentationFromJson(const JsonObject& object) {
  ViewRepresentation way;
  CALVE_ASSIGN_OR_RETURN(const std::string type, object.Text("type"));
  way.type = ToLower(type);
  if (way.type != "sql") return way;
  CALVE_ASSIGN_OR_RETURN(way.sql, object.Text("sql"));
  CALVE_ASSIGN_OR_RETURN(way.dialect, object.Text("dialect"));
  return way;
}

Json RepresentationToJson(const ViewRepresentation& way) {
  Json json = {{"type", way.type}};
  if (way.type != "sql") return json;
  json["sql"] = way.sql;
  json["dialect"] = way.dialect;
  return json;
}

Result<ViewLogEntry> LogEntryFromJson(const JsonObject& object) {
  ViewLogEntry entry;
  CALVE_ASSIGN_OR_RETURN(entry.timestamp_ms, object.Long("timestamp-ms"));
  CALVE_ASSIGN_OR_RETURN(entry.version_id, object.Int("version-id"));
  return entry;
}

Status CheckDialects(const ViewVersion& version) {
  std::set<std::string> dialects;
  for (const ViewRepresentation& way : version.representations) {
    if (way.type == "sql" && !dialects.insert(ToLower(way.dialect)).second) {
      return DataError(fmt::format(
          "Invalid view version: Cannot add multiple queries for dialect {}: version {} "
          "has two",
          way.dialect, version.id));
    }
  }
  return Status::Ok();
}

}  // namespace

Result<ViewVersion> ViewVersionFromJson(const JsonObject& object) {
  ViewVersion version;
  CALVE_ASSIGN_OR_RETURN(version.id, object.Int("version-id"));
  CALVE_ASSIGN_OR_RETURN(const int32_t schema_id, object.Int("schema-id"));
  version.schema_id = SchemaId(schema_id);
  CALVE_ASSIGN_OR_RETURN(version.timestamp_ms, object.Long("timestamp-ms"));
  CALVE_RETURN_IF_ERROR(object.Require("summary"));
  CALVE_ASSIGN_OR_RETURN(version.summary, object.TextMap("summary"));
  CALVE_RETURN_IF_ERROR(object.Require("representations"));
  CALVE_ASSIGN_OR_RETURN(version.representations, object.Objects<ViewRepresentation>(
                                                      "representations", RepresentationFromJson));
  CALVE_ASSIGN_OR_RETURN(version.default_catalog, object.OptionalText("default-catalog"));
  CALVE_ASSIGN_OR_RETURN(version.default_namespace, object.TextList("default-namespace"));
  return version;
}

Json ViewVersionToJson(const ViewVersion& version) {
  Json json = {{"version-id", version.id},
               {"timestamp-ms", version.timestamp_ms},
               {"schema-id", version.schema_id.value()},
               {"summary", Json::object()}};
  for (const auto& [key, value] : version.summary) json["summary"][key] = value;
  SetIf(json, "default-catalog", version.default_catalog);
  json["default-namespace"] = version.default_namespace;
  json["representations"] = Json::array();
  for (const ViewRepresentation& way : version.representations)
    json["representations"].push_back(RepresentationToJson(way));
  return json;
}

Status CheckViewMetadata(const ViewMetadata& metadata) {
  if (metadata.uuid.empty()) return DataError("expected the view to have a UUID, found none");
  if (metadata.location.empty())
    return DataError("expected the view to have a location, found none");
  std::set<SchemaId> schemas;
  for (const SchemaPtr& schema : metadata.schemas) {
    if (!schemas.insert(schema->id()).second)
      return DataError(fmt::format("expected one schema {}, found two", schema->id().value()));
  }
  std::set<int32_t> versions;
  for (const ViewVersion& version : metadata.versions) {
    if (!versions.insert(version.id).second)
      return DataError(fmt::format("expected one version {}, found two", version.id));
    if (!schemas.contains(version.schema_id)) {
      return DataError(fmt::format("version {}: expected a schema of the view, found the schema {}",
                                   version.id, version.schema_id.value()));
    }
    CALVE_RETURN_IF_ERROR(CheckDialects(version));
  }
  if (!versions.contains(metadata.current_version_id)) {
    return DataError(
        fmt::format("current-version-id: expected a version of the view, found the version {}",
                    metadata.current_version_id));
  }
  return Status::Ok();
}

Result<ViewMetadata> ParseViewMetadata(std::string_view text) {
  CALVE_ASSIGN_OR_RETURN(const Json document, ParseJson(text));
  CALVE_ASSIGN_OR_RETURN(const JsonObject object, JsonObject::Of(document, ""));
  ViewMetadata metadata;
  CALVE_ASSIGN_OR_RETURN(metadata.uuid, object.Text("view-uuid"));
  CALVE_ASSIGN_OR_RETURN(const int32_t format_version, object.Int("format-version"));
  if (format_version > kViewFormatVersion) {
    return RefusedError(
        fmt::format("format-version: this version reads views of format {}, found {}; use a newer "
                    "version",
                    kViewFormatVersion, format_version));
  }
  if (format_version < kViewFormatVersion)
    return DataError(
        fmt::format("format-version: expected {}, found {}", kViewFormatVersion, format_version));
  CALVE_ASSIGN_OR_RETURN(const std::string location, object.Text("location"));
  metadata.location = WithoutTrailingSlash(location);
  CALVE_ASSIGN_OR_RETURN(metadata.properties, object.TextMap("properties"));
  for (const std::string_view key : {"schemas", "versions", "version-log"})
    CALVE_RETURN_IF_ERROR(object.Require(key));
  CALVE_ASSIGN_OR_RETURN(metadata.schemas, object.Objects<SchemaPtr>("schemas", SchemaFromJson));
  CALVE_ASSIGN_OR_RETURN(metadata.current_version_id, object.Int("current-version-id"));
  CALVE_ASSIGN_OR_RETURN(metadata.versions,
                         object.Objects<ViewVersion>("versions", ViewVersionFromJson));
  CALVE_ASSIGN_OR_RETURN(metadata.version_log,
                         object.Objects<ViewLogEntry>("version-log", LogEntryFromJson));
  CALVE_RETURN_IF_ERROR(CheckViewMetadata(metadata));
  return metadata;
}

std::string SerializeViewMetadata(const ViewMetadata& metadata) {
  Json json = {{"view-uuid", metadata.uuid},
               {"format-version", kViewFormatVersion},
               {"location", metadata.location}};
  if (!metadata.properties.empty()) {
    for (const auto& [key, value] : metadata.properties) json["properties"][key] = value;
  }
  json["schemas"] = Json::array();
  for (const SchemaPtr& schema : metadata.schemas) json["schemas"].push_back(SchemaToJson(*schema));
  json["current-version-id"] = metadata.current_version_id;
  json["versions"] = Json::array();
  for (const ViewVersion& version : metadata.versions)
    json["versions"].push_back(ViewVersionToJson(version));
  json["version-log"] = Json::array();
  for (const ViewLogEntry& entry : metadata.version_log) {
    json["version-log"].push_back(
        {{"timestamp-ms", entry.timestamp_ms}, {"version-id", entry.version_id}});
  }
  return DumpJson(json);
}

Result<ViewVersion> ParseViewVersion(std::string_view text) {
  CALVE_ASSIGN_OR_RETURN(const Json document, ParseJson(text));
  CALVE_ASSIGN_OR_RETURN(const JsonObject object, JsonObject::Of(document, ""));
  return ViewVersionFromJson(object);
}

std::string SerializeViewVersion(const ViewVersion& version) {
  return DumpJson(ViewVersionToJson(version));
}

}  // namespace calve::iceberg

#include "catalog/rest/table_reply.h"

#include "catalog/rest/json_members.h"
#include "iceberg/json.h"

namespace calve::catalog {
namespace {

using Members = std::map<std::string, std::string_view>;

/// Put the members named `keys` into a small document of their own.
Result<iceberg::Json> Parse(const Members& members, std::initializer_list<const char*> keys) {
  std::string text = "{";
  for (const char* key : keys) {
    const auto found = members.find(key);
    if (found == members.end()) continue;
    text +=
        (text.size() > 1 ? ",\"" : "\"") + std::string(key) + "\":" + std::string(found->second);
  }
  return iceberg::ParseJson(text + "}");
}

Result<std::string_view> MetadataOf(const Members& members) {
  const auto found = members.find("metadata");
  if (found != members.end()) return found->second;
  return DataError("expected a key metadata in the server's answer, found none");
}

Result<std::vector<StorageCredential>> CredentialsOf(const iceberg::JsonObject& object) {
  return object.Objects<StorageCredential>(
      "storage-credentials", [](const iceberg::JsonObject& entry) -> Result<StorageCredential> {
        StorageCredential credential;
        CALVE_ASSIGN_OR_RETURN(credential.prefix, entry.Text("prefix"));
        CALVE_ASSIGN_OR_RETURN(credential.config, entry.TextMap("config"));
        return credential;
      });
}

/// The same failure without a word of what was found: it may be secret.
Error WithoutContent() {
  return DataError(
      "the credentials in the server's answer are not as the REST specification has them: expected "
      "prefix and config, an object of strings");
}

}  // namespace

Result<TableReply> ParseTableReply(std::string_view body) {
  CALVE_ASSIGN_OR_RETURN(const Members members, JsonMembers(body));
  CALVE_ASSIGN_OR_RETURN(const std::string_view metadata, MetadataOf(members));
  CALVE_ASSIGN_OR_RETURN(iceberg::TableMetadata parsed, iceberg::ParseTableMetadata(metadata));
  CALVE_ASSIGN_OR_RETURN(const iceberg::Json where, Parse(members, {"metadata-location"}));
  CALVE_ASSIGN_OR_RETURN(const auto place, iceberg::JsonObject::Of(where, ""));
  TableReply reply;
  CALVE_ASSIGN_OR_RETURN(auto location, place.OptionalText("metadata-location"));
  reply.table.metadata_location = std::move(location).value_or("");
  reply.table.metadata = std::make_shared<const iceberg::TableMetadata>(std::move(parsed));
  const auto read_access = [&]() -> Status {
    CALVE_ASSIGN_OR_RETURN(const iceberg::Json access,
                           Parse(members, {"config", "storage-credentials"}));
    CALVE_ASSIGN_OR_RETURN(const auto object, iceberg::JsonObject::Of(access, ""));
    CALVE_ASSIGN_OR_RETURN(reply.table.config, object.TextMap("config"));
    CALVE_ASSIGN_OR_RETURN(reply.credentials, CredentialsOf(object));
    return Status::Ok();
  };
  if (!read_access().ok()) return WithoutContent();
  return reply;
}

Result<LoadedView> ParseViewReply(std::string_view body) {
  CALVE_ASSIGN_OR_RETURN(const Members members, JsonMembers(body));
  CALVE_ASSIGN_OR_RETURN(const std::string_view metadata, MetadataOf(members));
  CALVE_ASSIGN_OR_RETURN(iceberg::ViewMetadata parsed, iceberg::ParseViewMetadata(metadata));
  CALVE_ASSIGN_OR_RETURN(const iceberg::Json where,
                         Parse(members, {"metadata-location", "config"}));
  CALVE_ASSIGN_OR_RETURN(const auto place, iceberg::JsonObject::Of(where, ""));
  LoadedView view;
  CALVE_ASSIGN_OR_RETURN(auto location, place.OptionalText("metadata-location"));
  view.metadata_location = std::move(location).value_or("");
  view.metadata = std::make_shared<const iceberg::ViewMetadata>(std::move(parsed));
  Result<std::map<std::string, std::string>> config = place.TextMap("config");
  if (!config.ok()) return WithoutContent();
  view.config = std::move(*config);
  return view;
}

Result<std::vector<StorageCredential>> ParseCredentials(std::string_view body) {
  const auto read = [&]() -> Result<std::vector<StorageCredential>> {
    CALVE_ASSIGN_OR_RETURN(const iceberg::Json json, iceberg::ParseJson(body));
    CALVE_ASSIGN_OR_RETURN(const auto object, iceberg::JsonObject::Of(json, ""));
    return CredentialsOf(object);
  };
  auto credentials = read();
  if (!credentials.ok()) return WithoutContent();
  return credentials;
}

}  // namespace calve::catalog

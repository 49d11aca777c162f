#include "server/placement.h"

#include "base/text.h"
#include "iceberg/json.h"
#include "server/wire.h"

namespace calve::server {
namespace {

/// file:/lake and file:///lake are the same place.
std::string OneSpelling(std::string_view uri) {
  constexpr std::string_view kFile = "file:";
  if (!uri.starts_with(kFile)) return std::string(uri);
  std::string_view path = uri.substr(kFile.size());
  while (path.starts_with("//")) path.remove_prefix(1);
  return "file://" + std::string(path);
}

}  // namespace

Status CheckPlace(const Call& call, const std::string& location) {
  const auto everywhere = call.client.rights.find("*");
  if (everywhere != call.client.rights.end() && everywhere->second == Right::kManage)
    return Status::Ok();
  const std::string place = OneSpelling(location);
  const std::string warehouse = OneSpelling(call.server.options().warehouse) + "/";
  const bool inside = place.starts_with(warehouse) && place.find("/../") == std::string::npos &&
                      !place.ends_with("/..");
  if (inside) return Status::Ok();
  return RefusedError("client " + call.client.id + " may keep files in " +
                      call.server.options().warehouse + " only, and asked for " + location);
}

Status CheckPlaces(const Call& call, const iceberg::TableChange& change) {
  for (const iceberg::UpdatePtr& update : change.updates) {
    if (update->action() == "set-location") {
      CALVE_ASSIGN_OR_RETURN(const Json json, iceberg::ParseJson(update->ToJson()));
      CALVE_RETURN_IF_ERROR(CheckPlace(call, json.value("location", "")));
    }
    if (update->action() == "set-properties") {
      CALVE_ASSIGN_OR_RETURN(const Json json, iceberg::ParseJson(update->ToJson()));
      for (const char* key : {"write.metadata.path", "write.data.path"}) {
        if (json["updates"].contains(key))
          CALVE_RETURN_IF_ERROR(CheckPlace(call, json["updates"][key].get<std::string>()));
      }
    }
  }
  return Status::Ok();
}

Result<std::string> PlaceFor(Call& call, const catalog::TableName& name, const std::string& asked) {
  std::string place = asked;
  if (place.empty()) {
    CALVE_ASSIGN_OR_RETURN(place, call.catalog.NewTableLocation(call.context, name));
  } else {
    CALVE_RETURN_IF_ERROR(CheckPlace(call, place));
  }
  while (place.size() > 1 && place.ends_with('/')) place.pop_back();
  CALVE_RETURN_IF_ERROR(call.catalog.CheckLocation(call.context, name, place));
  return place;
}

std::optional<http::Response> NamespaceMissing(Call& call, const catalog::Namespace& ns) {
  const auto found = call.catalog.LoadNamespace(call.context, ns);
  if (found.ok() || found.error().kind != ErrorKind::kNotFound) return std::nullopt;
  return ErrorResponse(found.error(), Subject::kNamespace);
}

Status NameIsFree(Call& call, const catalog::TableName& name) {
  const auto table = call.catalog.LoadTable(call.context, name);
  if (table.ok()) return AlreadyExistsError("table " + name.ToString() + " exists already");
  if (table.error().kind != ErrorKind::kNotFound) return table.status();
  if (!call.catalog.capabilities().views) return Status::Ok();
  const auto view = call.catalog.LoadView(call.context, name);
  if (view.ok())
    return AlreadyExistsError("view with the same name as " + name.ToString() + " exists already");
  return view.error().kind == ErrorKind::kNotFound ? Status::Ok() : view.status();
}

}  // namespace calve::server

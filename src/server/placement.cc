#include "server/placement.h"

#include <fmt/format.h>

#include "base/text.h"
#include "iceberg/json.h"
#include "io/uri.h"
#include "server/wire.h"

namespace calve::server {

Status CheckPlace(const Call& call, const std::string& location) {
  const auto everywhere = call.client.rights.find("*");
  if (everywhere != call.client.rights.end() && everywhere->second == Right::kManage)
    return Status::Ok();
  const std::string place = io::OneSpelling(location);
  const bool inside = io::IsBelow(place, call.server.options().warehouse) &&
                      place.find("/../") == std::string::npos && !place.ends_with("/..");
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
  return ErrorResponse(found.error(), {Subject::kNamespace, catalog::ToString(ns)});
}

Subject HolderOf(Call& call, const catalog::TableName& name) {
  if (call.catalog.LoadTable(call.context, name).ok()) return Subject::kTable;
  const bool views = call.catalog.capabilities().views;
  return views && call.catalog.LoadView(call.context, name).ok() ? Subject::kView : Subject::kNone;
}

http::Response SameName(Subject holder, const catalog::TableName& name) {
  return ErrorResponse(409, "AlreadyExistsException",
                       fmt::format("{} with same name already exists: {}",
                                   holder == Subject::kTable ? "Table" : "View", name.ToString()));
}

std::optional<http::Response> NameTaken(Call& call, const catalog::TableName& name,
                                        Subject wanted) {
  const Subject holder = HolderOf(call, name);
  if (holder == Subject::kNone) return std::nullopt;
  if (holder == wanted) return ErrorResponse(AlreadyExistsError(""), {wanted, name.ToString()});
  return SameName(holder, name);
}

Result<http::Response> AnswerRename(Call& call, Subject subject,
                                    Status (catalog::Catalog::*rename)(const Context&,
                                                                       const catalog::TableName&,
                                                                       const catalog::TableName&)) {
  if (call.remembered.has_value()) return NoContent();
  CALVE_ASSIGN_OR_RETURN(const RenameWish wish, ParseRename(call.request));
  for (const auto& name : {wish.from, wish.to}) {
    if (const Status may = call.Allow(Right::kWrite, name.ns); !may.ok())
      return ErrorResponse(403, "ForbiddenException", may.error().message);
  }
  if (auto missing = NamespaceMissing(call, wish.to.ns)) return std::move(*missing);
  if (const Subject holder = HolderOf(call, wish.to); holder != Subject::kNone) {
    return ErrorResponse(
        409, "AlreadyExistsException",
        fmt::format("Cannot rename {} to {}. {} already exists", wish.from.ToString(),
                    wish.to.ToString(), holder == Subject::kTable ? "Table" : "View"));
  }
  const Status renamed = (call.catalog.*rename)(call.context, wish.from, wish.to);
  if (!renamed.ok()) return ErrorResponse(renamed.error(), {subject, wish.from.ToString()});
  return NoContent();
}

Result<RegisterWish> ParseRegister(Call& call) {
  CALVE_ASSIGN_OR_RETURN(const Json body, BodyOf(call.request));
  CALVE_ASSIGN_OR_RETURN(const auto object, iceberg::JsonObject::Of(body, ""));
  RegisterWish wish{.name = {.ns = call.ns, .name = {}}, .location = {}};
  CALVE_ASSIGN_OR_RETURN(wish.name.name, object.Text("name"));
  CALVE_ASSIGN_OR_RETURN(wish.location, object.Text("metadata-location"));
  CALVE_ASSIGN_OR_RETURN(const auto overwrite, object.OptionalBool("overwrite"));
  wish.overwrite = overwrite.value_or(false);
  return wish;
}

Result<std::optional<http::Response>> RegisterBlocked(Call& call, const RegisterWish& wish,
                                                      Subject wanted) {
  if (wish.overwrite) {
    return std::optional(ErrorResponse(
        400, "UnsupportedOperationException",
        "nothing is registered over another one here: drop " + wish.name.ToString() + " first"));
  }
  if (auto missing = NamespaceMissing(call, call.ns)) return missing;
  CALVE_RETURN_IF_ERROR(CheckPlace(call, wish.location));
  return NameTaken(call, wish.name, wanted);
}

}  // namespace calve::server

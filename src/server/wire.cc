#include "server/wire.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/digest.h"
#include "iceberg/metadata.h"
#include "io/http.h"

namespace calve::server {
namespace {

struct SubjectWords {
  std::string_view noun;
  std::string_view not_found;  ///< The error's type.
};

SubjectWords WordsOf(Subject subject) {
  switch (subject) {
    case Subject::kNamespace:
      return {"Namespace", "NoSuchNamespaceException"};
    case Subject::kTable:
    case Subject::kTables:
      return {"Table", "NoSuchTableException"};
    case Subject::kView:
      return {"View", "NoSuchViewException"};
    case Subject::kNone:
      return {"", "NotFoundException"};
  }
  return {"", "NotFoundException"};
}

/// Clients look for "Table does not exist: ns.t". Who is about nothing by name says it as it is.
std::string Say(const About& about, std::string_view what, const std::string& message) {
  if (about.name.empty()) return message;
  return fmt::format("{} {}: {}", WordsOf(about.subject).noun, what, about.name);
}

/// {"metadata-location": ..., "metadata": <text>, "config": {...}}
http::Response ResultWith(const std::string& location, const std::string& metadata,
                          const std::map<std::string, std::string>& config) {
  http::Response response;
  response.headers = {{"Content-Type", "application/json"}};
  const std::string place = location.empty() ? "null" : Json(location).dump();
  const std::string settings = Json(config).dump();
  response.body.reserve(metadata.size() + place.size() + settings.size() + 64);
  response.body.append(R"({"metadata-location":)").append(place).append(R"(,"metadata":)");
  response.body.append(metadata).append(R"(,"config":)").append(settings).append("}");
  return response;
}

}  // namespace

http::Response JsonResponse(Json json, int status) {
  return {.status = status,
          .headers = {{"Content-Type", "application/json"}},
          .body = iceberg::DumpJson(json)};
}

http::Response NoContent() { return {.status = 204, .headers = {}, .body = {}}; }

http::Response ErrorResponse(int status, std::string_view type, std::string_view message) {
  return JsonResponse({{"error", {{"message", message}, {"type", type}, {"code", status}}}},
                      status);
}

http::Response ErrorResponse(const Error& error, const About& about) {
  switch (error.kind) {
    case ErrorKind::kNotFound:
      return ErrorResponse(404, WordsOf(about.subject).not_found,
                           Say(about, "does not exist", error.message));
    case ErrorKind::kAlreadyExists:
      return ErrorResponse(409, "AlreadyExistsException",
                           Say(about, "already exists", error.message));
    case ErrorKind::kConflict:
      return ErrorResponse(409, "CommitFailedException", error.message);
    case ErrorKind::kUnknownOutcome:
      return ErrorResponse(500, "CommitStateUnknownException", error.message);
    case ErrorKind::kTransient:
    case ErrorKind::kStopped:
      return ErrorResponse(503, "ServiceUnavailableException", error.message);
    case ErrorKind::kConfig:
    case ErrorKind::kData:
      return ErrorResponse(400, "IllegalArgumentException", error.message);
    case ErrorKind::kRefused:
      return ErrorResponse(400, "BadRequestException", error.message);
    case ErrorKind::kBug:
      return ErrorResponse(500, "InternalServerError", error.message);
  }
  return ErrorResponse(500, "InternalServerError", error.message);
}

http::Response OutcomeResponse(const catalog::CommitOutcome& outcome, const About& about) {
  if (const auto* conflict = std::get_if<catalog::Conflict>(&outcome))
    return ErrorResponse(409, "CommitFailedException", conflict->reason);
  if (const auto* unknown = std::get_if<catalog::Unknown>(&outcome))
    return ErrorResponse(500, "CommitStateUnknownException", unknown->reason);
  const auto* refused = std::get_if<catalog::Refused>(&outcome);
  if (refused == nullptr) return ErrorResponse(500, "InternalServerError", "the commit succeeded");
  const ErrorKind kind = refused->error.kind;
  // Clients take 503 for an unknown outcome and leave their files; this one is known.
  if (kind == ErrorKind::kTransient || kind == ErrorKind::kStopped)
    return ErrorResponse(409, "CommitFailedException",
                         "nothing was applied: " + refused->error.message);
  return ErrorResponse(refused->error, about);
}

Result<Json> BodyOf(const http::Request& request) {
  CALVE_ASSIGN_OR_RETURN(Json json, iceberg::ParseJson(request.body));
  if (!json.is_object()) return iceberg::Unexpected("body", "an object", json);
  return json;
}

Result<catalog::Namespace> ParseNamespace(const Json& json, std::string_view place) {
  if (!json.is_array() || json.empty())
    return iceberg::Unexpected(place, "a list of at least one level", json);
  catalog::Namespace ns;
  for (const Json& level : json) {
    if (!level.is_string() || level.get_ref<const std::string&>().empty())
      return iceberg::Unexpected(place, "levels that are texts", level);
    ns.push_back(level.get<std::string>());
  }
  return ns;
}

Result<catalog::TableName> ParseIdentifier(const Json& json, std::string_view place) {
  CALVE_ASSIGN_OR_RETURN(const auto object, iceberg::JsonObject::Of(json, std::string(place)));
  CALVE_ASSIGN_OR_RETURN(const Json* ns, object.Require("namespace"));
  catalog::TableName name;
  CALVE_ASSIGN_OR_RETURN(name.ns, ParseNamespace(*ns, object.PlaceOf("namespace")));
  CALVE_ASSIGN_OR_RETURN(name.name, object.Text("name"));
  if (name.name.empty()) return DataError(object.PlaceOf("name") + ": expected a name");
  return name;
}

Json IdentifierJson(const catalog::TableName& name) {
  return {{"namespace", name.ns}, {"name", name.name}};
}

Result<catalog::Namespace> NamespaceOfPath(std::string_view decoded) {
  catalog::Namespace ns = Split(decoded, '\x1f');
  for (const std::string& level : ns) {
    if (level.empty())
      return DataError("expected namespace levels parted by %1F, none of them empty, in the path");
  }
  return ns;
}

Result<std::string> UrlDecode(std::string_view text) {
  std::string spaced(text);
  std::replace(spaced.begin(), spaced.end(), '+', ' ');
  return io::PercentDecode(spaced);
}

Result<std::map<std::string, std::string>> ParseForm(std::string_view text) {
  std::map<std::string, std::string> form;
  for (const std::string& pair : Split(text, '&')) {
    if (pair.empty()) continue;
    const size_t equals = std::min(pair.find('='), pair.size());
    CALVE_ASSIGN_OR_RETURN(std::string key, UrlDecode(pair.substr(0, equals)));
    const std::string_view rest =
        equals == pair.size() ? std::string_view() : std::string_view(pair).substr(equals + 1);
    CALVE_ASSIGN_OR_RETURN(form[std::move(key)], UrlDecode(rest));
  }
  return form;
}

Result<iceberg::TableChange> ParseTableChange(const Json& json) {
  CALVE_ASSIGN_OR_RETURN(const auto object, iceberg::JsonObject::Of(json, ""));
  iceberg::TableChange change;
  if (object.Find("requirements") != nullptr) {
    CALVE_ASSIGN_OR_RETURN(const Json* requirements, object.Array("requirements"));
    for (const Json& one : *requirements) {
      CALVE_ASSIGN_OR_RETURN(auto parsed, iceberg::ParseRequirement(iceberg::DumpJson(one)));
      change.requirements.push_back(std::move(parsed));
    }
  }
  CALVE_ASSIGN_OR_RETURN(const Json* updates, object.Array("updates"));
  for (const Json& one : *updates) {
    CALVE_ASSIGN_OR_RETURN(auto parsed, iceberg::ParseUpdate(iceberg::DumpJson(one)));
    change.updates.push_back(std::move(parsed));
  }
  return change;
}

Result<RenameWish> ParseRename(const http::Request& request) {
  CALVE_ASSIGN_OR_RETURN(const Json body, BodyOf(request));
  CALVE_ASSIGN_OR_RETURN(const auto object, iceberg::JsonObject::Of(body, ""));
  CALVE_ASSIGN_OR_RETURN(const Json* from, object.Require("source"));
  CALVE_ASSIGN_OR_RETURN(const Json* to, object.Require("destination"));
  RenameWish wish;
  CALVE_ASSIGN_OR_RETURN(wish.from, ParseIdentifier(*from, "source"));
  CALVE_ASSIGN_OR_RETURN(wish.to, ParseIdentifier(*to, "destination"));
  return wish;
}

http::Response TableResponse(const catalog::LoadedTable& table) {
  return TableResponse(table, EntityTag(table.metadata_location));
}

http::Response TableResponse(const catalog::LoadedTable& table, const std::string& tag) {
  http::Response response =
      table.metadata_json != nullptr
          ? ResultWith(table.metadata_location, *table.metadata_json, table.config)
          : ResultWith(table.metadata_location, iceberg::SerializeTableMetadata(*table.metadata),
                       table.config);
  if (!tag.empty()) response.headers.emplace_back("ETag", tag);
  return response;
}

std::string EntityTag(std::string_view metadata_location) {
  return "\"" + ToHex(Sha256(metadata_location)).substr(0, 32) + "\"";
}

http::Response ViewResponse(const catalog::LoadedView& view) {
  return ResultWith(view.metadata_location, iceberg::SerializeViewMetadata(*view.metadata),
                    view.config);
}

Result<Page> PageOf(const Call& call, const std::vector<std::string>& sorted_names) {
  Page page{.begin = 0, .end = sorted_names.size(), .next_token = {}};
  if (const std::string token = call.Query("pageToken"); !token.empty()) {
    const std::optional<std::string> last = FromBase64Url(token);
    if (!last.has_value()) return DataError("expected a pageToken that an answer gave");
    page.begin = static_cast<size_t>(
        std::upper_bound(sorted_names.begin(), sorted_names.end(), *last) - sorted_names.begin());
  }
  if (const std::string size = call.Query("pageSize"); !size.empty()) {
    const std::optional<int64_t> wanted = ParseInteger(size);
    if (!wanted.has_value() || *wanted < 1)
      return DataError("pageSize: expected a number of at least 1, found " + Quote(size));
    const size_t left = page.end - page.begin;
    if (static_cast<size_t>(*wanted) < left) {
      page.end = page.begin + static_cast<size_t>(*wanted);
      page.next_token = ToBase64Url(sorted_names[page.end - 1]);
    }
  }
  return page;
}

Result<http::Response> ListResponse(const Call& call, std::vector<catalog::TableName> names) {
  std::sort(names.begin(), names.end());
  std::vector<std::string> plain;
  for (const catalog::TableName& name : names) plain.push_back(name.name);
  CALVE_ASSIGN_OR_RETURN(const Page page, PageOf(call, plain));
  Json listed = Json::array();
  for (size_t i = page.begin; i < page.end; ++i) listed.push_back(IdentifierJson(names[i]));
  Json body = {{"identifiers", std::move(listed)}};
  if (!page.next_token.empty()) body["next-page-token"] = page.next_token;
  return JsonResponse(std::move(body));
}

}  // namespace calve::server

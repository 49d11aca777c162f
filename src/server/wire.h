#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "base/result.h"
#include "catalog/catalog.h"
#include "http/server.h"
#include "iceberg/json.h"
#include "server/rest_catalog.h"

namespace calve::server {

using iceberg::Json;

http::Response JsonResponse(Json json, int status = 200);
http::Response NoContent();
/// The specification's ErrorModel.
http::Response ErrorResponse(int status, std::string_view type, std::string_view message);
/// The answer to an error of a request. For commits see OutcomeResponse.
http::Response ErrorResponse(const Error& error, const About& about);
/// The answer to a commit that did not succeed: 409 when surely nothing was applied and another try
/// makes sense, 500 when nobody knows.
http::Response OutcomeResponse(const catalog::CommitOutcome& outcome, const About& about);

/// The request's body as a JSON object. Fails with kData.
Result<Json> BodyOf(const http::Request& request);
Result<catalog::Namespace> ParseNamespace(const Json& json, std::string_view place);
/// {"namespace": [...], "name": "..."}
Result<catalog::TableName> ParseIdentifier(const Json& json, std::string_view place);
Json IdentifierJson(const catalog::TableName& name);
/// Levels of a path's {namespace}, which are parted by 0x1F. Fails with kData.
Result<catalog::Namespace> NamespaceOfPath(std::string_view decoded);
/// Decode %XX and +, as browsers and Java's URLEncoder write them. Fails with kData.
Result<std::string> UrlDecode(std::string_view text);
/// key=value&key=value
Result<std::map<std::string, std::string>> ParseForm(std::string_view text);

/// {"requirements": [...], "updates": [...]}
Result<iceberg::TableChange> ParseTableChange(const Json& json);
struct RenameWish {
  catalog::TableName from;
  catalog::TableName to;
};
Result<RenameWish> ParseRename(const http::Request& request);

/// LoadTableResult; the metadata stands in it as its file has it.
http::Response TableResponse(const catalog::LoadedTable& table);
/// The same under an ETag of its own; "" for none.
http::Response TableResponse(const catalog::LoadedTable& table, const std::string& tag);
/// The ETag of a table at this place.
std::string EntityTag(std::string_view metadata_location);
http::Response ViewResponse(const catalog::LoadedView& view);

/// One page of a sorted list, by the query's pageSize and pageToken; all of it without them.
struct Page {
  size_t begin = 0;
  size_t end = 0;
  std::string next_token;  ///< Empty on the last page.
};
Result<Page> PageOf(const Call& call, const std::vector<std::string>& sorted_names);
/// ListTablesResponse, one page of it.
Result<http::Response> ListResponse(const Call& call, std::vector<catalog::TableName> names);

}  // namespace calve::server

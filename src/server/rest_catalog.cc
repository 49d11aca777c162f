#include "server/rest_catalog.h"

#include <fmt/format.h>

#include <utility>
#include <variant>

#include "base/digest.h"
#include "server/wire.h"

namespace calve::server {
namespace {

constexpr std::string_view kPrefix = "/{prefix}";
constexpr size_t kKeyBytesMax = 128;
/// How often a change whose requirements hold is applied again after others were faster.
constexpr int kRacesMax = 20;

std::string WithoutPrefix(std::string pattern) {
  const size_t at = pattern.find(kPrefix);
  return at == std::string::npos ? pattern : pattern.erase(at, kPrefix.size());
}

bool IsLocalName(std::string_view authority) {
  std::string_view host = authority;
  if (host.starts_with('[')) return host.starts_with("[::1]");
  host = host.substr(0, host.find(':'));
  return host == "localhost" || host == "127.0.0.1";
}

/// A browser that was sent here by a foreign page, or a proxy, is not somebody on this machine.
bool ComesFromHere(const http::Request& request) {
  if (!IsLocalName(request.Header("Host"))) return false;
  for (const char* name : {"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP"}) {
    if (!request.Header(name).empty()) return false;
  }
  std::string_view origin = request.Header("Origin");
  if (origin.empty()) return true;
  const size_t slashes = origin.find("//");
  return slashes != std::string_view::npos && IsLocalName(origin.substr(slashes + 2));
}

http::Response Unauthorized(int status, std::string_view message) {
  http::Response response = ErrorResponse(status, "NotAuthorizedException", message);
  response.headers.emplace_back("WWW-Authenticate", "Bearer realm=\"calve\"");
  return response;
}

/// The key under which a request's change is remembered: its sender's, for this very request.
std::string RequestKey(const Client& client, const http::Request& request) {
  const std::string_view key = request.Header("Idempotency-Key");
  const std::string digest =
      ToHex(Sha256(request.method + " " + request.path + "?" + request.query + "\n" + request.body))
          .substr(0, 32);
  return ToHex(Sha256(client.id)).substr(0, 16) + ":" + digest + ":" + std::string(key);
}

}  // namespace

Status Call::Allow(Right right, const catalog::Namespace& where) const {
  if (client.RightIn(where) >= right) return Status::Ok();
  return RefusedError(fmt::format("client {} lacks the right to {} in namespace {}; it has {}",
                                  client.id, ToString(right), catalog::ToString(where),
                                  ToString(client.RightIn(where))));
}

RestCatalog::RestCatalog(const Context& context, catalog::Catalog& catalog, io::FileSystem& files,
                         RestCatalogOptions options)
    : context_(context.WithStop({})),
      catalog_(catalog),
      files_(files),
      options_(std::move(options)),
      access_(options_.clients, options_.token_lifetime),
      everybody_{.id = "everybody", .secret_digest = {}, .rights = {{"*", Right::kManage}}} {
  Registry registry;
  RegisterParts(registry);
  const catalog::Capabilities able = catalog.capabilities();
  for (const RestCatalogRoute& route : registry.routes()) {
    if (route.subject == Subject::kView && !able.views) continue;
    if (route.subject == Subject::kTables && !able.multi_table) continue;
    router_.Add(route.method, WithoutPrefix(route.pattern), route);
    if (route.pattern.find(kPrefix) != std::string::npos)
      endpoints_.push_back(route.method + " " + route.pattern);
  }
}

std::variant<const Client*, http::Response> RestCatalog::Identify(
    const http::Request& request) const {
  if (access_.is_open()) {
    if (ComesFromHere(request)) return &everybody_;
    return ErrorResponse(
        403, "ForbiddenException",
        "with no clients in catalog_server of calve.yaml this catalog answers only "
        "requests that come straight from its own machine, to localhost");
  }
  const std::string_view header = request.Header("Authorization");
  constexpr std::string_view kBearer = "bearer ";
  if (header.size() <= kBearer.size() || ToLower(header.substr(0, kBearer.size())) != kBearer)
    return Unauthorized(401, "expected an Authorization header with a bearer token");
  const Access::Bearer bearer =
      access_.Read(Trim(header.substr(kBearer.size())), context_.clock->Now());
  if (bearer.client == nullptr) return Unauthorized(401, "the token is not one of this catalog's");
  if (bearer.expired) return Unauthorized(419, "the token has expired; get a new one");
  return bearer.client;
}

http::Response RestCatalog::Handle(const http::Request& request) {
  About about;
  Result<http::Response> answered = Route(request, &about);
  if (answered.ok()) return std::move(*answered);
  context_.log->Info(
      "a request failed",
      {{"method", request.method}, {"path", request.path}, {"reason", answered.error().message}});
  return ErrorResponse(answered.error(), about);
}

Result<http::Response> RestCatalog::Route(const http::Request& request, About* about) {
  const auto match = router_.Find(request.method, request.path);
  if (match.handler == nullptr) {
    if (match.path_is_known)
      return ErrorResponse(405, "UnsupportedOperationException",
                           request.path + " does not take " + request.method);
    return ErrorResponse(404, "NotFoundException",
                         "there is nothing at " + request.path +
                             "; this is an Iceberg REST catalog, begin at /v1/config");
  }
  const RestCatalogRoute& route = *match.handler;
  about->subject = route.subject;
  const Client* client = &everybody_;
  if (route.needs_client) {
    auto identified = Identify(request);
    if (auto* refusal = std::get_if<http::Response>(&identified)) return std::move(*refusal);
    client = std::get<const Client*>(identified);
  }
  std::unique_ptr<catalog::Catalog> remembering;
  const std::string_view key = request.Header("Idempotency-Key");
  if (key.size() > kKeyBytesMax)
    return DataError(fmt::format("Idempotency-Key: expected at most {} bytes, found {}",
                                 kKeyBytesMax, key.size()));
  const std::string request_key = key.empty() ? "" : RequestKey(*client, request);
  if (!key.empty()) remembering = catalog_.ForRequest(request_key);
  Call call{.server = *this,
            .context = context_,
            .request = request,
            .catalog = remembering != nullptr ? *remembering : catalog_,
            .client = *client};
  CALVE_ASSIGN_OR_RETURN(call.query, ParseForm(request.query));
  if (!match.parts.empty()) {
    CALVE_ASSIGN_OR_RETURN(const std::string ns, UrlDecode(match.parts[0]));
    CALVE_ASSIGN_OR_RETURN(call.ns, NamespaceOfPath(ns));
    if (client->RightIn(call.ns) < route.right)
      return ErrorResponse(403, "ForbiddenException",
                           call.Allow(route.right, call.ns).error().message);
  }
  if (match.parts.size() > 1) {
    CALVE_ASSIGN_OR_RETURN(call.name, UrlDecode(match.parts[1]));
  }
  if (!match.parts.empty())
    about->name = call.name.empty() ? catalog::ToString(call.ns) : call.table().ToString();
  call.about = *about;
  if (remembering != nullptr) {
    CALVE_ASSIGN_OR_RETURN(call.remembered, catalog_.FindRequest(context_, request_key));
  }
  return route.answer(call);
}

catalog::CommitOutcome RestCatalog::Commit(const Context& context, catalog::Catalog& catalog,
                                           const std::vector<catalog::CatalogChange>& changes) {
  for (int race = 1;; ++race) {
    catalog::CommitOutcome outcome = catalog.Commit(context, changes);
    const bool lost = std::holds_alternative<catalog::Conflict>(outcome);
    if (!lost || race == kRacesMax) return outcome;
    for (const catalog::CatalogChange& change : changes) {
      const Result<catalog::LoadedTable> now = catalog.LoadTable(context, change.table);
      if (!now.ok() && now.error().kind != ErrorKind::kNotFound) return outcome;
      for (const iceberg::RequirementPtr& requirement : change.change.requirements) {
        const Status holds = requirement->Check(now.ok() ? now->metadata.get() : nullptr);
        if (!holds.ok()) return catalog::Conflict{holds.error().message};
      }
    }
  }
}

}  // namespace calve::server

#include "base/text.h"
#include "iceberg/bytes.h"
#include "server/wire.h"

namespace calve::server {
namespace {

constexpr std::string_view kClientCredentials = "client_credentials";
constexpr std::string_view kTokenExchange = "urn:ietf:params:oauth:grant-type:token-exchange";
constexpr std::string_view kAccessToken = "urn:ietf:params:oauth:token-type:access_token";

/// The error form of RFC 6749, section 5.2, which is not the catalog's own.
http::Response OauthError(int status, std::string_view error, std::string_view description) {
  return JsonResponse({{"error", error}, {"error_description", description}}, status);
}

http::Response TokenFor(Call& call, const Client& client) {
  const Access& access = call.server.access();
  http::Response response =
      JsonResponse({{"access_token", access.IssueToken(client, call.context.clock->Now())},
                    {"token_type", "bearer"},
                    {"expires_in", access.token_lifetime().count()},
                    {"issued_token_type", kAccessToken},
                    {"scope", "catalog"}});
  response.headers.emplace_back("Cache-Control", "no-store");
  return response;
}

/// id:secret of an Authorization header, which RFC 6749 has clients prefer.
std::optional<std::pair<std::string, std::string>> BasicOf(const http::Request& request) {
  const std::string_view header = request.Header("Authorization");
  if (ToLower(header.substr(0, 6)) != "basic ") return std::nullopt;
  const std::optional<std::string> both = iceberg::FromBase64(Trim(header.substr(6)));
  if (!both.has_value()) return std::nullopt;
  const size_t colon = both->find(':');
  if (colon == std::string::npos) return std::nullopt;
  return std::pair(both->substr(0, colon), both->substr(colon + 1));
}

Result<http::Response> Tokens(Call& call) {
  CALVE_ASSIGN_OR_RETURN(const auto form, ParseForm(call.request.body));
  const auto field = [&](const char* key) {
    const auto found = form.find(key);
    return found == form.end() ? std::string() : found->second;
  };
  const Access& access = call.server.access();
  const std::string grant = field("grant_type");
  if (grant == kTokenExchange) {
    const Access::Bearer subject = access.Read(field("subject_token"), call.context.clock->Now());
    if (subject.client == nullptr || subject.expired)
      return OauthError(401, "invalid_client", "the subject token is not good, or no longer");
    return TokenFor(call, *subject.client);
  }
  if (grant != kClientCredentials)
    return OauthError(
        400, "unsupported_grant_type",
        "expected grant_type client_credentials or token-exchange, found " + Quote(grant));
  auto [id, secret] =
      BasicOf(call.request).value_or(std::pair(field("client_id"), field("client_secret")));
  const Client* client = access.FindBySecret(id, secret);
  if (client == nullptr)
    return OauthError(401, "invalid_client", "no client of this catalog has that id and secret");
  return TokenFor(call, *client);
}

}  // namespace

CALVE_PART(oauth) {
  registry.Add(
      {.method = "POST", .pattern = "/v1/oauth/tokens", .answer = Tokens, .needs_client = false});
}

}  // namespace calve::server

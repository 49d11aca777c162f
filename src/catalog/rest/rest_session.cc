#include "catalog/rest/rest_session.h"

#include "base/text.h"
#include "iceberg/json.h"
#include "io/uri.h"

namespace calve::catalog {
namespace {

using Properties = std::map<std::string, std::string>;

/// What a server without a list of endpoints has (REST specification, getConfig), as far as it is
/// asked about.
constexpr std::string_view kEndpointsOfOld[] = {endpoint::kCreateTable, endpoint::kRename,
                                                endpoint::kRegister, endpoint::kCommitTransaction,
                                                endpoint::kUpdateNamespace};

struct ServerConfig {
  Properties defaults;
  Properties overrides;
  std::vector<std::string> endpoints;
  std::optional<std::chrono::milliseconds> key_lifetime;
};

Result<ServerConfig> ParseConfig(const std::string& body) {
  CALVE_ASSIGN_OR_RETURN(const iceberg::Json json, iceberg::ParseJson(body));
  CALVE_ASSIGN_OR_RETURN(const auto object, iceberg::JsonObject::Of(json, ""));
  ServerConfig config;
  CALVE_ASSIGN_OR_RETURN(config.defaults, object.TextMap("defaults"));
  CALVE_ASSIGN_OR_RETURN(config.overrides, object.TextMap("overrides"));
  if (object.Find("endpoints") != nullptr) {
    CALVE_ASSIGN_OR_RETURN(config.endpoints, object.TextList("endpoints"));
  }
  CALVE_ASSIGN_OR_RETURN(const auto lifetime, object.OptionalText("idempotency-key-lifetime"));
  // A lifetime that nobody understands is none: then nothing is sent twice.
  if (lifetime.has_value()) config.key_lifetime = ParseIsoDuration(*lifetime);
  return config;
}

Result<ServerConfig> FetchConfig(const Context& context, RestClient& client) {
  const std::string& warehouse = client.settings().warehouse;
  RestRequest request{.doing = "read the catalog's configuration", .path = "v1/config"};
  if (!warehouse.empty()) request.query.emplace_back("warehouse", warehouse);
  CALVE_ASSIGN_OR_RETURN(const Answer answer, client.Send(context, request));
  if (!answer.ok()) {
    Error error = client.ErrorOf(request, answer);
    if (error.kind == ErrorKind::kNotFound) {
      error.kind = ErrorKind::kConfig;
      error.message += answer.refusal->type.empty()
                           ? "; uri is the address up to where /v1 begins"
                           : "; is warehouse " + Quote(warehouse) + " one of the server's?";
    }
    if (error.kind == ErrorKind::kConflict) error.kind = ErrorKind::kRefused;
    return error;
  }
  Result<ServerConfig> config = ParseConfig(answer.response.body);
  if (config.ok()) return config;
  return ConfigError("the answer of " + io::ShownUri(client.settings().uri) +
                     "/v1/config is no catalog's configuration (" + config.error().message +
                     "); uri is the address up to where /v1 begins");
}

std::string EncodedLevels(const Namespace& ns, const std::string& separator) {
  std::string encoded;
  for (const std::string& level : ns) {
    if (!encoded.empty()) encoded += separator;
    encoded += io::PercentEncode(level);
  }
  return encoded;
}

}  // namespace

Result<std::shared_ptr<RestSession>> RestSession::Open(const Context& context,
                                                       const Properties& properties,
                                                       std::shared_ptr<io::HttpClient> http) {
  CALVE_ASSIGN_OR_RETURN(const RestSettings first, RestSettings::From(properties));
  auto token = std::make_shared<AccessToken>(first.oauth2, http);
  RestClient client(first, token, http);
  CALVE_ASSIGN_OR_RETURN(const ServerConfig config, FetchConfig(context, client));
  Properties merged = config.overrides;
  merged.insert(properties.begin(), properties.end());
  merged.insert(config.defaults.begin(), config.defaults.end());
  Result<RestSettings> settings = RestSettings::From(merged);
  if (!settings.ok())
    return While("the configuration of " + io::ShownUri(first.uri), std::move(settings).error());
  // The token that served for the configuration serves on, unless the server says otherwise.
  if (settings->oauth2 != first.oauth2)
    token = std::make_shared<AccessToken>(settings->oauth2, http);
  std::shared_ptr<RestSession> session(
      new RestSession(std::move(*settings), std::move(token), std::move(http)));
  session->client_.set_key_lifetime(config.key_lifetime);
  session->endpoints_.insert(config.endpoints.begin(), config.endpoints.end());
  if (config.endpoints.empty())
    session->endpoints_.insert(std::begin(kEndpointsOfOld), std::end(kEndpointsOfOld));
  return session;
}

std::string RestSession::Path(std::string_view rest) const {
  // The server's word stands as it is, but for what no address can hold.
  const std::string prefix = io::PercentEncode(settings().prefix, "/%:@!$&'()*+,;=");
  return "v1/" + (prefix.empty() ? "" : prefix + "/") + std::string(rest);
}

std::string RestSession::NamespacePath(const Namespace& ns, std::string_view rest) const {
  return Path("namespaces/" + EncodedLevels(ns, settings().namespace_separator) +
              std::string(rest));
}

std::string RestSession::TablePath(const TableName& table, std::string_view rest) const {
  return NamespacePath(table.ns, "/tables/" + io::PercentEncode(table.name) + std::string(rest));
}

std::string RestSession::ViewPath(const TableName& view) const {
  return NamespacePath(view.ns, "/views/" + io::PercentEncode(view.name));
}

std::string RestSession::QueryOf(const Namespace& ns) const {
  return Join(
      ns,
      io::PercentDecode(settings().namespace_separator).value_or(settings().namespace_separator));
}

}  // namespace calve::catalog

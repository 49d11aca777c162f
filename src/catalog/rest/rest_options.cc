#include "catalog/rest/rest_options.h"

#include "base/text.h"
#include "io/uri.h"

namespace calve::catalog {
namespace {

using Properties = std::map<std::string, std::string>;

std::string Get(const Properties& properties, const std::string& key,
                const std::string& otherwise = "") {
  const auto found = properties.find(key);
  return found == properties.end() || found->second.empty() ? otherwise : found->second;
}

Result<bool> GetBool(const Properties& properties, const std::string& key) {
  const std::string value = ToLower(Get(properties, key, "false"));
  if (value == "true" || value == "false") return value == "true";
  return ConfigError(key + ": expected true or false, found " + Quote(value));
}

std::string WithoutSlash(std::string uri) {
  while (uri.ends_with('/')) uri.pop_back();
  return uri;
}

Status CheckUri(const std::string& uri) {
  const std::string scheme = io::SchemeOf(uri);
  if (scheme == "http" || scheme == "https") return Status::Ok();
  return ConfigError("expected http://host:port or https://host, found " +
                     Quote(io::ShownUri(uri)));
}

Result<std::optional<io::AwsSignature>> SignatureOf(const Properties& properties) {
  CALVE_ASSIGN_OR_RETURN(const bool enabled, GetBool(properties, "rest.sigv4-enabled"));
  if (!enabled) return std::optional<io::AwsSignature>();
  io::AwsSignature sign{
      .access_key_id = Get(properties, "rest.access-key-id"),
      .secret_access_key = Get(properties, "rest.secret-access-key"),
      .session_token = Get(properties, "rest.session-token"),
      .region = Get(properties, "rest.signing-region", Get(properties, "client.region")),
      .service = Get(properties, "rest.signing-name", "execute-api")};
  if (sign.access_key_id.empty() || sign.secret_access_key.empty()) {
    return ConfigError(
        "rest.sigv4-enabled: expected rest.access-key-id and rest.secret-access-key, or "
        "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment, found none");
  }
  if (sign.region.empty()) {
    return ConfigError(
        "rest.sigv4-enabled: expected rest.signing-region, or AWS_REGION in the environment, "
        "found none");
  }
  return std::optional(std::move(sign));
}

}  // namespace

config::Shape<RestOptions> RestOptions::Declaration() {
  config::Shape<RestOptions> shape(
      "rest catalog",
      "Use a catalog server that speaks the Iceberg REST specification, such as Polaris, "
      "Lakekeeper, Nessie or calve's own.");
  shape.Required("uri", &RestOptions::uri, "The server's address, up to where /v1 begins.",
                 {.example = "https://catalog.example.com/api"});
  shape.Optional("warehouse", &RestOptions::warehouse,
                 "Which of the server's warehouses: a name or a place, as the server calls it.");
  shape.Optional("prefix", &RestOptions::prefix,
                 "What stands between /v1 and the rest of each path.",
                 {.default_text = "what the server says"});
  shape.Optional("token", &RestOptions::token, "A bearer token.", {.secret = true});
  shape.Optional("credential", &RestOptions::credential,
                 "Client id and secret, as id:secret, for which an OAuth2 server gives a token.",
                 {.example = "${CLIENT_ID}:${CLIENT_SECRET}", .secret = true});
  shape.Optional("oauth2-server-uri", &RestOptions::oauth2_server_uri,
                 "Where tokens are got; below `uri` where it has no scheme.",
                 {.default_text = "v1/oauth/tokens below `uri`"});
  shape.Optional("scope", &RestOptions::scope, "The scope of the token.",
                 {.default_text = "catalog"});
  shape.Optional("audience", &RestOptions::audience, "The audience of the token.");
  shape.Optional("resource", &RestOptions::resource, "The resource that the token is for.");
  shape.Optional("token-exchange-enabled", &RestOptions::token_exchange_enabled,
                 "Have a token renewed by token exchange where there is no credential.",
                 {.default_text = "false"});
  shape.Optional("rest.sigv4-enabled", &RestOptions::sigv4_enabled,
                 "Sign each request as AWS Signature Version 4 says.", {.default_text = "false"});
  shape.Optional("rest.signing-name", &RestOptions::signing_name, "The service signed for.",
                 {.default_text = "execute-api"});
  shape.Optional("rest.signing-region", &RestOptions::signing_region, "The region signed for.",
                 {.environment = "AWS_REGION"});
  shape.Optional("rest.access-key-id", &RestOptions::access_key_id, "The key signed with.",
                 {.environment = "AWS_ACCESS_KEY_ID"});
  shape.Optional("rest.secret-access-key", &RestOptions::secret_access_key, "Its secret.",
                 {.secret = true, .environment = "AWS_SECRET_ACCESS_KEY"});
  shape.Optional("rest.session-token", &RestOptions::session_token, "The token of temporary keys.",
                 {.secret = true, .environment = "AWS_SESSION_TOKEN"});
  shape.Optional("headers", &RestOptions::headers,
                 "Headers of each request: what Iceberg's clients call header.NAME.",
                 {.secret = true});
  shape.Optional("rest-page-size", &RestOptions::page_size, "How many names one listing asks for.",
                 {.min = 1, .default_text = "as the server likes"});
  shape.Optional("vended-credentials", &RestOptions::vended_credentials,
                 "Ask the server for credentials to each table's files, and use them over those of "
                 "`storage`.");
  shape.Check("uri", [](const RestOptions& options) { return CheckUri(options.uri); });
  return shape;
}

std::map<std::string, std::string> RestOptions::ToProperties() const {
  Properties properties = {{"uri", uri},
                           {"warehouse", warehouse},
                           {"prefix", prefix},
                           {"token", token},
                           {"credential", credential},
                           {"oauth2-server-uri", oauth2_server_uri},
                           {"scope", scope},
                           {"audience", audience},
                           {"resource", resource},
                           {"rest.signing-name", signing_name},
                           {"rest.signing-region", signing_region},
                           {"rest.access-key-id", access_key_id},
                           {"rest.secret-access-key", secret_access_key},
                           {"rest.session-token", session_token}};
  const auto set_bool = [&](const char* key, const std::optional<bool>& value) {
    if (value.has_value()) properties[key] = *value ? "true" : "false";
  };
  set_bool("token-exchange-enabled", token_exchange_enabled);
  set_bool("rest.sigv4-enabled", sigv4_enabled);
  if (page_size.has_value()) properties["rest-page-size"] = std::to_string(*page_size);
  for (const auto& [name, value] : headers) properties["header." + name] = value;
  std::erase_if(properties, [](const auto& property) { return property.second.empty(); });
  return properties;
}

Result<RestSettings> RestSettings::From(const std::map<std::string, std::string>& properties) {
  RestSettings settings;
  settings.uri = WithoutSlash(Get(properties, "uri"));
  if (Status checked = CheckUri(settings.uri); !checked.ok())
    return While("uri", std::move(checked).error());
  settings.warehouse = Get(properties, "warehouse");
  settings.prefix = Get(properties, "prefix");
  settings.namespace_separator = Get(properties, "namespace-separator", "%1F");
  const std::string page_size = Get(properties, "rest-page-size");
  if (!page_size.empty()) {
    const std::optional<int64_t> number = ParseInteger(page_size);
    if (!number.has_value() || *number < 1 || *number > 1'000'000)
      return ConfigError("rest-page-size: expected a number from 1 on, found " + Quote(page_size));
    settings.page_size = static_cast<int>(*number);
  }
  for (const auto& [key, value] : properties) {
    if (key.starts_with("header.")) settings.headers.emplace_back(key.substr(7), value);
  }
  CALVE_ASSIGN_OR_RETURN(const bool exchange, GetBool(properties, "token-exchange-enabled"));
  std::string server = Get(properties, "oauth2-server-uri", "v1/oauth/tokens");
  if (io::SchemeOf(server).empty()) {
    server = settings.uri + (server.starts_with('/') ? "" : "/") + server;
  }
  settings.oauth2 = {.token = Get(properties, "token"),
                     .credential = Get(properties, "credential"),
                     .server_uri = std::move(server),
                     .scope = Get(properties, "scope", "catalog"),
                     .audience = Get(properties, "audience"),
                     .resource = Get(properties, "resource"),
                     .token_exchange = exchange};
  CALVE_ASSIGN_OR_RETURN(settings.sign, SignatureOf(properties));
  if (Get(properties, "nessie.is-nessie-catalog") == "true")
    settings.nessie_uri = Get(properties, "nessie.core-base-uri", "http://HOST:19120/api/");
  return settings;
}

}  // namespace calve::catalog

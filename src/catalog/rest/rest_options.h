#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>

#include "config/option.h"
#include "io/http.h"

namespace calve::catalog {

/// What calve.yaml says of a rest catalog. Keys are those of Iceberg's own clients; "" is not given.
struct RestOptions {
  std::string uri;
  std::string warehouse;
  std::string prefix;
  std::string token;
  std::string credential;
  std::string oauth2_server_uri;
  std::string scope;
  std::string audience;
  std::string resource;
  std::optional<bool> token_exchange_enabled;
  std::optional<bool> sigv4_enabled;
  std::string signing_name;
  std::string signing_region;
  std::string access_key_id;
  std::string secret_access_key;
  std::string session_token;
  std::map<std::string, std::string> headers;
  std::optional<int> page_size;
  bool vended_credentials = true;

  static config::Shape<RestOptions> Declaration();

  /// What was given, under Iceberg's names, to be merged with what the server says.
  std::map<std::string, std::string> ToProperties() const;
};

/// How to get a token from an OAuth2 server.
struct OAuth2Settings {
  std::string token;       ///< To begin with; may be empty.
  std::string credential;  ///< `id:secret` or `secret`; may be empty.
  std::string server_uri;
  std::string scope;
  std::string audience;
  std::string resource;
  bool token_exchange = false;

  bool is_used() const { return !token.empty() || !credential.empty(); }
  bool operator==(const OAuth2Settings&) const = default;
};

/// What a catalog works with once its own options and the server's are merged.
struct RestSettings {
  std::string uri;  ///< Without / at its end.
  std::string warehouse;
  std::string prefix;
  std::string namespace_separator;  ///< As it stands in a path: percent-encoded.
  std::optional<int> page_size;
  io::HttpHeaders headers;
  OAuth2Settings oauth2;
  std::optional<io::AwsSignature> sign;
  /// Where the server is Nessie, the address of its own API, with / at its end; else "".
  std::string nessie_uri;

  /// Fails with kConfig naming the property.
  static Result<RestSettings> From(const std::map<std::string, std::string>& properties);
};

}  // namespace calve::catalog

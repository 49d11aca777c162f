#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "config/option.h"
#include "source/cursor_track.h"

namespace calve::source::api {

enum class AuthType { kNone, kBasic, kBearer, kApiKey, kOauth2 };
config::Names<AuthType> NamesOf(AuthType);

enum class KeyPlace { kHeader, kQuery };
config::Names<KeyPlace> NamesOf(KeyPlace);

enum class ClientPlace { kBody, kHeader };
config::Names<ClientPlace> NamesOf(ClientPlace);

enum class Pagination { kNone, kPage, kOffset, kCursor, kLink };
config::Names<Pagination> NamesOf(Pagination);

enum class ParamPlace { kQuery, kBody };
config::Names<ParamPlace> NamesOf(ParamPlace);

enum class Method { kGet, kPost };
config::Names<Method> NamesOf(Method);

/// How to sign in; which keys count depends on the type.
struct AuthConfig {
  std::string username;
  std::string password;
  std::string token;
  std::string key;
  std::string name = "X-API-Key";
  KeyPlace in = KeyPlace::kHeader;
  std::string token_url;
  std::string client_id;
  std::string client_secret;
  std::string scope;
  ClientPlace client_in = ClientPlace::kBody;
  std::map<std::string, std::string> token_params;

  static config::Shape<AuthConfig> Declaration();
};

/// How pages are asked for, and where replies tell of them; which keys count depends on the
/// strategy.
struct PaginationConfig {
  std::string page_param = "page";
  int64_t first_page = 1;
  std::string offset_param = "offset";
  std::string cursor_param = "cursor";
  std::string cursor_path;
  std::string cursor_field;
  std::string next_path;
  std::string size_param;
  int64_t size = 100;
  std::string more_path;
  std::string total_path;
  ParamPlace in = ParamPlace::kQuery;
  int64_t pages_max = 100'000;

  static config::Shape<PaginationConfig> Declaration();
};

/// The endpoint whose records name the endpoints that are read.
struct ParentOptions {
  std::string endpoint;
  std::map<std::string, std::string> params;
  std::string records_path;
  std::map<std::string, std::string> include;

  static config::Shape<ParentOptions> Declaration();
};

/// Options of the api source.
struct ApiOptions : CursorOptions {
  std::string base_url;
  std::string endpoint;
  std::vector<std::string> endpoints;
  Method method = Method::kGet;
  std::map<std::string, std::string> params;
  std::map<std::string, std::string> headers;
  std::string body;
  AuthType auth_type = AuthType::kNone;
  AuthConfig auth_config;
  Pagination pagination_strategy = Pagination::kNone;
  PaginationConfig pagination_config;
  std::string records_path;
  std::optional<ParentOptions> parent;
  std::string key;
  int64_t requests_per_minute = 0;
  int tries_max = 6;
  std::chrono::milliseconds timeout{60'000};
  std::chrono::milliseconds retry_after_max{300'000};
  std::map<std::string, std::string> types;
  ByteCount sample{1'000'000};

  static config::Shape<ApiOptions> Declaration();

  /// One or several.
  std::vector<std::string> AllEndpoints() const;
};

/// The keys of a path such as "data.items"; none of an empty one.
std::vector<std::string> KeysOf(const std::string& path);

/// The names between braces in an endpoint: "customers/{id}/orders" has id. Fails with kConfig on a
/// brace without its other.
Result<std::vector<std::string>> PlaceholdersOf(const std::string& endpoint);

/// What a path names that begins with "header:"; nothing when it leads into the body.
std::optional<std::string> HeaderOf(const std::string& path);

}  // namespace calve::source::api

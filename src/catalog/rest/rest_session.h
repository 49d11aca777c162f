#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>

#include "catalog/catalog.h"
#include "catalog/rest/rest_client.h"

namespace calve::catalog {

/// A catalog server as its configuration describes it (REST specification, getConfig): where things
/// are and what it can do. Threads: any.
class RestSession {
 public:
  /// Ask the server for its configuration and merge it with the catalog's own options: the server's
  /// defaults, under the options, under the server's overrides.
  static Result<std::shared_ptr<RestSession>> Open(
      const Context& context, const std::map<std::string, std::string>& properties,
      std::shared_ptr<io::HttpClient> http);

  RestClient& client() { return client_; }
  const RestSettings& settings() const { return client_.settings(); }

  /// Whether the server has an endpoint, as the specification writes it: "POST
  /// /v1/{prefix}/transactions/commit". Where the server names none, those of old are assumed.
  bool Has(std::string_view endpoint) const { return endpoints_.contains(endpoint); }

  /// Paths, with `rest` behind: "v1/prefix/namespaces/a%1Fb/tables".
  std::string Path(std::string_view rest) const;
  std::string NamespacePath(const Namespace& ns, std::string_view rest = "") const;
  std::string TablePath(const TableName& table, std::string_view rest = "") const;
  std::string ViewPath(const TableName& view) const;
  /// A namespace as the value of a query.
  std::string QueryOf(const Namespace& ns) const;

 private:
  RestSession(RestSettings settings, std::shared_ptr<AccessToken> token,
              std::shared_ptr<io::HttpClient> http)
      : client_(std::move(settings), std::move(token), std::move(http)) {}

  RestClient client_;
  std::set<std::string, std::less<>> endpoints_;
};

namespace endpoint {
inline constexpr std::string_view kCreateTable = "POST /v1/{prefix}/namespaces/{namespace}/tables";
inline constexpr std::string_view kRename = "POST /v1/{prefix}/tables/rename";
inline constexpr std::string_view kRegister = "POST /v1/{prefix}/namespaces/{namespace}/register";
inline constexpr std::string_view kCommitTransaction = "POST /v1/{prefix}/transactions/commit";
inline constexpr std::string_view kUpdateNamespace =
    "POST /v1/{prefix}/namespaces/{namespace}/properties";
inline constexpr std::string_view kCredentials =
    "GET /v1/{prefix}/namespaces/{namespace}/tables/{table}/credentials";
inline constexpr std::string_view kLoadView =
    "GET /v1/{prefix}/namespaces/{namespace}/views/{view}";
inline constexpr std::string_view kRegisterView =
    "POST /v1/{prefix}/namespaces/{namespace}/register-view";
}  // namespace endpoint

}  // namespace calve::catalog

#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/context.h"
#include "base/registry.h"
#include "base/result.h"
#include "catalog/catalog.h"
#include "http/server.h"
#include "io/file_system.h"
#include "server/access.h"
#include "server/router.h"

namespace calve::server {

struct RestCatalogOptions {
  std::vector<Client> clients;  ///< None: whoever asks from this machine may do everything.
  std::chrono::seconds token_lifetime{3600};
  std::string warehouse;  ///< URI; a client may name it, or the catalog, as its `warehouse`.
  /// What clients are told in `defaults`: how to reach the storage. No secrets.
  std::map<std::string, std::string> client_defaults;
};

class RestCatalog;

/// One request on its way through a route.
struct Call {
  RestCatalog& server;
  const Context& context;
  const http::Request& request;
  /// The catalog; it remembers what it changes under the request's Idempotency-Key, if it has one.
  catalog::Catalog& catalog;
  const Client& client;
  std::map<std::string, std::string> query = {};
  catalog::Namespace ns = {};  ///< Of the path's {namespace}.
  std::string name = {};       ///< Of the path's {table} or {view}.
  /// What the same request was answered when it came for the first time.
  std::optional<catalog::Remembered> remembered = {};

  catalog::TableName table() const { return {ns, name}; }
  std::string Query(const std::string& key) const {
    const auto found = query.find(key);
    return found == query.end() ? "" : found->second;
  }
  /// Fails with kRefused unless the client has the right; the answer is 403.
  Status Allow(Right right, const catalog::Namespace& where) const;
};

/// What a route is about, which names the error of what is not there.
enum class Subject { kNone, kNamespace, kTable, kView };

/// One route of the REST catalog specification, as it registers itself.
struct RestCatalogRoute {
  std::string method;
  std::string pattern;  ///< As the specification writes it: /v1/{prefix}/namespaces/{namespace}.
  Subject subject = Subject::kNone;
  /// What the client needs in the path's {namespace}; without one the route asks by itself.
  Right right = Right::kNone;
  std::function<Result<http::Response>(Call& call)> answer;
  bool needs_client = true;  ///< False: anybody may ask.
};

/// All routes. Filled once at start by RegisterParts.
class Registry {
 public:
  void Add(RestCatalogRoute route) { routes_.push_back(std::move(route)); }
  const std::vector<RestCatalogRoute>& routes() const { return routes_; }

 private:
  std::vector<RestCatalogRoute> routes_;
};

/// Written by the build: calls every CALVE_PART of this room.
void RegisterParts(Registry& registry);

/// Serves a catalog by the Iceberg REST catalog specification. Threads: any, at once.
class RestCatalog {
 public:
  /// All given must outlive it.
  RestCatalog(const Context& context, catalog::Catalog& catalog, io::FileSystem& files,
              RestCatalogOptions options);

  http::Response Handle(const http::Request& request);

  const RestCatalogOptions& options() const { return options_; }
  const Access& access() const { return access_; }
  catalog::Catalog& catalog() { return catalog_; }
  io::FileSystem& files() { return files_; }
  /// The routes in the specification's words: `GET /v1/{prefix}/namespaces`.
  const std::vector<std::string>& endpoints() const { return endpoints_; }

  /// Commit what a client has computed. When only the race for a pointer was lost and all
  /// requirements still hold, it is applied again.
  catalog::CommitOutcome Commit(const Context& context, catalog::Catalog& catalog,
                                const std::vector<catalog::CatalogChange>& changes);

 private:
  Result<http::Response> Route(const http::Request& request, Subject* subject);
  /// Whose request it is; a response when it is nobody's.
  std::variant<const Client*, http::Response> Identify(const http::Request& request) const;

  const Context context_;
  catalog::Catalog& catalog_;
  io::FileSystem& files_;
  const RestCatalogOptions options_;
  const Access access_;
  const Client everybody_;
  Router<RestCatalogRoute> router_;
  std::vector<std::string> endpoints_;
};

}  // namespace calve::server

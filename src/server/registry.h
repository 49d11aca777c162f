#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/context.h"
#include "base/registry.h"
#include "base/result.h"
#include "catalog/catalog.h"
#include "http/server.h"
#include "server/access.h"

namespace calve::server {

class RestCatalog;

/// What a route is about, which names the error of what is not there.
enum class Subject { kNone, kNamespace, kTable, kTables, kView };

/// What a request is about, for the words of its errors: clients know a few sentences of Iceberg's
/// own server and look for them.
struct About {
  Subject subject = Subject::kNone;
  std::string name;  ///< Of the namespace, table or view; empty where the request has none.
};

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

  About about = {};

  catalog::TableName table() const { return {ns, name}; }
  std::string Query(const std::string& key) const {
    const auto found = query.find(key);
    return found == query.end() ? "" : found->second;
  }
  /// Fails with kRefused unless the client has the right; the answer is 403.
  Status Allow(Right right, const catalog::Namespace& where) const;
};

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

}  // namespace calve::server

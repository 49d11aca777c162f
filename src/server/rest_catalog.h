#pragma once

#include <chrono>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "base/context.h"
#include "base/result.h"
#include "catalog/catalog.h"
#include "http/server.h"
#include "io/file_system.h"
#include "server/access.h"
#include "server/registry.h"
#include "server/router.h"

namespace calve::server {

struct RestCatalogOptions {
  std::vector<Client> clients;  ///< None: whoever asks from this machine may do everything.
  std::chrono::seconds token_lifetime{3600};
  std::string warehouse;  ///< URI; a client may name it, or the catalog, as its `warehouse`.
  /// What clients are told in `defaults`: how to reach the storage. No secrets.
  std::map<std::string, std::string> client_defaults;
};

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
  /// Tells what the request is about as soon as it is known.
  Result<http::Response> Route(const http::Request& request, About* about);
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

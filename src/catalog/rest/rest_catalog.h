#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "catalog/registry.h"
#include "catalog/rest/rest_options.h"
#include "catalog/rest/rest_session.h"
#include "catalog/rest/table_access.h"
#include "catalog/rest/table_cache.h"
#include "catalog/rest/table_reply.h"
#include "iceberg/json.h"

namespace calve::catalog {

/// Tables and views of a catalog server. Its own configuration is read at the first call; until
/// then capabilities() says what the REST specification lets one assume.
class RestCatalog : public Catalog {
 public:
  RestCatalog(RestOptions options, Resources resources, std::shared_ptr<io::HttpClient> http)
      : options_(std::move(options)), resources_(std::move(resources)), http_(std::move(http)) {}

  const std::string& name() const override { return resources_.name; }
  Capabilities capabilities() const override;

  Result<std::vector<Namespace>> ListNamespaces(const Context& context,
                                                const Namespace& parent) override;
  Status CreateNamespace(const Context& context, const Namespace& ns,
                         const std::map<std::string, std::string>& properties) override;
  Result<std::map<std::string, std::string>> LoadNamespace(const Context& context,
                                                           const Namespace& ns) override;
  Status DropNamespace(const Context& context, const Namespace& ns) override;
  Result<NamespaceUpdate> UpdateNamespace(
      const Context& context, const Namespace& ns, const std::vector<std::string>& removals,
      const std::map<std::string, std::string>& updates) override;

  Result<std::vector<TableName>> ListTables(const Context& context, const Namespace& ns) override;
  Result<LoadedTable> LoadTable(const Context& context, const TableName& table) override;
  CommitOutcome Commit(const Context& context, const std::vector<CatalogChange>& changes) override;
  Status DropTable(const Context& context, const TableName& table) override;
  Status RenameTable(const Context& context, const TableName& from, const TableName& to) override;
  Result<LoadedTable> RegisterTable(const Context& context, const TableName& table,
                                    const std::string& metadata_location) override;
  /// The place that the server names for a table that it is told to stage; the namespace is made
  /// when it is missing, since no server says where tables of a missing one go.
  Result<std::string> NewTableLocation(const Context& context, const TableName& table) override;
  /// Ask the server, and get its credentials for that place.
  Status CheckLocation(const Context& context, const TableName& table,
                       const std::string& location) override;

  Result<std::vector<TableName>> ListViews(const Context& context, const Namespace& ns) override;
  Result<LoadedView> LoadView(const Context& context, const TableName& view) override;
  Result<LoadedView> CommitView(const Context& context, const TableName& view,
                                const iceberg::ViewChange& change) override;
  Status DropView(const Context& context, const TableName& view) override;
  Status RenameView(const Context& context, const TableName& from, const TableName& to) override;
  Result<LoadedView> RegisterView(const Context& context, const TableName& view,
                                  const std::string& metadata_location) override;

 private:
  using Session = std::shared_ptr<RestSession>;

  Result<Session> Connect(const Context& context);
  /// Send a change, and where its reply is lost look whether it was made: nothing when `made` saw
  /// that, the answer otherwise. What was surely not made is sent again.
  Result<std::optional<Answer>> Settle(const Context& context, RestSession& session,
                                       const RestRequest& request,
                                       const std::function<Result<bool>()>& made);
  /// All pages of a listing; `take` reads one.
  Status ListPages(const Context& context, RestSession& session, RestRequest request,
                   const std::function<Status(const iceberg::JsonObject& page)>& take);
  Result<std::vector<TableName>> ListNames(const Context& context, RestSession& session,
                                           RestRequest request);
  /// Keep what the server says of a table, and let its credentials serve the table's files.
  Result<LoadedTable> Remember(const Context& context, const Session& session,
                               const TableName& table, const Answer& answer);
  void UseGrant(const Context& context, const Session& session, const TableName& table,
                const std::vector<std::string>& folders, Grant grant);
  io::HttpHeaders AccessHeaders() const;
  Error NoTable(const TableName& table) const;

  CommitOutcome CommitOne(const Context& context, const Session& session,
                          const CatalogChange& change);
  CommitOutcome CommitTogether(const Context& context, RestSession& session,
                               const std::vector<CatalogChange>& changes);
  /// `refused`, unless it is a conflict with this very change: what stands between may send a
  /// request twice, and the second is refused because of the first. The snapshots tell.
  CommitOutcome AfterConflict(const Context& context, const std::vector<CatalogChange>& changes,
                              CommitOutcome refused);
  Result<LoadedView> CreateView(const Context& context, RestSession& session, const TableName& view,
                                const iceberg::ViewChange& change);
  /// Where the server would put a table, at `wanted` if that is not empty; nothing when the name is
  /// taken.
  Result<std::optional<std::string>> Place(const Context& context, const TableName& table,
                                           const std::string& wanted);
  Status CreateNamespaces(const Context& context, const Namespace& ns);
  Status Rename(const Context& context, RestSession& session, const RestRequest& request,
                const TableName& from, const TableName& to,
                const std::function<Status(const TableName&)>& load);

  const RestOptions options_;
  const Resources resources_;
  const std::shared_ptr<io::HttpClient> http_;
  mutable std::mutex mutex_;
  Session session_;  ///< Null until the server's configuration is known.
  TableCache cache_;
  std::map<TableName, std::shared_ptr<TableAccess>> accesses_;
};

}  // namespace calve::catalog

#include "catalog/sql/connection_pool.h"
#include "catalog/sql/pointer_database.h"
#include "io/postgres.h"

namespace calve::catalog {
namespace {

constexpr size_t kConnectionsMax = 8;

/// A connection with the context of what is done by it now.
class PostgresSession : public PointerSession {
 public:
  PostgresSession(const Context& context, io::PostgresDatabase& database)
      : context_(context), database_(database) {}

  Result<std::vector<Row>> Query(const std::string& sql,
                                 const std::vector<std::string>& parameters) override {
    return database_.Query(context_, sql, parameters);
  }
  Result<int64_t> Change(const std::string& sql,
                         const std::vector<std::string>& parameters) override {
    return database_.Change(context_, sql, parameters);
  }

 private:
  const Context& context_;
  io::PostgresDatabase& database_;
};

class PostgresPointers : public PointerDatabase {
 public:
  explicit PostgresPointers(std::string uri)
      : uri_(std::move(uri)),
        connections_(
            kConnectionsMax,
            [this](const Context& context) -> Result<std::unique_ptr<io::PostgresDatabase>> {
              CALVE_ASSIGN_OR_RETURN(auto database, io::PostgresDatabase::Open(context, uri_));
              return std::make_unique<io::PostgresDatabase>(std::move(database));
            }) {}

  Status Read(const Context& context, const Work& work) override {
    return WithOpen(context, [&](io::PostgresDatabase& database) -> Status {
      PostgresSession session(context, database);
      return work(session);
    });
  }

  Status Write(const Context& context, const Work& work) override {
    return WithOpen(context, [&](io::PostgresDatabase& database) -> Status {
      PostgresSession session(context, database);
      CALVE_RETURN_IF_ERROR(session.Change("BEGIN", {}));
      Status done = work(session);
      if (done.ok()) return session.Change("COMMIT", {}).status();
      // A transaction of a connection that is lost is rolled back by the server; any other is ended
      // though the run should stop.
      if (!database.IsLost()) (void)database.Change(context.WithStop({}), "ROLLBACK");
      return done;
    });
  }

  Result<bool> HasColumn(const Context& context, const std::string& table,
                         const std::string& column) override {
    bool found = false;
    CALVE_RETURN_IF_ERROR(Read(context, [&](PointerSession& session) -> Status {
      CALVE_ASSIGN_OR_RETURN(
          const auto rows,
          session.Query("SELECT 1 FROM information_schema.columns WHERE table_schema = "
                        "current_schema() AND table_name = $1 AND column_name = $2",
                        {table, column}));
      found = !rows.empty();
      return Status::Ok();
    }));
    return found;
  }

  std::string_view bytewise() const override { return " COLLATE \"C\""; }

 private:
  /// Connect again where the server has gone, or has come back, since the last call.
  template <typename Work>
  Status WithOpen(const Context& context, const Work& work) {
    return connections_.With(context, [&](io::PostgresDatabase& database) -> Status {
      if (database.IsLost()) {
        CALVE_ASSIGN_OR_RETURN(database, io::PostgresDatabase::Open(context, uri_));
      }
      return work(database);
    });
  }

  const std::string uri_;
  ConnectionPool<io::PostgresDatabase> connections_;
};

}  // namespace

Result<std::unique_ptr<PointerDatabase>> OpenPostgresPointers(const Context& context,
                                                              const std::string& uri) {
  auto pointers = std::make_unique<PostgresPointers>(uri);
  CALVE_RETURN_IF_ERROR(pointers->Read(context, [](PointerSession&) { return Status::Ok(); }));
  return pointers;
}

}  // namespace calve::catalog

#include "catalog/sql/pointer_database.h"
#include "io/postgres.h"

namespace calve::catalog {
namespace {

class PostgresPointers : public PointerDatabase {
 public:
  PostgresPointers(std::string uri, io::PostgresDatabase database)
      : uri_(std::move(uri)), database_(std::move(database)) {}

  Result<std::vector<Row>> Query(const Context& context, const std::string& sql,
                                 const std::vector<std::string>& parameters) override {
    if (!in_transaction_) CALVE_RETURN_IF_ERROR(Reconnect(context));
    return database_.Query(context, sql, parameters);
  }

  Result<int64_t> Change(const Context& context, const std::string& sql,
                         const std::vector<std::string>& parameters) override {
    return database_.Change(context, sql, parameters);
  }

  Result<bool> HasColumn(const Context& context, const std::string& table,
                         const std::string& column) override {
    CALVE_ASSIGN_OR_RETURN(
        const auto rows,
        Query(context,
              "SELECT 1 FROM information_schema.columns WHERE table_schema = current_schema() "
              "AND table_name = $1 AND column_name = $2",
              {table, column}));
    return !rows.empty();
  }

 private:
  /// Connect again where the server has gone, or has come back, since the last call.
  Status Reconnect(const Context& context) {
    if (!database_.IsLost()) return Status::Ok();
    CALVE_ASSIGN_OR_RETURN(database_, io::PostgresDatabase::Open(context, uri_));
    return Status::Ok();
  }

  Status Begin(const Context& context) override {
    CALVE_RETURN_IF_ERROR(Reconnect(context));
    CALVE_RETURN_IF_ERROR(database_.Change(context, "BEGIN"));
    rollback_context_ = context.WithStop({});
    in_transaction_ = true;
    return Status::Ok();
  }
  Status Commit(const Context& context) override {
    in_transaction_ = false;
    return database_.Change(context, "COMMIT").status();
  }
  void Rollback() override {
    in_transaction_ = false;
    // A transaction of a connection that is lost is rolled back by the server.
    if (!database_.IsLost()) (void)database_.Change(rollback_context_, "ROLLBACK");
  }

  const std::string uri_;
  io::PostgresDatabase database_;
  Context rollback_context_;  ///< Without a stop: a transaction is ended all the same.
  bool in_transaction_ = false;
};

}  // namespace

Result<std::unique_ptr<PointerDatabase>> OpenPostgresPointers(const Context& context,
                                                              const std::string& uri) {
  CALVE_ASSIGN_OR_RETURN(io::PostgresDatabase database, io::PostgresDatabase::Open(context, uri));
  return std::make_unique<PostgresPointers>(uri, std::move(database));
}

}  // namespace calve::catalog

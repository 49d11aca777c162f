#include "catalog/sql/pointer_database.h"
#include "io/sqlite.h"

namespace calve::catalog {
namespace {

class SqlitePointers : public PointerDatabase {
 public:
  explicit SqlitePointers(io::SqliteDatabase database) : database_(std::move(database)) {}

  Result<std::vector<Row>> Query(const Context&, const std::string& sql,
                                 const std::vector<std::string>& parameters) override {
    CALVE_ASSIGN_OR_RETURN(auto statement, Prepare(sql, parameters));
    std::vector<Row> rows;
    while (true) {
      CALVE_ASSIGN_OR_RETURN(const bool more, statement.Step());
      if (!more) return rows;
      Row row;
      for (int i = 0; i < statement.columns(); ++i) {
        row.push_back(statement.IsNull(i) ? std::nullopt : std::optional(statement.Text(i)));
      }
      rows.push_back(std::move(row));
    }
  }

  Result<int64_t> Change(const Context&, const std::string& sql,
                         const std::vector<std::string>& parameters) override {
    CALVE_ASSIGN_OR_RETURN(auto statement, Prepare(sql, parameters));
    return statement.Run();
  }

  Result<bool> HasColumn(const Context& context, const std::string& table,
                         const std::string& column) override {
    CALVE_ASSIGN_OR_RETURN(
        const auto rows,
        Query(context, "SELECT 1 FROM pragma_table_info($1) WHERE name = $2", {table, column}));
    return !rows.empty();
  }

 private:
  Result<io::SqliteStatement> Prepare(const std::string& sql,
                                      const std::vector<std::string>& parameters) {
    CALVE_ASSIGN_OR_RETURN(auto statement, io::SqliteStatement::Prepare(database_, sql));
    for (const std::string& parameter : parameters) statement.Bind(parameter);
    return statement;
  }

  Status Begin(const Context&) override {
    CALVE_ASSIGN_OR_RETURN(auto transaction, io::SqliteTransaction::Begin(database_));
    transaction_.emplace(std::move(transaction));
    return Status::Ok();
  }
  Status Commit(const Context&) override {
    Status committed = transaction_->Commit();
    transaction_.reset();
    return committed;
  }
  void Rollback() override { transaction_.reset(); }

  io::SqliteDatabase database_;
  std::optional<io::SqliteTransaction> transaction_;
};

}  // namespace

Result<std::unique_ptr<PointerDatabase>> OpenSqlitePointers(const std::string& path) {
  CALVE_ASSIGN_OR_RETURN(io::SqliteDatabase database, io::SqliteDatabase::Open(path));
  return std::make_unique<SqlitePointers>(std::move(database));
}

}  // namespace calve::catalog

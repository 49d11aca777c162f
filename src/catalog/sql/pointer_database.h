#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/context.h"
#include "base/result.h"

namespace calve::catalog {

/// The database in which a SQL catalog keeps its pointers: SQLite or PostgreSQL. SQL is what both
/// know, with $1, $2, ... for parameters, in this order. One thread at a time; fails as
/// io::SqliteDatabase and io::PostgresDatabase do.
class PointerDatabase {
 public:
  using Row = std::vector<std::optional<std::string>>;

  virtual ~PointerDatabase() = default;
  virtual Result<std::vector<Row>> Query(const Context& context, const std::string& sql,
                                         const std::vector<std::string>& parameters) = 0;
  /// Run a statement and give the number of rows that it changed.
  virtual Result<int64_t> Change(const Context& context, const std::string& sql,
                                 const std::vector<std::string>& parameters) = 0;
  virtual Result<bool> HasColumn(const Context& context, const std::string& table,
                                 const std::string& column) = 0;

 private:
  friend class PointerTransaction;
  virtual Status Begin(const Context& context) = 0;
  /// Fails with kUnknownOutcome when it may or may not have been applied.
  virtual Status Commit(const Context& context) = 0;
  virtual void Rollback() = 0;
};

/// A transaction that writes; rolled back when destroyed without Commit.
class PointerTransaction {
 public:
  static Result<PointerTransaction> Begin(const Context& context, PointerDatabase& database);
  PointerTransaction(PointerTransaction&& other) noexcept
      : database_(std::exchange(other.database_, nullptr)) {}
  PointerTransaction& operator=(PointerTransaction&&) = delete;
  ~PointerTransaction();
  Status Commit(const Context& context);

 private:
  explicit PointerTransaction(PointerDatabase* database) : database_(database) {}
  PointerDatabase* database_;
};

/// Open a SQLite file, which is made when it is missing.
Result<std::unique_ptr<PointerDatabase>> OpenSqlitePointers(const std::string& path);
/// Open a PostgreSQL database by its URI; a connection that was lost is made again when the next
/// transaction or question begins.
Result<std::unique_ptr<PointerDatabase>> OpenPostgresPointers(const Context& context,
                                                              const std::string& uri);

}  // namespace calve::catalog

#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/context.h"
#include "base/result.h"

namespace calve::catalog {

/// A connection while something is read or written by it. SQL is what SQLite and PostgreSQL both
/// know, with $1, $2, ... for parameters, in this order. Fails as io::SqliteDatabase and
/// io::PostgresDatabase do. For one thread.
class PointerSession {
 public:
  using Row = std::vector<std::optional<std::string>>;

  virtual ~PointerSession() = default;
  virtual Result<std::vector<Row>> Query(const std::string& sql,
                                         const std::vector<std::string>& parameters) = 0;
  /// Run a statement and give the number of rows that it changed.
  virtual Result<int64_t> Change(const std::string& sql,
                                 const std::vector<std::string>& parameters) = 0;
};

/// The database in which a SQL catalog keeps its pointers: SQLite or PostgreSQL. Threads: any, at
/// once.
class PointerDatabase {
 public:
  using Work = std::function<Status(PointerSession& session)>;

  virtual ~PointerDatabase() = default;
  /// Ask for what has been committed; never waits for a writer.
  virtual Status Read(const Context& context, const Work& work) = 0;
  /// Run `work` in a transaction and commit it. When the work fails, nothing of it is applied, and
  /// the caller gets its error; fails with kUnknownOutcome only when the fate of the COMMIT is
  /// unknown. The work may run on another thread while the caller waits, in one transaction with
  /// that of other callers: a failure of one is none of the others.
  virtual Status Write(const Context& context, const Work& work) = 0;
  virtual Result<bool> HasColumn(const Context& context, const std::string& table,
                                 const std::string& column) = 0;
  /// What makes a column compare by its bytes, written behind it.
  virtual std::string_view bytewise() const = 0;
};

/// Open a SQLite file, which is made when it is missing.
Result<std::unique_ptr<PointerDatabase>> OpenSqlitePointers(const std::string& path);
/// Open a PostgreSQL database by its URI; a connection that was lost is made again when it is
/// needed.
Result<std::unique_ptr<PointerDatabase>> OpenPostgresPointers(const Context& context,
                                                              const std::string& uri);

}  // namespace calve::catalog

#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/context.h"
#include "engine/duckdb/library.h"
#include "engine/duckdb/sql_text.h"
#include "engine/engine.h"
#include "iceberg/scan.h"
#include "io/file_system.h"

namespace calve::engine {

/// An Iceberg table as one query sees it. Shared by the copies that DuckDB makes of a scan.
struct TableSource {
  std::string spelling;  ///< As the person named it.
  IcebergTable table;
};

/// The planned files of one scan of one table. Immutable.
struct PlannedScan {
  std::shared_ptr<const TableSource> source;
  iceberg::ScanPlan plan;
  std::vector<std::string> names;  ///< One private name per task.
};

/// What one query needs while DuckDB calls back into this part. It hangs on the query's own
/// connection.
///
/// Threads: any, once the query runs; set up by one.
class QueryState : public duckdb::ClientContextState {
 public:
  static constexpr const char* kKey = "calve";

  /// `secret` makes the names of this query's files unguessable.
  QueryState(const Context& context, io::FileSystem& files, TableResolver* resolver,
             const std::vector<std::pair<std::string, ArrowTable>>& tables, const SqlText& text,
             std::string secret);

  /// The state of the query that runs in `client`; DuckDB's own connections have none.
  static duckdb::shared_ptr<QueryState> Of(duckdb::ClientContext& client);

  const Context& context() const { return context_; }
  io::FileSystem& files() const { return files_; }
  const std::string& secret() const { return secret_; }

  /// What a name in SQL stands for.
  struct Resolved {
    size_t index;  ///< For iceberg() and batches() below.
    bool is_iceberg;
    std::string alias;  ///< The last part of its name.
  };
  /// Find a table by its name; nothing when there is no such name here and no resolver to ask.
  Result<std::optional<Resolved>> Resolve(const std::vector<std::string>& parts);
  /// Find a table by its place.
  Result<Resolved> ResolvePlace(const std::string& place);
  std::shared_ptr<const TableSource> iceberg(size_t index);
  std::shared_ptr<const ArrowTable> batches(size_t index);

  /// Plan a scan and give its files private names.
  Result<std::shared_ptr<const PlannedScan>> Plan(std::shared_ptr<const TableSource> source,
                                                  const iceberg::Expression& filter);
  /// What stands behind a private name.
  struct File {
    std::shared_ptr<const PlannedScan> scan;
    size_t task_index;
    const iceberg::ScanTask& task() const { return scan->plan.tasks[task_index]; }
  };
  std::optional<File> FindFile(const std::string& name);
  /// Put the addresses of files where their private names stand.
  std::string WithoutPrivateNames(std::string text);

  /// Carry an error of ours through DuckDB: remember it, and throw what DuckDB understands.
  [[noreturn]] void Throw(Error error);
  /// The error that was thrown with this text, if it was one of ours.
  std::optional<Error> ErrorBehind(const std::string& message);

 private:
  Result<Resolved> Keep(std::string spelling, std::string alias, ResolvedTable table);

  const Context context_;
  io::FileSystem& files_;
  TableResolver* const resolver_;
  const std::map<std::string, SpelledTable> spelled_;
  const std::string secret_;

  std::mutex mutex_;
  std::vector<std::pair<std::string, std::shared_ptr<const ArrowTable>>> named_batches_;
  std::vector<std::shared_ptr<const TableSource>> iceberg_tables_;
  std::vector<std::shared_ptr<const ArrowTable>> arrow_tables_;
  std::map<std::string, Resolved>
      resolved_;  ///< By the name as written: one query sees a table at one moment.
  std::vector<std::shared_ptr<const PlannedScan>> scans_;
  std::vector<Error> errors_;
};

/// The value of a result, or its error thrown through DuckDB.
template <typename T>
T ValueOrThrow(QueryState& state, Result<T> result) {
  if (!result.ok()) state.Throw(std::move(result).error());
  return std::move(result).value();
}

}  // namespace calve::engine

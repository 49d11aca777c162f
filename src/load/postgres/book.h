#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/context.h"
#include "base/result.h"
#include "commit/position.h"
#include "io/postgres.h"
#include "load/postgres/options.h"

namespace calve::load::postgres {

/// The table calve_loads, beside the tables that are loaded: a row for each of the last loads of a
/// job into a table, with the position of its source. A load's row is written in the transaction
/// that brings its rows.
class Book {
 public:
  /// `table` is the one that is loaded.
  Book(std::string job, const RelationName& table)
      : job_(std::move(job)), table_(table.name), name_{table.schema, "calve_loads"} {}

  const RelationName& name() const { return name_; }
  Result<bool> IsThere(const Context& context, io::PostgresDatabase& database) const;

  struct Entry {
    int64_t id = 0;
    commit::Position position;
  };
  /// The newest load that had a position.
  Result<std::optional<Entry>> Find(const Context& context, io::PostgresDatabase& database) const;
  /// How many rows the job's last loads wrote, newest first.
  Result<std::vector<int64_t>> RowsOfLoads(const Context& context, io::PostgresDatabase& database,
                                           int64_t count) const;
  Result<bool> HasRun(const Context& context, io::PostgresDatabase& database,
                      const std::string& run) const;

  /// Wait for the loads into the table that others have under way, until the transaction ends.
  Status Lock(const Context& context, io::PostgresDatabase& database) const;
  Status Make(const Context& context, io::PostgresDatabase& database) const;
  /// Forget the job's loads: the table that they went into is no more.
  Status Forget(const Context& context, io::PostgresDatabase& database) const;
  Status Add(const Context& context, io::PostgresDatabase& database, const std::string& run,
             int64_t rows, const std::optional<commit::Position>& position) const;

 private:
  const std::string job_;
  const std::string table_;
  const RelationName name_;
};

}  // namespace calve::load::postgres

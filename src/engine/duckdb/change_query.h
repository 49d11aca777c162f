#pragma once

#include <functional>
#include <string>
#include <vector>

#include "engine/duckdb/library.h"
#include "iceberg/schema.h"

namespace calve::engine {

/// The name by which a query for changes reads the table that is changed.
inline constexpr const char* kTargetTable = "calve_target";
inline constexpr const char* kRowIdColumn = "_row_id";

/// The table that a statement changes, as DuckDB sees it.
struct TargetColumns {
  std::string name;  ///< By which the statement's expressions call it, where it gives no alias.
  std::vector<std::string> names;
  std::vector<duckdb::LogicalType> types;
  std::vector<duckdb::Value> defaults;  ///< For rows that say no value.
  bool has_row_ids = false;             ///< kTargetTable has kRowIdColumn behind them.
};

/// The statement's query for what changes, and what its columns are before the table's.
struct ChangeQuery {
  duckdb::unique_ptr<duckdb::SQLStatement> statement;
  bool names_rows = false;  ///< _file, _pos, then _row_id with `has_row_ids` unless only rows go.
  bool says_comes = false;  ///< Then: whether a row comes.
  bool has_columns = true;  ///< Then: the table's.
};

/// Turn a parsed INSERT, UPDATE, DELETE, MERGE INTO or CREATE TABLE ... AS into a SELECT that
/// computes what it changes in kTargetTable. `names_of` gives the columns of a query without running
/// it. Throws DuckDB's exceptions; a fault of the statement is a BinderException.
ChangeQuery MakeChangeQuery(
    duckdb::SQLStatement& statement, const TargetColumns& target,
    const std::function<std::vector<std::string>(duckdb::unique_ptr<duckdb::SQLStatement> query)>&
        names_of);

}  // namespace calve::engine

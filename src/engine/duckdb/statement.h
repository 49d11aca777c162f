#pragma once

#include <functional>

#include "engine/duckdb/library.h"
#include "engine/duckdb/sql_text.h"
#include "engine/statement.h"

namespace calve::engine {

/// What reading a statement takes. Both may throw DuckDB's exceptions.
struct StatementQueries {
  /// The columns of a query, without running it.
  std::function<std::shared_ptr<arrow::Schema>(duckdb::unique_ptr<duckdb::SQLStatement> query)>
      columns_of;
  /// The value of an expression that names no column.
  std::function<duckdb::Value(const std::string& expression)> constant;
};

/// What a parsed statement does. Throws DuckDB's exceptions; what no table can do is a
/// BinderException.
Statement ReadStatement(const duckdb::SQLStatement& statement, const SqlText& text,
                        const StatementQueries& queries);

}  // namespace calve::engine

#pragma once

#include <functional>

#include "engine/duckdb/library.h"
#include "engine/duckdb/sql_text.h"
#include "engine/statement.h"

namespace calve::engine {

/// What a parsed statement does. `columns_of` gives the columns of a query without running it.
/// Throws DuckDB's exceptions; what no table can do is a BinderException.
Statement ReadStatement(const duckdb::SQLStatement& statement, const SqlText& text,
                        const std::function<std::shared_ptr<arrow::Schema>(
                            duckdb::unique_ptr<duckdb::SQLStatement> query)>& columns_of);

}  // namespace calve::engine

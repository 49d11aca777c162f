#pragma once

#include "engine/duckdb/library.h"

namespace calve::engine {

/// Make names in SQL find tables: those of the query's resolver where DuckDB's catalog has none,
/// and iceberg('place').
void AddTableNames(duckdb::DBConfig& config);
/// Register iceberg('place'). Throws DuckDB's exceptions.
void RegisterIcebergFunction(duckdb::ClientContext& client);

}  // namespace calve::engine

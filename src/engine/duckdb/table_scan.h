#pragma once

#include "engine/duckdb/library.h"

namespace calve::engine {

/// The name under which the scan of Iceberg tables is registered. Its one argument is the index
/// that QueryState gave the table.
inline constexpr const char* kTableScan = "calve_table";

/// The one option of the scan, which DuckDB's Parquet reader knows: floating-point columns may hold
/// NaN.
inline constexpr const char* kCanHaveNan = "can_have_nan";

/// Register the scan of Iceberg tables: DuckDB's own Parquet reader over the files that Iceberg
/// plans, with columns by field id and deletes applied; files it cannot read exactly come through
/// reader::OpenTask. Throws DuckDB's exceptions.
void RegisterTableScan(duckdb::ClientContext& client);

}  // namespace calve::engine

#pragma once

#include "engine/duckdb/library.h"

namespace calve::engine {

/// The name under which the scan of Arrow batches is registered. Its one argument is the index that
/// QueryState gave the table.
inline constexpr const char* kBatchScan = "calve_batches";

/// Register the scan of batches in memory: several threads take whole batches. Throws DuckDB's
/// exceptions.
void RegisterBatchScan(duckdb::ClientContext& client);

}  // namespace calve::engine

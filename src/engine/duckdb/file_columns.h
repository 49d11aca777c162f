#pragma once

#include "engine/duckdb/library.h"
#include "iceberg/name_mapping.h"
#include "iceberg/schema.h"

namespace calve::engine {

/// See that every column of a file has an id to be found by: its own; else, when the file has none
/// at all, by the name mapping; else one that no field has (spec, Column Projection).
void GiveIds(duckdb::vector<duckdb::MultiFileColumnDefinition>& columns,
             const iceberg::NameMapping* mapping);

/// Whether DuckDB's Parquet reader and its casts give the table's values of this file exactly.
bool ReadsFileExactly(const duckdb::vector<duckdb::MultiFileColumnDefinition>& columns,
                      const iceberg::Schema& schema);

}  // namespace calve::engine

#pragma once

#include <functional>

#include "engine/duckdb/library.h"
#include "iceberg/expression.h"
#include "iceberg/schema.h"

namespace calve::engine {

/// The top-level field that a column of a scan is; null for what is no column of the table.
using FieldOfColumn =
    std::function<const iceberg::Field*(const duckdb::BoundColumnRefExpression& column)>;

/// An Iceberg expression that is true for every row for which DuckDB's filter is true: what cannot
/// be said in Iceberg's terms is left out. DuckDB's time zone must be UTC.
iceberg::Expression ToIcebergFilter(const duckdb::Expression& filter,
                                    const FieldOfColumn& field_of);

}  // namespace calve::engine

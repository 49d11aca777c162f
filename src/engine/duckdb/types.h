#pragma once

#include <optional>

#include "base/result.h"
#include "engine/duckdb/library.h"
#include "iceberg/schema.h"

namespace calve::engine {

/// The DuckDB type that holds an Iceberg type.
///
/// Exact but for three: fixed[n] becomes BLOB, timestamptz_ns becomes TIMESTAMP_NS of the same
/// moment in UTC, since DuckDB has neither, and variant becomes its JSON text. Fails with kRefused
/// for geometry and geography.
Result<duckdb::LogicalType> ToDuckType(const iceberg::Type& type);

/// Whether DuckDB's own Parquet reader gives a type's values without loss.
bool ReadsExactly(const iceberg::Type& type);

/// A value of the DuckDB type of `type`.
duckdb::Value ToDuckValue(const iceberg::Type& type, const iceberg::Value& value);

/// The value that DuckDB's constant is in a column of `type`; nothing when it is null or not
/// exactly one.
std::optional<iceberg::Value> FromDuckValue(const iceberg::Type& type, const duckdb::Value& value);

/// A column as DuckDB maps it onto files: by field id, at every depth, with its default. Fails as
/// ToDuckType does.
Result<duckdb::MultiFileColumnDefinition> ToDuckColumn(const iceberg::Field& field);

}  // namespace calve::engine

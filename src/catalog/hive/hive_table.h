#pragma once

#include <hive_metastore/hive_metastore_types.h>

#include <string>

#include "catalog/catalog.h"

#include "iceberg/metadata.h"

namespace calve::catalog {

/// Write a type as Hive does: bigint, struct<a:int>, decimal(9,2). What Hive has no type for is a
/// string or binary.
std::string HiveTypeOf(const iceberg::Type& type);

/// Whether an entry of the metastore is an Iceberg table; views and Hive's own tables are not.
bool IsIcebergTable(const hive_metastore::Table& table);

/// A parameter, or "".
std::string ParameterOf(const hive_metastore::Table& table, const std::string& key);

/// A new entry for a table whose metadata lies at `location`.
hive_metastore::Table NewHiveTable(const TableName& name, const iceberg::TableMetadata& metadata,
                                   const std::string& location, int64_t now_ms);

/// Let an entry point at new metadata, and show its columns, properties and size to Hive. `base` is
/// the metadata that it pointed at.
void PointHiveTable(hive_metastore::Table& table, const iceberg::TableMetadata& base,
                    const iceberg::TableMetadata& metadata, const std::string& location);

}  // namespace calve::catalog

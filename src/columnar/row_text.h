#pragma once

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <memory>
#include <string>

#include "base/result.h"

namespace calve::columnar {

/// One value as people read it: numbers and decimals with all their digits, times in ISO 8601, bytes
/// in base64; NULL as "NULL". Exact: iceberg::ParseText gives the value of a primitive type back.
std::string CellText(const arrow::Array& column, int64_t row);

/// One value as JSON: booleans and numbers bare (not a number and infinities as text), structs as
/// objects, lists as arrays, maps as arrays of {"key", "value"}, the rest as CellText.
std::string CellJson(const arrow::Array& column, int64_t row);

/// One row as a JSON object, its columns in their order.
std::string RowAsJson(const arrow::RecordBatch& batch, int64_t row);

/// The names and types of columns, as Iceberg writes a schema, so that rows which RowAsJson has
/// printed can be read again. Types that no Iceberg type holds fail as ToIcebergType does.
Result<std::string> SchemaAsJson(const arrow::Schema& schema);
/// Fails with kData on what SchemaAsJson did not print.
Result<std::shared_ptr<arrow::Schema>> ParseSchema(const std::string& json);

}  // namespace calve::columnar

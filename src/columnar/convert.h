#pragma once

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "iceberg/schema.h"
#include "iceberg/type.h"
#include "iceberg/value.h"

namespace calve::columnar {

using Batch = std::shared_ptr<arrow::RecordBatch>;

/// The key of Arrow field metadata that Parquet's writer and reader use for Iceberg field ids.
inline constexpr std::string_view kFieldIdKey = "PARQUET:field_id";

/// The one Arrow type that holds an Iceberg type exactly: uuid as fixed_size_binary(16),
/// timestamptz as timestamp(us, "UTC"), decimal as decimal128, string as utf8, binary as binary,
/// variant as a struct of its bytes, `metadata` and `value` (see columnar/variant.h). Unknown
/// becomes null; geometry and geography fail with kRefused.
Result<std::shared_ptr<arrow::DataType>> ToArrowType(const iceberg::Type& type);
/// With field ids in the metadata at every depth and `nullable` from required.
Result<std::shared_ptr<arrow::Schema>> ToArrowSchema(const iceberg::Schema& schema);

/// The Iceberg type that holds an Arrow type without loss: unsigned widen (uint32 to long, uint64
/// to decimal(20, 0)), int8 and int16 to int, large and view strings to string, dictionaries to
/// their values, timestamp seconds and milliseconds to microseconds, nanoseconds to timestamp_ns
/// when `format_version` is 3 (else kData, naming the column), decimal256 up to 38 digits, null
/// to unknown in v3 and string in v2, half_float to float, date64 to date, time32 to time, uuid
/// extension to uuid. Nested types likewise.
Result<iceberg::Type> ToIcebergType(const arrow::DataType& type, int format_version);
/// Fields with ids counted from 1 in order (to be assigned afresh by CreateTable).
Result<std::vector<iceberg::Field>> ToIcebergFields(const arrow::Schema& schema,
                                                    int format_version);

/// Cast a batch to a target schema by column name: exact only. A value that does not fit is not
/// changed but fails with kData naming column, row (within the batch) and value; so do types of
/// another meaning (a string for a number, a double for a decimal, a zone for none) and columns
/// that the target does not have. Missing columns become their write default or null, required ones
/// without a default fail; order follows the target, in structs too. Nulls in required columns are
/// left to the writer to refuse.
Result<Batch> Conform(const Batch& batch, const iceberg::Schema& target);

/// One value of an array of an exact type (see ToArrowType). `row` in [0, length).
iceberg::Value ValueAt(const arrow::Array& array, int64_t row, const iceberg::Type& type);
/// Append a value (null allowed) to a builder of the exact Arrow type.
Status AppendValue(arrow::ArrayBuilder& builder, const iceberg::Type& type,
                   const iceberg::Value& value);
/// An array of `length` times one value.
Result<std::shared_ptr<arrow::Array>> Repeat(const iceberg::Type& type, const iceberg::Value& value,
                                             int64_t length);

/// Bytes a batch takes in memory, buffers shared between slices counted by the slice.
int64_t BatchBytes(const arrow::RecordBatch& batch);

}  // namespace calve::columnar

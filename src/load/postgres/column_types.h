#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "iceberg/type.h"

namespace calve::load::postgres {

// PostgreSQL counts days and microseconds from 2000-01-01 on, we from 1970-01-01.
inline constexpr int32_t kDaysTo2000 = 10'957;
inline constexpr int64_t kMicrosTo2000 = 946'684'800'000'000;

/// The binary forms of values that are written (PostgreSQL's manual: COPY, Binary Format; the types'
/// _recv functions).
enum class Form {
  kBoolean,
  kInt4,
  kInt8,
  kFloat4,
  kFloat8,
  kNumeric,
  kDate,
  kTime,
  kTimestamp,
  kText,
  kUuid,
  kBytes,
  kJson,  ///< jsonb: what PostgreSQL has no exact type for lies in it as JSON.
  kArray,
};

/// The one type of PostgreSQL that holds the values of an Iceberg type exactly.
struct ColumnType {
  Form form = Form::kText;
  std::string sql;   ///< "numeric(12, 2)"
  uint32_t oid = 0;  ///< Of the form, without length or precision (pg_type.dat).
  /// Of an array: its elements'.
  Form element = Form::kText;
  uint32_t element_oid = 0;
};

/// Lists of single values become arrays; structs, maps and lists of those become jsonb. Fails with
/// kRefused for variant and the geo types.
Result<ColumnType> ColumnTypeOf(const iceberg::Type& type);

}  // namespace calve::load::postgres

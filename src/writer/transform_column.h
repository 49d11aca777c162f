#pragma once

#include <arrow/array.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "base/result.h"
#include "iceberg/partition.h"

namespace calve::writer {

/// A column of transformed values as numbers of distinct values: `values[code_of_row[i]]` is row
/// i's.
struct CodedColumn {
  std::vector<uint32_t> code_of_row;
  std::vector<iceberg::Value> values;
  std::vector<std::string> keys;  ///< Of each value: equal only for equal values.
};

/// Apply a transform to a column. Each distinct source value is transformed once; years, months,
/// days and hours are computed over the whole array.
Result<CodedColumn> TransformColumn(const iceberg::Transform& transform, const iceberg::Type& type,
                                    const iceberg::Type& result,
                                    const std::shared_ptr<arrow::Array>& column);

}  // namespace calve::writer

#pragma once

#include <arrow/record_batch.h>

#include <cstdint>
#include <string>

#include "base/result.h"

namespace calve::source {

/// What is wrong with a value of an array, as CheckValues has it; null when nothing is.
const char* FaultOfValues(const arrow::Array& array);

/// See that the values of a batch out of a file are what their types promise, at every depth: texts
/// UTF-8, decimals of no more digits than theirs. The libraries that read Parquet and ORC do not
/// look. `file` and the rows before the batch are for the message. Fails with kData.
Status CheckValues(const arrow::RecordBatch& rows, const std::string& file, int64_t rows_before);

}  // namespace calve::source

#pragma once

#include <arrow/record_batch.h>

#include <string>

namespace calve::columnar {

/// Print one row as a JSON object, for the quarantine: numbers and decimals as they are, null as
/// null, the rest as text.
std::string RowAsJson(const arrow::RecordBatch& batch, int64_t row);

}  // namespace calve::columnar

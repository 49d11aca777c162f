#pragma once

#include <arrow/array.h>
#include <arrow/record_batch.h>

#include <memory>
#include <vector>

#include "base/result.h"
#include "iceberg/schema.h"

namespace calve::writer {

/// The way to a column through structs: its number, then the child's of each struct.
std::vector<int> ColumnPath(const iceberg::Schema& schema, iceberg::FieldId id);

/// The values at the end of the way; an empty way gives nulls.
Result<std::shared_ptr<arrow::Array>> ColumnAt(const arrow::RecordBatch& batch,
                                               const std::vector<int>& path);

}  // namespace calve::writer

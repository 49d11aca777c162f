#pragma once

#include "base/result.h"
#include "columnar/convert.h"
#include "iceberg/schema.h"

namespace calve::writer {

/// Fail with kData when a required field, at any depth, is null where what holds it is not; names
/// column and row.
Status CheckRequired(const iceberg::Schema& schema, const arrow::RecordBatch& rows);

}  // namespace calve::writer

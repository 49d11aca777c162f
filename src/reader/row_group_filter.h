#pragma once

#include <parquet/metadata.h>

#include <vector>

#include "iceberg/expression.h"
#include "iceberg/schema.h"
#include "reader/file_fields.h"

namespace calve::reader {

/// Whether rows of a row group may match: false only when its statistics say that none does.
/// Columns whose file type is not the table's own, and floating-point ones (whose statistics say
/// nothing of NaN), are not looked at.
bool RowGroupMayMatch(const iceberg::Expression& filter, const iceberg::Schema& schema,
                      const std::vector<FileField>& fields, const parquet::RowGroupMetaData& group);

}  // namespace calve::reader

#pragma once

#include <arrow/array.h>
#include <arrow/type.h>

#include <memory>
#include <vector>

#include "base/result.h"
#include "source/table_source.h"

namespace calve::source::adbc {

/// Turn values of one column, as a driver gives them, into its type: exactly. A value that does not
/// fit becomes null, and is named; Misfit::column is left to the caller.
Result<std::shared_ptr<arrow::Array>> CastColumn(const std::shared_ptr<arrow::Array>& given,
                                                 const std::shared_ptr<arrow::DataType>& type,
                                                 std::vector<RowsRead::Misfit>* misfits);

}  // namespace calve::source::adbc

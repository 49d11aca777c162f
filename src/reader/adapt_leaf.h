#pragma once

#include <arrow/array.h>

#include <memory>
#include <string>

#include "base/result.h"
#include "iceberg/type.h"

namespace calve::reader {

/// Values of a file's column in the exact type of the table's: promoted types widened; moments in
/// any unit to the table's, rounded down where the table's is coarser (as Iceberg's own reader
/// does); a zone's mark follows the table. Fails with kData naming the column on a value that the
/// table's type cannot hold.
Result<std::shared_ptr<arrow::Array>> AdaptLeaf(const std::shared_ptr<arrow::Array>& values,
                                                const iceberg::Type& type, const std::string& path);

}  // namespace calve::reader

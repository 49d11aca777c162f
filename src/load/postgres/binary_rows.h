#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "columnar/convert.h"
#include "iceberg/type.h"

namespace calve::load::postgres {

/// Rows as a COPY ... FROM STDIN (FORMAT BINARY) takes them, header and trailer included. `fields`
/// are the columns to be written: batch columns of the same names, of exact types (see
/// columnar::ToArrowType).
///
/// Fails with kData, naming column and row, on a text with a zero byte and a moment that PostgreSQL
/// cannot hold.
Result<std::string> BinaryRows(const columnar::Batch& batch,
                               const std::vector<iceberg::Field>& fields);

}  // namespace calve::load::postgres

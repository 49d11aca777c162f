#pragma once

#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "columnar/traced_batch.h"

namespace calve::source {

/// Rows of a batch out of a file with columns, by their numbers in the file.
std::shared_ptr<const columnar::Origins> MakeRowOrigins(std::string file, int64_t first_row);

/// What a library says, on one line.
std::string OneLine(std::string_view said);

/// Add the columns of one more file by name: a name stands once in a file, and has one type in all.
/// Fails with kData, naming the column of `file`.
Status AddColumnsOfFile(const arrow::Schema& schema, const std::string& file,
                        arrow::FieldVector* fields);

/// The rows in the columns of a schema; one that they lack is null.
Result<columnar::Batch> ArrangeRows(const arrow::RecordBatch& rows,
                                    const std::shared_ptr<arrow::Schema>& schema);

}  // namespace calve::source

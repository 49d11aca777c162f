#pragma once

#include "engine/duckdb/result_stream.h"

namespace calve::engine {

/// The name by which the query's state must know the rows (without batches) for what follows.
extern const char* const kExpressionRows;

/// Bind scalar expressions over rows of `input`.
///
/// They run through DuckDB's expression executor, chunk by chunk, without a query per batch.
Result<std::unique_ptr<BatchExpressions>> CompileExpressions(
    const Context& context, std::unique_ptr<RunningQuery> query,
    const std::shared_ptr<arrow::Schema>& input, const std::vector<std::string>& expressions,
    const std::vector<std::string>& names);

/// The columns of `input` that an expression reads, in the order of `input`.
Result<std::vector<std::string>> ColumnsRead(std::unique_ptr<RunningQuery> query,
                                             const std::shared_ptr<arrow::Schema>& input,
                                             const std::string& expression);

}  // namespace calve::engine

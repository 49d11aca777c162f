#pragma once

#include <arrow/record_batch.h>

#include <memory>
#include <string>

#include "base/result.h"
#include "columnar/convert.h"

namespace calve::cli {

/// Writes batches to standard output, or a local file, in one format. For one thread.
class BatchSink {
 public:
  virtual ~BatchSink() = default;
  virtual Status Write(const columnar::Batch& batch) = 0;
  virtual Status Close() = 0;
};

/// `format`: table, csv, json (one object a line), parquet, arrow (an IPC stream). `path` empty:
/// standard output. `rows_max` cuts a table off with a line that says so; 0: never. Fails with
/// kConfig on an unknown format, naming the known ones.
Result<std::unique_ptr<BatchSink>> OpenBatchSink(const std::string& format, const std::string& path,
                                                 const std::shared_ptr<arrow::Schema>& schema,
                                                 int64_t rows_max);

}  // namespace calve::cli

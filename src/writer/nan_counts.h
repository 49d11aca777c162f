#pragma once

#include <arrow/record_batch.h>

#include <cstdint>
#include <map>

#include "iceberg/schema.h"

namespace calve::writer {

/// Counts NaNs per float and double column outside lists and maps: what Parquet's footer does not
/// say. For one thread.
class NanCounts {
 public:
  void Add(const iceberg::Schema& schema, const arrow::RecordBatch& rows);
  const std::map<iceberg::FieldId, int64_t>& counts() const { return counts_; }

 private:
  std::map<iceberg::FieldId, int64_t> counts_;
};

}  // namespace calve::writer

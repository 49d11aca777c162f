#pragma once

#include <memory>
#include <vector>

#include "engine/duckdb/library.h"
#include "iceberg/deletion_vector.h"

namespace calve::engine {

/// The deleted rows of one file, one bit each, in the form in which DuckDB's Parquet reader asks for them. Threads: any.
class DeletedRows : public duckdb::DeleteFilter {
 public:
  DeletedRows(const iceberg::PositionSet& positions, int64_t record_count);
  /// Select the live ones of `count` rows from `start` on.
  duckdb::idx_t Filter(duckdb::row_t start, duckdb::idx_t count, duckdb::SelectionVector& live) override;

 private:
  bool IsDeleted(size_t row) const { return (words_[row / 64] >> (row % 64) & 1) != 0; }
  bool AnyIn(size_t first, size_t last) const;

  std::vector<uint64_t> words_;
};

}  // namespace calve::engine

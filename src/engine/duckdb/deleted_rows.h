#pragma once

#include <vector>

#include "engine/duckdb/library.h"
#include "iceberg/deletion_vector.h"

namespace calve::engine {

/// The deleted rows of one file, one bit each, in the form in which DuckDB's Parquet reader asks
/// for them. Threads: any.
class DeletedRows : public duckdb::DeleteFilter {
 public:
  /// `record_count` rows get a bit; for more, which a true manifest never leaves, the positions are
  /// asked.
  DeletedRows(iceberg::PositionSet positions, int64_t record_count);
  /// Select the live ones of `count` rows from `start` on.
  duckdb::idx_t Filter(duckdb::row_t start, duckdb::idx_t count,
                       duckdb::SelectionVector& live) override;

 private:
  bool IsDeleted(size_t row) const {
    if (row / 64 >= words_.size()) return positions_.Contains(static_cast<int64_t>(row));
    return (words_[row / 64] >> (row % 64) & 1) != 0;
  }
  bool AllLive(size_t begin, size_t end) const;

  const iceberg::PositionSet positions_;
  std::vector<uint64_t> words_;
};

}  // namespace calve::engine

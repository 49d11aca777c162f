#include "engine/duckdb/deleted_rows.h"

#include <algorithm>

namespace calve::engine {

DeletedRows::DeletedRows(iceberg::PositionSet positions, int64_t record_count)
    : positions_(std::move(positions)),
      words_(static_cast<size_t>(std::max<int64_t>(record_count, 0)) / 64) {
  positions_.ForEachIn(0, static_cast<int64_t>(words_.size() * 64), [&](int64_t position) {
    const auto row = static_cast<size_t>(position);
    words_[row / 64] |= uint64_t{1} << (row % 64);
  });
}

bool DeletedRows::AllLive(size_t begin, size_t end) const {
  if (end > words_.size() * 64) return false;
  for (size_t word = begin / 64; word * 64 < end; ++word) {
    if (words_[word] != 0) return false;
  }
  return true;
}

duckdb::idx_t DeletedRows::Filter(duckdb::row_t start, duckdb::idx_t count,
                                  duckdb::SelectionVector& live) {
  const auto begin = static_cast<size_t>(start);
  if (AllLive(begin, begin + count)) return count;
  live.Initialize(STANDARD_VECTOR_SIZE);
  duckdb::idx_t kept = 0;
  for (size_t i = 0; i < count; ++i) {
    if (!IsDeleted(begin + i)) live.set_index(kept++, i);
  }
  return kept;
}

}  // namespace calve::engine

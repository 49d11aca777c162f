#pragma once

#include <arrow/record_batch.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "base/result.h"
#include "columnar/convert.h"
#include "iceberg/metadata.h"

namespace calve::writer {

/// Puts rows into a table's sort order. Immutable. Threads: any.
class RowOrder {
 public:
  /// What a row is sorted by, transformed.
  using Key = std::vector<iceberg::Value>;

  /// The table's default order over columns of `schema`; none where it has none, or where a
  /// transform is not known or a column is gone, since no row can be told apart by that.
  static Result<RowOrder> Of(const iceberg::TableMetadata& table, const iceberg::Schema& schema);

  bool is_none() const { return fields_.empty(); }
  iceberg::SortOrderId id() const { return id_; }

  /// Sort rows, of which there is one at least; equal ones keep their order. Needs room for them
  /// twice.
  Result<columnar::Batch> Sort(const columnar::Batch& rows) const;
  /// Whether a row with key `b` may follow one with key `a`.
  bool InOrder(const Key& a, const Key& b) const;
  /// The key of one row.
  Result<Key> KeyOf(const arrow::RecordBatch& rows, int64_t row) const;
  /// Of rows in order, how many come before those with a greater key.
  Result<int64_t> CountUpTo(const arrow::RecordBatch& rows, const Key& key) const;

 private:
  struct Field {
    iceberg::SortField field;
    std::vector<int> path;
    iceberg::Type type;
    iceberg::Type result;
  };

  iceberg::SortOrderId id_{0};
  std::vector<Field> fields_;
};

}  // namespace calve::writer

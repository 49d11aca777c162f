#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/strong.h"
#include "columnar/convert.h"

namespace calve::columnar {

/// Where the rows of a batch came from, for people: quarantine and messages name it.
class Origins {
 public:
  virtual ~Origins() = default;
  /// The place of one row of the batch as it left the source: "orders_0412.csv line 88,120".
  virtual std::string Describe(int64_t row) const = 0;
};

/// A row that could not be read, or changed, as asked. It counts as read.
struct Reject {
  std::string origin;  ///< As Origins::Describe.
  std::string column;  ///< Empty when it is about the row as a whole.
  std::string reason;  ///< One sentence: what was found, what was expected, what to do.
  std::string raw;     ///< The row as it stood; JSON where the source has no text of its own.
};

/// Rows on their way from a source to a writer, with what is needed to say where each came from.
struct TracedBatch {
  Batch rows;  ///< Exact types.
  std::shared_ptr<const Origins> origins;
  /// For each row, its row in the source's batch; -1: from no single row. Empty: row i is row i.
  std::vector<int64_t> origin_rows;
  std::vector<Reject> rejects;
  int64_t rows_read = 0;     ///< Rows read from the source for this batch, rejects included.
  int64_t rows_dropped = 0;  ///< Rows that a transform left out, as its configuration says.
  /// Rows that went into the first transform that makes rows of its own out of those that it is
  /// given, and what became of them. rows + rejects + rows_dropped = rows_read - taken + made.
  int64_t rows_taken = 0;
  int64_t rows_made = 0;
  ByteCount bytes_read{0};  ///< Bytes consumed from the source, for progress.

  /// Count `taken` rows that a transform has made `made` rows of.
  void CountRemade(int64_t taken, int64_t made) {
    if (rows_taken == 0 && rows_made == 0) {
      rows_taken = taken;
      rows_made = made;
    } else {
      rows_made += made - taken;
    }
  }

  /// The place of row `row` of `rows`.
  std::string OriginOf(int64_t row) const {
    const int64_t source_row = origin_rows.empty() ? row : origin_rows[static_cast<size_t>(row)];
    return origins == nullptr || source_row < 0 ? std::string() : origins->Describe(source_row);
  }
};

/// Put batches of one schema one after another; none give an empty batch.
Result<Batch> Concatenate(const std::shared_ptr<arrow::Schema>& schema,
                          const std::vector<Batch>& pieces);

/// Keep the rows whose indices are given, ascending, each in [0, rows).
Result<Batch> TakeRows(const Batch& batch, const std::vector<int64_t>& rows);
/// The same, with the origins of what stays; rejects and counts are untouched.
Result<TracedBatch> TakeRows(TracedBatch batch, const std::vector<int64_t>& rows);

}  // namespace calve::columnar

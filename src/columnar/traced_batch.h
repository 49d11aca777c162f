#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
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

/// What the text of a row that is held back is, and with that how it can be tried again.
enum class RowForm {
  kText,         ///< The source's own text: it could not be read.
  kRead,         ///< JSON: the row as the source gave it, before any transform.
  kTransformed,  ///< JSON: the row as it was behind the last transform.
  kShown,        ///< For people only: cut, escaped, or as it was between transforms.
};

/// "text", "read", "transformed", "shown"
std::string_view ToString(RowForm form);
std::optional<RowForm> ParseRowForm(std::string_view text);

/// A row that could not be read, or changed, as asked. It counts as read.
struct Reject {
  std::string origin;  ///< As Origins::Describe.
  std::string column;  ///< Empty when it is about the row as a whole.
  std::string reason;  ///< One sentence: what was found, what was expected, what to do.
  std::string raw;     ///< The row as it stood; JSON where the source has no text of its own.
  RowForm form = RowForm::kShown;
  /// What the source needs beside the text to read it again, such as the names of a header. Of
  /// kText.
  std::string columns;
  int64_t source_row = -1;  ///< The row in the source's batch; -1: from no single row of it.
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

  /// In the source's batch, the row that row `row` of `rows` comes from; -1: from no single one.
  int64_t SourceRowOf(int64_t row) const {
    return origin_rows.empty() ? row : origin_rows[static_cast<size_t>(row)];
  }
  /// The place of row `row` of `rows`.
  std::string OriginOf(int64_t row) const {
    const int64_t source_row = SourceRowOf(row);
    return origins == nullptr || source_row < 0 ? std::string() : origins->Describe(source_row);
  }
  /// Row `row` of `rows` as one that is held back, printed as it stands there.
  Reject RejectOf(int64_t row, std::string column, std::string reason) const;
};

/// Put batches of one schema one after another; none give an empty batch.
Result<Batch> Concatenate(const std::shared_ptr<arrow::Schema>& schema,
                          const std::vector<Batch>& pieces);

/// Keep the rows whose indices are given, ascending, each in [0, rows).
Result<Batch> TakeRows(const Batch& batch, const std::vector<int64_t>& rows);
/// The same, with the origins of what stays; rejects and counts are untouched.
Result<TracedBatch> TakeRows(TracedBatch batch, const std::vector<int64_t>& rows);

}  // namespace calve::columnar

#pragma once

#include <cstdint>
#include <deque>
#include <span>
#include <vector>

#include "base/result.h"
#include "columnar/convert.h"
#include "writer/row_order.h"
#include "writer/row_spill.h"

namespace calve::writer {

/// Rows that are put in order in runs as large as memory allows, set aside, and merged: so a file is
/// sorted as a whole, however large. For one thread.
class SortedRuns {
 public:
  /// `order` and `spill` outlive it. Of each run `piece_bytes` are in memory while they are merged,
  /// of 32 at most at once.
  SortedRuns(const RowOrder& order, RowSpill& spill, int64_t piece_bytes)
      : order_(order), spill_(spill), piece_bytes_(piece_bytes) {}

  /// Sort rows, of which there is one at least, and set them aside as a run.
  Status Add(const columnar::Batch& rows);
  /// Of the rows in memory, those that Next has not given.
  int64_t bytes() const { return bytes_; }
  bool empty() const { return runs_.empty(); }
  /// The next rows in the order of all; null at the end, when none are held any more. Nothing is
  /// added from the first call to that.
  Result<columnar::Batch> Next();

 private:
  struct Piece {
    RowSpill::Place place;
    int64_t bytes;
    RowOrder::Key last;
  };
  /// Its first rows are in memory while it is merged.
  struct Run {
    std::deque<Piece> pieces;
    columnar::Batch current;  ///< Null when it is to be taken from the pieces.
    RowOrder::Key last;       ///< Of `current`.
  };
  Status Put(const columnar::Batch& sorted, Run* run);
  Status TakeUp(Run& run);
  Result<columnar::Batch> NextOf(std::span<Run> runs);
  Status MakeFewer();

  const RowOrder& order_;
  RowSpill& spill_;
  const int64_t piece_bytes_;
  std::vector<Run> runs_;
  int64_t bytes_ = 0;
};

}  // namespace calve::writer

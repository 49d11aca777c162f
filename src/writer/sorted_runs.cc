#include "writer/sorted_runs.h"

#include <arrow/record_batch.h>

#include <algorithm>
#include <utility>

#include "columnar/arrow_status.h"

namespace calve::writer {
Status SortedRuns::Add(const columnar::Batch& rows) {
  CALVE_ASSIGN_OR_RETURN(const columnar::Batch sorted, order_.Sort(rows));
  const int64_t count = sorted->num_rows();
  const int64_t bytes = std::max<int64_t>(1, columnar::BatchBytes(*sorted));
  const int64_t step = std::max<int64_t>(1, count * piece_bytes_ / bytes);
  Run& run = runs_.emplace_back();
  for (int64_t first = 0; first < count; first += step) {
    const columnar::Batch piece = sorted->Slice(first, std::min(step, count - first));
    CALVE_ASSIGN_OR_RETURN(const RowSpill::Place place, spill_.Append(piece));
    CALVE_ASSIGN_OR_RETURN(RowOrder::Key last, order_.KeyOf(*piece, piece->num_rows() - 1));
    run.pieces.push_back(
        {.place = place, .bytes = columnar::BatchBytes(*piece), .last = std::move(last)});
    bytes_ += run.pieces.back().bytes;
  }
  return Status::Ok();
}

Status SortedRuns::TakeUp(Run& run) {
  if (run.current != nullptr || run.pieces.empty()) return Status::Ok();
  Piece piece = std::move(run.pieces.front());
  run.pieces.pop_front();
  CALVE_ASSIGN_OR_RETURN(run.current, spill_.TakeBack(piece.place));
  run.last = std::move(piece.last);
  bytes_ -= piece.bytes;
  return Status::Ok();
}

/// What is in memory of all runs is given as far as the run reaches whose piece ends first: behind
/// that, rows of its next piece may come.
Result<columnar::Batch> SortedRuns::Next() {
  const RowOrder::Key* bound = nullptr;
  for (Run& run : runs_) {
    CALVE_RETURN_IF_ERROR(TakeUp(run));
    if (run.current == nullptr) continue;
    if (bound == nullptr || !order_.InOrder(*bound, run.last)) bound = &run.last;
  }
  if (bound == nullptr) {
    runs_.clear();
    return columnar::Batch();
  }
  const RowOrder::Key up_to = *bound;
  arrow::RecordBatchVector taken;
  for (Run& run : runs_) {
    if (run.current == nullptr) continue;
    CALVE_ASSIGN_OR_RETURN(const int64_t count, order_.CountUpTo(*run.current, up_to));
    if (count > 0) taken.push_back(run.current->Slice(0, count));
    run.current = count < run.current->num_rows() ? run.current->Slice(count) : nullptr;
  }
  CALVE_ASSIGN_OR_RETURN(const columnar::Batch together, arrow::ConcatenateRecordBatches(taken));
  return order_.Sort(together);
}

}  // namespace calve::writer

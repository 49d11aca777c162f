#include "writer/sorted_runs.h"

#include <arrow/record_batch.h>

#include <algorithm>
#include <utility>

#include "columnar/arrow_status.h"

namespace calve::writer {
namespace {

constexpr size_t kRunsAtOnce = 32;

}  // namespace

Status SortedRuns::Add(const columnar::Batch& rows) {
  CALVE_ASSIGN_OR_RETURN(const columnar::Batch sorted, order_.Sort(rows));
  return Put(sorted, &runs_.emplace_back());
}

/// Set rows aside at the end of a run.
Status SortedRuns::Put(const columnar::Batch& sorted, Run* run) {
  const int64_t count = sorted->num_rows();
  const int64_t bytes = std::max<int64_t>(1, columnar::BatchBytes(*sorted));
  const int64_t step = std::max<int64_t>(1, count * piece_bytes_ / bytes);
  for (int64_t first = 0; first < count; first += step) {
    const columnar::Batch piece = sorted->Slice(first, std::min(step, count - first));
    CALVE_ASSIGN_OR_RETURN(const RowSpill::Place place, spill_.Append(piece));
    CALVE_ASSIGN_OR_RETURN(RowOrder::Key last, order_.KeyOf(*piece, piece->num_rows() - 1));
    run->pieces.push_back(
        {.place = place, .bytes = columnar::BatchBytes(*piece), .last = std::move(last)});
    bytes_ += run->pieces.back().bytes;
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
Result<columnar::Batch> SortedRuns::NextOf(std::span<Run> runs) {
  const RowOrder::Key* bound = nullptr;
  for (Run& run : runs) {
    CALVE_RETURN_IF_ERROR(TakeUp(run));
    if (run.current == nullptr) continue;
    if (bound == nullptr || !order_.InOrder(*bound, run.last)) bound = &run.last;
  }
  if (bound == nullptr) return columnar::Batch();
  const RowOrder::Key up_to = *bound;
  arrow::RecordBatchVector taken;
  for (Run& run : runs) {
    if (run.current == nullptr) continue;
    CALVE_ASSIGN_OR_RETURN(const int64_t count, order_.CountUpTo(*run.current, up_to));
    if (count > 0) taken.push_back(run.current->Slice(0, count));
    run.current = count < run.current->num_rows() ? run.current->Slice(count) : nullptr;
  }
  CALVE_ASSIGN_OR_RETURN(const columnar::Batch together, arrow::ConcatenateRecordBatches(taken));
  return order_.Sort(together);
}

/// Merge several runs into one each, on the disk, until few are left.
Status SortedRuns::MakeFewer() {
  while (runs_.size() > kRunsAtOnce) {
    std::vector<Run> fewer;
    for (size_t first = 0; first < runs_.size(); first += kRunsAtOnce) {
      const auto some =
          std::span(runs_).subspan(first, std::min(kRunsAtOnce, runs_.size() - first));
      Run& merged = fewer.emplace_back();
      while (true) {
        CALVE_ASSIGN_OR_RETURN(const columnar::Batch rows, NextOf(some));
        if (rows == nullptr) break;
        CALVE_RETURN_IF_ERROR(Put(rows, &merged));
      }
    }
    runs_ = std::move(fewer);
  }
  return Status::Ok();
}

Result<columnar::Batch> SortedRuns::Next() {
  CALVE_RETURN_IF_ERROR(MakeFewer());
  CALVE_ASSIGN_OR_RETURN(columnar::Batch rows, NextOf(runs_));
  if (rows == nullptr) runs_.clear();
  return rows;
}

}  // namespace calve::writer

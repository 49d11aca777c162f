#include "pipeline/fit.h"

#include <utility>

#include "columnar/arrow_status.h"
#include "columnar/keep_columns.h"

namespace calve::pipeline {
namespace {

using columnar::Batch;
using columnar::TracedBatch;

/// Conform rows [begin, end) by halving around the rows that do not fit: a few bad rows cost a few
/// casts, not one a row.
class Fitting {
 public:
  Fitting(const TracedBatch& batch, const iceberg::Schema& target)
      : batch_(batch), target_(target) {}

  Status Fit(int64_t begin, int64_t end) {
    if (begin == end) return Status::Ok();
    Result<Batch> fitted = columnar::Conform(batch_.rows->Slice(begin, end - begin), target_);
    if (fitted.ok()) {
      pieces.push_back(std::move(*fitted));
      for (int64_t row = begin; row < end; ++row) kept.push_back(row);
      return Status::Ok();
    }
    if (fitted.error().kind != ErrorKind::kData) return std::move(fitted).error();
    if (end - begin == 1) {
      columnar::Reject& reject =
          rejects.emplace_back(batch_.RejectOf(begin, "", fitted.error().message));
      reject.form = columnar::RowForm::kTransformed;
      return Status::Ok();
    }
    const int64_t middle = begin + (end - begin) / 2;
    CALVE_RETURN_IF_ERROR(Fit(begin, middle));
    return Fit(middle, end);
  }

  std::vector<Batch> pieces;
  std::vector<int64_t> kept;
  std::vector<columnar::Reject> rejects;

 private:
  const TracedBatch& batch_;
  const iceberg::Schema& target_;
};

}  // namespace

Result<TracedBatch> FitToTarget(TracedBatch batch, const iceberg::Schema& target) {
  batch.rows = columnar::KeepColumns(batch.rows, target);
  Fitting fitting(batch, target);
  CALVE_RETURN_IF_ERROR(fitting.Fit(0, batch.rows->num_rows()));
  CALVE_ASSIGN_OR_RETURN(const auto schema, columnar::ToArrowSchema(target));
  CALVE_ASSIGN_OR_RETURN(Batch fitted, columnar::Concatenate(schema, fitting.pieces));
  if (!fitting.rejects.empty()) {
    CALVE_ASSIGN_OR_RETURN(batch, columnar::TakeRows(std::move(batch), fitting.kept));
  }
  batch.rows = std::move(fitted);
  for (columnar::Reject& reject : fitting.rejects) batch.rejects.push_back(std::move(reject));
  return batch;
}

}  // namespace calve::pipeline

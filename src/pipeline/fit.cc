#include "pipeline/fit.h"

#include <arrow/array/array_primitive.h>

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

Result<iceberg::SchemaPtr> WithFlag(const iceberg::Schema& target, const std::string& flag) {
  std::vector<iceberg::Field> fields = target.fields();
  const iceberg::FieldId free(target.highest_field_id().value() + 1);
  fields.push_back({.id = free, .name = flag, .type = iceberg::Type::Boolean()});
  return iceberg::Schema::Make(target.id(), std::move(fields));
}

Result<Batch> TakeFlagged(TracedBatch* batch) {
  const int last = batch->rows->num_columns() - 1;
  const auto flags = std::static_pointer_cast<arrow::BooleanArray>(batch->rows->column(last));
  CALVE_ASSIGN_OR_RETURN(batch->rows, batch->rows->RemoveColumn(last));
  std::vector<int64_t> kept;
  std::vector<int64_t> flagged;
  for (int64_t row = 0; row < flags->length(); ++row) {
    const bool is_flagged = flags->IsValid(row) && flags->Value(row);
    (is_flagged ? flagged : kept).push_back(row);
  }
  CALVE_ASSIGN_OR_RETURN(Batch taken, columnar::TakeRows(batch->rows, flagged));
  if (!flagged.empty()) {
    CALVE_ASSIGN_OR_RETURN(*batch, columnar::TakeRows(std::move(*batch), kept));
  }
  return taken;
}

}  // namespace calve::pipeline

#include "columnar/traced_batch.h"

#include <arrow/array/builder_primitive.h>
#include <arrow/compute/api_vector.h>
#include <arrow/datum.h>

#include <utility>

#include "columnar/arrow_status.h"

namespace calve::columnar {

Result<Batch> TakeRows(const Batch& batch, const std::vector<int64_t>& rows) {
  if (static_cast<int64_t>(rows.size()) == batch->num_rows()) return batch;
  arrow::Int64Builder builder;
  CALVE_RETURN_IF_ERROR(builder.AppendValues(rows));
  CALVE_ASSIGN_OR_RETURN(const auto indices, builder.Finish());
  CALVE_ASSIGN_OR_RETURN(const arrow::Datum taken, arrow::compute::Take(arrow::Datum(batch), arrow::Datum(indices),
                                                                        arrow::compute::TakeOptions::NoBoundsCheck()));
  return taken.record_batch();
}

Result<TracedBatch> TakeRows(TracedBatch batch, const std::vector<int64_t>& rows) {
  if (static_cast<int64_t>(rows.size()) == batch.rows->num_rows()) return batch;
  CALVE_ASSIGN_OR_RETURN(batch.rows, TakeRows(batch.rows, rows));
  std::vector<int64_t> origins;
  origins.reserve(rows.size());
  for (const int64_t row : rows) origins.push_back(batch.origin_rows.empty() ? row : batch.origin_rows[static_cast<size_t>(row)]);
  batch.origin_rows = std::move(origins);
  return batch;
}

}  // namespace calve::columnar

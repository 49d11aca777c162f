#include "columnar/traced_batch.h"

#include <arrow/array/builder_primitive.h>
#include <arrow/array/concatenate.h>
#include <arrow/array/util.h>
#include <arrow/compute/api_vector.h>
#include <arrow/datum.h>

#include <array>
#include <utility>

#include "columnar/arrow_status.h"
#include "columnar/row_text.h"

namespace calve::columnar {

namespace {

constexpr std::array<std::pair<RowForm, std::string_view>, 4> kForms = {
    {{RowForm::kText, "text"},
     {RowForm::kRead, "read"},
     {RowForm::kTransformed, "transformed"},
     {RowForm::kShown, "shown"}}};

}  // namespace

std::string_view ToString(RowForm form) {
  for (const auto& [known, name] : kForms) {
    if (known == form) return name;
  }
  return "shown";
}

std::optional<RowForm> ParseRowForm(std::string_view text) {
  for (const auto& [form, name] : kForms) {
    if (name == text) return form;
  }
  return std::nullopt;
}

Reject TracedBatch::RejectOf(int64_t row, std::string column, std::string reason) const {
  return {.origin = OriginOf(row),
          .column = std::move(column),
          .reason = std::move(reason),
          .raw = RowAsJson(*rows, row),
          .form = RowForm::kShown,
          .columns = {},
          .source_row = SourceRowOf(row)};
}

Result<Batch> Concatenate(const std::shared_ptr<arrow::Schema>& schema,
                          const std::vector<Batch>& pieces) {
  if (pieces.size() == 1) return pieces.front();
  int64_t rows = 0;
  for (const Batch& piece : pieces) rows += piece->num_rows();
  arrow::ArrayVector columns;
  for (int i = 0; i < schema->num_fields(); ++i) {
    arrow::ArrayVector parts;
    for (const Batch& piece : pieces) parts.push_back(piece->column(i));
    if (parts.empty()) {
      CALVE_ASSIGN_OR_RETURN(auto empty, arrow::MakeEmptyArray(schema->field(i)->type()));
      columns.push_back(std::move(empty));
      continue;
    }
    CALVE_ASSIGN_OR_RETURN(auto column, arrow::Concatenate(parts));
    columns.push_back(std::move(column));
  }
  return arrow::RecordBatch::Make(schema, rows, std::move(columns));
}

Result<Batch> TakeRows(const Batch& batch, const std::vector<int64_t>& rows) {
  if (static_cast<int64_t>(rows.size()) == batch->num_rows()) return batch;
  arrow::Int64Builder builder;
  CALVE_RETURN_IF_ERROR(builder.AppendValues(rows));
  CALVE_ASSIGN_OR_RETURN(const auto indices, builder.Finish());
  CALVE_ASSIGN_OR_RETURN(const arrow::Datum taken,
                         arrow::compute::Take(arrow::Datum(batch), arrow::Datum(indices),
                                              arrow::compute::TakeOptions::NoBoundsCheck()));
  return taken.record_batch();
}

Result<TracedBatch> TakeRows(TracedBatch batch, const std::vector<int64_t>& rows) {
  if (static_cast<int64_t>(rows.size()) == batch.rows->num_rows()) return batch;
  CALVE_ASSIGN_OR_RETURN(batch.rows, TakeRows(batch.rows, rows));
  std::vector<int64_t> origins;
  origins.reserve(rows.size());
  for (const int64_t row : rows)
    origins.push_back(batch.origin_rows.empty() ? row
                                                : batch.origin_rows[static_cast<size_t>(row)]);
  batch.origin_rows = std::move(origins);
  return batch;
}

}  // namespace calve::columnar

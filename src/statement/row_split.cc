#include "statement/row_split.h"

#include <arrow/array/array_binary.h>
#include <arrow/array/array_nested.h>
#include <arrow/array/array_primitive.h>
#include <arrow/compute/api.h>
#include <arrow/compute/api_vector.h>
#include <arrow/datum.h>
#include <arrow/util/checked_cast.h>

#include <string_view>
#include <utility>

#include "base/text.h"
#include "columnar/arrow_status.h"
#include "columnar/exact_cast.h"

namespace calve::statement {
namespace {

using arrow::internal::checked_cast;
using iceberg::TypeKind;

/// A variant as it comes from a merge: JSON or the bytes of another, whichever is not null.
Result<std::shared_ptr<arrow::Array>> VariantOf(const std::shared_ptr<arrow::Array>& column,
                                                const std::string& name) {
  if (column->type_id() != arrow::Type::STRUCT || column->type()->field(0)->name() != "json")
    return column;
  CALVE_ASSIGN_OR_RETURN(const arrow::ArrayVector parts,
                         checked_cast<const arrow::StructArray&>(*column).Flatten());
  std::vector<arrow::Datum> variants;
  for (const auto& part : parts) {
    CALVE_ASSIGN_OR_RETURN(
        auto variant,
        columnar::CastExactly(part, iceberg::Type::Of(TypeKind::kVariant), {.name = name}));
    variants.emplace_back(std::move(variant));
  }
  CALVE_ASSIGN_OR_RETURN(const arrow::Datum either,
                         arrow::compute::CallFunction("coalesce", variants));
  return either.make_array();
}

/// Columns as DuckDB gives them, in the Arrow types that the table's are: DuckDB has no
/// timestamptz_ns, whose values it gives as moments in UTC.
Result<std::shared_ptr<arrow::Array>> AsOf(const std::shared_ptr<arrow::Array>& column,
                                           const iceberg::Field& field) {
  if (field.type.kind() == TypeKind::kVariant) return VariantOf(column, field.name);
  if (field.type.kind() != TypeKind::kTimestampTzNs) return column;
  CALVE_ASSIGN_OR_RETURN(const auto exact, columnar::ToArrowType(field.type));
  CALVE_ASSIGN_OR_RETURN(auto view, column->View(exact));
  return view;
}

}  // namespace

Result<std::unique_ptr<RowSplit>> RowSplit::Make(const engine::RowChanges& changes,
                                                 const iceberg::Schema& schema, std::string table) {
  auto split = std::unique_ptr<RowSplit>(new RowSplit());
  split->file_ = changes.file;
  split->position_ = changes.position;
  split->row_id_ = changes.row_id;
  split->comes_ = changes.comes;
  split->columns_ = changes.columns;
  split->has_columns_ = changes.rows->schema()->num_fields() > changes.columns;
  split->table_ = std::move(table);
  std::vector<iceberg::Field> fields = schema.fields();
  if (split->row_id_ >= 0) {
    fields.push_back(
        {.id = iceberg::reserved::kRowId, .name = "_row_id", .type = iceberg::Type::Long()});
  }
  CALVE_ASSIGN_OR_RETURN(split->written_, iceberg::Schema::Make(schema.id(), std::move(fields)));
  return split;
}

Result<columnar::Batch> RowSplit::Take(const columnar::Batch& rows, Outcome* outcome) {
  if (file_ < 0) {
    outcome->rows_inserted += rows->num_rows();
  } else {
    CALVE_RETURN_IF_ERROR(TakeGone(rows, outcome));
  }
  if (!has_columns_) return columnar::Batch();
  return Coming(rows);
}

Status RowSplit::TakeGone(const columnar::Batch& rows, Outcome* outcome) {
  const auto& files = checked_cast<const arrow::StringArray&>(*rows->column(file_));
  const auto& positions = checked_cast<const arrow::Int64Array&>(*rows->column(position_));
  const auto* comes =
      comes_ < 0 ? nullptr : &checked_cast<const arrow::BooleanArray&>(*rows->column(comes_));
  std::string_view file;
  iceberg::PositionSet* gone = nullptr;
  iceberg::PositionSet* replaced = nullptr;
  for (int64_t row = 0; row < rows->num_rows(); ++row) {
    if (files.IsNull(row)) {
      ++outcome->rows_inserted;
      continue;
    }
    if (gone == nullptr || files.GetView(row) != file) {
      file = files.GetView(row);
      gone = &gone_[std::string(file)];
      replaced = &replaced_[std::string(file)];
    }
    const int64_t position = positions.Value(row);
    const bool comes_again = has_columns_ && (comes == nullptr || comes->Value(row));
    const bool known = gone->Contains(position);
    // Deleted twice is deleted; anything else depends on which comes last.
    if (known && (comes_again || replaced->Contains(position))) {
      return DataError("expected each row of " + table_ +
                       " to be changed once, found one that several rows change (row " +
                       FormatCount(position + 1) + " of " + std::string(file) +
                       "): make the condition such that one row at most meets it, or take the "
                       "others out by DISTINCT or GROUP BY");
    }
    if (known) continue;
    gone->Add(position);
    if (comes_again) replaced->Add(position);
    ++(comes_again ? outcome->rows_updated : outcome->rows_deleted);
  }
  return Status::Ok();
}

Result<columnar::Batch> RowSplit::Coming(const columnar::Batch& rows) const {
  std::vector<std::shared_ptr<arrow::Array>> columns;
  arrow::FieldVector fields;
  const auto& written = written_->fields();
  for (size_t i = 0; i < written.size(); ++i) {
    const bool is_row_id = row_id_ >= 0 && i + 1 == written.size();
    const int from = is_row_id ? row_id_ : columns_ + static_cast<int>(i);
    CALVE_ASSIGN_OR_RETURN(auto column, AsOf(rows->column(from), written[i]));
    fields.push_back(arrow::field(written[i].name, column->type()));
    columns.push_back(std::move(column));
  }
  auto coming = arrow::RecordBatch::Make(arrow::schema(std::move(fields)), rows->num_rows(),
                                         std::move(columns));
  if (comes_ >= 0) {
    CALVE_ASSIGN_OR_RETURN(const arrow::Datum kept,
                           arrow::compute::Filter(coming, rows->column(comes_)));
    coming = kept.record_batch();
  }
  return columnar::Conform(coming, *written_);
}

}  // namespace calve::statement

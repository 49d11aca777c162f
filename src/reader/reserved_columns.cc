#include "reader/reserved_columns.h"

#include <arrow/array/util.h>
#include <arrow/builder.h>
#include <arrow/util/checked_cast.h>
#include <fmt/format.h>

#include "columnar/arrow_status.h"

namespace calve::reader {
namespace {

using arrow::internal::checked_cast;
using iceberg::Value;
namespace reserved = iceberg::reserved;
using ArrayPtr = std::shared_ptr<arrow::Array>;

/// The stored values, with `inherited(i)` in place of nulls.
template <typename Inherited>
Result<ArrayPtr> Inherit(const arrow::Array& stored, Inherited&& inherited) {
  const auto& values = checked_cast<const arrow::Int64Array&>(stored);
  arrow::Int64Builder builder;
  CALVE_RETURN_IF_ERROR(builder.Reserve(values.length()));
  for (int64_t i = 0; i < values.length(); ++i)
    builder.UnsafeAppend(values.IsNull(i) ? inherited(i) : values.Value(i));
  CALVE_ASSIGN_OR_RETURN(ArrayPtr array, builder.Finish());
  return array;
}

Result<ArrayPtr> Positions(const FileBatch& batch) {
  arrow::Int64Builder builder;
  const int64_t count = batch.rows->num_rows();
  CALVE_RETURN_IF_ERROR(builder.Reserve(count));
  for (int64_t i = 0; i < count; ++i) builder.UnsafeAppend(batch.first_position + i);
  CALVE_ASSIGN_OR_RETURN(ArrayPtr array, builder.Finish());
  return array;
}

/// The values of a task's partition in the fields that are asked for; those of other specs are
/// null.
Result<ArrayPtr> Partition(const iceberg::Field& field, const iceberg::PartitionSpec& spec,
                           const iceberg::ScanTask& task, int64_t rows) {
  CALVE_ASSIGN_OR_RETURN(const std::shared_ptr<arrow::DataType> type,
                         columnar::ToArrowType(field.type));
  std::vector<std::shared_ptr<arrow::ArrayData>> children;
  for (const iceberg::Field& child : field.type.fields()) {
    Value value;
    for (size_t i = 0; i < spec.fields.size() && i < task.file->partition.size(); ++i) {
      if (spec.fields[i].field_id == child.id) value = task.file->partition[i];
    }
    CALVE_ASSIGN_OR_RETURN(const ArrayPtr column, columnar::Repeat(child.type, value, rows));
    children.push_back(column->data());
  }
  return arrow::MakeArray(arrow::ArrayData::Make(type, rows, {nullptr}, std::move(children), 0));
}

}  // namespace

bool IsReserved(iceberg::FieldId id) { return id.value() > INT32_MAX - 201; }

bool IsStored(iceberg::FieldId id) {
  return id == reserved::kRowId || id == reserved::kLastUpdatedSequenceNumber;
}

Result<ArrayPtr> ReservedColumn(const iceberg::Field& field, const iceberg::PartitionSpec& spec,
                                const iceberg::ScanTask& task, const FileBatch& batch,
                                const ArrayPtr& stored) {
  const int64_t rows = batch.rows->num_rows();
  if (field.id == reserved::kFilePath)
    return columnar::Repeat(field.type, Value(task.file->path), rows);
  if (field.id == reserved::kPos) return Positions(batch);
  if (field.id == reserved::kSpecId)
    return columnar::Repeat(field.type, Value(task.file->spec_id.value()), rows);
  if (field.id == reserved::kPartition) return Partition(field, spec, task, rows);
  if (IsStored(field.id)) {
    // A file that has no first row id has no lineage to inherit.
    if (!task.file->first_row_id) return stored;
    const int64_t first = task.file->first_row_id->value() + batch.first_position;
    const int64_t sequence = task.data_sequence_number.value();
    if (field.id == reserved::kRowId) return Inherit(*stored, [&](int64_t i) { return first + i; });
    return Inherit(*stored, [&](int64_t) { return sequence; });
  }
  return RefusedError(fmt::format("column {} (field id {}) is reserved and not read here",
                                  field.name, field.id.value()));
}

}  // namespace calve::reader

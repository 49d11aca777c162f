#include "reader/row_group_filter.h"

#include <parquet/statistics.h>
#include <parquet/types.h>

#include <memory>
#include <string>

#include "columnar/convert.h"

namespace calve::reader {
namespace {

using iceberg::TypeKind;

/// Types whose Parquet statistics are Iceberg's single values, byte for byte.
bool IsPlain(const iceberg::Type& type, const arrow::DataType& file) {
  switch (type.kind()) {
    case TypeKind::kLong:
      return file.id() == arrow::Type::INT64 || file.id() == arrow::Type::INT32;
    case TypeKind::kBoolean:
    case TypeKind::kInt:
    case TypeKind::kDate:
    case TypeKind::kTime:
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampTz:
    case TypeKind::kTimestampNs:
    case TypeKind::kTimestampTzNs:
    case TypeKind::kString: {
      const auto exact = columnar::ToArrowType(type);
      return exact.ok() && (*exact)->Equals(file);
    }
    default:
      return false;
  }
}

void AddColumn(const iceberg::Field& column, const FileField& field,
               const parquet::RowGroupMetaData& group, iceberg::Metrics& metrics) {
  const std::unique_ptr<parquet::ColumnChunkMetaData> chunk = group.ColumnChunk(field.leaf);
  if (chunk->type() == parquet::Type::INT96 || !chunk->is_stats_set()) return;
  const std::shared_ptr<parquet::EncodedStatistics> statistics = chunk->encoded_statistics();
  if (statistics == nullptr) return;
  metrics.value_counts.Set(column.id, chunk->num_values());
  if (statistics->has_null_count) metrics.null_value_counts.Set(column.id, statistics->null_count);
  if (!IsPlain(column.type, *field.type)) return;
  if (statistics->has_min) metrics.lower_bounds.Set(column.id, statistics->min());
  if (statistics->has_max) metrics.upper_bounds.Set(column.id, statistics->max());
}

void AddColumns(const iceberg::Schema& schema, const std::vector<FileField>& fields,
                const parquet::RowGroupMetaData& group, iceberg::Metrics& metrics) {
  for (const FileField& field : fields) {
    const iceberg::Field* column = field.id ? schema.FindById(*field.id) : nullptr;
    if (column == nullptr) continue;
    if (field.leaf >= 0 && column->type.is_primitive()) AddColumn(*column, field, group, metrics);
    if (column->type.kind() == TypeKind::kStruct)
      AddColumns(schema, field.children, group, metrics);
  }
}

}  // namespace

bool RowGroupMayMatch(const iceberg::Expression& filter, const iceberg::Schema& schema,
                      const std::vector<FileField>& fields,
                      const parquet::RowGroupMetaData& group) {
  if (filter.op() == iceberg::Expression::Op::kTrue) return true;
  iceberg::DataFile file;
  file.record_count = group.num_rows();
  AddColumns(schema, fields, group, file.metrics);
  return iceberg::MayMatch(filter, schema, file);
}

}  // namespace calve::reader

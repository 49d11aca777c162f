#include "writer/nan_counts.h"

#include <arrow/array/array_nested.h>
#include <arrow/array/array_primitive.h>
#include <arrow/util/checked_cast.h>

namespace calve::writer {
namespace {

using arrow::internal::checked_cast;
using iceberg::TypeKind;

template <typename ArrayType>
int64_t CountNans(const arrow::Array& array) {
  const auto* values = checked_cast<const ArrayType&>(array).raw_values();
  int64_t count = 0;
  for (int64_t i = 0; i < array.length(); ++i) count += values[i] != values[i];
  if (count == 0 || array.null_count() == 0) return count;
  count = 0;
  for (int64_t i = 0; i < array.length(); ++i) count += values[i] != values[i] && array.IsValid(i);
  return count;
}

void Visit(const iceberg::Field& field, const arrow::Array& array,
           std::map<iceberg::FieldId, int64_t>& counts) {
  if (field.type.kind() == TypeKind::kFloat) {
    counts[field.id] += CountNans<arrow::FloatArray>(array);
  } else if (field.type.kind() == TypeKind::kDouble) {
    counts[field.id] += CountNans<arrow::DoubleArray>(array);
  } else if (field.type.kind() == TypeKind::kStruct) {
    const auto& rows = checked_cast<const arrow::StructArray&>(array);
    for (size_t i = 0; i < field.type.fields().size(); ++i) {
      const auto child = rows.GetFlattenedField(static_cast<int>(i));
      if (child.ok()) Visit(field.type.fields()[i], **child, counts);
    }
  }
}

}  // namespace

void NanCounts::Add(const iceberg::Schema& schema, const arrow::RecordBatch& rows) {
  for (size_t i = 0; i < schema.fields().size(); ++i) {
    Visit(schema.fields()[i], *rows.column(static_cast<int>(i)), counts_);
  }
}

}  // namespace calve::writer

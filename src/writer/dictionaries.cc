#include "writer/dictionaries.h"

#include <arrow/compute/api.h>
#include <arrow/scalar.h>

#include "columnar/arrow_status.h"

namespace calve::writer {
namespace {

constexpr int64_t kTellingRows = 4096;
/// Of the values, so many are others: the dictionary and its indices are no smaller than the values.
constexpr double kUselessShare = 0.7;

bool HasDistinctCounts(const arrow::DataType& type) {
  return !arrow::is_nested(type.id()) && type.id() != arrow::Type::BOOL &&
         type.id() != arrow::Type::EXTENSION && type.id() != arrow::Type::NA;
}

}  // namespace

Result<std::shared_ptr<parquet::WriterProperties>> WithUsefulDictionaries(
    const std::shared_ptr<parquet::WriterProperties>& properties, const columnar::Batch& rows) {
  if (rows->num_rows() < kTellingRows) return properties;
  parquet::WriterProperties::Builder builder(*properties);
  for (int i = 0; i < rows->num_columns(); ++i) {
    const arrow::Array& column = *rows->column(i);
    const auto values = static_cast<double>(column.length() - column.null_count());
    if (values < kTellingRows || !HasDistinctCounts(*column.type())) continue;
    CALVE_ASSIGN_OR_RETURN(const arrow::Datum counted,
                           arrow::compute::CallFunction("count_distinct", {rows->column(i)}));
    const auto distinct = static_cast<double>(counted.scalar_as<arrow::Int64Scalar>().value);
    if (distinct > kUselessShare * values)
      builder.disable_dictionary(rows->schema()->field(i)->name());
  }
  return builder.build();
}

}  // namespace calve::writer

#include "writer/encodings.h"

#include <arrow/array/array_binary.h>
#include <arrow/compute/api.h>
#include <arrow/scalar.h>
#include <arrow/type.h>

#include <algorithm>
#include <string_view>

#include "columnar/arrow_status.h"

namespace calve::writer {
namespace {

constexpr int64_t kTellingRows = 4096;
/// Of the values, so many are others: the dictionary and its indices are no smaller than the values.
constexpr double kUselessShare = 0.7;
/// Parquet keeps decimals of so many digits as integers, larger ones as bytes.
constexpr int32_t kIntegerDigitsMax = 18;

bool HasDistinctCounts(const arrow::DataType& type) {
  return !arrow::is_nested(type.id()) && type.id() != arrow::Type::BOOL &&
         type.id() != arrow::Type::EXTENSION && type.id() != arrow::Type::NA;
}

bool IsIntegerInParquet(const arrow::DataType& type) {
  if (arrow::is_decimal(type.id()))
    return static_cast<const arrow::DecimalType&>(type).precision() <= kIntegerDigitsMax;
  return arrow::is_integer(type.id()) || arrow::is_temporal(type.id());
}

/// Whether values share at least a quarter of their bytes, from the start, with the one before.
bool BeginAlike(const arrow::BinaryArray& texts) {
  int64_t bytes = 0;
  int64_t shared = 0;
  std::string_view before;
  for (int64_t i = 0; i < texts.length(); ++i) {
    const std::string_view text = texts.IsNull(i) ? std::string_view() : texts.GetView(i);
    const auto apart = std::mismatch(text.begin(), text.end(), before.begin(), before.end());
    shared += apart.first - text.begin();
    bytes += static_cast<int64_t>(text.size());
    before = text;
  }
  return shared > bytes / 4;
}

/// How values that hardly repeat are kept where a reader knows the encodings of 2013.
parquet::Encoding::type DeltaEncoding(const arrow::Array& column) {
  if (IsIntegerInParquet(*column.type())) return parquet::Encoding::DELTA_BINARY_PACKED;
  if (!arrow::is_base_binary_like(column.type_id()) ||
      arrow::is_large_binary_like(column.type_id()))
    return parquet::Encoding::PLAIN;
  return BeginAlike(static_cast<const arrow::BinaryArray&>(column))
             ? parquet::Encoding::DELTA_BYTE_ARRAY
             : parquet::Encoding::DELTA_LENGTH_BYTE_ARRAY;
}

}  // namespace

Result<std::shared_ptr<parquet::WriterProperties>> WithSuitableEncodings(
    const std::shared_ptr<parquet::WriterProperties>& properties, const columnar::Batch& rows) {
  if (rows->num_rows() < kTellingRows) return properties;
  const bool is_delta = properties->data_page_version() == parquet::ParquetDataPageVersion::V2;
  parquet::WriterProperties::Builder builder(*properties);
  for (int i = 0; i < rows->num_columns(); ++i) {
    const arrow::Array& column = *rows->column(i);
    const auto values = static_cast<double>(column.length() - column.null_count());
    if (values < kTellingRows || !HasDistinctCounts(*column.type())) continue;
    CALVE_ASSIGN_OR_RETURN(const arrow::Datum counted,
                           arrow::compute::CallFunction("count_distinct", {rows->column(i)}));
    const auto distinct = static_cast<double>(counted.scalar_as<arrow::Int64Scalar>().value);
    if (distinct <= kUselessShare * values) continue;
    const std::string& name = rows->schema()->field(i)->name();
    builder.disable_dictionary(name);
    if (is_delta) builder.encoding(name, DeltaEncoding(column));
  }
  return builder.build();
}

}  // namespace calve::writer

#include "writer/footer_metrics.h"

#include <parquet/schema.h>
#include <parquet/statistics.h>
#include <parquet/types.h>

#include <cstring>
#include <memory>
#include <optional>
#include <string>

namespace calve::writer {
namespace {

using iceberg::FieldId;
using iceberg::MetricsMode;
using iceberg::Type;
using iceberg::TypeKind;
using iceberg::Value;

/// A decimal's unscaled value from Parquet's bytes: little-endian for integers, big-endian for
/// fixed.
Value DecimalFrom(const std::string& bytes, parquet::Type::type physical) {
  iceberg::Int128 value = 0;
  if (physical == parquet::Type::FIXED_LEN_BYTE_ARRAY) {
    value = !bytes.empty() && (bytes[0] & 0x80) != 0 ? -1 : 0;
    for (const char byte : bytes) {
      value = static_cast<iceberg::Int128>((static_cast<unsigned __int128>(value) << 8) |
                                           static_cast<uint8_t>(byte));
    }
  } else if (physical == parquet::Type::INT32) {
    int32_t narrow = 0;
    std::memcpy(&narrow, bytes.data(), std::min(bytes.size(), sizeof(narrow)));
    value = narrow;
  } else {
    int64_t narrow = 0;
    std::memcpy(&narrow, bytes.data(), std::min(bytes.size(), sizeof(narrow)));
    value = narrow;
  }
  return Value(iceberg::Decimal{value});
}

/// What Parquet's statistics hold is Iceberg's single-value form, but for decimals.
Result<Value> BoundFrom(const std::string& bytes, const Type& type, parquet::Type::type physical) {
  if (type.kind() == TypeKind::kDecimal) return DecimalFrom(bytes, physical);
  return iceberg::FromBytes(type, bytes);
}

/// One column over all row groups.
struct ColumnSummary {
  int64_t size = 0;
  int64_t values = 0;
  int64_t nulls = 0;
  bool has_nulls = true;  ///< Every row group says how many nulls it has.
  bool has_lower = true;  ///< Every row group with values says its least.
  bool has_upper = true;
  std::optional<Value> lower;
  std::optional<Value> upper;
};

Status AddBounds(const parquet::EncodedStatistics& statistics, const Type& type,
                 parquet::Type::type physical, ColumnSummary& out) {
  out.has_lower &= statistics.has_min;
  out.has_upper &= statistics.has_max;
  if (statistics.has_min) {
    CALVE_ASSIGN_OR_RETURN(Value least, BoundFrom(statistics.min(), type, physical));
    if (!out.lower || Compare(least, *out.lower) < 0) out.lower = std::move(least);
  }
  if (statistics.has_max) {
    CALVE_ASSIGN_OR_RETURN(Value most, BoundFrom(statistics.max(), type, physical));
    if (!out.upper || Compare(most, *out.upper) > 0) out.upper = std::move(most);
  }
  return Status::Ok();
}

/// The group of the variant whose metadata a column is: null for other columns.
const parquet::schema::Node* VariantOf(const parquet::ColumnDescriptor& column) {
  const parquet::schema::Node* parent = column.schema_node()->parent();
  const bool is_variant = parent != nullptr && parent->logical_type() != nullptr &&
                          parent->logical_type()->is_variant();
  return is_variant && column.name() == "metadata" ? parent : nullptr;
}

/// `nans` of the column over the whole file: a row group without bounds may hold nothing but NaNs.
Result<ColumnSummary> Summarize(const parquet::FileMetaData& footer, int column, const Type& type,
                                int64_t nans) {
  ColumnSummary out;
  for (int group = 0; group < footer.num_row_groups(); ++group) {
    const std::unique_ptr<parquet::ColumnChunkMetaData> chunk =
        footer.RowGroup(group)->ColumnChunk(column);
    const std::shared_ptr<parquet::EncodedStatistics> statistics = chunk->encoded_statistics();
    out.size += chunk->total_compressed_size();
    out.values += chunk->num_values();
    const bool counted = statistics != nullptr && statistics->has_null_count;
    out.has_nulls &= counted;
    if (counted) out.nulls += statistics->null_count;
    const bool is_empty = counted && statistics->null_count == chunk->num_values();
    const bool may_be_nan = nans > 0 && counted && !statistics->has_min && !statistics->has_max;
    if (is_empty || may_be_nan) continue;
    if (statistics == nullptr) {
      out.has_lower = out.has_upper = false;
    } else {
      CALVE_RETURN_IF_ERROR(AddBounds(*statistics, type, chunk->type(), out));
    }
  }
  return out;
}

}  // namespace

std::vector<int64_t> SplitOffsets(const parquet::FileMetaData& footer) {
  std::vector<int64_t> offsets;
  for (int group = 0; group < footer.num_row_groups(); ++group) {
    const auto first = footer.RowGroup(group)->ColumnChunk(0);
    const int64_t data = first->data_page_offset();
    offsets.push_back(first->has_dictionary_page() ? std::min(first->dictionary_page_offset(), data)
                                                   : data);
  }
  return offsets;
}

Result<iceberg::Metrics> FooterMetrics(const parquet::FileMetaData& footer,
                                       const iceberg::Schema& schema,
                                       const iceberg::MetricsConfig& modes,
                                       const std::map<FieldId, int64_t>& nan_counts) {
  iceberg::Metrics metrics;
  for (int column = 0; column < footer.num_columns(); ++column) {
    const parquet::ColumnDescriptor& descriptor = *footer.schema()->Column(column);
    const parquet::schema::Node* variant = VariantOf(descriptor);
    const FieldId id((variant != nullptr ? variant : descriptor.schema_node().get())->field_id());
    const iceberg::Field* field = schema.FindById(id);
    const MetricsMode& mode = modes.ModeOf(id);
    if (field == nullptr || mode.kind == MetricsMode::Kind::kNone) continue;
    const auto nans = nan_counts.find(id);
    const Type type = variant != nullptr ? Type::Binary() : field->type;
    CALVE_ASSIGN_OR_RETURN(
        const ColumnSummary summary,
        Summarize(footer, column, type, nans == nan_counts.end() ? 0 : nans->second));
    if (variant == nullptr) metrics.column_sizes.Set(id, summary.size);
    if (descriptor.max_repetition_level() > 0) continue;
    metrics.value_counts.Set(id, summary.values);
    if (summary.has_nulls) metrics.null_value_counts.Set(id, summary.nulls);
    if (nans != nan_counts.end()) metrics.nan_value_counts.Set(id, nans->second);
    if (variant != nullptr) continue;
    const bool may_hide_nans =
        field->type.kind() == TypeKind::kFloat || field->type.kind() == TypeKind::kDouble;
    if (may_hide_nans && nans == nan_counts.end()) continue;
    const Value lower = summary.has_lower ? summary.lower.value_or(Value()) : Value();
    const Value upper = summary.has_upper ? summary.upper.value_or(Value()) : Value();
    CALVE_RETURN_IF_ERROR(iceberg::SetBounds(metrics, id, field->type, mode, lower, upper));
  }
  return metrics;
}

}  // namespace calve::writer

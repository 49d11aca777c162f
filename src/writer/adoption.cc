#include "writer/adoption.h"

#include <arrow/util/checked_cast.h>
#include <fmt/format.h>
#include <parquet/encryption/encryption.h>
#include <parquet/schema.h>
#include <parquet/statistics.h>

#include <algorithm>
#include <exception>
#include <memory>
#include <optional>

#include "base/text.h"
#include "iceberg/metrics.h"
#include "io/file_system.h"
#include "writer/foreign_file.h"
#include "writer/write_properties.h"

namespace calve::writer {
namespace {

using arrow::internal::checked_cast;
using iceberg::Field;
using iceberg::MetricsMode;
using iceberg::Type;
using iceberg::TypeKind;
using parquet::LogicalType;
using Physical = parquet::Type;
using Unit = parquet::LogicalType::TimeUnit;

/// Files below this share of the target size are put together by writing their rows.
constexpr int64_t kSmallShare = 16;
/// Readers take a row group's columns whole, and a footer of many small groups costs every reader.
constexpr int64_t kGroupBytesMax = 1 << 30;
constexpr int64_t kGroupBytesMin = 256 << 10;

bool IsInt(const LogicalType& logical, int bits) {
  if (!logical.is_int()) return logical.is_none();
  const auto& integer = checked_cast<const parquet::IntLogicalType&>(logical);
  return integer.is_signed() && integer.bit_width() == bits;
}

bool IsTime(const LogicalType& logical) {
  if (!logical.is_time()) return false;
  const auto& time = checked_cast<const parquet::TimeLogicalType&>(logical);
  return time.time_unit() == Unit::MICROS && !time.is_adjusted_to_utc();
}

bool IsTimestamp(const LogicalType& logical, Unit::unit unit, bool is_utc) {
  if (!logical.is_timestamp()) return false;
  const auto& timestamp = checked_cast<const parquet::TimestampLogicalType&>(logical);
  return timestamp.time_unit() == unit && timestamp.is_adjusted_to_utc() == is_utc;
}

bool IsDecimal(const parquet::ColumnDescriptor& column, const Type& type) {
  if (!column.logical_type()->is_decimal()) return false;
  const auto& decimal = checked_cast<const parquet::DecimalLogicalType&>(*column.logical_type());
  if (decimal.precision() != type.precision() || decimal.scale() != type.scale()) return false;
  switch (column.physical_type()) {
    case Physical::INT32:
      return type.precision() <= 9;
    case Physical::INT64:
      return type.precision() <= 18;
    case Physical::FIXED_LEN_BYTE_ARRAY:
      return column.type_length() <= 16;
    default:
      return false;
  }
}

/// Whether values of the column are those of the type, in the form that every reader of Iceberg
/// expects (Iceberg spec, Appendix A, Parquet).
bool Holds(const parquet::ColumnDescriptor& column, const Type& type) {
  const LogicalType& logical = *column.logical_type();
  const Physical::type physical = column.physical_type();
  switch (type.kind()) {
    case TypeKind::kBoolean:
      return physical == Physical::BOOLEAN && logical.is_none();
    case TypeKind::kInt:
      return physical == Physical::INT32 && IsInt(logical, 32);
    case TypeKind::kLong:
      return physical == Physical::INT64 && IsInt(logical, 64);
    case TypeKind::kFloat:
      return physical == Physical::FLOAT && logical.is_none();
    case TypeKind::kDouble:
      return physical == Physical::DOUBLE && logical.is_none();
    case TypeKind::kDecimal:
      return IsDecimal(column, type);
    case TypeKind::kDate:
      return physical == Physical::INT32 && logical.is_date();
    case TypeKind::kTime:
      return physical == Physical::INT64 && IsTime(logical);
    case TypeKind::kTimestamp:
      return physical == Physical::INT64 && IsTimestamp(logical, Unit::MICROS, false);
    case TypeKind::kTimestampTz:
      return physical == Physical::INT64 && IsTimestamp(logical, Unit::MICROS, true);
    case TypeKind::kTimestampNs:
      return physical == Physical::INT64 && IsTimestamp(logical, Unit::NANOS, false);
    case TypeKind::kTimestampTzNs:
      return physical == Physical::INT64 && IsTimestamp(logical, Unit::NANOS, true);
    case TypeKind::kString:
      return physical == Physical::BYTE_ARRAY && logical.is_string();
    case TypeKind::kBinary:
      return physical == Physical::BYTE_ARRAY && logical.is_none();
    case TypeKind::kFixed:
      return physical == Physical::FIXED_LEN_BYTE_ARRAY && logical.is_none() &&
             column.type_length() == type.length();
    default:
      return false;
  }
}

/// Bytes of a bound of the column; nothing where they differ by value.
std::optional<size_t> BoundBytes(const parquet::ColumnDescriptor& column) {
  switch (column.physical_type()) {
    case Physical::BOOLEAN:
      return 1;
    case Physical::INT32:
    case Physical::FLOAT:
      return 4;
    case Physical::INT64:
    case Physical::DOUBLE:
      return 8;
    case Physical::FIXED_LEN_BYTE_ARRAY:
      return static_cast<size_t>(column.type_length());
    default:
      return std::nullopt;
  }
}

bool IsCodecOfEveryReader(parquet::Compression::type codec) {
  using parquet::Compression;
  return codec == Compression::UNCOMPRESSED || codec == Compression::SNAPPY ||
         codec == Compression::GZIP || codec == Compression::ZSTD || codec == Compression::LZ4;
}

bool IsEncodingOfEveryReader(parquet::Encoding::type encoding) {
  using parquet::Encoding;
  return encoding == Encoding::PLAIN || encoding == Encoding::PLAIN_DICTIONARY ||
         encoding == Encoding::RLE_DICTIONARY || encoding == Encoding::RLE ||
         encoding == Encoding::BIT_PACKED;
}

/// Metadata in the making may have no order.
bool HasSortOrder(const iceberg::TableMetadata& table) {
  return !table.sort_orders.empty() && !table.sort_order().fields.empty();
}

bool AsksForBloomFilters(const iceberg::TableMetadata& table) {
  constexpr std::string_view kEnabled = "write.parquet.bloom-filter-enabled.column.";
  const auto first = table.properties.lower_bound(std::string(kEnabled));
  return std::any_of(first, table.properties.end(), [&](const auto& property) {
    return property.first.starts_with(kEnabled) && ToLower(property.second) == "true";
  });
}

/// Judges one file by its footer.
class Judgement {
 public:
  Judgement(const AdoptionTerms& terms, const parquet::FileMetaData& footer, int64_t data_end)
      : terms_(terms), footer_(footer), data_end_(data_end) {}

  Result<std::string> WhyNot() {
    CALVE_ASSIGN_OR_RETURN(
        modes_, iceberg::MetricsConfig::Make(terms_.table.properties, terms_.schema, {}));
    if (!terms_.table.Property("write.parquet.compression-codec", "").empty()) {
      CALVE_ASSIGN_OR_RETURN(const WriteProperties properties,
                             WriteProperties::Of(terms_.table, terms_.schema));
      codec_ = properties.parquet->compression(parquet::schema::ColumnPath::FromDotString(""));
    }
    if (footer_.num_rows() == 0) return std::string("it holds no rows");
    if (std::string why = WhyNotColumns(); !why.empty()) return why;
    int64_t rows = 0;
    int64_t group_start = 0;
    for (int i = 0; i < footer_.num_row_groups(); ++i) {
      const auto group = footer_.RowGroup(i);
      rows += group->num_rows();
      if (std::string why = WhyNotGroup(*group, &group_start); !why.empty()) return why;
    }
    if (rows != footer_.num_rows()) return std::string("its footer counts its rows in two ways");
    const int groups = footer_.num_row_groups();
    if (groups > 1 && data_end_ / groups < kGroupBytesMin)
      return fmt::format("its {} row groups are small", groups);
    return std::string();
  }

 private:
  /// The file's columns are the table's, by name and type.
  std::string WhyNotColumns() {
    const parquet::schema::GroupNode& root = *footer_.schema()->group_node();
    for (int i = 0; i < root.field_count(); ++i) {
      const std::string& name = root.field(i)->name();
      const Field* field = terms_.schema.FindByName(name);
      if (field == nullptr || field->name != name)
        return fmt::format("column {} is not in the table", name);
      if (!root.field(i)->is_primitive() || root.field(i)->is_repeated())
        return fmt::format("column {} is nested", name);
    }
    for (const Field& field : terms_.schema.fields()) {
      if (field.type.is_nested()) return fmt::format("column {} is nested", field.name);
      const int column = root.FieldIndex(field.name);
      if (column < 0) return fmt::format("it has no column {}", field.name);
      if (field.type.kind() == TypeKind::kUuid)
        return fmt::format("column {} is a uuid, whose order in Parquet is not Iceberg's",
                           field.name);
      if (!Holds(*footer_.schema()->Column(column), field.type)) {
        return fmt::format("column {} is no {} as Iceberg writes it", field.name,
                           field.type.ToString());
      }
    }
    if (static_cast<size_t>(root.field_count()) != terms_.schema.fields().size())
      return "several of its columns have one name";
    return footer_.is_encryption_algorithm_set() ? "it is encrypted" : "";
  }

  std::string WhyNotGroup(const parquet::RowGroupMetaData& group, int64_t* start) {
    if (group.total_byte_size() > kGroupBytesMax)
      return fmt::format("a row group of it takes {}",
                         FormatBytes(ByteCount(group.total_byte_size())));
    for (int i = 0; i < group.num_columns(); ++i) {
      const auto chunk = group.ColumnChunk(i);
      const parquet::ColumnDescriptor& column = *footer_.schema()->Column(i);
      std::string why = WhyNotPlace(*chunk, group.num_rows());
      if (why.empty()) why = WhyNotForm(*chunk);
      if (why.empty()) why = WhyNotStatistics(*chunk, column);
      if (!why.empty()) return fmt::format("column {} {}", column.name(), why);
      if (i > 0) continue;
      if (StartOf(*chunk) <= *start) return "its row groups are in no order";
      *start = StartOf(*chunk);
    }
    return "";
  }

  static int64_t StartOf(const parquet::ColumnChunkMetaData& chunk) {
    const int64_t data = chunk.data_page_offset();
    return chunk.has_dictionary_page() ? std::min(chunk.dictionary_page_offset(), data) : data;
  }

  std::string WhyNotPlace(const parquet::ColumnChunkMetaData& chunk, int64_t rows) const {
    if (!chunk.file_path().empty()) return "lies in another file";
    if (chunk.crypto_metadata() != nullptr) return "is encrypted";
    const int64_t start = StartOf(chunk);
    const int64_t size = chunk.total_compressed_size();
    const bool is_within =
        start >= 4 && size >= 0 && start <= data_end_ && size <= data_end_ - start;
    return is_within && chunk.num_values() == rows ? "" : "does not lie where the footer says";
  }

  std::string WhyNotForm(const parquet::ColumnChunkMetaData& chunk) const {
    if (!IsCodecOfEveryReader(chunk.compression()))
      return "is compressed in a way that not every reader knows";
    if (codec_.has_value() && chunk.compression() != *codec_)
      return "is not compressed as the table asks";
    const auto& encodings = chunk.encodings();
    if (!std::all_of(encodings.begin(), encodings.end(), IsEncodingOfEveryReader))
      return "has an encoding that not every reader knows";
    return "";
  }

  /// What the footer says of the values is all that metrics and required columns can go by.
  std::string WhyNotStatistics(const parquet::ColumnChunkMetaData& chunk,
                               const parquet::ColumnDescriptor& column) const {
    const Field& field = *terms_.schema.FindByName(column.name());
    const MetricsMode& mode = modes_.ModeOf(field.id);
    const auto statistics = chunk.is_stats_set() ? chunk.encoded_statistics() : nullptr;
    if (statistics == nullptr || !statistics->has_null_count || statistics->null_count < 0 ||
        statistics->null_count > chunk.num_values())
      return "has no count of nulls in its footer that could be trusted";
    if (field.required && statistics->null_count > 0) return "is required, and has nulls";
    if (statistics->null_count == chunk.num_values()) return "";
    const bool has_bounds = statistics->has_min && statistics->has_max;
    const bool needs_bounds =
        mode.kind != MetricsMode::Kind::kNone && mode.kind != MetricsMode::Kind::kCounts &&
        field.type.kind() != TypeKind::kFloat && field.type.kind() != TypeKind::kDouble &&
        field.type.kind() != TypeKind::kBinary;
    if (needs_bounds && !has_bounds) return "has no bounds in its footer that could be trusted";
    const auto bytes = BoundBytes(column);
    if (bytes.has_value() && ((statistics->has_min && statistics->min().size() != *bytes) ||
                              (statistics->has_max && statistics->max().size() != *bytes)))
      return "has bounds in its footer of another type";
    const bool is_exact = statistics->is_min_value_exact.value_or(true) &&
                          statistics->is_max_value_exact.value_or(true);
    if (mode.kind == MetricsMode::Kind::kFull && !is_exact)
      return "has bounds that are cut, and the table keeps them in full";
    return "";
  }

  const AdoptionTerms& terms_;
  const parquet::FileMetaData& footer_;
  const int64_t data_end_;
  iceberg::MetricsConfig modes_;
  std::optional<parquet::Compression::type> codec_;  ///< That the table asks for.
};

}  // namespace

Result<std::string> WhyNoneIsAdopted(const AdoptionTerms& terms, ByteCount size) {
  if (terms.is_partitioned) return std::string("the table is partitioned");
  if (HasSortOrder(terms.table)) return std::string("the table is sorted");
  if (AsksForBloomFilters(terms.table)) return std::string("the table asks for bloom filters");
  CALVE_ASSIGN_OR_RETURN(const WriteProperties properties,
                         WriteProperties::Of(terms.table, terms.schema));
  const ByteCount small(properties.target_file_bytes / kSmallShare);
  if (size.value() < small.value())
    return fmt::format("it is smaller than {}, and small files are put together",
                       FormatBytes(small));
  return std::string();
}

Result<std::string> WhyNotAdopted(const AdoptionTerms& terms, const parquet::FileMetaData& footer,
                                  int64_t data_end) {
  try {
    return Judgement(terms, footer, data_end).WhyNot();
  } catch (const std::exception& error) {  // Parquet throws on broken footers.
    return std::string("its footer cannot be understood: ") + error.what();
  }
}

Result<std::string> WhyNotAdopted(const Context& context, io::FileSystem& files,
                                  const AdoptionTerms& terms, const io::FileInfo& info) {
  CALVE_ASSIGN_OR_RETURN(std::string why_not, WhyNoneIsAdopted(terms, info.size));
  if (!why_not.empty()) return why_not;
  const Result<ForeignFile> foreign = ForeignFile::Open(context, files, info);
  if (!foreign.ok() && foreign.error().kind == ErrorKind::kData) return foreign.error().message;
  CALVE_RETURN_IF_ERROR(foreign);
  return WhyNotAdopted(terms, foreign->footer(), foreign->data_end());
}

}  // namespace calve::writer

#include "writer/write_properties.h"

#include <arrow/util/compression.h>
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <string_view>

#include "base/text.h"

namespace calve::writer {
namespace {

constexpr std::string_view kCodec = "write.parquet.compression-codec";
constexpr std::string_view kLevel = "write.parquet.compression-level";
constexpr std::string_view kPageVersion = "write.parquet.page-version";

/// Level 1 halves zstd's time against its usual 3 for a few per cent of size.
constexpr int kZstdLevelDefault = 1;

/// Of a bloom filter, as Iceberg's writers have it: false positives among all answers.
constexpr double kFppDefault = 0.01;

struct Range {
  int64_t least;
  int64_t most;
};

Result<int64_t> Number(const iceberg::TableMetadata& table, std::string_view key, int64_t fallback,
                       Range range) {
  const std::string_view text = table.Property(key, "");
  if (text.empty()) return fallback;
  int64_t number = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (fault != std::errc() || end != text.data() + text.size() || number < range.least ||
      number > range.most) {
    return ConfigError(fmt::format("table property {}: expected a number from {} to {}, found {}",
                                   key, range.least, range.most, Quote(text)));
  }
  return number;
}

Result<int64_t> Size(const iceberg::TableMetadata& table, std::string_view key, int64_t fallback) {
  return Number(table, key, fallback,
                {.least = 1, .most = std::numeric_limits<int64_t>::max() / 4});
}

/// A number between 0 and 1, ends excluded.
Result<double> Share(const iceberg::TableMetadata& table, const std::string& key, double fallback) {
  const std::string_view text = table.Property(key, "");
  if (text.empty()) return fallback;
  double share = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), share);
  if (fault == std::errc() && end == text.data() + text.size() && share > 0 && share < 1)
    return share;
  return ConfigError(fmt::format("table property {}: expected a number between 0 and 1, found {}",
                                 key, Quote(text)));
}

Result<parquet::Compression::type> Codec(const iceberg::TableMetadata& table) {
  const std::string name = ToLower(table.Property(kCodec, "zstd"));
  if (name == "zstd") return parquet::Compression::ZSTD;
  if (name == "snappy") return parquet::Compression::SNAPPY;
  if (name == "gzip") return parquet::Compression::GZIP;
  if (name == "lz4") return parquet::Compression::LZ4;
  if (name == "brotli") return parquet::Compression::BROTLI;
  if (name == "uncompressed" || name == "none") return parquet::Compression::UNCOMPRESSED;
  return ConfigError(fmt::format(
      "table property {}: expected zstd, snappy, gzip, lz4, brotli or uncompressed, found {}",
      kCodec, Quote(name)));
}

Result<std::optional<int>> Level(const iceberg::TableMetadata& table,
                                 parquet::Compression::type codec) {
  const bool zstd = codec == parquet::Compression::ZSTD;
  if (table.Property(kLevel, "").empty())
    return zstd ? std::optional<int>(kZstdLevelDefault) : std::nullopt;
  const Range range = zstd ? Range{.least = -7, .most = 22} : Range{.least = 0, .most = 11};
  CALVE_ASSIGN_OR_RETURN(const int64_t level, Number(table, kLevel, 0, range));
  const bool has_levels = arrow::util::Codec::SupportsCompressionLevel(codec);
  return has_levels ? std::optional<int>(static_cast<int>(level)) : std::nullopt;
}

/// Iceberg's writers take version 2 for the encodings that came with it too, not for the pages alone.
Result<parquet::ParquetDataPageVersion> PageVersion(const iceberg::TableMetadata& table) {
  const std::string version = ToLower(table.Property(kPageVersion, "v1"));
  if (version == "v1") return parquet::ParquetDataPageVersion::V1;
  if (version == "v2") return parquet::ParquetDataPageVersion::V2;
  return ConfigError(
      fmt::format("table property {}: expected v1 or v2, found {}", kPageVersion, Quote(version)));
}

/// The path of a column among Parquet's leaves; lists and maps have a level of their own there.
std::string LeafPath(const iceberg::Schema& schema, iceberg::FieldId id) {
  std::string path;
  iceberg::TypeKind above = iceberg::TypeKind::kStruct;
  for (const iceberg::FieldId step : schema.PathTo(id)) {
    const iceberg::Field& field = *schema.FindById(step);
    if (above == iceberg::TypeKind::kList) path += ".list";
    if (above == iceberg::TypeKind::kMap) path += ".key_value";
    path += (path.empty() ? "" : ".") + field.name;
    above = field.type.kind();
  }
  return path;
}

/// How many distinct values a split-block bloom filter of so many bytes takes at a rate of false
/// positives: each sets one bit in each of eight words. Parquet's have a power of two of bytes, from
/// 32 to 128 MB; 0: none is so exact.
int64_t RoomFor(int64_t bytes, double fpp) {
  const auto power = static_cast<int64_t>(std::bit_floor(static_cast<uint64_t>(bytes)));
  const auto whole = static_cast<double>(std::clamp<int64_t>(power, 32, 128 << 20));
  const double room = -whole * std::log1p(-std::pow(fpp, 1.0 / 8));
  return static_cast<int64_t>(std::min(room, static_cast<double>(1 << 30)));
}

/// Ask for bloom filters where the table does; columns that were dropped since harm nobody, and
/// Parquet has none for booleans.
Status AddBloomFilters(const iceberg::TableMetadata& table, const iceberg::Schema& schema,
                       parquet::WriterProperties::Builder& builder) {
  constexpr std::string_view kEnabled = "write.parquet.bloom-filter-enabled.column.";
  CALVE_ASSIGN_OR_RETURN(const int64_t max_bytes,
                         Size(table, "write.parquet.bloom-filter-max-bytes", 1 << 20));
  for (auto at = table.properties.lower_bound(std::string(kEnabled));
       at != table.properties.end() && at->first.starts_with(kEnabled); ++at) {
    const std::string column = at->first.substr(kEnabled.size());
    const iceberg::Field* field = schema.FindByName(column);
    if (ToLower(at->second) != "true" || field == nullptr || !field->type.is_primitive()) continue;
    if (field->type.kind() == iceberg::TypeKind::kBoolean) continue;
    parquet::BloomFilterOptions options;
    CALVE_ASSIGN_OR_RETURN(
        options.fpp, Share(table, "write.parquet.bloom-filter-fpp.column." + column, kFppDefault));
    const int64_t room = RoomFor(max_bytes, options.fpp);
    if (room == 0) {
      return ConfigError(
          fmt::format("table property write.parquet.bloom-filter-fpp.column.{}: no bloom filter of "
                      "at most {} bytes is so "
                      "exact; raise it, or write.parquet.bloom-filter-max-bytes",
                      column, max_bytes));
    }
    CALVE_ASSIGN_OR_RETURN(const int64_t distinct,
                           Number(table, "write.parquet.bloom-filter-ndv.column." + column, room,
                                  {.least = 1, .most = 1 << 30}));
    // Without a number Parquet takes that of a row group's rows, which nothing bounds here.
    options.ndv = std::min(distinct, room);
    builder.enable_bloom_filter(LeafPath(schema, field->id), options);
  }
  return Status::Ok();
}

/// Write no bounds for uuids, neither here nor, since they come from here, into manifests: Parquet
/// orders them by their bytes, Iceberg Java as two signed numbers, and a reader that prunes by the
/// other order loses rows.
void LeaveOutUuidBounds(const iceberg::Schema& schema,
                        parquet::WriterProperties::Builder& builder) {
  for (const std::string& name : schema.full_names()) {
    const iceberg::Field& field = *schema.FindByName(name);
    if (field.type.kind() == iceberg::TypeKind::kUuid)
      builder.disable_statistics(LeafPath(schema, field.id));
  }
}

}  // namespace

Result<WriteProperties> WriteProperties::Of(const iceberg::TableMetadata& table,
                                            const iceberg::Schema& schema) {
  const std::string format = ToLower(table.Property("write.format.default", "parquet"));
  if (format != "parquet") {
    return RefusedError(
        fmt::format("table property write.format.default is {}: data files are written as parquet "
                    "only; set it to parquet",
                    Quote(format)));
  }
  WriteProperties properties;
  CALVE_ASSIGN_OR_RETURN(properties.target_file_bytes,
                         Size(table, "write.target-file-size-bytes", properties.target_file_bytes));
  CALVE_ASSIGN_OR_RETURN(
      properties.row_group_bytes,
      Size(table, "write.parquet.row-group-size-bytes", properties.row_group_bytes));
  CALVE_ASSIGN_OR_RETURN(const int64_t page_bytes,
                         Size(table, "write.parquet.page-size-bytes", 1 << 20));
  CALVE_ASSIGN_OR_RETURN(const int64_t page_rows,
                         Size(table, "write.parquet.page-row-limit", 20'000));
  CALVE_ASSIGN_OR_RETURN(const int64_t dictionary_bytes,
                         Size(table, "write.parquet.dict-size-bytes", 2 << 20));
  CALVE_ASSIGN_OR_RETURN(const parquet::Compression::type codec, Codec(table));
  CALVE_ASSIGN_OR_RETURN(const std::optional<int> level, Level(table, codec));
  CALVE_ASSIGN_OR_RETURN(const parquet::ParquetDataPageVersion page_version, PageVersion(table));

  parquet::WriterProperties::Builder builder;
  builder.version(parquet::ParquetVersion::PARQUET_2_6)
      ->data_page_version(page_version)
      // Also of booleans in pages of version 2, which Iceberg's vectorized reader knows no other way.
      ->encoding(parquet::Encoding::PLAIN)
      ->compression(codec)
      ->data_pagesize(page_bytes)
      ->max_rows_per_page(page_rows)
      ->dictionary_pagesize_limit(dictionary_bytes)
      ->max_row_group_length(std::numeric_limits<int64_t>::max())
      ->enable_store_decimal_as_integer()
      ->enable_write_page_index()
      ->created_by("calve");
  if (level) builder.compression_level(*level);
  LeaveOutUuidBounds(schema, builder);
  CALVE_RETURN_IF_ERROR(AddBloomFilters(table, schema, builder));
  properties.parquet = builder.build();
  return properties;
}

}  // namespace calve::writer

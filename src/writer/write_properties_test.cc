#include "writer/write_properties.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <parquet/bloom_filter.h>

namespace calve::writer {
namespace {

using iceberg::Field;
using iceberg::FieldId;

Result<int64_t> BloomBytes(const std::string& max_bytes, const std::string& fpp) {
  iceberg::TableMetadata table;
  table.properties = {{"write.parquet.bloom-filter-enabled.column.n", "true"},
                      {"write.parquet.bloom-filter-max-bytes", max_bytes},
                      {"write.parquet.bloom-filter-fpp.column.n", fpp}};
  const auto schema = *iceberg::Schema::Make(
      iceberg::SchemaId(0), {Field{.id = FieldId(1), .name = "n", .type = iceberg::Type::Long()}});
  CALVE_ASSIGN_OR_RETURN(const WriteProperties properties, WriteProperties::Of(table, *schema));
  const auto options =
      properties.parquet->bloom_filter_options(parquet::schema::ColumnPath::FromDotString("n"));
  if (!options.has_value()) return BugError("there is no bloom filter");
  return int64_t{parquet::BlockSplitBloomFilter::OptimalNumOfBytes(
      static_cast<uint32_t>(*options->ndv), options->fpp)};
}

TEST(WriteProperties, ABloomFilterHasTheLargestSizeThatParquetKnowsWithinItsBounds) {
  EXPECT_EQ(*BloomBytes("1048576", "0.01"), 1 << 20);
  EXPECT_EQ(*BloomBytes("1048575", "0.01"), 1 << 19);
  EXPECT_EQ(*BloomBytes("5000", "0.3"), 4096);
  EXPECT_EQ(*BloomBytes("1", "0.01"), 32);
  EXPECT_EQ(*BloomBytes("1000000000000", "0.01"), 128 << 20);
  EXPECT_LE(*BloomBytes("1000000000000", "0.999999999"), 128 << 20);
}

TEST(WriteProperties, ABloomFilterThatCannotBeSoExactIsRefused) {
  const auto bytes = BloomBytes("1048576", "1e-100");
  ASSERT_FALSE(bytes.ok());
  EXPECT_THAT(bytes.error().message, testing::HasSubstr("is so exact"));
}

}  // namespace
}  // namespace calve::writer

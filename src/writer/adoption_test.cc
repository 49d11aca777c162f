#include "writer/adoption.h"

#include <arrow/array/array_nested.h>
#include <arrow/extension/uuid.h>
#include <arrow/json/from_string.h>
#include <arrow/table.h>
#include <arrow/util/key_value_metadata.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <parquet/arrow/reader.h>
#include <parquet/arrow/writer.h>
#include <parquet/bloom_filter.h>
#include <parquet/bloom_filter_reader.h>
#include <parquet/file_reader.h>
#include <parquet/page_index.h>
#include <parquet/schema.h>

#include "columnar/arrow_status.h"
#include "io/arrow_bridge.h"
#include "io/faulty.h"
#include "io/memory.h"
#include "writer/footer_ids.h"

namespace calve::writer {
namespace {

using iceberg::DataFile;
using iceberg::Field;
using iceberg::FieldId;
using iceberg::Type;
using iceberg::TypeKind;
using testing::HasSubstr;

constexpr std::string_view kForeign = "memory://incoming/rows.parquet";

Field Optional(int id, std::string name, Type type) {
  return {.id = FieldId(id), .name = std::move(name), .type = std::move(type)};
}

/// How another program writes a file.
struct Foreign {
  std::shared_ptr<arrow::Schema> schema;
  std::string rows;
  std::function<void(parquet::WriterProperties::Builder&)> properties = [](auto&) {};
  int64_t group_rows = 1 << 20;
};

class AdoptionTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { ASSERT_TRUE(columnar::StartArrow().ok()); }

  io::FileInfo Write(const Foreign& foreign) {
    const std::string uri(kForeign);
    const auto rows =
        arrow::json::ArrayFromJSONString(arrow::struct_(foreign.schema->fields()), foreign.rows)
            .ValueOrDie();
    const auto batch = arrow::RecordBatch::FromStructArray(rows).ValueOrDie();
    const auto table = arrow::Table::FromRecordBatches(
                           foreign.schema, {batch->ReplaceSchema(foreign.schema).ValueOrDie()})
                           .ValueOrDie();
    parquet::WriterProperties::Builder builder;
    builder.created_by("somebody version 1.0.0");
    foreign.properties(builder);
    const auto out =
        *files_.OpenOutput(*context_, uri, {.overwrite = io::OverwritePolicy::kReplace});
    EXPECT_TRUE(parquet::arrow::WriteTable(
                    *table, arrow::default_memory_pool(), io::ToArrow(*out), foreign.group_rows,
                    builder.build(),
                    parquet::ArrowWriterProperties::Builder().store_schema()->build())
                    .ok());
    EXPECT_TRUE(out->Close().ok());
    return *files_.Stat(*context_, uri);
  }

  WriteOptions Options(std::vector<Field> fields) {
    iceberg::TableMetadata table;
    table.location = "memory://warehouse/t";
    table.properties = properties_;
    WriteOptions options;
    options.schema = *iceberg::Schema::Make(iceberg::SchemaId(0), std::move(fields));
    table.schemas = {options.schema};
    options.table = std::make_shared<const iceberg::TableMetadata>(std::move(table));
    options.run_id = "run";
    return options;
  }

  std::string WhyNot(const std::vector<Field>& fields, const Foreign& foreign) {
    const io::FileInfo info = Write(foreign);
    const WriteOptions options = Options(fields);
    const auto why = WhyNotAdopted(*context_, files_,
                                   {.table = *options.table, .schema = *options.schema}, info);
    return why.ok() ? *why : "error: " + why.error().message;
  }

  /// Adopt a file that must be adopted.
  DataFile Adopt(const std::vector<Field>& fields, const Foreign& foreign) {
    const io::FileInfo info = Write(foreign);
    const auto writer = *OpenDataFileWriter(*context_, files_, Options(fields));
    int64_t copied = 0;
    const auto adopted =
        writer->Adopt(*context_, info, [&](ByteCount bytes) { copied += bytes.value(); });
    EXPECT_TRUE(adopted.ok()) << adopted.error().message;
    EXPECT_TRUE(*adopted) << WhyNot(fields, foreign);
    EXPECT_EQ(copied, info.size.value());
    const auto closed = writer->Close(*context_);
    EXPECT_TRUE(closed.ok() && closed->size() == 1);
    return closed.ok() && closed->size() == 1 ? *closed->front() : DataFile{};
  }

  std::unique_ptr<parquet::arrow::FileReader> OpenParquet(const std::string& uri) {
    std::shared_ptr<io::InputFile> input = *files_.OpenInput(*context_, uri);
    return parquet::arrow::OpenFile(io::ToArrow(input), arrow::default_memory_pool()).ValueOrDie();
  }

  OwnedContext context_;
  io::MemoryFileSystem files_;
  std::map<std::string, std::string> properties_ = {{"write.target-file-size-bytes", "1024"}};
};

std::vector<Field> PlainTypes() {
  return {
      Optional(11, "b", Type::Boolean()),
      Optional(12, "i", Type::Int()),
      {.id = FieldId(13), .name = "l", .type = Type::Long(), .required = true},
      Optional(14, "f", Type::Float()),
      Optional(15, "d", Type::Double()),
      Optional(16, "small", Type::Decimal(9, 2)),
      Optional(17, "large", Type::Decimal(38, 4)),
      Optional(18, "day", Type::Date()),
      Optional(19, "at", Type::Time()),
      Optional(20, "ts", Type::Timestamp()),
      Optional(21, "tz", Type::TimestampTz()),
      Optional(22, "ns", Type::Of(TypeKind::kTimestampNs)),
      Optional(23, "s", Type::String()),
      Optional(24, "x", Type::Fixed(3)),
      Optional(25, "y", Type::Binary()),
      Optional(26, "empty", Type::Int()),
  };
}

/// Its columns come in another order than the table's, and bring field ids and keys of their own.
Foreign EveryPlainType() {
  using arrow::field;
  arrow::FieldVector fields = {
      field("s", arrow::utf8()),
      field("b", arrow::boolean()),
      field("i", arrow::int32()),
      field("l", arrow::int64()),
      field("f", arrow::float32()),
      field("d", arrow::float64()),
      field("small", arrow::decimal128(9, 2)),
      field("large", arrow::decimal128(38, 4)),
      field("day", arrow::date32()),
      field("at", arrow::time64(arrow::TimeUnit::MICRO)),
      field("ts", arrow::timestamp(arrow::TimeUnit::MICRO)),
      field("tz", arrow::timestamp(arrow::TimeUnit::MICRO, "Europe/Berlin")),
      field("ns", arrow::timestamp(arrow::TimeUnit::NANO)),
      field("x", arrow::fixed_size_binary(3)),
      field("y", arrow::binary()),
      field("empty", arrow::int32()),
  };
  for (size_t i = 0; i < fields.size(); ++i) {
    fields[i] = fields[i]->WithMetadata(
        arrow::key_value_metadata({"PARQUET:field_id"}, {std::to_string(i * 40)}));
  }
  return {.schema = arrow::schema(fields), .rows = R"([
  {"s": "héllo, a text longer than sixteen", "b": true, "i": -5, "l": 1, "f": 1.5, "d": -0.0, "small": "1234567.89",
   "large": "1234567890123456789012.0001", "day": 20000, "at": 1, "ts": -1, "tz": 5, "ns": 7, "x": "abc", "y": ""},
  {"l": 2},
  {"s": "", "b": false, "i": 7, "l": 3, "f": NaN, "d": 2.25, "small": "-0.01", "large": "-0.0001", "day": -1,
   "at": 86399999999, "ts": 1, "tz": -5, "ns": -7, "x": "xyz", "y": "ab"}
])"};
}

TEST_F(AdoptionTest, AFileOfEveryPlainTypeIsCopiedWithTheTablesIds) {
  const Foreign foreign = EveryPlainType();
  const DataFile file = Adopt(PlainTypes(), foreign);
  EXPECT_EQ(file.path, "memory://warehouse/t/data/00000-run-00000.parquet");
  EXPECT_EQ(file.record_count, 3);
  EXPECT_EQ(file.file_size_in_bytes, files_.Stat(*context_, file.path)->size.value());
  const auto copy = OpenParquet(file.path);
  const auto& footer = *copy->parquet_reader()->metadata();
  EXPECT_EQ(footer.created_by(), "somebody version 1.0.0");
  EXPECT_EQ(footer.key_value_metadata(), nullptr);
  for (const Field& field : PlainTypes()) {
    const int column = footer.schema()->ColumnIndex(field.name);
    EXPECT_EQ(footer.schema()->Column(column)->schema_node()->field_id(), field.id.value());
  }
  const auto before = OpenParquet(std::string(kForeign))->ReadTable().ValueOrDie();
  const auto after = copy->ReadTable().ValueOrDie();
  for (const auto& field : before->schema()->fields()) {
    const auto values = after->GetColumnByName(field->name());
    if (field->name() == "tz") continue;  // The zone's name was in Arrow's key only.
    EXPECT_TRUE(values->ApproxEquals(*before->GetColumnByName(field->name()),
                                     arrow::EqualOptions().nans_equal(true)))
        << field->name();
  }
}

TEST_F(AdoptionTest, MetricsAreThoseOfAWrittenFileButForFloats) {
  const DataFile adopted = Adopt(PlainTypes(), EveryPlainType());
  const WriteOptions options = Options(PlainTypes());
  const auto schema = *columnar::ToArrowSchema(*options.schema);
  const auto table = OpenParquet(std::string(kForeign))->ReadTable().ValueOrDie();
  const auto batch = table->CombineChunksToBatch().ValueOrDie();
  const auto writer = *OpenDataFileWriter(*context_, files_, [&] {
    WriteOptions other = options;
    other.run_id = "written";
    return other;
  }());
  ASSERT_TRUE(writer->Write(*context_, *columnar::Conform(batch, *options.schema)).ok());
  DataFile written = *(*writer->Close(*context_))[0];
  EXPECT_EQ(adopted.metrics.value_counts, written.metrics.value_counts);
  EXPECT_EQ(adopted.metrics.null_value_counts, written.metrics.null_value_counts);
  for (const Field& field : PlainTypes()) {
    const bool is_float =
        field.type.kind() == TypeKind::kFloat || field.type.kind() == TypeKind::kDouble;
    const auto* lower = adopted.metrics.lower_bounds.Find(field.id);
    const auto* upper = adopted.metrics.upper_bounds.Find(field.id);
    if (is_float) {
      EXPECT_EQ(lower, nullptr);
      EXPECT_EQ(upper, nullptr);
      EXPECT_EQ(adopted.metrics.nan_value_counts.Find(field.id), nullptr);
    } else if (field.name == "empty") {
      EXPECT_EQ(lower, nullptr);
    } else {
      ASSERT_NE(lower, nullptr) << field.name;
      ASSERT_NE(upper, nullptr) << field.name;
      EXPECT_EQ(*lower, *written.metrics.lower_bounds.Find(field.id)) << field.name;
      EXPECT_EQ(*upper, *written.metrics.upper_bounds.Find(field.id)) << field.name;
    }
  }
}

TEST_F(AdoptionTest, PageIndexesAndBloomFiltersStayWhereTheyAre) {
  properties_["write.target-file-size-bytes"] = "4096";
  std::string rows;
  for (int i = 0; i < 300; ++i)
    rows += (i == 0 ? "[" : ",") + ("{\"n\": " + std::to_string(i) + "}");
  const Foreign foreign = {.schema = arrow::schema({arrow::field("n", arrow::int64())}),
                           .rows = rows + "]",
                           .properties = [](parquet::WriterProperties::Builder& builder) {
                             builder.enable_write_page_index()->enable_bloom_filter("n", {});
                           }};
  const DataFile file = Adopt({Optional(1, "n", Type::Long())}, foreign);
  const auto copy = OpenParquet(file.path);
  auto& reader = *copy->parquet_reader();
  const auto index = reader.GetPageIndexReader()->RowGroup(0)->GetColumnIndex(0);
  const auto& typed = static_cast<const parquet::Int64ColumnIndex&>(*index);
  EXPECT_EQ(typed.min_values().front(), 0);
  const auto filter = reader.GetBloomFilterReader().RowGroup(0)->GetColumnBloomFilter(0);
  ASSERT_NE(filter, nullptr);
  EXPECT_TRUE(filter->FindHash(filter->Hash(int64_t{299})));
  EXPECT_FALSE(filter->FindHash(filter->Hash(int64_t{300})));
}

TEST_F(AdoptionTest, AFileThatDoesNotSuitTheTableIsNamedWithItsFault) {
  using arrow::field;
  const Field n = Optional(1, "n", Type::Long());
  const auto one = [](std::shared_ptr<arrow::DataType> type, std::string value = "1") {
    return Foreign{.schema = arrow::schema({field("n", std::move(type))}),
                   .rows = "[{\"n\": " + std::move(value) + "}]"};
  };
  const auto with = [](Foreign foreign, auto change) {
    foreign.properties = change;
    return foreign;
  };
  using Builder = parquet::WriterProperties::Builder;
  const auto of = [](Type type) { return std::vector<Field>{Optional(1, "n", std::move(type))}; };
  const auto nano = arrow::timestamp(arrow::TimeUnit::NANO);
  const auto micro = arrow::timestamp(arrow::TimeUnit::MICRO);
  struct Case {
    std::vector<Field> table;
    Foreign file;
    std::string why;
  };
  const std::vector<Case> cases = {
      {{n}, one(arrow::int64()), ""},
      {{n}, one(arrow::int32()), "column n is no long as Iceberg writes it"},
      {{n}, one(arrow::uint64()), "column n is no long"},
      {of(Type::Int()), one(arrow::int16()), "column n is no int"},
      {of(Type::Timestamp()), one(nano), "column n is no timestamp"},
      {of(Type::TimestampTz()), one(micro), "column n is no timestamptz"},
      {of(Type::Decimal(10, 2)), one(arrow::decimal128(9, 2), "\"1.00\""),
       "column n is no decimal(10, 2)"},
      {of(Type::String()), one(arrow::binary(), "\"a\""), "column n is no string"},
      {of(Type::Binary()), one(arrow::utf8(), "\"a\""), "column n is no binary"},
      {of(Type::Fixed(4)), one(arrow::fixed_size_binary(3), "\"abc\""), "column n is no fixed"},
      {of(Type::UuidType()), one(arrow::fixed_size_binary(16), "\"0123456789abcdef\""),
       "column n is a uuid"},
      {of(Type::List(FieldId(2), Type::Long(), false)), one(arrow::list(arrow::int64()), "[1]"),
       "column n is nested"},
      {{n, Optional(2, "m", Type::Long())}, one(arrow::int64()), "it has no column m"},
      {{Optional(1, "N", Type::Long())}, one(arrow::int64()), "column n is not in the table"},
      {{{.id = FieldId(1), .name = "n", .type = Type::Long(), .required = true}},
       one(arrow::int64(), "null"),
       "column n is required, and has nulls"},
      {{n},
       with(one(arrow::int64()), [](Builder& b) { b.disable_statistics(); }),
       "column n has no count of nulls"},
      {{n},
       with(one(arrow::int64()), [](Builder& b) { b.compression(parquet::Compression::BROTLI); }),
       "column n is compressed in a way"},
      {{n},
       with(one(arrow::int64()),
            [](Builder& b) {
              b.disable_dictionary()->encoding(parquet::Encoding::DELTA_BINARY_PACKED);
            }),
       "column n has an encoding"},
      {{n},
       Foreign{.schema = arrow::schema({field("n", arrow::int64())}), .rows = "[]"},
       "it holds no rows"},
      {{n},
       Foreign{.schema = arrow::schema({field("n", arrow::int64())}),
               .rows = R"([{"n": 1}, {"n": 2}])",
               .group_rows = 1},
       "its 2 row groups are small"},
  };
  for (const Case& c : cases) {
    const std::string why = WhyNot(c.table, c.file);
    if (c.why.empty()) {
      EXPECT_EQ(why, "");
    } else {
      EXPECT_THAT(why, HasSubstr(c.why));
    }
  }
}

TEST_F(AdoptionTest, WhatTheTableAsksOfItsFilesIsKept) {
  const Foreign snappy = {.schema = arrow::schema({arrow::field("n", arrow::int64())}),
                          .rows = R"([{"n": 1}])",
                          .properties = [](parquet::WriterProperties::Builder& builder) {
                            builder.compression(parquet::Compression::SNAPPY);
                          }};
  const std::vector<Field> fields = {Optional(1, "n", Type::Long())};
  EXPECT_EQ(WhyNot(fields, snappy), "");
  properties_["write.parquet.compression-codec"] = "SNAPPY";
  EXPECT_EQ(WhyNot(fields, snappy), "");
  properties_["write.parquet.compression-codec"] = "zstd";
  EXPECT_EQ(WhyNot(fields, snappy), "column n is not compressed as the table asks");
  properties_.erase("write.parquet.compression-codec");
  properties_["write.parquet.bloom-filter-enabled.column.n"] = "true";
  EXPECT_EQ(WhyNot(fields, snappy), "the table asks for bloom filters");
  properties_.clear();
  EXPECT_THAT(WhyNot(fields, snappy), HasSubstr("it is smaller than 34 MB"));

  const WriteOptions options = Options(fields);
  EXPECT_EQ(*WhyNoneIsAdopted(
                {.table = *options.table, .schema = *options.schema, .is_partitioned = true},
                ByteCount(1 << 30)),
            "the table is partitioned");
  iceberg::TableMetadata sorted = *options.table;
  iceberg::SortOrder order{.id = iceberg::SortOrderId(1), .fields = {}};
  order.fields.emplace_back();
  sorted.sort_orders = {order};
  sorted.default_sort_order_id = iceberg::SortOrderId(1);
  EXPECT_EQ(*WhyNoneIsAdopted({.table = sorted, .schema = *options.schema}, ByteCount(1 << 30)),
            "the table is sorted");
}

TEST_F(AdoptionTest, AFileThatIsNotAdoptedLeavesNothing) {
  const Foreign foreign = {.schema = arrow::schema({arrow::field("n", arrow::int32())}),
                           .rows = R"([{"n": 1}])"};
  const io::FileInfo info = Write(foreign);
  const auto writer =
      *OpenDataFileWriter(*context_, files_, Options({Optional(1, "n", Type::Long())}));
  const auto adopted = writer->Adopt(*context_, info, [](ByteCount) {});
  ASSERT_TRUE(adopted.ok());
  EXPECT_FALSE(*adopted);
  EXPECT_TRUE((*writer->Close(*context_)).empty());
  EXPECT_FALSE(*files_.Exists(*context_, "memory://warehouse/t/data/00000-run-00000.parquet"));
}

TEST_F(AdoptionTest, AbortRemovesTheCopyAndNotTheFile) {
  const Foreign foreign = {.schema = arrow::schema({arrow::field("n", arrow::int64())}),
                           .rows = R"([{"n": 1}])"};
  const io::FileInfo info = Write(foreign);
  const auto writer =
      *OpenDataFileWriter(*context_, files_, Options({Optional(1, "n", Type::Long())}));
  ASSERT_TRUE(*writer->Adopt(*context_, info, [](ByteCount) {}));
  const std::string copy = "memory://warehouse/t/data/00000-run-00000.parquet";
  EXPECT_TRUE(*files_.Exists(*context_, copy));
  ASSERT_TRUE(writer->Abort(*context_).ok());
  EXPECT_FALSE(*files_.Exists(*context_, copy));
  EXPECT_TRUE(*files_.Exists(*context_, info.uri));
}

/// The footer of a foreign file, as encoded.
std::string FooterOf(const std::string& file) {
  uint32_t length = 0;
  for (size_t i = 4; i-- > 0;)
    length = length << 8 | static_cast<uint8_t>(file[file.size() - 8 + i]);
  return file.substr(file.size() - 8 - length, length);
}

TEST_F(AdoptionTest, AFooterThatEndsEarlyIsRefusedAtEveryByte) {
  const io::FileInfo info = Write({.schema = arrow::schema({arrow::field("n", arrow::int64()),
                                                            arrow::field("s", arrow::utf8())}),
                                   .rows = R"([{"n": 1, "s": "a"}])"});
  const std::string footer = FooterOf(*files_.ReadFile(*context_, info.uri));
  const FieldIds ids = {{"n", FieldId(7)}, {"s", FieldId(1000)}};
  for (size_t size = 0; size < footer.size(); ++size)
    EXPECT_FALSE(WithFieldIds(footer.substr(0, size), ids).ok()) << size;
  const auto rewritten = WithFieldIds(footer, ids);
  ASSERT_TRUE(rewritten.ok());
  EXPECT_EQ(*WithFieldIds(*rewritten, ids), *rewritten);
  const auto parsed =
      parquet::FileMetaData::Make(rewritten->data(), static_cast<int64_t>(rewritten->size()));
  EXPECT_EQ(parsed->schema()->Column(1)->schema_node()->field_id(), 1000);
  EXPECT_FALSE(WithFieldIds(footer, {{"n", FieldId(7)}, {"t", FieldId(8)}}).ok());
  EXPECT_FALSE(WithFieldIds(footer, {{"n", FieldId(7)}}).ok());
}

TEST_F(AdoptionTest, AFooterWithAnyByteChangedIsRefusedOrParsed) {
  const io::FileInfo info = Write(
      {.schema = arrow::schema({arrow::field("n", arrow::int64())}), .rows = R"([{"n": 1}])"});
  const std::string footer = FooterOf(*files_.ReadFile(*context_, info.uri));
  int refused = 0;
  for (size_t at = 0; at < footer.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string changed = footer;
      changed[at] = static_cast<char>(changed[at] ^ (1 << bit));
      const auto rewritten = WithFieldIds(changed, {{"n", FieldId(7)}});
      if (rewritten.ok()) {
        EXPECT_TRUE(WithFieldIds(*rewritten, {{"n", FieldId(7)}}).ok());
      } else {
        ++refused;
      }
    }
  }
  EXPECT_GT(refused, 100);
}

}  // namespace
}  // namespace calve::writer

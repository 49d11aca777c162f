#include "writer/writer.h"

#include <arrow/array/array_nested.h>
#include <arrow/builder.h>
#include <arrow/json/from_string.h>
#include <arrow/table.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <parquet/arrow/reader.h>
#include <parquet/bloom_filter.h>
#include <parquet/bloom_filter_reader.h>
#include <parquet/file_reader.h>
#include <parquet/schema.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>

#include "columnar/arrow_status.h"
#include "io/arrow_bridge.h"
#include "io/faulty.h"
#include "io/memory.h"

namespace calve::writer {
namespace {

using columnar::Batch;
using iceberg::DataFile;
using iceberg::DataFilePtr;
using iceberg::Field;
using iceberg::FieldId;
using iceberg::Transform;
using iceberg::Type;
using iceberg::TypeKind;
using iceberg::Value;

Field Optional(int id, std::string name, Type type) {
  return {.id = FieldId(id), .name = std::move(name), .type = std::move(type)};
}
Field Required(int id, std::string name, Type type) {
  return {.id = FieldId(id), .name = std::move(name), .type = std::move(type), .required = true};
}

class WriterTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { ASSERT_TRUE(columnar::StartArrow().ok()); }

  WriteOptions Options(std::vector<Field> fields,
                       std::vector<iceberg::PartitionField> partition = {}) {
    iceberg::TableMetadata table;
    table.location = "memory://warehouse/t";
    table.properties = properties_;
    WriteOptions options;
    options.schema = *iceberg::Schema::Make(iceberg::SchemaId(0), std::move(fields));
    table.schemas = {options.schema};
    options.table = std::make_shared<const iceberg::TableMetadata>(std::move(table));
    options.spec = {.id = iceberg::SpecId(3), .fields = std::move(partition)};
    options.run_id = "run";
    return options;
  }

  Batch Rows(const WriteOptions& options, std::string_view json) {
    const auto schema = *columnar::ToArrowSchema(*options.schema);
    const auto rows =
        arrow::json::ArrayFromJSONString(arrow::struct_(schema->fields()), json).ValueOrDie();
    const auto batch = arrow::RecordBatch::FromStructArray(rows).ValueOrDie();
    return arrow::RecordBatch::Make(schema, batch->num_rows(), batch->columns());
  }

  Result<std::vector<DataFilePtr>> WriteAll(const WriteOptions& options,
                                            const std::vector<Batch>& batches) {
    CALVE_ASSIGN_OR_RETURN(const auto writer, OpenDataFileWriter(*context_, files_, options));
    for (const Batch& batch : batches) CALVE_RETURN_IF_ERROR(writer->Write(*context_, batch));
    return writer->Close(*context_);
  }

  /// Write one batch that must give one file.
  DataFile WriteOne(const WriteOptions& options, std::string_view json) {
    const auto written = WriteAll(options, {Rows(options, json)});
    EXPECT_TRUE(written.ok()) << written.error().message;
    if (!written.ok() || written->size() != 1) return {};
    return *written->front();
  }

  std::unique_ptr<parquet::arrow::FileReader> OpenParquet(const std::string& uri) {
    std::shared_ptr<io::InputFile> input = *files_.OpenInput(*context_, uri);
    return parquet::arrow::OpenFile(io::ToArrow(input), arrow::default_memory_pool()).ValueOrDie();
  }
  std::shared_ptr<arrow::Table> ReadBack(const std::string& uri) {
    return OpenParquet(uri)->ReadTable().ValueOrDie();
  }
  std::string PhysicalSchema(const std::string& uri) {
    return OpenParquet(uri)->parquet_reader()->metadata()->schema()->ToString();
  }

  OwnedContext context_;
  io::MemoryFileSystem files_;
  std::map<std::string, std::string> properties_;
};

std::vector<Field> EveryType() {
  return {
      Required(1, "id", Type::Long()),
      Optional(2, "b", Type::Boolean()),
      Optional(3, "i", Type::Int()),
      Optional(4, "f", Type::Float()),
      Optional(5, "d", Type::Double()),
      Optional(6, "small", Type::Decimal(9, 2)),
      Optional(7, "medium", Type::Decimal(18, 3)),
      Optional(8, "large", Type::Decimal(38, 4)),
      Optional(9, "day", Type::Date()),
      Optional(10, "at", Type::Time()),
      Optional(11, "ts", Type::Timestamp()),
      Optional(12, "tz", Type::TimestampTz()),
      Optional(13, "ns", Type::Of(TypeKind::kTimestampNs)),
      Optional(14, "tzns", Type::Of(TypeKind::kTimestampTzNs)),
      Optional(15, "s", Type::String()),
      Optional(16, "u", Type::UuidType()),
      Optional(17, "x", Type::Fixed(3)),
      Optional(18, "y", Type::Binary()),
      Optional(19, "nothing", Type::Of(TypeKind::kUnknown)),
      Optional(20, "st",
               Type::Struct({Required(21, "a", Type::Int()), Optional(22, "u", Type::UuidType()),
                             Optional(23, "gone", Type::Of(TypeKind::kUnknown))})),
      Optional(24, "l",
               Type::List(FieldId(25), Type::Struct({Optional(26, "u", Type::UuidType())}), true)),
      Optional(27, "m",
               Type::Map(FieldId(28), Type::String(), FieldId(29), Type::UuidType(), false)),
  };
}

constexpr std::string_view kEveryTypeRows = R"([
  {"id": 1, "b": true, "i": -5, "f": 1.5, "d": -0.0, "small": "1234567.89", "medium": "-1.500", "large": "1234567890123456789012.0001",
   "day": 20000, "at": 1, "ts": -1, "tz": 5, "ns": 7, "tzns": -8, "s": "héllo", "u": "0123456789abcdef", "x": "abc", "y": "",
   "st": {"a": 1, "u": "0123456789abcdef"}, "l": [{"u": "aaaaaaaaaaaaaaaa"}, {"u": null}], "m": [["k", "bbbbbbbbbbbbbbbb"], ["n", null]]},
  {"id": 2},
  {"id": 3, "b": false, "i": 7, "f": NaN, "d": 2.25, "small": "-0.01", "medium": "9.999", "large": "-0.0001",
   "day": -1, "at": 86399999999, "ts": 1, "tz": -5, "ns": -7, "tzns": 8, "s": "", "u": "fedcba9876543210", "x": "xyz", "y": "ab",
   "st": {"a": 2, "u": null}, "l": [], "m": []}
])";

TEST_F(WriterTest, EveryTypeIsWrittenInIcebergsPhysicalForm) {
  const DataFile file = WriteOne(Options(EveryType()), kEveryTypeRows);
  const std::string expected = R"(required group field_id=-1 schema {
  required int64 field_id=1 id;
  optional boolean field_id=2 b;
  optional int32 field_id=3 i;
  optional float field_id=4 f;
  optional double field_id=5 d;
  optional int32 field_id=6 small (Decimal(precision=9, scale=2));
  optional int64 field_id=7 medium (Decimal(precision=18, scale=3));
  optional fixed_len_byte_array(16) field_id=8 large (Decimal(precision=38, scale=4));
  optional int32 field_id=9 day (Date);
  optional int64 field_id=10 at (Time(isAdjustedToUTC=false, timeUnit=microseconds));
  optional int64 field_id=11 ts (Timestamp(isAdjustedToUTC=false, timeUnit=microseconds, is_from_converted_type=false, force_set_converted_type=false));
  optional int64 field_id=12 tz (Timestamp(isAdjustedToUTC=true, timeUnit=microseconds, is_from_converted_type=false, force_set_converted_type=false));
  optional int64 field_id=13 ns (Timestamp(isAdjustedToUTC=false, timeUnit=nanoseconds, is_from_converted_type=false, force_set_converted_type=false));
  optional int64 field_id=14 tzns (Timestamp(isAdjustedToUTC=true, timeUnit=nanoseconds, is_from_converted_type=false, force_set_converted_type=false));
  optional binary field_id=15 s (String);
  optional fixed_len_byte_array(16) field_id=16 u (UUID);
  optional fixed_len_byte_array(3) field_id=17 x;
  optional binary field_id=18 y;
  optional group field_id=20 st {
    required int32 field_id=21 a;
    optional fixed_len_byte_array(16) field_id=22 u (UUID);
  }
  optional group field_id=24 l (List) {
    repeated group field_id=-1 list {
      required group field_id=25 element {
        optional fixed_len_byte_array(16) field_id=26 u (UUID);
      }
    }
  }
  optional group field_id=27 m (Map) {
    repeated group field_id=-1 key_value {
      required binary field_id=28 key (String);
      optional fixed_len_byte_array(16) field_id=29 value (UUID);
    }
  }
}
)";
  EXPECT_EQ(PhysicalSchema(file.path), expected);
}

TEST_F(WriterTest, EveryValueComesBackFromTheFile) {
  const WriteOptions options = Options(EveryType());
  const DataFile file = WriteOne(options, kEveryTypeRows);
  const auto table = ReadBack(file.path);
  const Batch rows = Rows(options, kEveryTypeRows);
  const auto equal = arrow::EqualOptions::Defaults().nans_equal(true).signed_zeros_equal(false);
  for (const auto& name : {"id", "b", "i", "f", "d", "small", "medium", "large", "day", "at", "ts",
                           "tz", "ns", "tzns", "s", "x", "y"}) {
    const auto column = table->GetColumnByName(name)->chunk(0);
    EXPECT_TRUE(column->Equals(rows->GetColumnByName(name), equal))
        << name << ": " << column->ToString();
  }
  EXPECT_EQ(table->GetColumnByName("nothing"), nullptr);
  EXPECT_EQ(table->num_rows(), file.record_count);
}

TEST_F(WriterTest, MetricsSayWhatTheRowsAre) {
  const WriteOptions options = Options(EveryType());
  const DataFile file = WriteOne(options, kEveryTypeRows);
  EXPECT_EQ(file.record_count, 3);
  EXPECT_EQ(file.format, iceberg::FileFormat::kParquet);
  EXPECT_EQ(file.spec_id, iceberg::SpecId(3));
  EXPECT_EQ(file.file_size_in_bytes, (*files_.OpenInput(*context_, file.path))->size().value());
  ASSERT_EQ(file.split_offsets.size(), 1U);
  EXPECT_EQ(file.split_offsets[0], 4);
  const iceberg::Metrics& m = file.metrics;
  EXPECT_EQ(*m.value_counts.Find(FieldId(1)), 3);
  EXPECT_EQ(*m.null_value_counts.Find(FieldId(1)), 0);
  EXPECT_EQ(*m.null_value_counts.Find(FieldId(15)), 1);
  EXPECT_EQ(*m.nan_value_counts.Find(FieldId(4)), 1);
  EXPECT_EQ(*m.nan_value_counts.Find(FieldId(5)), 0);
  EXPECT_EQ(m.nan_value_counts.Find(FieldId(3)), nullptr);
  EXPECT_EQ(*m.value_counts.Find(FieldId(21)), 3);
  EXPECT_EQ(m.value_counts.Find(FieldId(26)), nullptr) << "lists have sizes only";
  EXPECT_NE(m.column_sizes.Find(FieldId(26)), nullptr);
  EXPECT_EQ(m.lower_bounds.Find(FieldId(29)), nullptr);
  const auto bound = [&](const iceberg::FieldMap<std::string>& bounds, int id) -> Value {
    const std::string* bytes = bounds.Find(FieldId(id));
    if (bytes == nullptr) return Value::Null();
    return *iceberg::FromBytes(options.schema->FindById(FieldId(id))->type, *bytes);
  };
  EXPECT_EQ(bound(m.lower_bounds, 1), Value(int64_t{1}));
  EXPECT_EQ(bound(m.upper_bounds, 1), Value(int64_t{3}));
  EXPECT_EQ(bound(m.lower_bounds, 2), Value(false));
  EXPECT_EQ(bound(m.lower_bounds, 3), Value(int32_t{-5}));
  EXPECT_EQ(bound(m.upper_bounds, 4), Value(1.5F));
  EXPECT_EQ(bound(m.lower_bounds, 6), Value(iceberg::Decimal{-1}));
  EXPECT_EQ(bound(m.upper_bounds, 6), Value(iceberg::Decimal{123456789}));
  EXPECT_EQ(bound(m.lower_bounds, 7), Value(iceberg::Decimal{-1500}));
  EXPECT_EQ(bound(m.lower_bounds, 8), Value(iceberg::Decimal{-1}));
  EXPECT_EQ(bound(m.lower_bounds, 9), Value(int32_t{-1}));
  EXPECT_EQ(bound(m.upper_bounds, 10), Value(int64_t{86399999999}));
  EXPECT_EQ(bound(m.lower_bounds, 12), Value(int64_t{-5}));
  EXPECT_EQ(bound(m.lower_bounds, 15), Value(std::string()));
  EXPECT_EQ(bound(m.upper_bounds, 15), Value(std::string("héllo")));
  EXPECT_EQ(bound(m.lower_bounds, 17), Value(std::string("abc")));
  EXPECT_EQ(bound(m.upper_bounds, 21), Value(int32_t{2}));
}

TEST_F(WriterTest, MetricsModesDecideWhatIsKept) {
  properties_ = {{"write.metadata.metrics.default", "counts"},
                 {"write.metadata.metrics.column.s", "truncate(2)"},
                 {"write.metadata.metrics.column.st.a", "none"},
                 {"write.metadata.metrics.column.y", "full"}};
  const WriteOptions options =
      Options({Optional(1, "n", Type::Int()), Optional(2, "s", Type::String()),
               Optional(3, "st", Type::Struct({Optional(4, "a", Type::Int())})),
               Optional(5, "y", Type::Binary())});
  const DataFile file = WriteOne(
      options, R"([{"n": 1, "s": "abcdef", "st": {"a": 1}, "y": "aaaaaaaaaaaaaaaaaaaaaaaa"}])");
  EXPECT_EQ(file.metrics.lower_bounds.Find(FieldId(1)), nullptr);
  EXPECT_NE(file.metrics.value_counts.Find(FieldId(1)), nullptr);
  EXPECT_EQ(*file.metrics.lower_bounds.Find(FieldId(2)), "ab");
  EXPECT_EQ(*file.metrics.upper_bounds.Find(FieldId(2)), "ac");
  EXPECT_EQ(file.metrics.column_sizes.Find(FieldId(4)), nullptr);
  EXPECT_EQ(file.metrics.upper_bounds.Find(FieldId(5))->size(), 24U);
}

TEST_F(WriterTest, WideTablesHaveBoundsForTheFirstHundredColumns) {
  std::vector<Field> fields;
  for (int i = 1; i <= 103; ++i)
    fields.push_back(Optional(i, "c" + std::to_string(i), Type::Int()));
  const DataFile file = WriteOne(Options(fields), R"([{"c1": 1, "c100": 1, "c101": 1}])");
  EXPECT_NE(file.metrics.lower_bounds.Find(FieldId(100)), nullptr);
  EXPECT_EQ(file.metrics.column_sizes.Find(FieldId(101)), nullptr);
}

TEST_F(WriterTest, ColumnsOfNothingButNansOrNullsHaveNoBounds) {
  const WriteOptions options =
      Options({Optional(1, "f", Type::Double()), Optional(2, "s", Type::String())});
  const DataFile file = WriteOne(options, R"([{"f": NaN}, {"f": null}])");
  EXPECT_EQ(file.metrics.lower_bounds.size(), 0U);
  EXPECT_EQ(file.metrics.upper_bounds.size(), 0U);
  EXPECT_EQ(*file.metrics.nan_value_counts.Find(FieldId(1)), 1);
  EXPECT_EQ(*file.metrics.null_value_counts.Find(FieldId(2)), 2);
}

TEST_F(WriterTest, BoundsSpanAllRowGroups) {
  properties_ = {{"write.parquet.row-group-size-bytes", "1"}};
  const WriteOptions options =
      Options({Optional(1, "n", Type::Decimal(38, 0)), Optional(2, "f", Type::Double())});
  const auto written = WriteAll(options, {Rows(options, R"([{"n": "-300", "f": NaN}])"),
                                          Rows(options, R"([{"n": "5", "f": 2}])"),
                                          Rows(options, R"([{"n": "-2", "f": -1}])")});
  ASSERT_TRUE(written.ok()) << written.error().message;
  ASSERT_EQ(written->size(), 1U);
  const DataFile& file = *written->front();
  EXPECT_EQ(file.split_offsets.size(), 3U);
  EXPECT_TRUE(std::is_sorted(file.split_offsets.begin(), file.split_offsets.end()));
  EXPECT_EQ(*iceberg::FromBytes(Type::Decimal(38, 0), *file.metrics.lower_bounds.Find(FieldId(1))),
            Value(iceberg::Decimal{-300}));
  EXPECT_EQ(*iceberg::FromBytes(Type::Decimal(38, 0), *file.metrics.upper_bounds.Find(FieldId(1))),
            Value(iceberg::Decimal{5}));
  EXPECT_EQ(*iceberg::FromBytes(Type::Double(), *file.metrics.lower_bounds.Find(FieldId(2))),
            Value(-1.0));
}

TEST_F(WriterTest, FilesRollAtTheTargetSize) {
  properties_ = {{"write.target-file-size-bytes", "20000"},
                 {"write.parquet.row-group-size-bytes", "10000"}};
  const WriteOptions options = Options({Optional(1, "n", Type::Long())});
  std::vector<Batch> batches;
  Random random(7);
  int64_t sum = 0;
  for (int b = 0; b < 40; ++b) {
    arrow::Int64Builder builder;
    for (int i = 0; i < 1000; ++i) {
      const auto n = static_cast<int64_t>(random.Next() >> 2);
      sum += n >> 20;
      ASSERT_TRUE(builder.Append(n).ok());
    }
    batches.push_back(arrow::RecordBatch::Make(*columnar::ToArrowSchema(*options.schema), 1000,
                                               {*builder.Finish()}));
  }
  const auto written = WriteAll(options, batches);
  ASSERT_TRUE(written.ok()) << written.error().message;
  EXPECT_GT(written->size(), 5U);
  int64_t rows = 0;
  for (const DataFilePtr& file : *written) {
    EXPECT_LT(file->file_size_in_bytes, 45'000);
    const auto column = ReadBack(file->path)->column(0);
    for (const auto& chunk : column->chunks()) {
      for (int64_t i = 0; i < chunk->length(); ++i)
        sum -= static_cast<const arrow::Int64Array&>(*chunk).Value(i) >> 20;
    }
    rows += file->record_count;
  }
  EXPECT_EQ(rows, 40'000);
  EXPECT_EQ(sum, 0);
}

TEST_F(WriterTest, RequiredColumnsRefuseNulls) {
  const WriteOptions options = Options(
      {Required(1, "id", Type::Int()),
       Optional(2, "l",
                Type::List(FieldId(3), Type::Struct({Required(4, "x", Type::Int())}), false))});
  const auto refuse = [&](std::string_view json, std::string_view part) {
    const auto written = WriteAll(options, {Rows(options, json)});
    ASSERT_FALSE(written.ok());
    EXPECT_EQ(written.error().kind, ErrorKind::kData);
    EXPECT_NE(written.error().message.find(part), std::string::npos) << written.error().message;
  };
  refuse(R"([{"id": 1}, {"id": null}])", "column id, row 1");
  refuse(R"([{"id": 1}, {"id": 2, "l": [{"x": 1}, null, {"x": null}]}])",
         "column l.element.x, row 1");
  EXPECT_TRUE(WriteAll(options, {Rows(options, R"([{"id": 1, "l": [null]}, {"id": 2}])")}).ok());
}

TEST_F(WriterTest, NullsUnderNullStructsAreNoFault) {
  const WriteOptions options =
      Options({Optional(1, "s", Type::Struct({Required(2, "x", Type::Int())}))});
  const DataFile file = WriteOne(options, R"([null, {"s": null}, {"s": {"x": 4}}])");
  EXPECT_EQ(*file.metrics.null_value_counts.Find(FieldId(2)), 2);

  // The same with the child marked null where its struct is, as other programs make such columns.
  const auto x = arrow::json::ArrayFromJSONString(arrow::int32(), "[null, null, 4]").ValueOrDie();
  const auto marks = arrow::json::ArrayFromJSONString(arrow::boolean(), "[false, false, true]")
                         .ValueOrDie()
                         ->data()
                         ->buffers[1];
  const auto schema = *columnar::ToArrowSchema(*options.schema);
  const auto structs = *arrow::StructArray::Make({x}, schema->field(0)->type()->fields(), marks);
  WriteOptions again = options;
  again.run_id = "again";
  const auto written = WriteAll(again, {arrow::RecordBatch::Make(schema, 3, {structs})});
  ASSERT_TRUE(written.ok()) << written.error().message;
  EXPECT_TRUE(ReadBack(written->front()->path)->Equals(*ReadBack(file.path)));
}

TEST_F(WriterTest, UuidsHaveNoBoundsWhereReadersDisagreeAboutTheirOrder) {
  const WriteOptions options =
      Options({Optional(1, "id", Type::UuidType()), Optional(2, "n", Type::Int()),
               Optional(3, "l", Type::List(FieldId(4), Type::UuidType(), false))});
  const DataFile file = WriteOne(
      options,
      R"([{"id": "0123456789abcdef", "n": 1, "l": ["0123456789abcdef"]}, {"id": null, "n": 2}])");
  EXPECT_EQ(file.metrics.lower_bounds.Find(FieldId(1)), nullptr);
  EXPECT_EQ(file.metrics.upper_bounds.Find(FieldId(1)), nullptr);
  EXPECT_NE(file.metrics.lower_bounds.Find(FieldId(2)), nullptr);
  const auto footer = OpenParquet(file.path)->parquet_reader()->metadata();
  for (const int column : {0, 2})
    EXPECT_FALSE(footer->RowGroup(0)->ColumnChunk(column)->is_stats_set()) << column;
  EXPECT_TRUE(footer->RowGroup(0)->ColumnChunk(1)->is_stats_set());
}

iceberg::PartitionField PartitionBy(int source, int id, std::string name, Transform transform) {
  return {.source_id = FieldId(source),
          .field_id = FieldId(id),
          .name = std::move(name),
          .transform = transform};
}

TEST_F(WriterTest, ADecimalWhosePartitionHasTooManyDigitsIsRefusedByValue) {
  const WriteOptions options = Options({Optional(1, "amount", Type::Decimal(4, 2))},
                                       {PartitionBy(1, 1000, "part", Transform::Truncate(7))});
  EXPECT_TRUE(WriteAll(options, {Rows(options, R"([{"amount": "-99.90"}])")}).ok());
  const auto written = WriteAll(options, {Rows(options, R"([{"amount": "-99.99"}])")});
  ASSERT_FALSE(written.ok());
  EXPECT_EQ(written.error().kind, ErrorKind::kData);
  EXPECT_THAT(written.error().message,
              ::testing::HasSubstr("-99.99 by truncate[7] is in the partition -100.03, which is no "
                                   "decimal(4, 2)"));
}

TEST_F(WriterTest, RowsFanOutByEveryTransformAsEachValueSays) {
  const std::vector<std::pair<Type, std::vector<Transform>>> cases = {
      {Type::Int(), {Transform::Identity(), Transform::Bucket(4), Transform::Truncate(10)}},
      {Type::Decimal(9, 2), {Transform::Identity(), Transform::Bucket(4), Transform::Truncate(50)}},
      {Type::String(), {Transform::Identity(), Transform::Bucket(4), Transform::Truncate(1)}},
      {Type::Date(),
       {Transform::Of(Transform::Kind::kYear), Transform::Of(Transform::Kind::kMonth),
        Transform::Of(Transform::Kind::kDay)}},
      {Type::TimestampTz(),
       {Transform::Of(Transform::Kind::kYear), Transform::Of(Transform::Kind::kMonth),
        Transform::Of(Transform::Kind::kDay), Transform::Of(Transform::Kind::kHour),
        Transform::Of(Transform::Kind::kVoid)}},
      {Type::Of(TypeKind::kTimestampNs),
       {Transform::Of(Transform::Kind::kHour), Transform::Of(Transform::Kind::kDay)}},
      {Type::Double(), {Transform::Identity()}},
      {Type::Boolean(), {Transform::Identity()}},
      {Type::UuidType(), {Transform::Identity(), Transform::Bucket(3)}},
  };
  const std::vector<std::string> values = {
      R"([-12, 0, null, 7, 7, 29, -1, 2147483647])",
      R"(["-1.28", "0.00", null, "7.77", "1.00", "0.49", "-0.01", "9999999.99"])",
      R"(["é1", "", null, "abc", "abd", "zz", "é2", "abc"])",
      R"([-1, 0, null, 364, 365, 20000, -366, 20000])",
      R"([-1, 0, null, 3600000000, 86400000000, 1700000000000000, -86400000001, 3599999999])",
      R"([-1, 0, null, 3600000000000, 86400000000000, 1700000000000000000, -1000, 3599999999999])",
      R"([-0.0, 0.0, null, NaN, 1.5, NaN, -Inf, 1.5])",
      R"([true, false, null, true, false, true, true, false])",
      R"(["0123456789abcdef", "fedcba9876543210", null, "0123456789abcdef", "aaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbb", "cccccccccccccccc", "dddddddddddddddd"])",
  };
  for (size_t c = 0; c < cases.size(); ++c) {
    for (const Transform& transform : cases[c].second) {
      const Type& type = cases[c].first;
      SCOPED_TRACE(type.ToString() + " " + transform.ToString());
      const WriteOptions options =
          Options({Optional(1, "v", type), Required(2, "row", Type::Int())},
                  {PartitionBy(1, 1000, "p", transform)});
      const auto column =
          arrow::json::ArrayFromJSONString(*columnar::ToArrowType(type), values[c]).ValueOrDie();
      const auto numbers =
          arrow::json::ArrayFromJSONString(arrow::int32(), "[0, 1, 2, 3, 4, 5, 6, 7]").ValueOrDie();
      const Batch batch =
          arrow::RecordBatch::Make(*columnar::ToArrowSchema(*options.schema), 8, {column, numbers});
      // Other values come in the second batch, so that partitions are found again.
      const auto written = WriteAll({.table = options.table,
                                     .schema = options.schema,
                                     .spec = options.spec,
                                     .run_id = transform.ToString() + std::to_string(c)},
                                    {batch->Slice(0, 5), batch->Slice(5), batch});
      ASSERT_TRUE(written.ok()) << written.error().message;
      int64_t rows = 0;
      for (const DataFilePtr& file : *written) {
        const auto table = ReadBack(file->path);
        rows += table->num_rows();
        for (const auto& chunk : table->GetColumnByName("row")->chunks()) {
          for (int64_t i = 0; i < chunk->length(); ++i) {
            const Value source = columnar::ValueAt(
                *column, static_cast<const arrow::Int32Array&>(*chunk).Value(i), type);
            const Value expected = transform.Apply(type, source);
            const Type result = *transform.ResultType(type);
            EXPECT_EQ(iceberg::ToText(result, file->partition[0]),
                      iceberg::ToText(result, expected));
          }
        }
      }
      EXPECT_EQ(rows, 16);
      std::vector<std::string> names;
      for (const DataFilePtr& file : *written)
        names.push_back(iceberg::ToText(*transform.ResultType(type), file->partition[0]));
      std::sort(names.begin(), names.end());
      EXPECT_EQ(std::adjacent_find(names.begin(), names.end()), names.end())
          << "one file per partition";
    }
  }
}

TEST_F(WriterTest, PartitionsOfSeveralFieldsAndNestedSourcesGetTheirPath) {
  const WriteOptions options =
      Options({Optional(1, "s", Type::Struct({Optional(2, "region", Type::String())})),
               Optional(3, "d", Type::Date())},
              {PartitionBy(2, 1000, "region", Transform::Identity()),
               PartitionBy(3, 1001, "d_month", Transform::Of(Transform::Kind::kMonth)),
               PartitionBy(99, 1002, "old", Transform::Of(Transform::Kind::kVoid))});
  const auto written = WriteAll(
      options,
      {Rows(
          options,
          R"([{"s": {"region": "EU west"}, "d": 31}, {"s": null, "d": 0}, {"s": {"region": "EU west"}, "d": 58}])")});
  ASSERT_TRUE(written.ok()) << written.error().message;
  ASSERT_EQ(written->size(), 2U);
  std::vector<std::string> paths;
  for (const DataFilePtr& file : *written) paths.push_back(file->path);
  std::sort(paths.begin(), paths.end());
  EXPECT_EQ(paths[0].substr(0, paths[0].rfind('/')),
            "memory://warehouse/t/data/region=EU+west/d_month=1970-02/old=null");
  EXPECT_EQ(paths[1].substr(0, paths[1].rfind('/')),
            "memory://warehouse/t/data/region=null/d_month=1970-01/old=null");
  EXPECT_TRUE(paths[0].ends_with("/00000-run-00000.parquet") ||
              paths[0].ends_with("/00000-run-00001.parquet"))
      << paths[0];
}

TEST_F(WriterTest, ObjectStorageSpreadsFilesByHash) {
  properties_ = {{"write.object-storage.enabled", "true"}};
  const auto path_of = [&] {
    const WriteOptions options = Options({Optional(1, "n", Type::Int())},
                                         {PartitionBy(1, 1000, "n", Transform::Identity())});
    return WriteOne(options, R"([{"n": 1}])").path;
  };
  const std::string folders = "[01]{4}/[01]{4}/[01]{4}/[01]{8}/";
  EXPECT_THAT(path_of(), testing::MatchesRegex("memory://warehouse/t/data/" + folders +
                                               "n=1/00000-run-00000.parquet"));
  properties_["write.object-storage.partitioned-paths"] = "false";
  EXPECT_THAT(path_of(), testing::MatchesRegex("memory://warehouse/t/data/" + folders +
                                               "00000-run-00000.parquet"));
}

TEST_F(WriterTest, MorePartitionsThanTheBufferHoldsAndFilesMayBeOpenMakeOneFileEach) {
  properties_ = {{"write.data.path", "memory://elsewhere/"}};
  WriteOptions options =
      Options({Required(1, "k", Type::Int()), Optional(2, "text", Type::String())},
              {PartitionBy(1, 1000, "k", Transform::Identity())});
  options.buffer_bytes_max = 10'000;
  std::vector<Batch> batches;
  for (int b = 0; b < 20; ++b) {
    arrow::Int32Builder keys;
    arrow::StringBuilder texts;
    for (int i = 0; i < 300; ++i) {
      ASSERT_TRUE(keys.Append(i * 7 % 300).ok());
      ASSERT_TRUE(texts.Append("row " + std::to_string(b * 300 + i)).ok());
    }
    batches.push_back(arrow::RecordBatch::Make(*columnar::ToArrowSchema(*options.schema), 300,
                                               {*keys.Finish(), *texts.Finish()}));
  }
  const auto written = WriteAll(options, batches);
  ASSERT_TRUE(written.ok()) << written.error().message;
  EXPECT_EQ(written->size(), 300U);
  std::vector<int> seen(6000);
  for (const DataFilePtr& file : *written) {
    EXPECT_TRUE(file->path.starts_with("memory://elsewhere/k=")) << file->path;
    const auto texts = ReadBack(file->path)->GetColumnByName("text");
    for (const auto& chunk : texts->chunks()) {
      for (int64_t i = 0; i < chunk->length(); ++i) {
        const auto view = static_cast<const arrow::StringArray&>(*chunk).GetView(i);
        ++seen[static_cast<size_t>(std::stoi(std::string(view.substr(4))))];
      }
    }
  }
  EXPECT_EQ(std::count(seen.begin(), seen.end(), 1), 6000);
}

/// Options of a table sorted by `fields`.
WriteOptions SortedBy(WriteOptions options, std::vector<iceberg::SortField> fields) {
  iceberg::TableMetadata table = *options.table;
  table.sort_orders = {{.id = iceberg::SortOrderId(7), .fields = std::move(fields)}};
  table.default_sort_order_id = iceberg::SortOrderId(7);
  options.table = std::make_shared<const iceberg::TableMetadata>(std::move(table));
  return options;
}

TEST_F(WriterTest, RowsOfAFileAreInTheTablesSortOrder) {
  const WriteOptions options =
      SortedBy(Options({Optional(1, "a", Type::Int()), Optional(2, "b", Type::String()),
                        Optional(3, "f", Type::Double())}),
               {{.source_id = FieldId(1), .ascending = false, .nulls_first = false},
                {.source_id = FieldId(2), .transform = Transform::Truncate(1)},
                {.source_id = FieldId(3)}});
  const auto written = WriteAll(
      options, {Rows(options, R"([{"a": 1, "b": "y1", "f": 2}, {"a": null, "b": "a", "f": 1},
                                  {"a": 2, "b": "x", "f": NaN}, {"a": 1, "b": "y2", "f": -0.0}])"),
                Rows(options, R"([{"a": 2, "b": "x", "f": 3}, {"a": 1, "b": null, "f": 5},
                                  {"a": 1, "b": "y0", "f": 0.0}, {"a": 2, "b": "x", "f": null}])")});
  ASSERT_TRUE(written.ok()) << written.error().message;
  ASSERT_EQ(written->size(), 1U);
  EXPECT_EQ(written->front()->sort_order_id, iceberg::SortOrderId(7));
  const Batch expected = Rows(options, R"([
    {"a": 2, "b": "x", "f": null}, {"a": 2, "b": "x", "f": 3}, {"a": 2, "b": "x", "f": NaN},
    {"a": 1, "b": null, "f": 5}, {"a": 1, "b": "y2", "f": -0.0}, {"a": 1, "b": "y0", "f": 0.0},
    {"a": 1, "b": "y1", "f": 2}, {"a": null, "b": "a", "f": 1}])");
  const auto read = ReadBack(written->front()->path)->CombineChunksToBatch().ValueOrDie();
  EXPECT_TRUE(read->Equals(*expected, false, arrow::EqualOptions::Defaults().nans_equal(true)))
      << read->ToString();
}

/// Rows numbered as told, 1,000 a batch.
std::vector<Batch> NumberedRows(const WriteOptions& options, int rows,
                                const std::function<int(int)>& number) {
  std::vector<Batch> batches;
  for (int from = 0; from < rows; from += 1000) {
    arrow::Int32Builder numbers;
    for (int i = from; i < from + 1000; ++i) EXPECT_TRUE(numbers.Append(number(i)).ok());
    batches.push_back(arrow::RecordBatch::Make(*columnar::ToArrowSchema(*options.schema), 1000,
                                               {*numbers.Finish()}));
  }
  return batches;
}

TEST_F(WriterTest, AFileOfSeveralRowGroupsIsSortedAsAWhole) {
  WriteOptions options =
      SortedBy(Options({Required(1, "n", Type::Int())}), {{.source_id = FieldId(1)}});
  options.buffer_bytes_max = 40'000;
  const std::vector<std::function<int(int)>> orders = {
      [](int i) { return i; }, [](int i) { return i * 7919 % 20'000; },
      [](int i) { return 20'000 - i; }, [](int i) { return i / 3000; }, [](int) { return 1; }};
  for (size_t k = 0; k < orders.size(); ++k) {
    options.run_id = "order" + std::to_string(k);
    const auto written = WriteAll(options, NumberedRows(options, 20'000, orders[k]));
    ASSERT_TRUE(written.ok()) << written.error().message;
    ASSERT_EQ(written->size(), 1U);
    EXPECT_EQ(written->front()->sort_order_id, iceberg::SortOrderId(7));
    EXPECT_GT(written->front()->split_offsets.size(), 1U);
    const auto rows = ReadBack(written->front()->path)->CombineChunksToBatch().ValueOrDie();
    const auto& numbers = static_cast<const arrow::Int32Array&>(*rows->column(0));
    std::vector<int> expected;
    for (int i = 0; i < 20'000; ++i) expected.push_back(orders[k](i));
    std::sort(expected.begin(), expected.end());
    EXPECT_EQ(std::vector<int>(numbers.raw_values(), numbers.raw_values() + numbers.length()),
              expected)
        << k;
  }
}

TEST_F(WriterTest, PartitionsAreSortedEachForItself) {
  WriteOptions options = SortedBy(Options({Required(1, "n", Type::Int())}),
                                  {{.source_id = FieldId(1), .ascending = false}});
  options.spec.fields = {{.source_id = FieldId(1),
                          .field_id = FieldId(1000),
                          .name = "b",
                          .transform = Transform::Bucket(5)}};
  options.buffer_bytes_max = 20'000;
  const auto written =
      WriteAll(options, NumberedRows(options, 20'000, [](int i) { return i * 7919 % 20'000; }));
  ASSERT_TRUE(written.ok()) << written.error().message;
  EXPECT_EQ(written->size(), 5U);
  std::vector<int> all;
  for (const DataFilePtr& file : *written) {
    const auto rows = ReadBack(file->path)->CombineChunksToBatch().ValueOrDie();
    const auto& numbers = static_cast<const arrow::Int32Array&>(*rows->column(0));
    const std::vector<int> read(numbers.raw_values(), numbers.raw_values() + numbers.length());
    EXPECT_TRUE(std::is_sorted(read.rbegin(), read.rend()));
    all.insert(all.end(), read.begin(), read.end());
  }
  std::sort(all.begin(), all.end());
  std::vector<int> expected(20'000);
  std::iota(expected.begin(), expected.end(), 0);
  EXPECT_EQ(all, expected);
}

TEST_F(WriterTest, PartitionsThatShareAPlaceOnTheDiskAreToldApart) {
  WriteOptions options = Options({Required(1, "n", Type::Int())},
                                 {PartitionBy(1, 1000, "p", Transform::Truncate(10))});
  options.buffer_bytes_max = 10'000;
  const auto sorted = SortedBy(options, {{.source_id = FieldId(1), .ascending = false}});
  // A third of the rows are of one partition, which comes after 300 others.
  const auto number = [](int partitions) {
    return [partitions](int i) {
      return (i % 3 == 0 && i > 9000 ? 300 : i % partitions) * 10 + i % 7;
    };
  };
  for (const int partitions : {400, 1500}) {
    for (WriteOptions each : {options, sorted}) {
      const bool is_sorted = each.table == sorted.table;
      each.run_id = std::to_string(partitions) + (is_sorted ? "sorted" : "");
      const auto written = WriteAll(each, NumberedRows(each, 30'000, number(partitions)));
      ASSERT_TRUE(written.ok()) << written.error().message;
      EXPECT_EQ(written->size(), static_cast<size_t>(partitions));
      std::vector<int> all;
      for (const DataFilePtr& file : *written) {
        const auto rows = ReadBack(file->path)->CombineChunksToBatch().ValueOrDie();
        const auto& numbers = static_cast<const arrow::Int32Array&>(*rows->column(0));
        const std::vector<int> read(numbers.raw_values(), numbers.raw_values() + numbers.length());
        for (const int n : read) EXPECT_EQ(n / 10, read.front() / 10);
        EXPECT_TRUE(!is_sorted || std::is_sorted(read.rbegin(), read.rend()));
        all.insert(all.end(), read.begin(), read.end());
      }
      std::vector<int> expected;
      for (int i = 0; i < 30'000; ++i) expected.push_back(number(partitions)(i));
      std::sort(all.begin(), all.end());
      std::sort(expected.begin(), expected.end());
      EXPECT_EQ(all, expected);
    }
  }
}

TEST_F(WriterTest, AbortRemovesItsOwnFilesOnly) {
  properties_ = {{"write.target-file-size-bytes", "1"}};
  const WriteOptions options = Options({Optional(1, "n", Type::Int())});
  const std::string theirs = "memory://warehouse/t/data/00000-run-00001.parquet";
  ASSERT_TRUE(files_.WriteFile(*context_, theirs, "theirs").ok());
  const auto writer = *OpenDataFileWriter(*context_, files_, options);
  ASSERT_TRUE(writer->Write(*context_, Rows(options, R"([{"n": 1}])")).ok());
  EXPECT_TRUE(*files_.Exists(*context_, "memory://warehouse/t/data/00000-run-00000.parquet"));
  const Status taken = writer->Write(*context_, Rows(options, R"([{"n": 2}])"));
  ASSERT_FALSE(taken.ok());
  EXPECT_EQ(taken.error().kind, ErrorKind::kAlreadyExists);
  ASSERT_TRUE(writer->Abort(*context_).ok());
  EXPECT_FALSE(*files_.Exists(*context_, "memory://warehouse/t/data/00000-run-00000.parquet"));
  EXPECT_EQ(*files_.ReadFile(*context_, theirs), "theirs");
}

TEST_F(WriterTest, NothingWrittenGivesNoFile) {
  const WriteOptions options = Options({Optional(1, "n", Type::Int())});
  const auto written = WriteAll(options, {Rows(options, "[]")});
  ASSERT_TRUE(written.ok());
  EXPECT_TRUE(written->empty());
}

TEST_F(WriterTest, PropertiesAreCheckedByName) {
  const auto refuse = [&](std::string key, std::string value, ErrorKind kind) {
    properties_ = {{key, value}};
    const auto writer =
        OpenDataFileWriter(*context_, files_, Options({Optional(1, "n", Type::Int())}));
    ASSERT_FALSE(writer.ok()) << key;
    EXPECT_EQ(writer.error().kind, kind);
    EXPECT_NE(writer.error().message.find(key), std::string::npos) << writer.error().message;
    EXPECT_NE(writer.error().message.find(value), std::string::npos) << writer.error().message;
  };
  refuse("write.format.default", "orc", ErrorKind::kRefused);
  refuse("write.parquet.compression-codec", "zippy", ErrorKind::kConfig);
  refuse("write.parquet.compression-level", "99", ErrorKind::kConfig);
  refuse("write.parquet.page-version", "v3", ErrorKind::kConfig);
  refuse("write.target-file-size-bytes", "-1", ErrorKind::kConfig);
  refuse("write.metadata.metrics.default", "some", ErrorKind::kConfig);
  refuse("write.metadata.metrics.column.n", "truncate(0)", ErrorKind::kConfig);
}

TEST_F(WriterTest, CodecsAreWhatTheTableSays) {
  const auto codec = [&](std::string name) {
    properties_ = {{"write.parquet.compression-codec", name}};
    WriteOptions options = Options({Optional(1, "n", Type::Int())});
    options.run_id = name;
    const DataFile file = WriteOne(options, R"([{"n": 1}])");
    return OpenParquet(file.path)
        ->parquet_reader()
        ->metadata()
        ->RowGroup(0)
        ->ColumnChunk(0)
        ->compression();
  };
  EXPECT_EQ(codec("zstd"), parquet::Compression::ZSTD);
  EXPECT_EQ(codec("snappy"), parquet::Compression::SNAPPY);
  EXPECT_EQ(codec("gzip"), parquet::Compression::GZIP);
  EXPECT_EQ(codec("uncompressed"), parquet::Compression::UNCOMPRESSED);
}

/// Rows in which n and d hardly repeat, texts begin alike or not, and k repeats.
Batch RowsThatHardlyRepeat(const WriteOptions& options) {
  constexpr int64_t kRows = 5000;
  arrow::Int64Builder numbers;
  arrow::Decimal128Builder prices(arrow::decimal128(15, 2));
  arrow::StringBuilder paths, hashes, kinds;
  for (int64_t i = 0; i < kRows; ++i) {
    const std::string hash = std::to_string((i * 7'919'123'321) % 1'000'000'007);
    EXPECT_TRUE(i % 10 == 0 ? numbers.AppendNull().ok() : numbers.Append(i * 1000 - 7).ok());
    EXPECT_TRUE(prices.Append(arrow::Decimal128(i * 3 - 5000)).ok());
    EXPECT_TRUE(paths.Append("https://example.org/a/" + std::to_string(i)).ok());
    EXPECT_TRUE(hashes.Append(hash).ok());
    EXPECT_TRUE(kinds.Append("kind " + std::to_string(i % 7)).ok());
  }
  return arrow::RecordBatch::Make(
      *columnar::ToArrowSchema(*options.schema), kRows,
      {*numbers.Finish(), *prices.Finish(), *paths.Finish(), *hashes.Finish(), *kinds.Finish()});
}

TEST_F(WriterTest, PagesOfVersionTwoKeepValuesThatHardlyRepeatAsDifferences) {
  using parquet::Encoding;
  const auto write = [&](const std::string& version) {
    properties_ = {{"write.parquet.page-version", version}};
    WriteOptions options =
        Options({Optional(1, "n", Type::Long()), Optional(2, "d", Type::Decimal(15, 2)),
                 Optional(3, "path", Type::String()), Optional(4, "hash", Type::String()),
                 Optional(5, "k", Type::String())});
    options.run_id = version;
    const Batch rows = RowsThatHardlyRepeat(options);
    const auto written = WriteAll(options, {rows});
    EXPECT_TRUE(written.ok()) << written.error().message;
    const auto expected = *arrow::Table::FromRecordBatches({rows});
    EXPECT_TRUE(ReadBack(written->front()->path)->Equals(*expected, false)) << version;
    return written->front();
  };
  const auto encodings = [&](const DataFilePtr& file, int column) {
    const auto chunk =
        OpenParquet(file->path)->parquet_reader()->metadata()->RowGroup(0)->ColumnChunk(column);
    return chunk->encodings();
  };
  const DataFilePtr two = write("V2");
  const std::vector<Encoding::type> expected = {
      Encoding::DELTA_BINARY_PACKED, Encoding::DELTA_BINARY_PACKED, Encoding::DELTA_BYTE_ARRAY,
      Encoding::DELTA_LENGTH_BYTE_ARRAY, Encoding::RLE_DICTIONARY};
  for (int i = 0; i < 5; ++i) EXPECT_THAT(encodings(two, i), testing::Contains(expected[i])) << i;
  const DataFilePtr one = write("v1");
  for (int i = 0; i < 4; ++i) EXPECT_THAT(encodings(one, i), testing::Contains(Encoding::PLAIN));
  EXPECT_LT(two->file_size_in_bytes, one->file_size_in_bytes * 2 / 3);
}

TEST_F(WriterTest, BooleansArePlainInPagesOfEitherVersion) {
  for (const char* version : {"v1", "v2"}) {
    properties_ = {{"write.parquet.page-version", version}};
    WriteOptions options = Options({Optional(1, "b", Type::Boolean())});
    options.run_id = version;
    const DataFile file = WriteOne(options, R"([{"b": true}, {"b": null}, {"b": false}])");
    const auto chunk =
        OpenParquet(file.path)->parquet_reader()->metadata()->RowGroup(0)->ColumnChunk(0);
    EXPECT_THAT(chunk->encodings(), testing::Contains(parquet::Encoding::PLAIN)) << version;
  }
}

TEST_F(WriterTest, BloomFiltersAreWrittenWhereTheTableAsks) {
  properties_ = {{"write.parquet.bloom-filter-enabled.column.s", "true"},
                 {"write.parquet.bloom-filter-ndv.column.s", "100"},
                 {"write.parquet.bloom-filter-enabled.column.l.element", "true"},
                 {"write.parquet.bloom-filter-enabled.column.gone", "true"}};
  const WriteOptions options =
      Options({Optional(1, "n", Type::Int()), Optional(2, "s", Type::String()),
               Optional(3, "l", Type::List(FieldId(4), Type::Long(), false))});
  const DataFile file = WriteOne(options, R"([{"n": 1, "s": "a", "l": [5]}])");
  const auto reader = OpenParquet(file.path);
  const auto group = reader->parquet_reader()->metadata()->RowGroup(0);
  EXPECT_FALSE(group->ColumnChunk(0)->bloom_filter_offset().has_value());
  EXPECT_TRUE(group->ColumnChunk(1)->bloom_filter_offset().has_value());
  EXPECT_TRUE(group->ColumnChunk(2)->bloom_filter_offset().has_value());
}

TEST_F(WriterTest, ABloomFilterHasRoomForAsManyValuesAsTheTableSays) {
  const auto filter_for = [&](const std::string& ndv) {
    properties_ = {{"write.parquet.bloom-filter-enabled.column.n", "true"},
                   {"write.parquet.bloom-filter-ndv.column.n", ndv}};
    WriteOptions options = Options({Required(1, "n", Type::Int())});
    options.run_id = ndv;
    const auto written =
        WriteAll(options, NumberedRows(options, 5000, [](int i) { return i * 2; }));
    EXPECT_TRUE(written.ok()) << written.error().message;
    const auto reader = OpenParquet(written->front()->path);
    return std::shared_ptr<parquet::BloomFilter>(
        reader->parquet_reader()->GetBloomFilterReader().RowGroup(0)->GetColumnBloomFilter(0));
  };
  const auto fitting = filter_for("5000");
  int held = 0;
  int missing = 0;
  for (int32_t n = 0; n < 10'000; n += 2) {
    held += fitting->FindHash(fitting->Hash(n)) ? 1 : 0;
    missing += fitting->FindHash(fitting->Hash(n + 1)) ? 0 : 1;
  }
  EXPECT_EQ(held, 5000);
  EXPECT_GT(missing, 4500);
  EXPECT_LT(filter_for("100")->GetBitsetSize(), fitting->GetBitsetSize());
}

TEST_F(WriterTest, ABloomFilterIsNoLargerThanTheTableSays) {
  const auto bytes_of = [&](const std::string& max_bytes, const std::string& fpp) {
    properties_ = {{"write.parquet.bloom-filter-enabled.column.n", "true"},
                   {"write.parquet.bloom-filter-max-bytes", max_bytes},
                   {"write.parquet.bloom-filter-fpp.column.n", fpp}};
    WriteOptions options = Options({Required(1, "n", Type::Int())});
    options.run_id = "b" + max_bytes + fpp;
    const auto written = WriteAll(options, NumberedRows(options, 20'000, [](int i) { return i; }));
    EXPECT_TRUE(written.ok()) << written.error().message;
    const auto reader = OpenParquet(written->front()->path);
    return reader->parquet_reader()
        ->GetBloomFilterReader()
        .RowGroup(0)
        ->GetColumnBloomFilter(0)
        ->GetBitsetSize();
  };
  EXPECT_LE(bytes_of("4096", "0.01"), 4096U);
  EXPECT_GT(bytes_of("1048576", "0.01"), 16'000U);
  EXPECT_LT(bytes_of("1048576", "0.5"), bytes_of("1048576", "0.001"));
  for (const char* fpp : {"0", "1", "-1", "x", "0.5x"}) {
    properties_ = {{"write.parquet.bloom-filter-enabled.column.n", "true"},
                   {"write.parquet.bloom-filter-fpp.column.n", fpp}};
    const auto refused =
        OpenDataFileWriter(*context_, files_, Options({Required(1, "n", Type::Int())}));
    ASSERT_FALSE(refused.ok()) << fpp;
    EXPECT_THAT(refused.error().message, testing::HasSubstr("between 0 and 1"));
  }
}

TEST_F(WriterTest, VariantsAreWrittenAsParquetHasThemAndCountedAsIcebergJavaDoes) {
  const Type variant = Type::Of(TypeKind::kVariant);
  const WriteOptions options = Options({Optional(1, "v", variant), Required(2, "w", variant),
                                        Optional(3, "s", Type::Struct({Optional(4, "v", variant)})),
                                        Optional(5, "l", Type::List(FieldId(6), variant, false))});
  const std::string one = R"({"metadata": "\u0001\u0000\u0000", "value": "\f\u0001"})";
  const DataFile file = WriteOne(
      options, R"([{"v": )" + one + R"(, "w": )" + one + R"(, "s": {"v": )" + one + R"(}, "l": [)" +
                   one + R"(, null]}, {"w": )" + one + R"(, "s": {}}, {"w": )" + one + "}]");
  EXPECT_EQ(PhysicalSchema(file.path), R"(required group field_id=-1 schema {
  optional group field_id=1 v (Variant(1)) {
    required binary field_id=-1 metadata;
    required binary field_id=-1 value;
  }
  required group field_id=2 w (Variant(1)) {
    required binary field_id=-1 metadata;
    required binary field_id=-1 value;
  }
  optional group field_id=3 s {
    optional group field_id=4 v (Variant(1)) {
      required binary field_id=-1 metadata;
      required binary field_id=-1 value;
    }
  }
  optional group field_id=5 l (List) {
    repeated group field_id=-1 list {
      optional group field_id=6 element (Variant(1)) {
        required binary field_id=-1 metadata;
        required binary field_id=-1 value;
      }
    }
  }
}
)");
  for (const auto& [id, nulls] : {std::pair{1, 2}, std::pair{2, 0}, std::pair{4, 2}}) {
    ASSERT_NE(file.metrics.value_counts.Find(FieldId(id)), nullptr) << id;
    EXPECT_EQ(*file.metrics.value_counts.Find(FieldId(id)), 3) << id;
    EXPECT_EQ(*file.metrics.null_value_counts.Find(FieldId(id)), nulls) << id;
  }
  EXPECT_EQ(file.metrics.value_counts.Find(FieldId(6)), nullptr);
  EXPECT_EQ(file.metrics.column_sizes.size(), 0U);
  EXPECT_EQ(file.metrics.lower_bounds.size(), 0U);
}

TEST_F(WriterTest, NullVariantsAreWrittenHoweverTheirBytesAreMarked) {
  const WriteOptions options = Options({Optional(1, "v", Type::Of(TypeKind::kVariant))});
  const auto schema = *columnar::ToArrowSchema(*options.schema);
  const auto nulls = arrow::MakeArrayOfNull(schema->field(0)->type(), 2).ValueOrDie();
  ASSERT_EQ(nulls->data()->child_data[0]->GetNullCount(), 2);
  const auto written = WriteAll(options, {arrow::RecordBatch::Make(schema, 2, {nulls})});
  ASSERT_TRUE(written.ok()) << written.error().message;
  EXPECT_EQ(*written->front()->metrics.null_value_counts.Find(FieldId(1)), 2);
}

TEST_F(WriterTest, TypesThatNoFileHoldsAreRefusedByColumn) {
  const auto refuse = [&](Field field, std::string_view part) {
    const auto writer = OpenDataFileWriter(*context_, files_, Options({std::move(field)}));
    ASSERT_FALSE(writer.ok());
    EXPECT_EQ(writer.error().kind, ErrorKind::kRefused);
    EXPECT_NE(writer.error().message.find(part), std::string::npos) << writer.error().message;
  };
  refuse(Optional(1, "l", Type::List(FieldId(2), Type(), false)), "column l.element");
  refuse(Optional(1, "s", Type::Struct({Optional(2, "x", Type())})), "column s");
}

TEST_F(WriterTest, StorageFaultsComeOutWithTheirKind) {
  const WriteOptions options = Options({Optional(1, "n", Type::Int())});
  for (const auto& [effect, kind] :
       {std::pair{io::FaultEffect::kRefuse, ErrorKind::kRefused},
        std::pair{io::FaultEffect::kFailBefore, ErrorKind::kTransient}}) {
    io::FaultyFileSystem faulty(
        std::make_shared<io::MemoryFileSystem>(),
        {.decide = [effect = effect](int64_t, io::FileCall call, const std::string&) {
          return call == io::FileCall::kWrite ? effect : io::FaultEffect::kNone;
        }});
    const auto opened = OpenDataFileWriter(*context_, faulty, options);
    ASSERT_TRUE(opened.ok());
    Status status = (*opened)->Write(*context_, Rows(options, R"([{"n": 1}])"));
    if (status.ok()) status = (*opened)->Close(*context_).status();
    ASSERT_FALSE(status.ok());
    EXPECT_EQ(status.error().kind, kind) << status.error().message;
    EXPECT_TRUE((*opened)->Abort(*context_).ok());
  }
}

}  // namespace
}  // namespace calve::writer

#include "reader/reader.h"

#include <arrow/adapters/orc/adapter.h>
#include <arrow/array/array_nested.h>
#include <arrow/builder.h>
#include <arrow/compute/api_vector.h>
#include <arrow/io/memory.h>
#include <arrow/json/from_string.h>
#include <arrow/table.h>
#include <arrow/util/key_value_metadata.h>
#include <gtest/gtest.h>
#include <parquet/arrow/writer.h>

#include "avro/file_writer.h"
#include "avro/value.h"
#include "columnar/arrow_status.h"
#include "iceberg/name_mapping.h"
#include "io/memory.h"

namespace calve::reader {
namespace {

using columnar::Batch;
using iceberg::DataFile;
using iceberg::Expression;
using iceberg::Field;
using iceberg::FieldId;
using iceberg::PositionSet;
using iceberg::Schema;
using iceberg::SchemaId;
using iceberg::Type;
using iceberg::TypeKind;
using iceberg::Value;
namespace reserved = iceberg::reserved;

Field Optional(int id, std::string name, Type type) {
  return {.id = FieldId(id), .name = std::move(name), .type = std::move(type)};
}
Field Required(int id, std::string name, Type type) {
  return {.id = FieldId(id), .name = std::move(name), .type = std::move(type), .required = true};
}
Field Reserved(FieldId id, std::string name, Type type) {
  return {.id = id, .name = std::move(name), .type = std::move(type)};
}

class ReaderTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { ASSERT_TRUE(columnar::StartArrow().ok()); }

  void SetUp() override {
    metadata_.specs = {{.id = iceberg::SpecId(0), .fields = {}}};
    SetSchema({Optional(1, "n", Type::Long())});
  }

  void SetSchema(std::vector<Field> fields) {
    auto schema =
        Schema::Make(SchemaId(static_cast<int>(metadata_.schemas.size())), std::move(fields));
    ASSERT_TRUE(schema.ok()) << schema.error().message;
    metadata_.schemas.push_back(*schema);
    metadata_.current_schema_id = (*schema)->id();
  }

  static std::shared_ptr<arrow::Table> TableOf(const arrow::FieldVector& fields,
                                               std::string_view json) {
    const auto rows = arrow::json::ArrayFromJSONString(arrow::struct_(fields), json).ValueOrDie();
    const auto batch = arrow::RecordBatch::FromStructArray(rows).ValueOrDie();
    return arrow::Table::FromRecordBatches(
               arrow::schema(fields),
               {arrow::RecordBatch::Make(arrow::schema(fields), batch->num_rows(),
                                         batch->columns())})
        .ValueOrDie();
  }
  static arrow::FieldVector ArrowFields(const std::vector<Field>& fields) {
    return (*columnar::ToArrowType(Type::Struct(fields)))->fields();
  }

  struct ParquetOptions {
    int64_t group_rows = 1 << 20;
    bool int96 = false;
  };

  iceberg::DataFilePtr Put(const std::string& name, iceberg::FileFormat format,
                           std::string_view bytes, int64_t rows) {
    auto file = std::make_shared<DataFile>();
    file->path = "memory://t/" + name;
    file->format = format;
    file->record_count = rows;
    file->file_size_in_bytes = static_cast<int64_t>(bytes.size());
    EXPECT_TRUE(files_.WriteFile(*context_, file->path, bytes).ok());
    return file;
  }

  iceberg::DataFilePtr WriteParquet(const std::string& name,
                                    const std::shared_ptr<arrow::Table>& table,
                                    ParquetOptions options) {
    const auto sink = arrow::io::BufferOutputStream::Create().ValueOrDie();
    auto arrow_properties = parquet::ArrowWriterProperties::Builder();
    if (options.int96) arrow_properties.enable_deprecated_int96_timestamps();
    EXPECT_TRUE(parquet::arrow::WriteTable(*table, arrow::default_memory_pool(), sink,
                                           options.group_rows, parquet::default_writer_properties(),
                                           arrow_properties.build())
                    .ok());
    return Put(name, iceberg::FileFormat::kParquet, sink->Finish().ValueOrDie()->ToString(),
               table->num_rows());
  }
  iceberg::DataFilePtr WriteParquet(const std::string& name,
                                    const std::shared_ptr<arrow::Table>& table) {
    return WriteParquet(name, table, {});
  }
  iceberg::DataFilePtr WriteParquet(const std::string& name, const std::vector<Field>& fields,
                                    std::string_view json) {
    return WriteParquet(name, TableOf(ArrowFields(fields), json));
  }

  /// Rows 0 ... count - 1 of one long column.
  iceberg::DataFilePtr WriteNumbers(const std::string& name, int64_t count, int64_t group_rows) {
    arrow::Int64Builder builder;
    for (int64_t i = 0; i < count; ++i) EXPECT_TRUE(builder.Append(i).ok());
    const auto table = arrow::Table::Make(
        arrow::schema(ArrowFields({Optional(1, "n", Type::Long())})), {*builder.Finish()});
    return WriteParquet(name, table, {.group_rows = group_rows});
  }

  static iceberg::ScanTask Task(iceberg::DataFilePtr file) { return {.file = std::move(file)}; }

  Result<std::shared_ptr<arrow::Table>> Read(const iceberg::ScanTask& task,
                                             std::vector<Field> projection,
                                             ReadOptions options = {}) {
    CALVE_ASSIGN_OR_RETURN(options.projection, Schema::Make(SchemaId(0), std::move(projection)));
    CALVE_ASSIGN_OR_RETURN(const auto reader,
                           OpenTask(*context_, files_, metadata_, task, options));
    std::vector<Batch> batches;
    while (true) {
      CALVE_ASSIGN_OR_RETURN(const Batch batch, reader->Next(*context_));
      if (batch == nullptr) break;
      CALVE_RETURN_IF_ERROR(batch->ValidateFull());
      EXPECT_LE(batch->num_rows(), options.batch_rows_max);
      batches.push_back(batch);
    }
    CALVE_ASSIGN_OR_RETURN(const auto schema, columnar::ToArrowSchema(*options.projection));
    CALVE_ASSIGN_OR_RETURN(auto table, arrow::Table::FromRecordBatches(schema, batches));
    CALVE_ASSIGN_OR_RETURN(table, table->CombineChunks());
    return table;
  }

  /// Read a task and compare with rows of the projection written as JSON.
  void ExpectRows(const iceberg::ScanTask& task, const std::vector<Field>& projection,
                  std::string_view json, ReadOptions options = {}) {
    const auto got = Read(task, projection, options);
    ASSERT_TRUE(got.ok()) << got.error().message;
    const auto expected = TableOf(ArrowFields(projection), json);
    EXPECT_TRUE((*got)->Equals(*expected, arrow::EqualOptions::Defaults().nans_equal(true)))
        << (*got)->ToString() << "\nexpected\n"
        << expected->ToString();
  }

  std::vector<int64_t> ReadNumbers(const iceberg::ScanTask& task, ReadOptions options = {}) {
    const auto table = Read(task, {Optional(1, "n", Type::Long())}, options);
    EXPECT_TRUE(table.ok()) << table.error().message;
    std::vector<int64_t> numbers;
    if (!table.ok()) return numbers;
    for (const auto& chunk : (*table)->column(0)->chunks()) {
      for (int64_t i = 0; i < chunk->length(); ++i)
        numbers.push_back(static_cast<const arrow::Int64Array&>(*chunk).Value(i));
    }
    return numbers;
  }

  iceberg::DataFilePtr WritePositionDeletes(const std::string& name, std::string_view json) {
    const auto file =
        WriteParquet(name,
                     {Required(reserved::kDeleteFilePath.value(), "file_path", Type::String()),
                      Required(reserved::kDeleteFilePos.value(), "pos", Type::Long())},
                     json);
    return file;
  }

  iceberg::DataFilePtr WriteEqualityDeletes(const std::string& name,
                                            const std::vector<Field>& fields, std::vector<int> ids,
                                            std::string_view json) {
    auto file = std::make_shared<DataFile>(*WriteParquet(name, fields, json));
    file->content = iceberg::FileContent::kEqualityDeletes;
    for (const int id : ids) file->equality_ids.push_back(FieldId(id));
    return file;
  }

  OwnedContext context_;
  io::MemoryFileSystem files_;
  iceberg::TableMetadata metadata_;
};

TEST_F(ReaderTest, EveryTypeIsReadAsWritten) {
  const std::vector<Field> fields = {
      Required(1, "b", Type::Boolean()),
      Optional(2, "i", Type::Int()),
      Optional(3, "l", Type::Long()),
      Optional(4, "f", Type::Float()),
      Optional(5, "d", Type::Double()),
      Optional(6, "dec", Type::Decimal(38, 4)),
      Optional(7, "small", Type::Decimal(5, 2)),
      Optional(8, "day", Type::Date()),
      Optional(9, "at", Type::Time()),
      Optional(10, "ts", Type::Timestamp()),
      Optional(11, "tz", Type::TimestampTz()),
      Optional(12, "ns", Type::Of(TypeKind::kTimestampNs)),
      Optional(13, "tzns", Type::Of(TypeKind::kTimestampTzNs)),
      Optional(14, "s", Type::String()),
      Optional(15, "u", Type::UuidType()),
      Optional(16, "x", Type::Fixed(3)),
      Optional(17, "y", Type::Binary()),
      Optional(18, "st",
               Type::Struct({Required(19, "a", Type::Int()),
                             Optional(20, "b", Type::List(FieldId(21), Type::String(), false))})),
      Optional(22, "m",
               Type::Map(FieldId(23), Type::Int(), FieldId(24),
                         Type::Struct({Optional(25, "z", Type::Date())}), false)),
  };
  const std::string_view json = R"([
    {"b": true, "i": -1, "l": 1, "f": NaN, "d": -0.0, "dec": "-1.0001", "small": "123.45", "day": -1, "at": 5, "ts": -5, "tz": 6,
     "ns": 7, "tzns": -8, "s": "é", "u": "0123456789abcdef", "x": "abc", "y": "", "st": {"a": 1, "b": ["p", null]},
     "m": [[1, {"z": 2}], [2, null]]},
    {"b": false},
    {"b": false, "st": {"a": 2, "b": null}, "m": []}
  ])";
  ExpectRows(Task(WriteParquet("every", fields, json)), fields, json);
}

TEST_F(ReaderTest, ColumnsAreFoundByIdWhateverTheirNamesAndOrder) {
  const auto file = WriteParquet("f",
                                 {Optional(1, "a", Type::Int()), Optional(2, "b", Type::String()),
                                  Optional(3, "c", Type::Int())},
                                 R"([{"a": 1, "b": "x", "c": 10}, {"a": 2, "b": "y", "c": 20}])");
  ExpectRows(Task(file),
             {Optional(3, "a", Type::Int()), Optional(1, "c", Type::Long()),
              Optional(9, "b", Type::String())},
             R"([{"a": 10, "c": 1, "b": null}, {"a": 20, "c": 2, "b": null}])");
}

TEST_F(ReaderTest, NestedFieldsEvolveAtEveryDepth) {
  const auto old_point = Type::Struct({Optional(3, "x", Type::Int()), Optional(4, "y", Type::Int()),
                                       Optional(5, "gone", Type::String())});
  const std::vector<Field> old_fields = {
      Optional(1, "l", Type::List(FieldId(2), old_point, false)),
      Optional(6, "m",
               Type::Map(FieldId(7), Type::String(), FieldId(8),
                         Type::Struct({Optional(9, "v", Type::Float())}), false)),
      Optional(10, "s",
               Type::Struct({Optional(11, "p", Type::Struct({Optional(12, "q", Type::Int())}))})),
  };
  const auto file = WriteParquet("f", old_fields, R"([
    {"l": [{"x": 1, "y": 2, "gone": "g"}, null], "m": [["k", {"v": 1.5}], ["n", null]], "s": {"p": {"q": 7}}},
    {"l": null, "m": [], "s": {"p": null}},
    {"l": [], "m": null, "s": null}
  ])");
  Field filled = Optional(14, "filled", Type::Int());
  filled.initial_default = Value(int32_t{42});
  const auto new_point =
      Type::Struct({Optional(4, "why", Type::Long()), filled, Optional(3, "x", Type::Int())});
  const std::vector<Field> wanted = {
      Optional(
          10, "s",
          Type::Struct({Optional(11, "p", Type::Struct({Optional(13, "added", Type::String())}))})),
      Optional(1, "l", Type::List(FieldId(2), new_point, false)),
      Optional(6, "m",
               Type::Map(FieldId(7), Type::String(), FieldId(8),
                         Type::Struct({Optional(9, "v", Type::Double())}), false)),
  };
  ExpectRows(Task(file), wanted, R"([
    {"s": {"p": {"added": null}}, "l": [{"why": 2, "filled": 42, "x": 1}, null], "m": [["k", {"v": 1.5}], ["n", null]]},
    {"s": {"p": null}, "l": null, "m": []},
    {"s": null, "l": [], "m": null}
  ])");
}

TEST_F(ReaderTest, PromotedTypesAreWidened) {
  const auto file =
      WriteParquet("f",
                   {Optional(1, "i", Type::Int()), Optional(2, "f", Type::Float()),
                    Optional(3, "d", Type::Decimal(9, 2)), Optional(4, "day", Type::Date())},
                   R"([{"i": -7, "f": 1.5, "d": "12.34", "day": 1}, {}])");
  ExpectRows(Task(file),
             {Optional(1, "i", Type::Long()), Optional(2, "f", Type::Double()),
              Optional(3, "d", Type::Decimal(38, 2)), Optional(4, "day", Type::Timestamp())},
             R"([{"i": -7, "f": 1.5, "d": "12.34", "day": 86400000000}, {}])");
}

TEST_F(ReaderTest, AbsentColumnsTakePartitionThenDefaultThenNull) {
  auto file = std::make_shared<DataFile>(
      *WriteParquet("f", {Optional(1, "n", Type::Int())}, R"([{"n": 1}])"));
  metadata_.specs = {
      {.id = iceberg::SpecId(0),
       .fields = {
           {.source_id = FieldId(2), .field_id = FieldId(1000), .name = "region", .transform = {}},
           {.source_id = FieldId(5),
            .field_id = FieldId(1001),
            .name = "b",
            .transform = iceberg::Transform::Bucket(4)}}}};
  file->partition = {Value(std::string("EU")), Value(int32_t{3})};
  Field defaulted = Required(3, "d", Type::String());
  defaulted.initial_default = Value(std::string("none yet"));
  Field both = Optional(2, "region", Type::String());
  both.initial_default = Value(std::string("not this"));
  ExpectRows(Task(file),
             {both, defaulted, Optional(4, "x", Type::Struct({Optional(6, "y", Type::Int())})),
              Optional(5, "k", Type::Int())},
             R"([{"region": "EU", "d": "none yet", "x": null, "k": null}])");
  const auto refused = Read(Task(file), {Required(7, "r", Type::Int())});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().kind, ErrorKind::kData);
  EXPECT_NE(refused.error().message.find("column r is required"), std::string::npos)
      << refused.error().message;
  EXPECT_NE(refused.error().message.find(file->path), std::string::npos) << refused.error().message;
}

TEST_F(ReaderTest, FilesWithoutIdsAreReadByNameMappingNeverByPlace) {
  const auto table = TableOf(
      {arrow::field("a", arrow::int32()),
       arrow::field("s", arrow::struct_({arrow::field("inner", arrow::int32())})),
       arrow::field("l", arrow::list(arrow::field(
                             "array", arrow::struct_({arrow::field("q", arrow::int32())})))),
       arrow::field("m", arrow::map(arrow::utf8(), arrow::int32()))},
      R"([{"a": 1, "s": {"inner": 2}, "l": [{"q": 3}], "m": [["k", 4]]}])");
  const auto file = WriteParquet("f", table);
  const std::vector<Field> wanted = {
      Optional(1, "renamed", Type::Int()),
      Optional(2, "s", Type::Struct({Optional(3, "in", Type::Int())})),
      Optional(4, "l",
               Type::List(FieldId(5), Type::Struct({Optional(6, "q", Type::Int())}), false)),
      Optional(7, "m", Type::Map(FieldId(8), Type::String(), FieldId(9), Type::Int(), false))};
  ExpectRows(Task(file), wanted, R"([{"renamed": null, "s": null, "l": null, "m": null}])");
  metadata_.properties[std::string(iceberg::kNameMappingProperty)] = R"([
    {"field-id": 1, "names": ["x", "a"]},
    {"field-id": 2, "names": ["s"], "fields": [{"field-id": 3, "names": ["inner"]}]},
    {"field-id": 4, "names": ["l"], "fields": [{"field-id": 5, "names": ["element"], "fields": [{"field-id": 6, "names": ["q"]}]}]},
    {"field-id": 7, "names": ["m"], "fields": [{"field-id": 8, "names": ["key"]}, {"field-id": 9, "names": ["value"]}]}])";
  ExpectRows(Task(file), wanted,
             R"([{"renamed": 1, "s": {"in": 2}, "l": [{"q": 3}], "m": [["k", 4]]}])");
}

TEST_F(ReaderTest, MomentsInAnyUnitBecomeTheTables) {
  const auto id = [](int n) {
    return arrow::key_value_metadata({std::string(columnar::kFieldIdKey)}, {std::to_string(n)});
  };
  const auto table =
      TableOf({arrow::field("ms", arrow::timestamp(arrow::TimeUnit::MILLI), true, id(1)),
               arrow::field("ns", arrow::timestamp(arrow::TimeUnit::NANO), true, id(2)),
               arrow::field("naive", arrow::timestamp(arrow::TimeUnit::MICRO), true, id(3)),
               arrow::field("time", arrow::time32(arrow::TimeUnit::MILLI), true, id(4)),
               arrow::field("tns", arrow::time64(arrow::TimeUnit::NANO), true, id(5))},
              R"([{"ms": -1, "ns": -1, "naive": 9, "time": 7, "tns": 1999}, {}])");
  ExpectRows(Task(WriteParquet("f", table)),
             {Optional(1, "ms", Type::Timestamp()), Optional(2, "ns", Type::TimestampTz()),
              Optional(3, "naive", Type::TimestampTz()), Optional(4, "time", Type::Time()),
              Optional(5, "tns", Type::Time())},
             R"([{"ms": -1000, "ns": -1, "naive": 9, "time": 7000, "tns": 1}, {}])");
}

TEST_F(ReaderTest, Int96MomentsReachBeyondNanoseconds) {
  const auto id = arrow::key_value_metadata({std::string(columnar::kFieldIdKey)}, {"1"});
  const std::string_view json = R"([{"t": 0}, {"t": -1}, {"t": 1700000000123456}, {}])";
  const auto table =
      TableOf({arrow::field("t", arrow::timestamp(arrow::TimeUnit::MICRO), true, id)}, json);
  ExpectRows(Task(WriteParquet("f", table, {.int96 = true})),
             {Optional(1, "t", Type::TimestampTz())}, json);
}

TEST_F(ReaderTest, PositionDeletesApplyToTheirFileOnly) {
  auto task = Task(WriteNumbers("f", 10, 4));
  task.position_deletes = {
      WritePositionDeletes(
          "d1",
          R"([{"file_path": "memory://t/f", "pos": 0}, {"file_path": "memory://t/other", "pos": 1},
                                     {"file_path": "memory://t/f", "pos": 7}])"),
      WritePositionDeletes(
          "d2",
          R"([{"file_path": "memory://t/f", "pos": 7}, {"file_path": "memory://t/f", "pos": 3}])")};
  EXPECT_EQ(ReadNumbers(task), (std::vector<int64_t>{1, 2, 4, 5, 6, 8, 9}));
  EXPECT_EQ(ReadNumbers(task, {.batch_rows_max = 3}), (std::vector<int64_t>{1, 2, 4, 5, 6, 8, 9}));
  const auto deleted = DeletedPositions(*context_, files_, metadata_, task);
  ASSERT_TRUE(deleted.ok()) << deleted.error().message;
  EXPECT_EQ((*deleted)->Cardinality(), 3);
}

TEST_F(ReaderTest, PositionsSurviveSkippedRowGroups) {
  auto task = Task(WriteNumbers("f", 100, 10));
  task.position_deletes = {WritePositionDeletes(
      "d",
      R"([{"file_path": "memory://t/f", "pos": 55}, {"file_path": "memory://t/f", "pos": 5}])")};
  ReadOptions options{.filter = Expression::Compare(Expression::Op::kGreaterOrEqual, FieldId(1),
                                                    {Value(int64_t{52})})};
  options.filter = Expression::And(
      options.filter, Expression::Compare(Expression::Op::kLess, FieldId(1), {Value(int64_t{58})}));
  ExpectRows(
      task, {Optional(1, "n", Type::Long()), Reserved(reserved::kPos, "_pos", Type::Long())},
      R"([{"n": 50, "_pos": 50}, {"n": 51, "_pos": 51}, {"n": 52, "_pos": 52}, {"n": 53, "_pos": 53}, {"n": 54, "_pos": 54},
                 {"n": 56, "_pos": 56}, {"n": 57, "_pos": 57}, {"n": 58, "_pos": 58}, {"n": 59, "_pos": 59}])",
      options);
}

TEST_F(ReaderTest, PartsOfAFileHaveEachOfItsRowsOnce) {
  auto task = Task(WriteNumbers("f", 10, 2));  // Five row groups.
  task.position_deletes = {WritePositionDeletes(
      "d",
      R"([{"file_path": "memory://t/f", "pos": 3}, {"file_path": "memory://t/f", "pos": 9}])")};
  const std::vector<Field> columns = {Optional(1, "n", Type::Long()),
                                      Reserved(reserved::kPos, "_pos", Type::Long())};
  ExpectRows(task, columns, R"([{"n": 0, "_pos": 0}, {"n": 1, "_pos": 1}])",
             {.filter = {}, .part = {.number = 0, .count = 3}});
  ExpectRows(task, columns, R"([{"n": 2, "_pos": 2}, {"n": 4, "_pos": 4}, {"n": 5, "_pos": 5}])",
             {.filter = {}, .part = {.number = 1, .count = 3}});
  ExpectRows(task, columns, R"([{"n": 6, "_pos": 6}, {"n": 7, "_pos": 7}, {"n": 8, "_pos": 8}])",
             {.filter = {}, .part = {.number = 2, .count = 3}});
  // Parts beyond the row groups are empty.
  int64_t rows = 0;
  for (int i = 0; i < 8; ++i) {
    const auto part = Read(task, columns, {.filter = {}, .part = {.number = i, .count = 8}});
    ASSERT_TRUE(part.ok()) << part.error().message;
    rows += (*part)->num_rows();
  }
  EXPECT_EQ(rows, 8);
}

TEST_F(ReaderTest, DeletionVectorsApplyAndAreCheckedAgainstTheManifest) {
  PositionSet positions;
  positions.Add(2);
  positions.Add(9);
  const std::string blob = iceberg::EncodeDeletionVector(positions);
  const std::string bytes = "anything" + blob;
  auto vector = std::make_shared<DataFile>(*Put("dv.bin", iceberg::FileFormat::kPuffin, bytes, 2));
  vector->content_offset = 8;
  vector->content_size_in_bytes = static_cast<int64_t>(blob.size());
  auto task = Task(WriteNumbers("f", 10, 4));
  task.deletion_vector = vector;
  EXPECT_EQ(ReadNumbers(task), (std::vector<int64_t>{0, 1, 3, 4, 5, 6, 7, 8}));
  EXPECT_EQ((*DeletedPositions(*context_, files_, metadata_, task))->Cardinality(), 2);

  vector->record_count = 3;
  EXPECT_EQ(Read(task, {Optional(1, "n", Type::Long())}).error().kind, ErrorKind::kData);
  vector->record_count = 2;
  vector->content_offset = 7;
  EXPECT_EQ(Read(task, {Optional(1, "n", Type::Long())}).error().kind, ErrorKind::kData);
  vector->content_offset.reset();
  EXPECT_EQ(Read(task, {Optional(1, "n", Type::Long())}).error().kind, ErrorKind::kData);
}

TEST_F(ReaderTest, EqualityDeletesMatchNullsNansAndSeveralColumnSets) {
  const std::vector<Field> fields = {
      Optional(1, "id", Type::Long()), Optional(2, "s", Type::String()),
      Optional(3, "d", Type::Double()),
      Optional(4, "st", Type::Struct({Optional(5, "k", Type::Int())}))};
  SetSchema(fields);
  auto task = Task(WriteParquet("f", fields, R"([
    {"id": 1, "s": "a", "d": 1, "st": {"k": 1}}, {"id": 2, "s": null, "d": NaN, "st": {"k": 2}}, {"id": 3, "s": "c", "d": 0, "st": null},
    {"id": null, "s": "d", "d": 2, "st": {"k": null}}, {"id": 5, "s": "e", "d": 3, "st": {"k": 5}}, {"id": 6, "s": "f", "d": 4, "st": {"k": 6}}])"));
  const std::vector<Field> projection = {Optional(1, "id", Type::Long())};
  const auto expect = [&](std::vector<iceberg::DataFilePtr> deletes, std::string_view json,
                          int64_t deleted) {
    task.equality_deletes = std::move(deletes);
    ExpectRows(task, projection, json);
    const auto positions = DeletedPositions(*context_, files_, metadata_, task);
    ASSERT_TRUE(positions.ok()) << positions.error().message;
    EXPECT_EQ((*positions)->Cardinality(), deleted);
  };
  expect({WriteEqualityDeletes("e1", {Optional(1, "id", Type::Long())}, {1},
                               R"([{"id": null}, {"id": 3}])")},
         R"([{"id": 1}, {"id": 2}, {"id": 5}, {"id": 6}])", 2);
  expect({WriteEqualityDeletes("e2",
                               {Optional(2, "s", Type::String()), Optional(1, "id", Type::Long())},
                               {2, 1}, R"([{"id": 2, "s": null}, {"id": 1, "s": "b"}])"),
          WriteEqualityDeletes("e3", {Optional(3, "d", Type::Double())}, {3},
                               R"([{"d": NaN}, {"d": 4}])")},
         R"([{"id": 1}, {"id": 3}, {"id": null}, {"id": 5}])", 2);
  expect({WriteEqualityDeletes("e4",
                               {Optional(4, "st", Type::Struct({Optional(5, "k", Type::Int())}))},
                               {5}, R"([{"st": {"k": 5}}, {"st": {"k": null}}])")},
         R"([{"id": 1}, {"id": 2}, {"id": 6}])", 3);
  // Deletes written before the column was widened, and rows besides the equality columns.
  expect({WriteEqualityDeletes("e5",
                               {Optional(1, "id", Type::Int()), Optional(2, "s", Type::String())},
                               {1}, R"([{"id": 6, "s": "other"}])")},
         R"([{"id": 1}, {"id": 2}, {"id": 3}, {"id": null}, {"id": 5}])", 1);
}

TEST_F(ReaderTest, EqualityDeletesOnDroppedColumnsStillApply) {
  SetSchema({Optional(1, "id", Type::Long()), Required(2, "old", Type::String())});
  SetSchema({Optional(1, "id", Type::Long())});
  auto task =
      Task(WriteParquet("f", {Optional(1, "id", Type::Long()), Optional(2, "old", Type::String())},
                        R"([{"id": 1, "old": "x"}, {"id": 2, "old": "y"}])"));
  task.equality_deletes = {
      WriteEqualityDeletes("e", {Required(2, "old", Type::String())}, {2}, R"([{"old": "y"}])")};
  ExpectRows(task, {Optional(1, "id", Type::Long())}, R"([{"id": 1}])");
  // A file written after the drop has no such values: they read as null, which the delete does not
  // name.
  task.file = WriteParquet("g", {Optional(1, "id", Type::Long())}, R"([{"id": 3}])");
  ExpectRows(task, {Optional(1, "id", Type::Long())}, R"([{"id": 3}])");
}

TEST_F(ReaderTest, EqualityDeletesOfNothingKnownAreRefused) {
  auto task = Task(WriteNumbers("f", 2, 2));
  task.equality_deletes = {
      WriteEqualityDeletes("e", {Optional(9, "z", Type::Long())}, {9}, R"([{"z": 1}])")};
  EXPECT_EQ(Read(task, {Optional(1, "n", Type::Long())}).error().kind, ErrorKind::kData);
  task.equality_deletes = {
      WriteEqualityDeletes("e2", {Optional(1, "n", Type::Long())}, {}, R"([{"n": 1}])")};
  EXPECT_EQ(Read(task, {Optional(1, "n", Type::Long())}).error().kind, ErrorKind::kData);
}

TEST_F(ReaderTest, ReservedColumnsSayWhereRowsLie) {
  metadata_.specs = {
      {.id = iceberg::SpecId(0),
       .fields = {
           {.source_id = FieldId(1), .field_id = FieldId(1000), .name = "n", .transform = {}}}}};
  auto file = std::make_shared<DataFile>(*WriteNumbers("f", 3, 2));
  file->partition = {Value(int64_t{7})};
  const std::vector<Field> projection = {
      Reserved(reserved::kFilePath, "_file", Type::String()),
      Reserved(reserved::kPos, "_pos", Type::Long()),
      Reserved(reserved::kSpecId, "_spec_id", Type::Int()),
      Reserved(
          reserved::kPartition, "_partition",
          Type::Struct({Optional(1000, "n", Type::Long()), Optional(1001, "other", Type::Int())}))};
  ExpectRows(Task(file), projection, R"([
    {"_file": "memory://t/f", "_pos": 0, "_spec_id": 0, "_partition": {"n": 7, "other": null}},
    {"_file": "memory://t/f", "_pos": 1, "_spec_id": 0, "_partition": {"n": 7, "other": null}},
    {"_file": "memory://t/f", "_pos": 2, "_spec_id": 0, "_partition": {"n": 7, "other": null}}])");
}

TEST_F(ReaderTest, RowIdsAreInheritedWhereTheFileHasNone) {
  const std::vector<Field> projection = {Optional(1, "n", Type::Long()),
                                         Reserved(reserved::kRowId, "_row_id", Type::Long()),
                                         Reserved(reserved::kLastUpdatedSequenceNumber,
                                                  "_last_updated_sequence_number", Type::Long())};
  auto plain = std::make_shared<DataFile>(*WriteNumbers("f", 3, 2));
  auto task = Task(plain);
  task.data_sequence_number = iceberg::SequenceNumber(5);
  ExpectRows(task, projection, R"([{"n": 0}, {"n": 1}, {"n": 2}])");
  plain->first_row_id = iceberg::RowId(1000);
  PositionSet positions;
  positions.Add(1);
  const std::string blob = iceberg::EncodeDeletionVector(positions);
  auto vector = std::make_shared<DataFile>(*Put("dv", iceberg::FileFormat::kPuffin, blob, 1));
  vector->content_offset = 0;
  vector->content_size_in_bytes = static_cast<int64_t>(blob.size());
  task.deletion_vector = vector;
  ExpectRows(
      task, projection,
      R"([{"n": 0, "_row_id": 1000, "_last_updated_sequence_number": 5}, {"n": 2, "_row_id": 1002, "_last_updated_sequence_number": 5}])");

  auto moved = std::make_shared<DataFile>(
      *WriteParquet("g", projection, R"([{"n": 0, "_row_id": 7, "_last_updated_sequence_number": 2},
      {"n": 1, "_row_id": null, "_last_updated_sequence_number": null}, {"n": 2, "_row_id": 9, "_last_updated_sequence_number": null}])"));
  moved->first_row_id = iceberg::RowId(2000);
  task = Task(moved);
  task.data_sequence_number = iceberg::SequenceNumber(6);
  ExpectRows(task, projection, R"([{"n": 0, "_row_id": 7, "_last_updated_sequence_number": 2},
      {"n": 1, "_row_id": 2001, "_last_updated_sequence_number": 6}, {"n": 2, "_row_id": 9, "_last_updated_sequence_number": 6}])");
}

TEST_F(ReaderTest, RowsAreCountedWithoutReadingColumns) {
  auto task = Task(WriteNumbers("f", 10, 4));
  const auto read = [&] {
    const auto reader =
        OpenTask(*context_, files_, metadata_, task,
                 {.projection = *Schema::Make(SchemaId(0), {}), .batch_rows_max = 3, .filter = {}});
    int64_t rows = 0;
    while (true) {
      const auto batch = (*reader)->Next(*context_);
      EXPECT_TRUE(batch.ok()) << batch.error().message;
      if (!batch.ok() || *batch == nullptr) return rows;
      rows += (*batch)->num_rows();
    }
  };
  EXPECT_EQ(read(), 10);
  task.position_deletes = {
      WritePositionDeletes("d", R"([{"file_path": "memory://t/f", "pos": 4}])")};
  EXPECT_EQ(read(), 9);
}

TEST_F(ReaderTest, AvroFilesAreReadById) {
  const std::string schema_json = R"({"type": "record", "name": "r", "fields": [
    {"name": "skipped", "type": ["null", "string"], "field-id": 99},
    {"name": "a", "type": "int", "field-id": 1},
    {"name": "d", "type": ["null", {"type": "fixed", "name": "dec", "size": 4, "logicalType": "decimal", "precision": 9, "scale": 2}], "field-id": 2},
    {"name": "ts", "type": {"type": "long", "logicalType": "timestamp-millis", "adjust-to-utc": true}, "field-id": 3},
    {"name": "l", "type": {"type": "array", "items": ["null", "float"], "element-id": 5}, "field-id": 4},
    {"name": "m", "type": {"type": "array", "logicalType": "map", "items": {"type": "record", "name": "k6_v7", "fields": [
       {"name": "key", "type": "int", "field-id": 7}, {"name": "value", "type": ["null", "string"], "field-id": 8}]}}, "field-id": 6},
    {"name": "sm", "type": {"type": "map", "values": "long", "key-id": 10, "value-id": 11}, "field-id": 9},
    {"name": "st", "type": ["null", {"type": "record", "name": "s12", "fields": [{"name": "u", "type": {"type": "fixed", "name": "uu", "size": 16, "logicalType": "uuid"}, "field-id": 13}]}], "field-id": 12}
  ]})";
  const avro::Schema schema = *avro::Schema::Parse(schema_json);
  std::string bytes;
  avro::FileWriterOptions options;
  options.sync_marker[0] = 1;
  options.block_bytes = 10;
  auto writer = *avro::FileWriter::Open(
      schema,
      [&](std::string_view more) {
        bytes.append(more);
        return Status::Ok();
      },
      options);
  using avro::Value;
  const auto record = [](std::vector<Value> fields) {
    return Value(avro::RecordValue{std::move(fields)});
  };
  for (int32_t i = 0; i < 3; ++i) {
    const Value entry = record({Value(i), Value(std::string("v"))});
    const Value row =
        record({Value(std::string("no")), Value(i),
                i == 1 ? Value() : Value(avro::FixedValue{std::string("\xff\xff\xff\x85", 4)}),
                Value(int64_t{-1}), Value(avro::ArrayValue{{Value(1.5F), Value()}}),
                Value(avro::ArrayValue{{entry}}), Value(avro::MapValue{{{"k", Value(int64_t{9})}}}),
                i == 2 ? Value() : record({Value(avro::FixedValue{"0123456789abcdef"})})});
    ASSERT_TRUE(avro::WriteValue(schema.root(), row, writer.record()).ok());
    ASSERT_TRUE(writer.EndRecord().ok());
  }
  ASSERT_TRUE(writer.Close().ok());
  auto task = Task(Put("f.avro", iceberg::FileFormat::kAvro, bytes, 3));
  task.position_deletes = {
      WritePositionDeletes("d", R"([{"file_path": "memory://t/f.avro", "pos": 0}])")};
  const std::vector<Field> wanted = {
      Optional(
          12, "st",
          Type::Struct({Optional(13, "u", Type::UuidType()), Optional(20, "new", Type::Int())})),
      Optional(1, "a", Type::Long()),
      Optional(2, "d", Type::Decimal(18, 2)),
      Optional(3, "ts", Type::TimestampTz()),
      Optional(4, "l", Type::List(FieldId(5), Type::Double(), false)),
      Optional(6, "m", Type::Map(FieldId(7), Type::Int(), FieldId(8), Type::String(), false)),
      Optional(9, "sm", Type::Map(FieldId(10), Type::String(), FieldId(11), Type::Long(), true)),
      Optional(21, "absent", Type::String()),
      Reserved(reserved::kPos, "_pos", Type::Long())};
  ExpectRows(task, wanted, R"([
    {"st": {"u": "0123456789abcdef", "new": null}, "a": 1, "d": null, "ts": -1000, "l": [1.5, null], "m": [[1, "v"]], "sm": [["k", 9]], "_pos": 1},
    {"st": null, "a": 2, "d": "-1.23", "ts": -1000, "l": [1.5, null], "m": [[2, "v"]], "sm": [["k", 9]], "_pos": 2}])");
}

TEST_F(ReaderTest, OrcFilesAreReadByTheirIdAttribute) {
  const auto id = [](int n) {
    return arrow::key_value_metadata({"iceberg.id"}, {std::to_string(n)});
  };
  const auto table = TableOf(
      {arrow::field("a", arrow::int32(), true, id(1)),
       arrow::field("b", arrow::utf8(), true, id(2)),
       arrow::field("s",
                    arrow::struct_({arrow::field("x", arrow::int32(), true, id(4)),
                                    arrow::field("y", arrow::float64(), true, id(5))}),
                    true, id(3))},
      R"([{"a": 1, "b": "p", "s": {"x": 10, "y": 0.5}}, {"a": 2, "b": null, "s": {"x": 20, "y": 1.5}}, {"a": 3, "b": "r", "s": {"x": 30, "y": 2.5}}])");
  const auto sink = arrow::io::BufferOutputStream::Create().ValueOrDie();
  auto orc = arrow::adapters::orc::ORCFileWriter::Open(sink.get()).ValueOrDie();
  ASSERT_TRUE(orc->Write(*table).ok());
  ASSERT_TRUE(orc->Close().ok());
  auto task =
      Task(Put("f.orc", iceberg::FileFormat::kOrc, sink->Finish().ValueOrDie()->ToString(), 3));
  task.position_deletes = {
      WritePositionDeletes("d", R"([{"file_path": "memory://t/f.orc", "pos": 1}])")};
  ExpectRows(task,
             {Optional(3, "s", Type::Struct({Optional(5, "why", Type::Double())})),
              Optional(1, "a", Type::Long()), Optional(9, "z", Type::Int())},
             R"([{"s": {"why": 0.5}, "a": 1, "z": null}, {"s": {"why": 2.5}, "a": 3, "z": null}])",
             {.batch_rows_max = 2});
  ExpectRows(task, {Reserved(reserved::kPos, "_pos", Type::Long())},
             R"([{"_pos": 0}, {"_pos": 2}])", {.batch_rows_max = 2});
}

TEST_F(ReaderTest, BrokenFilesAreNamed) {
  const auto numbers = WriteNumbers("f", 100, 100);
  std::string bytes = *files_.ReadFile(*context_, numbers->path);
  const auto expect_named = [&](const iceberg::DataFilePtr& file, ErrorKind kind) {
    const auto read = Read(Task(file), {Optional(1, "n", Type::Long())});
    ASSERT_FALSE(read.ok());
    EXPECT_EQ(read.error().kind, kind) << read.error().message;
    EXPECT_NE(read.error().message.find(file->path), std::string::npos) << read.error().message;
  };
  expect_named(Put("cut", iceberg::FileFormat::kParquet, bytes.substr(0, bytes.size() - 20), 100),
               ErrorKind::kData);
  expect_named(Put("empty", iceberg::FileFormat::kParquet, "", 0), ErrorKind::kData);
  expect_named(Put("other.avro", iceberg::FileFormat::kAvro, bytes, 100), ErrorKind::kData);
  expect_named(Put("other.orc", iceberg::FileFormat::kOrc, bytes, 100), ErrorKind::kData);
  auto gone = std::make_shared<DataFile>(*numbers);
  gone->path = "memory://t/gone";
  expect_named(gone, ErrorKind::kNotFound);
  auto encrypted = std::make_shared<DataFile>(*numbers);
  encrypted->key_metadata = "k";
  expect_named(encrypted, ErrorKind::kRefused);
  const auto wrong_kind =
      Read(Task(numbers), {Optional(1, "n", Type::Struct({Optional(2, "x", Type::Int())}))});
  ASSERT_FALSE(wrong_kind.ok());
  EXPECT_NE(wrong_kind.error().message.find("column n"), std::string::npos)
      << wrong_kind.error().message;
}

/// Damage at every tenth byte is an error or other values, never a crash; sanitizers watch.
TEST_F(ReaderTest, DamagedFilesNeverCrash) {
  const std::vector<Field> fields = {
      Optional(1, "n", Type::Long()), Optional(2, "s", Type::String()),
      Optional(3, "l",
               Type::List(FieldId(4), Type::Struct({Optional(5, "x", Type::Int())}), false))};
  const auto file = WriteParquet(
      "f", fields,
      R"([{"n": 1, "s": "a", "l": [{"x": 1}, null]}, {"n": null, "s": "bcd", "l": []}, {"n": 3}])");
  const std::string bytes = *files_.ReadFile(*context_, file->path);
  int failed = 0;
  for (size_t at = 0; at < bytes.size(); at += 10) {
    std::string damaged = bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x55);
    const auto put = Put("damaged" + std::to_string(at), iceberg::FileFormat::kParquet, damaged, 3);
    failed += !Read(Task(put), fields).ok();
  }
  EXPECT_GT(failed, 0);
}

TEST_F(ReaderTest, AStoppedRunStopsReading) {
  const auto task = Task(WriteNumbers("f", 10, 4));
  const auto reader =
      OpenTask(*context_, files_, metadata_, task,
               {.projection = metadata_.schema(), .batch_rows_max = 1, .filter = {}});
  ASSERT_TRUE(reader.ok());
  std::stop_source source;
  const Context stopping = context_->WithStop(source.get_token());
  ASSERT_TRUE((*reader)->Next(stopping).ok());
  source.request_stop();
  EXPECT_EQ((*reader)->Next(stopping).error().kind, ErrorKind::kStopped);
}

}  // namespace
}  // namespace calve::reader

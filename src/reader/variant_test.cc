#include <arrow/array/array_nested.h>
#include <arrow/builder.h>
#include <arrow/extension/uuid.h>
#include <arrow/io/memory.h>
#include <arrow/json/from_string.h>
#include <arrow/table.h>
#include <arrow/util/key_value_metadata.h>
#include <gtest/gtest.h>
#include <parquet/arrow/writer.h>

#include "avro/file_writer.h"
#include "columnar/arrow_status.h"
#include "columnar/variant_json.h"
#include "io/memory.h"
#include "reader/reader.h"

namespace calve::reader {
namespace {

using iceberg::DataFile;
using iceberg::Field;
using iceberg::FieldId;
using iceberg::Schema;
using iceberg::SchemaId;
using iceberg::Type;
using iceberg::TypeKind;
using FieldPtr = std::shared_ptr<arrow::Field>;
using TypePtr = std::shared_ptr<arrow::DataType>;

// In Arrow's JSON binary is text, so that these are metadata without names and with a, b, c, d.
constexpr const char* kNoNames = R"("\u0001\u0000\u0000")";
constexpr const char* kNames = R"("\u0011\u0004\u0000\u0001\u0002\u0003\u0004abcd")";

const Type kVariant = Type::Of(TypeKind::kVariant);

Field Column(int id, std::string name, Type type, bool required = false) {
  return {
      .id = FieldId(id), .name = std::move(name), .type = std::move(type), .required = required};
}

FieldPtr Bytes(const std::string& name, bool nullable = true) {
  return arrow::field(name, arrow::binary(), nullable);
}
/// `value` beside `typed_value`, as Parquet holds shredded elements and fields.
TypePtr Group(const TypePtr& typed) {
  return arrow::struct_({Bytes("value"), arrow::field("typed_value", typed)});
}
FieldPtr Shredded(const std::string& name, const TypePtr& typed) {
  return arrow::field(name, Group(typed), /*nullable=*/false);
}
TypePtr ShreddedList(const TypePtr& typed) { return arrow::list(Shredded("element", typed)); }
/// The column v, with id 1, shredded as a type.
FieldPtr VariantColumn(const TypePtr& typed) {
  return arrow::field("v",
                      arrow::struct_({Bytes("value"), Bytes("metadata", false),
                                      arrow::field("typed_value", typed)}),
                      /*nullable=*/true,
                      arrow::key_value_metadata({std::string(columnar::kFieldIdKey)}, {"1"}));
}

class VariantReaderTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { ASSERT_TRUE(columnar::StartArrow().ok()); }
  void SetUp() override {
    metadata_.specs = {{.id = iceberg::SpecId(0), .fields = {}}};
    metadata_.schemas = {*Schema::Make(SchemaId(0), {Column(1, "v", kVariant)})};
    metadata_.current_schema_id = SchemaId(0);
  }

  iceberg::ScanTask Put(const std::string& name, iceberg::FileFormat format,
                        std::string_view bytes) {
    auto file = std::make_shared<DataFile>();
    file->path = "memory://t/" + std::to_string(++files_made_) + name;
    file->format = format;
    file->file_size_in_bytes = static_cast<int64_t>(bytes.size());
    EXPECT_TRUE(files_.WriteFile(*context_, file->path, bytes).ok());
    return {.file = std::move(file)};
  }

  /// A Parquet file of one column. `stores_schema`: Arrow's types are kept beside Parquet's.
  iceberg::ScanTask WriteParquet(const FieldPtr& column, const std::string& json,
                                 bool stores_schema = false) {
    const auto rows = arrow::json::ArrayFromJSONString(column->type(), json);
    EXPECT_TRUE(rows.ok()) << rows.status().ToString();
    return WriteParquet(column, *rows, stores_schema);
  }
  iceberg::ScanTask WriteParquet(const FieldPtr& column, const std::shared_ptr<arrow::Array>& rows,
                                 bool stores_schema = false) {
    const auto table = arrow::Table::Make(arrow::schema({column}), {rows});
    const auto sink = arrow::io::BufferOutputStream::Create().ValueOrDie();
    parquet::ArrowWriterProperties::Builder properties;
    if (stores_schema) properties.store_schema();
    // Two row groups, so that batches begin within the column too.
    const auto status = parquet::arrow::WriteTable(
        *table, arrow::default_memory_pool(), sink, std::max<int64_t>(1, rows->length() / 2),
        parquet::default_writer_properties(), properties.build());
    EXPECT_TRUE(status.ok()) << status.ToString();
    return Put(".parquet", iceberg::FileFormat::kParquet, sink->Finish().ValueOrDie()->ToString());
  }

  /// The rows of a task with variants as JSON, each as Arrow prints it.
  Result<std::vector<std::string>> Read(const iceberg::ScanTask& task,
                                        const std::vector<Field>& columns) {
    const iceberg::SchemaPtr schema = *Schema::Make(SchemaId(0), columns);
    CALVE_ASSIGN_OR_RETURN(const auto reader, OpenTask(*context_, files_, metadata_, task,
                                                       {.projection = schema, .filter = {}}));
    std::vector<std::string> rows;
    while (true) {
      CALVE_ASSIGN_OR_RETURN(const columnar::Batch batch, reader->Next(*context_));
      if (batch == nullptr) return rows;
      CALVE_RETURN_IF_ERROR(batch->ValidateFull());
      EXPECT_TRUE(batch->schema()->Equals(**columnar::ToArrowSchema(*schema)));
      CALVE_ASSIGN_OR_RETURN(const auto text, columnar::WithVariantText(batch, *schema));
      CALVE_RETURN_IF_ERROR(text->ValidateFull());
      for (int64_t row = 0; row < text->num_rows(); ++row)
        rows.push_back(text->column(0)->GetScalar(row).ValueOrDie()->ToString());
    }
  }

  void ExpectRows(const iceberg::ScanTask& task, const std::vector<std::string>& expected) {
    const auto rows = Read(task, {Column(1, "v", kVariant)});
    ASSERT_TRUE(rows.ok()) << rows.error().message;
    EXPECT_EQ(*rows, expected);
  }
  void ExpectBroken(const iceberg::ScanTask& task, std::string_view part) {
    const auto rows = Read(task, {Column(1, "v", kVariant)});
    ASSERT_FALSE(rows.ok());
    EXPECT_EQ(rows.error().kind, ErrorKind::kData);
    EXPECT_NE(rows.error().message.find(part), std::string::npos) << rows.error().message;
  }
  /// One value of a shredded type, as its JSON.
  void ExpectOne(const TypePtr& typed, const std::string& json, const std::string& expected) {
    SCOPED_TRACE(typed->ToString());
    const std::string row = std::string(R"([{"value": null, "metadata": )") + kNoNames +
                            R"(, "typed_value": )" + json + "}]";
    for (const bool stores_schema : {false, true})
      ExpectRows(WriteParquet(VariantColumn(typed), row, stores_schema), {expected});
  }

  static std::string Replaced(std::string text) {
    for (const auto& [word, bytes] : {std::pair{"NAMES", kNames}, std::pair{"NONE", kNoNames}}) {
      for (size_t at = text.find(word); at != std::string::npos; at = text.find(word))
        text.replace(at, std::string_view(word).size(), bytes);
    }
    return text;
  }

  OwnedContext context_;
  io::MemoryFileSystem files_;
  int files_made_ = 0;
  iceberg::TableMetadata metadata_;
};

TEST_F(VariantReaderTest, PlainVariantsAreReadWithTheirNulls) {
  const auto column =
      arrow::field("v", arrow::struct_({Bytes("metadata", false), Bytes("value", false)}), true,
                   arrow::key_value_metadata({std::string(columnar::kFieldIdKey)}, {"1"}));
  ExpectRows(WriteParquet(column, Replaced(R"([
               {"metadata": NONE, "value": "\f\u0001"}, null, {"metadata": NONE, "value": "\u0000"},
               {"metadata": NAMES, "value": "\u0002\u0001\u0002\u0000\u0001\u0004"}])")),
             {"1", "null", "null", R"({"c":true})"});
  const auto nulls = Read(WriteParquet(column, "[null, null]"), {Column(1, "v", kVariant)});
  EXPECT_EQ(*nulls, std::vector<std::string>(2, "null"));
}

TEST_F(VariantReaderTest, NullIsNotTheVariantNull) {
  const auto task = WriteParquet(VariantColumn(arrow::int64()), Replaced(R"([
      {"value": null, "metadata": NONE, "typed_value": 5}, null,
      {"value": "\u0000", "metadata": NONE, "typed_value": null},
      {"value": null, "metadata": NONE, "typed_value": null}])"));
  const auto reader = OpenTask(*context_, files_, metadata_, task,
                               {.projection = metadata_.schemas[0], .filter = {}});
  ASSERT_TRUE(reader.ok());
  std::string nulls;
  while (true) {
    const columnar::Batch batch = *(*reader)->Next(*context_);
    if (batch == nullptr) break;
    for (int64_t i = 0; i < batch->num_rows(); ++i)
      nulls += batch->column(0)->IsNull(i) ? "N" : "v";
  }
  EXPECT_EQ(nulls, "vNvv");
  ExpectRows(task, {"5", "null", "null", "null"});
}

TEST_F(VariantReaderTest, EveryShreddedTypeIsReadBack) {
  ExpectOne(arrow::boolean(), "true", "true");
  ExpectOne(arrow::boolean(), "false", "false");
  ExpectOne(arrow::int8(), "-128", "-128");
  ExpectOne(arrow::int16(), "-32768", "-32768");
  ExpectOne(arrow::int32(), "-2147483648", "-2147483648");
  ExpectOne(arrow::int64(), "9007199254740993", "9007199254740993");
  ExpectOne(arrow::float32(), "0.1", "0.1");
  ExpectOne(arrow::float64(), "-1e300", "-1e+300");
  ExpectOne(arrow::decimal128(9, 2), R"("-1234567.80")", "-1234567.80");
  ExpectOne(arrow::decimal128(18, 4), R"("99999999999999.0001")", "99999999999999.0001");
  ExpectOne(arrow::decimal128(38, 10), R"("-1234567890123456789012345678.0123456789")",
            "-1234567890123456789012345678.0123456789");
  ExpectOne(arrow::date32(), "-1", R"("1969-12-31")");
  ExpectOne(arrow::time64(arrow::TimeUnit::MICRO), "1000001", R"("00:00:01.000001")");
  ExpectOne(arrow::timestamp(arrow::TimeUnit::MICRO), R"("1969-12-31 23:59:59.999999")",
            R"("1969-12-31T23:59:59.999999")");
  ExpectOne(arrow::timestamp(arrow::TimeUnit::MICRO, "UTC"), R"("2026-11-22 04:00:00")",
            R"("2026-11-22T04:00:00+00:00")");
  ExpectOne(arrow::timestamp(arrow::TimeUnit::NANO), R"("1969-12-31 23:59:59.999999999")",
            R"("1969-12-31T23:59:59.999999999")");
  ExpectOne(arrow::timestamp(arrow::TimeUnit::NANO, "UTC"), R"("1970-01-01 00:00:00.000000001")",
            R"("1970-01-01T00:00:00.000000001+00:00")");
  ExpectOne(arrow::binary(), R"("abc")", R"("YWJj")");
  ExpectOne(arrow::utf8(), R"("é")", R"("é")");
  ExpectOne(arrow::large_utf8(), R"("x")", R"("x")");
  ExpectOne(arrow::large_binary(), R"("abc")", R"("YWJj")");
  ExpectOne(arrow::utf8_view(), R"("x")", R"("x")");
  ExpectOne(arrow::dictionary(arrow::int32(), arrow::utf8()), R"("x")", R"("x")");
  ExpectOne(arrow::fixed_size_binary(16), R"("0123456789abcdef")",
            R"("30313233-3435-3637-3839-616263646566")");
}

TEST_F(VariantReaderTest, ValuesBehindAnExtensionTypeAreReadBack) {
  const auto rows = arrow::json::ArrayFromJSONString(
                        VariantColumn(arrow::fixed_size_binary(16))->type(), Replaced(R"([
      {"value": null, "metadata": NONE, "typed_value": "0123456789abcdef"}])"))
                        .ValueOrDie();
  auto data = rows->data()->Copy();
  data->child_data[2] = data->child_data[2]->Copy();
  data->child_data[2]->type = arrow::extension::uuid();
  const auto column = VariantColumn(arrow::extension::uuid());
  data->type = column->type();
  ExpectRows(WriteParquet(column, arrow::MakeArray(data), /*stores_schema=*/true),
             {R"("30313233-3435-3637-3839-616263646566")"});
}

TEST_F(VariantReaderTest, TypesThatValuesAreNotShreddedAsAreRefused) {
  for (const TypePtr& typed :
       {arrow::uint32(), arrow::time64(arrow::TimeUnit::NANO),
        arrow::timestamp(arrow::TimeUnit::MILLI), arrow::fixed_size_binary(4),
        arrow::map(arrow::utf8(), arrow::int32()), arrow::decimal256(40, 0)}) {
    const std::string row = Replaced(R"([{"value": null, "metadata": NONE, "typed_value": null}])");
    ExpectBroken(WriteParquet(VariantColumn(typed), row, true), "column v: values of variants");
  }
}

TEST_F(VariantReaderTest, ShreddedArraysArePutTogether) {
  const auto task = WriteParquet(VariantColumn(ShreddedList(arrow::utf8())), Replaced(R"([
      {"value": null, "metadata": NONE, "typed_value": [
        {"value": null, "typed_value": "comedy"}, {"value": "\f\u0007", "typed_value": null},
        {"value": "\u0000", "typed_value": null}, {"value": null, "typed_value": null}]},
      {"value": null, "metadata": NONE, "typed_value": []}, null,
      {"value": "\u0004", "metadata": NONE, "typed_value": null}])"));
  ExpectRows(task, {R"(["comedy",7,null,null])", "[]", "null", "true"});
}

TEST_F(VariantReaderTest, ListsOfOtherArrowKindsAreTheSame) {
  const auto element = Shredded("element", arrow::int32());
  const std::string rows = Replaced(R"([{"value": null, "metadata": NONE, "typed_value": [
      {"value": null, "typed_value": 1}, {"value": null, "typed_value": 2}]}])");
  ExpectRows(WriteParquet(VariantColumn(arrow::large_list(element)), rows, true), {"[1,2]"});
  ExpectRows(WriteParquet(VariantColumn(arrow::fixed_size_list(element, 2)), rows, true),
             {"[1,2]"});
}

TEST_F(VariantReaderTest, ShreddedObjectsArePutTogether) {
  const auto typed =
      arrow::struct_({Shredded("c", arrow::struct_({Shredded("a", arrow::int32()),
                                                    Shredded("b", ShreddedList(arrow::utf8()))})),
                      Shredded("a", arrow::float64())});
  // In a value, \u0002\u0001ID\u0000\u0001X is the object of one field.
  const auto task = WriteParquet(VariantColumn(typed), Replaced(R"([
      {"value": "\u0002\u0001\u0003\u0000\u0001\u0004", "metadata": NAMES, "typed_value": {
        "c": {"value": null, "typed_value": {
          "a": {"value": null, "typed_value": 5},
          "b": {"value": null, "typed_value": [{"value": null, "typed_value": "x"}]}}},
        "a": {"value": null, "typed_value": 1.5}}},
      {"value": null, "metadata": NAMES, "typed_value": {
        "c": {"value": "\u0002\u0001\u0001\u0000\u0001\b", "typed_value": null},
        "a": {"value": null, "typed_value": null}}},
      {"value": null, "metadata": NAMES, "typed_value": {
        "c": {"value": "\u0000", "typed_value": null}, "a": {"value": null, "typed_value": null}}},
      {"value": null, "metadata": NONE, "typed_value": {
        "c": {"value": null, "typed_value": null}, "a": {"value": null, "typed_value": null}}},
      {"value": "\u0005x", "metadata": NONE, "typed_value": null}, null])"));
  ExpectRows(task, {R"({"a":1.5,"c":{"a":5,"b":["x"]},"d":true})", R"({"c":{"b":false}})",
                    R"({"c":null})", "{}", R"("x")", "null"});
}

TEST_F(VariantReaderTest, AShreddedFieldWinsOverWhatIsNotShredded) {
  // a and b lie in the value too, where a shredded b is missing.
  const auto typed = arrow::struct_({Shredded("a", arrow::int32()), Shredded("b", arrow::int32())});
  ExpectRows(WriteParquet(VariantColumn(typed), Replaced(R"([
          {"value": "\u0002\u0003\u0000\u0001\u0002\u0000\u0001\u0002\u0003\u0004\u0004\u0004",
           "metadata": NAMES, "typed_value": {"a": {"value": null, "typed_value": 1},
                                              "b": {"value": null, "typed_value": null}}}])")),
             {R"({"a":1,"c":true})"});
}

TEST_F(VariantReaderTest, ColumnsMayBeAbsent) {
  // An element without value, a field without typed_value, a variant without value.
  const auto element =
      arrow::field("element", arrow::struct_({arrow::field("typed_value", arrow::int8())}), false);
  const auto typed = arrow::struct_({arrow::field("a", arrow::struct_({Bytes("value")}), false),
                                     Shredded("b", arrow::list(element))});
  const auto column = arrow::field(
      "v", arrow::struct_({Bytes("metadata", false), arrow::field("typed_value", typed)}), false,
      arrow::key_value_metadata({std::string(columnar::kFieldIdKey)}, {"1"}));
  ExpectRows(WriteParquet(column, Replaced(R"([
                 {"metadata": NAMES, "typed_value": {"a": {"value": "\u0004"},
                    "b": {"value": null, "typed_value": [{"typed_value": 1}]}}},
                 {"metadata": NONE, "typed_value": null}])")),
             {R"({"a":true,"b":[1]})", "null"});
}

TEST_F(VariantReaderTest, BrokenShreddingIsNamed) {
  const auto number = VariantColumn(arrow::int32());
  ExpectBroken(
      WriteParquet(number,
                   Replaced(R"([{"value": "\u0004", "metadata": NONE, "typed_value": 34}])")),
      "memory://t/1.parquet: column v: a broken variant: a shredded value");
  ExpectBroken(
      WriteParquet(number,
                   Replaced(R"([{"value": "\u0014", "metadata": NONE, "typed_value": null}])")),
      "");
  const auto object = VariantColumn(arrow::struct_({Shredded("a", arrow::int32())}));
  ExpectBroken(WriteParquet(object, Replaced(R"([{"value": "\u0004", "metadata": NAMES,
                   "typed_value": {"a": {"value": null, "typed_value": 1}}}])")),
               "what is no object");
  ExpectBroken(WriteParquet(object, Replaced(R"([{"value": null, "metadata": NONE,
                   "typed_value": {"a": {"value": null, "typed_value": 1}}}])")),
               R"(lacks the name "a")");
  ExpectBroken(WriteParquet(object, R"([{"value": null, "metadata": "\u0003",
                   "typed_value": {"a": {"value": null, "typed_value": 1}}}])"),
               "version 3");
  ExpectBroken(WriteParquet(VariantColumn(arrow::struct_({arrow::field("a", arrow::int32())})),
                            Replaced(R"([{"value": null, "metadata": NAMES,
                                          "typed_value": {"a": 1}}])")),
               R"(expected "a" to be a group)");
  const auto other =
      arrow::field("v", arrow::struct_({Bytes("value")}), true,
                   arrow::key_value_metadata({std::string(columnar::kFieldIdKey)}, {"1"}));
  ExpectBroken(WriteParquet(other, R"([{"value": "\u0004"}])"), "the table has a variant");
  const auto leaf =
      arrow::field("v", arrow::utf8(), true,
                   arrow::key_value_metadata({std::string(columnar::kFieldIdKey)}, {"1"}));
  ExpectBroken(WriteParquet(leaf, R"(["x"])"), "the table has variant");
}

TEST_F(VariantReaderTest, VariantsLieInStructsListsAndMaps) {
  const auto variant = [](const std::string& name, int id, bool required) {
    return arrow::field(
        name,
        arrow::struct_({Bytes("metadata", false), Bytes("value"),
                        arrow::field("typed_value", arrow::int32())}),
        !required,
        arrow::key_value_metadata({std::string(columnar::kFieldIdKey)}, {std::to_string(id)}));
  };
  const auto column = arrow::field(
      "s",
      arrow::struct_(
          {variant("r", 2, true),
           arrow::field("l", arrow::list(variant("element", 4, false)), true,
                        arrow::key_value_metadata({std::string(columnar::kFieldIdKey)}, {"3"})),
           arrow::field("m", arrow::map(arrow::utf8(), variant("value", 7, false)), true,
                        arrow::key_value_metadata({std::string(columnar::kFieldIdKey)}, {"5"}))}),
      true, arrow::key_value_metadata({std::string(columnar::kFieldIdKey)}, {"1"}));
  const auto task = WriteParquet(column, Replaced(R"([
      {"r": {"metadata": NONE, "value": null, "typed_value": 1},
       "l": [{"metadata": NONE, "value": null, "typed_value": 2}, null,
             {"metadata": NONE, "value": "\u0004", "typed_value": null}],
       "m": [["k", {"metadata": NONE, "value": null, "typed_value": 3}], ["n", null]]},
      null,
      {"r": {"metadata": NONE, "value": null, "typed_value": null}, "l": null, "m": []}])"));
  const auto rows =
      Read(task, {Column(1, "s",
                         Type::Struct({Column(2, "r", kVariant, true),
                                       Column(3, "l", Type::List(FieldId(4), kVariant, false)),
                                       Column(5, "m",
                                              Type::Map(FieldId(6), Type::String(), FieldId(7),
                                                        kVariant, false))}))});
  ASSERT_TRUE(rows.ok()) << rows.error().message;
  EXPECT_EQ(*rows, (std::vector<std::string>{
                       "{r:large_string = 1, l:list<element: large_string> = "
                       "list<element: large_string>[2, null, true], "
                       "m:map<string, large_string> = map<string, large_string>"
                       "[{key:string = k, value:large_string = 3}, "
                       "{key:string = n, value:large_string = null}]}",
                       "null",
                       "{r:large_string = null, l:list<element: large_string> = null, "
                       "m:map<string, large_string> = map<string, large_string>[]}"}));
}

TEST_F(VariantReaderTest, AvroHoldsVariantsAsRecords) {
  const avro::Schema schema = *avro::Schema::Parse(R"({"type": "record", "name": "r", "fields": [
      {"name": "v", "field-id": 1, "type": ["null", {"type": "record", "name": "r1",
        "logicalType": "variant", "fields": [
        {"name": "value", "type": "bytes"}, {"name": "metadata", "type": "bytes"}]}]}]})");
  std::string bytes;
  avro::FileWriterOptions options;
  options.sync_marker.fill(7);
  auto writer = *avro::FileWriter::Open(
      schema,
      [&](std::string_view more) {
        bytes += more;
        return Status::Ok();
      },
      options);
  const auto put = [&](const std::string& value) {
    writer.record().WriteLong(1);
    writer.record().WriteBytes(value);
    writer.record().WriteBytes(std::string("\1\0\0", 3));
    ASSERT_TRUE(writer.EndRecord().ok());
  };
  put("\x0c\x05");
  writer.record().WriteLong(0);
  ASSERT_TRUE(writer.EndRecord().ok());
  put(std::string(1, '\0'));
  ASSERT_TRUE(writer.Close().ok());
  ExpectRows(Put(".avro", iceberg::FileFormat::kAvro, bytes), {"5", "null", "null"});
}

}  // namespace
}  // namespace calve::reader

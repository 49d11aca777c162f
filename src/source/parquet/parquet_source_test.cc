#include <arrow/array/builder_binary.h>
#include <arrow/array/builder_decimal.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/array/builder_time.h>
#include <arrow/extension_type.h>
#include <arrow/io/file.h>
#include <arrow/json/from_string.h>
#include <arrow/table.h>
#include <arrow/util/decimal.h>
#include <gtest/gtest.h>
#include <parquet/arrow/writer.h>

#include "columnar/variant_array.h"
#include "source/fixture_for_test.h"
#include "source/source_for_test.h"

namespace calve::source {
namespace {

void WriteTable(const std::string& path, const arrow::Table& table, int64_t group_rows) {
  const auto properties = parquet::WriterProperties::Builder().disable_dictionary()->build();
  auto file = arrow::io::FileOutputStream::Open(path);
  ASSERT_TRUE(file.ok());
  ASSERT_TRUE(
      parquet::arrow::WriteTable(table, arrow::default_memory_pool(), *file, group_rows, properties)
          .ok());
  ASSERT_TRUE((*file)->Close().ok());
}

void WriteRows(const std::string& folder, int64_t first, int64_t rows) {
  arrow::Int64Builder id;
  arrow::Decimal128Builder price(arrow::decimal128(18, 2));
  arrow::Date32Builder day;
  arrow::TimestampBuilder at(arrow::timestamp(arrow::TimeUnit::MICRO, "UTC"),
                             arrow::default_memory_pool());
  arrow::StringBuilder name;
  for (int64_t n = first; n < first + rows; ++n) {
    const ContractRow row = ContractRowAt(n);
    ASSERT_TRUE(id.Append(row.id).ok());
    ASSERT_TRUE(price.Append(arrow::Decimal128(row.cents)).ok());
    ASSERT_TRUE(day.Append(row.day).ok());
    ASSERT_TRUE(at.Append(row.micros).ok());
    ASSERT_TRUE((row.name.has_value() ? name.Append(*row.name) : name.AppendNull()).ok());
  }
  arrow::ArrayVector arrays;
  for (arrow::ArrayBuilder* builder :
       std::vector<arrow::ArrayBuilder*>{&id, &price, &day, &at, &name})
    arrays.push_back(builder->Finish().ValueOrDie());
  const auto schema = arrow::schema(
      {arrow::field("id", arrow::int64(), false), arrow::field("price", arrow::decimal128(18, 2)),
       arrow::field("day", arrow::date32()),
       arrow::field("at", arrow::timestamp(arrow::TimeUnit::MICRO, "UTC")),
       arrow::field("name", arrow::utf8())});
  WriteTable(folder + "/" + std::to_string(first) + ".parquet", *arrow::Table::Make(schema, arrays),
             1 << 20);
}

std::string Whole(const std::string& folder) {
  WriteRows(folder, 0, 100);
  std::ifstream file(folder + "/0.parquet", std::ios::binary);
  std::string bytes(std::istreambuf_iterator<char>(file), {});
  std::remove((folder + "/0.parquet").c_str());
  return bytes;
}

}  // namespace

SOURCE_FIXTURE(parquet) {
  return {
      .options = [](const std::string& folder, int64_t) { return "source_path: " + folder + "/"; },
      .write = WriteRows,
      .broken = {
          {.name = "another format",
           .write =
               [](const std::string& folder) { WriteText(folder + "/bad.parquet", "id\n1\n"); },
           .says = {"bad.parquet", "no readable Parquet file"}},
          {.name = "a file that was cut",
           .write =
               [](const std::string& folder) {
                 const std::string whole = Whole(folder);
                 WriteText(folder + "/bad.parquet", whole.substr(0, whole.size() - 20));
               },
           .says = {"bad.parquet", "no readable Parquet file"}},
          {.name = "pages that were overwritten",
           .write =
               [](const std::string& folder) {
                 std::string whole = Whole(folder);
                 for (size_t i = 4; i < 200; ++i) whole[i] = '\xff';
                 WriteText(folder + "/bad.parquet", whole);
               },
           .says = {"bad.parquet"}},
          {.name = "a variant whose value breaks off",
           .write =
               [](const std::string& folder) {
                 const auto type = columnar::VariantExtensionType();
                 const auto storage =
                     static_cast<const arrow::ExtensionType&>(*type).storage_type();
                 const auto bytes = arrow::json::ArrayFromJSONString(
                     storage, R"([{"metadata": "\u0001\u0000\u0000", "value": "\u0014"}])");
                 const auto schema = arrow::schema({arrow::field("v", type)});
                 WriteTable(
                     folder + "/bad.parquet",
                     *arrow::Table::Make(schema, {arrow::ExtensionType::WrapArray(type, *bytes)}),
                     1);
               },
           .says = {"bad.parquet", "column v", "a broken variant", "takes 5 bytes"}},
      }};
}

namespace {

using ParquetSourceTest = SourceTest;

std::shared_ptr<arrow::Table> OneColumn(const std::vector<std::string>& names, int64_t value) {
  arrow::FieldVector fields;
  arrow::ArrayVector arrays;
  for (const std::string& name : names) {
    arrow::Int64Builder builder;
    EXPECT_TRUE(builder.Append(value).ok());
    fields.push_back(arrow::field(name, arrow::int64()));
    arrays.push_back(builder.Finish().ValueOrDie());
  }
  return arrow::Table::Make(arrow::schema(fields), arrays);
}

TEST_F(ParquetSourceTest, TwoColumnsOfOneNameAreRefusedNotLost) {
  WriteTable(folder_.At("a.parquet"), *OneColumn({"a", "b", "a"}, 1), 10);
  const auto rows = ReadRows("parquet", "source_path: a.parquet");
  ASSERT_FALSE(rows.ok());
  EXPECT_EQ(rows.error().kind, ErrorKind::kData);
  EXPECT_NE(rows.error().message.find("a.parquet, column a"), std::string::npos);
}

TEST_F(ParquetSourceTest, FilesOfOtherTypesAreRefusedWithBoth) {
  WriteTable(folder_.At("1.parquet"), *OneColumn({"a"}, 1), 10);
  const auto table =
      arrow::Table::Make(arrow::schema({arrow::field("a", arrow::utf8())}),
                         arrow::ArrayVector{arrow::StringBuilder().Finish().ValueOrDie()});
  WriteTable(folder_.At("2.parquet"), *table, 10);
  const auto rows = ReadRows("parquet", "source_path: .\nfile_pattern: \"*.parquet\"");
  ASSERT_FALSE(rows.ok());
  EXPECT_NE(rows.error().message.find("2.parquet, column a: the type is string, but int64"),
            std::string::npos);
}

TEST_F(ParquetSourceTest, RowGroupsAreSplitAndNoneIsReadTwice) {
  arrow::Int64Builder builder;
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(builder.Append(i).ok());
  const auto table = arrow::Table::Make(arrow::schema({arrow::field("n", arrow::int64())}),
                                        arrow::ArrayVector{builder.Finish().ValueOrDie()});
  WriteTable(folder_.At("a.parquet"), *table, 3);
  for (const int parallelism : {1, 2, 3, 9}) {
    const auto rows = ReadRows("parquet", "source_path: a.parquet", {.parallelism = parallelism});
    ASSERT_TRUE(rows.ok());
    EXPECT_EQ(rows->rows.size(), 10U) << parallelism;
    EXPECT_EQ(rows->rows[9], R"({"n": 9})");
  }
}

}  // namespace
}  // namespace calve::source

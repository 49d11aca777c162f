#include <arrow/adapters/orc/adapter.h>
#include <arrow/array/builder_binary.h>
#include <arrow/array/builder_decimal.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/array/builder_time.h>
#include <arrow/io/file.h>
#include <arrow/table.h>
#include <arrow/util/decimal.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "source/fixture_for_test.h"
#include "source/source_for_test.h"

namespace calve::source {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

void WriteTable(const std::string& path, const arrow::Table& table) {
  auto file = arrow::io::FileOutputStream::Open(path);
  ASSERT_TRUE(file.ok());
  arrow::adapters::orc::WriteOptions options;
  options.stripe_size = 256 << 10;
  auto writer = arrow::adapters::orc::ORCFileWriter::Open(file->get(), options);
  ASSERT_TRUE(writer.ok());
  ASSERT_TRUE((*writer)->Write(table).ok());
  ASSERT_TRUE((*writer)->Close().ok());
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
      {arrow::field("id", arrow::int64()), arrow::field("price", arrow::decimal128(18, 2)),
       arrow::field("day", arrow::date32()),
       arrow::field("at", arrow::timestamp(arrow::TimeUnit::MICRO, "UTC")),
       arrow::field("name", arrow::utf8())});
  WriteTable(folder + "/" + std::to_string(first) + ".orc", *arrow::Table::Make(schema, arrays));
}

std::string Whole(const std::string& folder) {
  WriteRows(folder, 0, 100);
  std::ifstream file(folder + "/0.orc", std::ios::binary);
  std::string bytes(std::istreambuf_iterator<char>(file), {});
  std::remove((folder + "/0.orc").c_str());
  return bytes;
}

BrokenInput Broken(std::string name, std::function<std::string(std::string whole)> damage) {
  const auto write = [damage](const std::string& folder) {
    WriteText(folder + "/b.orc", damage(Whole(folder)));
  };
  return {.name = std::move(name), .write = write, .says = {"b.orc", "write it again"}};
}

}  // namespace

SOURCE_FIXTURE(orc) {
  return {
      .options = [](const std::string& folder,
                    int64_t) { return "source_path: " + folder + "\nfile_pattern: \"*.orc\""; },
      .write = WriteRows,
      .broken = {Broken("text", [](std::string) { return std::string("id,name\n1,ada\n"); }),
                 Broken("cut in the middle",
                        [](std::string whole) { return whole.substr(0, whole.size() / 2); }),
                 Broken("nothing behind the magic", [](std::string) { return std::string("ORC"); }),
                 Broken("a tail that claims more than there is", [](std::string whole) {
                   whole.back() = '\xff';
                   return whole;
                 })}};
}

namespace {

using OrcSourceTest = SourceTest;

TEST_F(OrcSourceTest, MomentsOfAnyYearAreKeptAndFinerOnesRefused) {
  const auto write = [&](const std::string& file, arrow::TimeUnit::type unit, int64_t value) {
    arrow::TimestampBuilder at(arrow::timestamp(unit), arrow::default_memory_pool());
    ASSERT_TRUE(at.Append(value).ok());
    const auto schema = arrow::schema({arrow::field("at", arrow::timestamp(unit))});
    WriteTable(folder_.path() + "/" + file,
               *arrow::Table::Make(schema, arrow::ArrayVector{at.Finish().ValueOrDie()}));
  };
  write("far.orc", arrow::TimeUnit::SECOND, 253'402'300'799);
  const auto far = ReadRows("orc", "source_path: far.orc");
  ASSERT_TRUE(far.ok()) << far.error().message;
  EXPECT_EQ(far->schema, "at: timestamp");
  EXPECT_THAT(far->rows, ElementsAre(R"({"at": "9999-12-31T23:59:59"})"));
  EXPECT_THAT(far->origins, ElementsAre("far.orc row 1"));
  write("fine.orc", arrow::TimeUnit::NANO, 1'767'225'600'000'000'001);
  const auto fine = ReadRows("orc", "source_path: fine.orc");
  ASSERT_FALSE(fine.ok());
  EXPECT_THAT(fine.error().message, HasSubstr("column at"));
  EXPECT_THAT(fine.error().message, HasSubstr("six digits"));
}

TEST_F(OrcSourceTest, FilesWithOtherColumnsAreReadByName) {
  const auto write = [&](const std::string& file, const std::string& column, int64_t value) {
    arrow::Int64Builder builder;
    ASSERT_TRUE(builder.Append(value).ok());
    WriteTable(folder_.path() + "/" + file,
               *arrow::Table::Make(arrow::schema({arrow::field(column, arrow::int64())}),
                                   arrow::ArrayVector{builder.Finish().ValueOrDie()}));
  };
  write("a.orc", "x", 1);
  write("b.orc", "y", 2);
  const auto rows = ReadRows("orc", "source_path: \"*.orc\"");
  ASSERT_TRUE(rows.ok()) << rows.error().message;
  EXPECT_EQ(rows->schema, "x: long, y: long");
  EXPECT_THAT(rows->rows, ElementsAre(R"({"x": 1, "y": null})", R"({"x": null, "y": 2})"));
}

}  // namespace
}  // namespace calve::source

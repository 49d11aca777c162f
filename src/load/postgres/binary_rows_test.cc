#include "load/postgres/binary_rows.h"

#include <arrow/builder.h>
#include <arrow/util/decimal.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <random>

#include "columnar/row_text.h"
#include "io/postgres.h"
#include "load/postgres/cursor_rows.h"
#include "load/postgres/statements.h"

namespace calve::load::postgres {
namespace {

using iceberg::Field;
using iceberg::FieldId;
using iceberg::Type;
using ::testing::HasSubstr;

/// On the PostgreSQL that the test run started.
class BinaryRowsTest : public testing::Test {
 protected:
  void SetUp() override {
    const char* uri = std::getenv("CALVE_TEST_POSTGRES");
    if (uri == nullptr) GTEST_SKIP() << "needs tests/services/with postgres.sh --";
    auto opened = io::PostgresDatabase::Open(*context_, uri);
    ASSERT_TRUE(opened.ok()) << opened.status().error().message;
    session_ = std::make_unique<Session>(std::move(*opened));
    ASSERT_TRUE(database().Query(*context_, "SET TimeZone = 'UTC'").ok());
  }
  io::PostgresDatabase& database() { return session_->database; }

  static Field Column(Type type) {
    return {.id = FieldId(1), .name = "c", .type = std::move(type)};
  }
  /// Make a table of one column and write values into it; then what the server prints.
  std::vector<std::string> Print(const Type& type, const std::shared_ptr<arrow::Array>& values) {
    const auto batch = arrow::RecordBatch::Make(arrow::schema({arrow::field("c", values->type())}),
                                                values->length(), {values});
    const auto create = CreateTable("pg_temp.t", {Column(type)});
    EXPECT_TRUE(create.ok());
    EXPECT_TRUE(database().Query(*context_, "DROP TABLE IF EXISTS pg_temp.t").ok());
    EXPECT_TRUE(database().Query(*context_, *create).ok()) << *create;
    const auto bytes = BinaryRows(batch, {Column(type)});
    EXPECT_TRUE(bytes.ok()) << bytes.status().error().message;
    const auto copied =
        database().CopyIn(*context_, "COPY pg_temp.t FROM STDIN (FORMAT BINARY)", *bytes);
    EXPECT_TRUE(copied.ok()) << copied.status().error().message;
    std::vector<std::string> printed;
    const auto rows = database().Query(*context_, "SELECT c::text FROM pg_temp.t");
    EXPECT_TRUE(rows.ok());
    for (const auto& row : *rows) printed.push_back(row[0].value_or("NULL"));
    return printed;
  }

  /// What a cursor reads of that table, as text.
  std::vector<std::string> ReadBack(const Type& type) {
    const TargetColumn column{.name = "c", .type = type, .sql = "", .refused = ""};
    EXPECT_TRUE(database().Query(*context_, "BEGIN").ok());
    std::vector<std::string> texts;
    const auto table = CursorTable(*session_, "pg_temp.t", {column});
    EXPECT_TRUE(table.ok());
    const auto stream = table->stream(*context_, {0});
    EXPECT_TRUE(stream.ok()) << stream.status().error().message;
    while (true) {
      const auto batch = (*stream)->Next(*context_);
      EXPECT_TRUE(batch.ok()) << batch.status().error().message;
      if (!batch.ok() || *batch == nullptr) break;
      for (int64_t row = 0; row < (*batch)->num_rows(); ++row)
        texts.push_back(columnar::CellText(*(*batch)->column(0), row));
    }
    EXPECT_TRUE(database().Query(*context_, "ROLLBACK").ok());
    return texts;
  }

  OwnedContext context_{7};
  std::unique_ptr<Session> session_;
};

/// Digits as a number with so many behind the point, as PostgreSQL prints it.
std::string WithPoint(std::string digits, int scale) {
  const auto behind = static_cast<size_t>(scale);
  if (digits.size() <= behind) digits.insert(0, behind + 1 - digits.size(), '0');
  const size_t zeros = std::min(digits.find_first_not_of('0'), digits.size() - behind - 1);
  digits.erase(0, zeros);
  if (behind > 0) digits.insert(digits.size() - behind, ".");
  return digits;
}

TEST_F(BinaryRowsTest, DecimalsKeepEveryDigit) {
  std::mt19937_64 random(20261123);
  for (const auto& [precision, scale] :
       {std::pair(38, 38), std::pair(38, 0), std::pair(38, 9), std::pair(9, 2), std::pair(5, 5),
        std::pair(19, 4), std::pair(30, 7), std::pair(1, 0)}) {
    arrow::Decimal128Builder builder(arrow::decimal128(precision, scale));
    std::vector<std::string> expected;
    for (int i = 0; i < 3000; ++i) {
      std::string digits;
      const auto count = 1 + random() % static_cast<uint64_t>(precision);
      for (uint64_t d = 0; d < count; ++d)
        digits += static_cast<char>('0' + (random() % 3 == 0 ? 0 : random() % 10));
      const bool negative = random() % 2 == 0 && digits.find_first_not_of('0') != std::string::npos;
      const auto unscaled = arrow::Decimal128::FromString((negative ? "-" : "") + digits);
      ASSERT_TRUE(unscaled.ok());
      ASSERT_TRUE(builder.Append(*unscaled).ok());
      expected.push_back((negative ? "-" : "") + WithPoint(digits, scale));
    }
    ASSERT_TRUE(builder.AppendNull().ok());
    expected.push_back("NULL");
    const Type type = Type::Decimal(precision, scale);
    std::vector<std::string> printed = Print(type, builder.Finish().ValueOrDie());
    // Rows of different sizes need not lie in the order in which they came.
    std::vector<std::string> read = ReadBack(type);
    for (auto* texts : {&printed, &expected, &read}) std::sort(texts->begin(), texts->end());
    ASSERT_EQ(printed.size(), expected.size());
    for (size_t i = 0; i < expected.size(); ++i) {
      ASSERT_EQ(printed[i], expected[i]) << precision << ", " << scale << ", row " << i;
    }
    EXPECT_EQ(read, printed) << precision << ", " << scale;
  }
}

TEST_F(BinaryRowsTest, MomentsAndArraysComeBackAsTheyWent) {
  arrow::TimestampBuilder moments(arrow::timestamp(arrow::TimeUnit::MICRO, "UTC"),
                                  arrow::default_memory_pool());
  for (const int64_t micros : {int64_t{0}, int64_t{-1}, int64_t{946'684'800'000'000},
                               int64_t{253'402'300'799'999'999}, int64_t{-62'135'596'800'000'000}})
    ASSERT_TRUE(moments.Append(micros).ok());
  EXPECT_THAT(Print(Type::TimestampTz(), moments.Finish().ValueOrDie()),
              testing::ElementsAre("1970-01-01 00:00:00+00", "1969-12-31 23:59:59.999999+00",
                                   "2000-01-01 00:00:00+00", "9999-12-31 23:59:59.999999+00",
                                   "0001-01-01 00:00:00+00"));
  const auto read = ReadBack(Type::TimestampTz());
  ASSERT_EQ(read.size(), 5U);
  EXPECT_THAT(read[1], HasSubstr("1969-12-31T23:59:59.999999"));

  arrow::ListBuilder lists(arrow::default_memory_pool(), std::make_shared<arrow::StringBuilder>());
  auto& texts = static_cast<arrow::StringBuilder&>(*lists.value_builder());
  ASSERT_TRUE(lists.Append().ok());
  ASSERT_TRUE(texts.Append("a,\"b\"").ok());
  ASSERT_TRUE(texts.AppendNull().ok());
  ASSERT_TRUE(lists.Append().ok());
  ASSERT_TRUE(lists.AppendNull().ok());
  const Type type = Type::List(FieldId(2), Type::String(), false);
  EXPECT_THAT(Print(type, lists.Finish().ValueOrDie()),
              testing::ElementsAre(R"({"a,\"b\"",NULL})", "{}", "NULL"));
  EXPECT_EQ(ReadBack(type).size(), 3U);
}

TEST_F(BinaryRowsTest, WhatPostgresCannotHoldIsSaid) {
  arrow::StringBuilder texts;
  ASSERT_TRUE(texts.Append(std::string_view("a\0b", 3)).ok());
  const auto array = texts.Finish().ValueOrDie();
  const auto batch =
      arrow::RecordBatch::Make(arrow::schema({arrow::field("c", array->type())}), 1, {array});
  const auto refused = BinaryRows(batch, {Column(Type::String())});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().kind, ErrorKind::kData);
  EXPECT_THAT(refused.error().message, HasSubstr("column c, row 1 of its batch"));

  arrow::TimestampBuilder moments(arrow::timestamp(arrow::TimeUnit::MICRO),
                                  arrow::default_memory_pool());
  ASSERT_TRUE(moments.Append(std::numeric_limits<int64_t>::min()).ok());
  const auto far = moments.Finish().ValueOrDie();
  const auto row =
      arrow::RecordBatch::Make(arrow::schema({arrow::field("c", far->type())}), 1, {far});
  EXPECT_EQ(BinaryRows(row, {Column(Type::Timestamp())}).error().kind, ErrorKind::kData);
}

}  // namespace
}  // namespace calve::load::postgres

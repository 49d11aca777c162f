#include <arrow/api.h>
#include <gmock/gmock.h>

#include "engine/duckdb/testing.h"

namespace calve::engine {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ExpressionsTest : public EngineTest {
 protected:
  void SetUp() override { Open(); }

  std::unique_ptr<BatchExpressions> Compile(const std::vector<std::string>& expressions) {
    std::vector<std::string> names;
    for (size_t i = 0; i < expressions.size(); ++i) names.push_back("e" + std::to_string(i));
    auto compiled = engine_->Compile(*context_, schema_, expressions, names);
    EXPECT_TRUE(compiled.ok()) << compiled.error().message;
    return compiled.ok() ? std::move(*compiled) : nullptr;
  }
  std::vector<std::string> Evaluate(const std::vector<std::string>& expressions,
                                    const std::string& rows) {
    const auto compiled = Compile(expressions);
    if (!compiled) return {};
    auto batch = compiled->Evaluate(*context_, TableOf(schema_, rows).batches[0]);
    EXPECT_TRUE(batch.ok()) << batch.error().message;
    if (!batch.ok()) return {};
    EXPECT_TRUE((*batch)->ValidateFull().ok());
    return RowsOf(**batch);
  }
  std::string CompileError(const std::string& expression) {
    auto compiled = engine_->Compile(*context_, schema_, {"1", expression}, {"one", "x"});
    EXPECT_FALSE(compiled.ok()) << expression;
    if (compiled.ok()) return "";
    EXPECT_EQ(compiled.error().kind, ErrorKind::kConfig) << compiled.error().message;
    return compiled.error().message;
  }

  std::shared_ptr<arrow::Schema> schema_ =
      arrow::schema({arrow::field("a", arrow::int64()), arrow::field("s", arrow::utf8()),
                     arrow::field("d", arrow::decimal128(9, 2)),
                     arrow::field("st", arrow::struct_({arrow::field("x", arrow::int32())}))});
};

constexpr const char* kRows =
    R"([{"a": 1, "s": "x", "d": "1.50", "st": {"x": 7}}, {"a": null, "s": "y", "d": null, "st": null}, {"a": 3, "s": null, "d": "2.25", "st": {"x": null}}])";

TEST_F(ExpressionsTest, EachRowGivesOneRowInItsPlace) {
  EXPECT_THAT(
      Evaluate({"a + 1", "upper(s)", "d * 2", "st.x", "a IS NULL AND s = 'y'", "42"}, kRows),
      ElementsAre("2|X|3.00|7|false|42", "NULL|Y|NULL|NULL|true|42", "4|NULL|4.50|NULL|false|42"));
}

TEST_F(ExpressionsTest, TypesAreKnownBeforeAnyRow) {
  EXPECT_EQ(Compile({"a", "s LIKE 'x%'", "d + 1.25", "st"})->schema()->ToString(),
            "e0: int64\ne1: bool\ne2: decimal128(10, 2)\ne3: struct<x: int32>");
}

TEST_F(ExpressionsTest, ManyRowsKeepTheirOrderOverChunks) {
  arrow::Int64Builder a;
  for (int64_t i = 0; i < 70'000; ++i) ASSERT_TRUE(a.Append(i).ok());
  const auto schema = arrow::schema({arrow::field("a", arrow::int64())});
  const auto batch = arrow::RecordBatch::Make(schema, 70'000, {a.Finish().ValueOrDie()});
  auto compiled =
      engine_->Compile(*context_, schema, {"a * 2", "CASE WHEN a % 7 = 0 THEN 'seven ' || a END"},
                       {"double", "text"});
  ASSERT_TRUE(compiled.ok());
  for (int round = 0; round < 3; ++round) {
    const auto result = (*compiled)->Evaluate(*context_, batch->Slice(round * 1000));
    ASSERT_TRUE(result.ok());
    const auto& doubled = static_cast<const arrow::Int64Array&>(*(*result)->column(0));
    ASSERT_EQ(doubled.length(), 70'000 - round * 1000);
    for (int64_t i = 0; i < doubled.length(); ++i)
      ASSERT_EQ(doubled.Value(i), 2 * (i + round * 1000));
  }
}

TEST_F(ExpressionsTest, ABatchWithoutRowsGivesNone) {
  EXPECT_THAT(Evaluate({"a + 1"}, "[]"), IsEmpty());
}

TEST_F(ExpressionsTest, ManyValuesInAListAreStillOneExpression) {
  std::string in = "a IN (0";
  for (int i = 1; i < 500; ++i) in += ", " + std::to_string(i * 3);
  EXPECT_THAT(Evaluate({in + ")"}, kRows), ElementsAre("false", "NULL", "true"));
}

TEST_F(ExpressionsTest, AValueThatCannotBeCastNamesItsRow) {
  const auto compiled = Compile({"a", "s::INTEGER"});
  const auto result = compiled->Evaluate(
      *context_, TableOf(schema_, R"([{"s": "1"}, {"s": "2"}, {"s": "three"}])").batches[0]);
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().kind, ErrorKind::kData);
  EXPECT_THAT(result.error().message,
              AllOf(HasSubstr("row 2 of the batch"), HasSubstr("three"), HasSubstr("s::INTEGER")));
  // The same expressions go on working.
  const auto next =
      compiled->Evaluate(*context_, TableOf(schema_, R"([{"a": 5, "s": "6"}])").batches[0]);
  ASSERT_TRUE(next.ok());
  EXPECT_THAT(RowsOf(**next), ElementsAre("5|6"));
}

TEST_F(ExpressionsTest, WhatIsNoExpressionOverARowIsRefusedByName) {
  EXPECT_THAT(CompileError("sum(a)"), AllOf(HasSubstr("\"sum(a)\""), HasSubstr("aggregates")));
  EXPECT_THAT(CompileError("row_number() OVER ()"), HasSubstr("windows"));
  EXPECT_THAT(CompileError("(SELECT max(i) FROM range(3) t(i))"), HasSubstr("subqueries"));
  EXPECT_THAT(CompileError("*"), HasSubstr("expected an expression over one row"));
  EXPECT_THAT(CompileError("a, s"), HasSubstr("expected one expression, found 2"));
  EXPECT_THAT(CompileError("a >"), HasSubstr("a >"));
  EXPECT_THAT(CompileError("pric > 0"), HasSubstr("SQL line 1, column 1: "));
  EXPECT_THAT(CompileError("a > 0 AND aa > 0"), HasSubstr("SQL line 1, column 11: "));
  EXPECT_THAT(CompileError("unnest([1, 2])"), HasSubstr("expected an expression over one row"));
}

TEST_F(ExpressionsTest, ColumnsAreThoseThatAreRead) {
  const auto columns = [&](const std::string& expression) {
    return *engine_->ColumnsOf(*context_, schema_, expression);
  };
  EXPECT_THAT(columns("d > 1 OR A = 2"), ElementsAre("a", "d"));
  EXPECT_THAT(columns("st.x IS NULL"), ElementsAre("st"));
  EXPECT_THAT(columns("1 = 1"), IsEmpty());
  EXPECT_FALSE(engine_->ColumnsOf(*context_, schema_, "nonsense").ok());
}

}  // namespace
}  // namespace calve::engine

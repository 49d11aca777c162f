#include "columnar/text_column.h"

#include <arrow/array.h>
#include <arrow/type.h>
#include <gtest/gtest.h>

namespace calve::columnar {
namespace {

std::string GuessOf(std::initializer_list<std::string_view> texts) {
  TypeGuess guess({});
  for (const std::string_view text : texts) guess.See(text);
  return guess.type()->ToString();
}

TEST(TypeGuessTest, TypesAreExact) {
  EXPECT_EQ(GuessOf({"1", "-20", "9223372036854775807"}), "int64");
  EXPECT_EQ(GuessOf({"1", "9223372036854775808"}), "decimal128(38, 0)");
  EXPECT_EQ(GuessOf({"1", "12.50", "3.125"}), "decimal128(18, 3)");
  EXPECT_EQ(GuessOf({"12345678901234567.5"}), "decimal128(38, 1)");
  EXPECT_EQ(GuessOf({"1.5", "1e3"}), "double");
  EXPECT_EQ(GuessOf({"123456789012345678901234567890123456789"}), "string");
  EXPECT_EQ(GuessOf({"007", "12"}), "string");
  EXPECT_EQ(GuessOf({"0.5", "-0.25"}), "decimal128(18, 2)");
  EXPECT_EQ(GuessOf({"true", "false"}), "bool");
  EXPECT_EQ(GuessOf({"2026-11-21"}), "date32[day]");
  EXPECT_EQ(GuessOf({"2026-02-30"}), "string");
  EXPECT_EQ(GuessOf({"08:15:00", "23:59:59.5"}), "time64[us]");
  EXPECT_EQ(GuessOf({"2026-11-21 08:15:00"}), "timestamp[us]");
  EXPECT_EQ(GuessOf({"2026-11-21T08:15:00Z", "2026-11-21T08:15:00+01:00"}),
            "timestamp[us, tz=UTC]");
  EXPECT_EQ(GuessOf({"2026-11-21T08:15:00Z", "2026-11-21T08:15:00"}), "string");
  EXPECT_EQ(GuessOf({"2026-11-21T08:15:00.123456789"}), "string");
  EXPECT_EQ(GuessOf({}), "string");
}

TEST(TextValueTest, NumbersAreReadWholeOrNotAtAll) {
  const TextFormats plain;
  EXPECT_EQ(ReadInteger("12", plain), 12);
  EXPECT_EQ(ReadInteger("12 ", plain), std::nullopt);
  EXPECT_EQ(ReadInteger("9223372036854775808", plain), std::nullopt);
  EXPECT_TRUE(ReadDecimal("12.50", 4, 2, plain) == iceberg::Int128{1250});
  EXPECT_TRUE(ReadDecimal("12.500", 4, 2, plain) == iceberg::Int128{1250});
  EXPECT_FALSE(ReadDecimal("12.505", 5, 2, plain).has_value());
  EXPECT_FALSE(ReadDecimal("123.50", 4, 2, plain).has_value());
  EXPECT_FALSE(ReadDecimal("", 4, 2, plain).has_value());
  EXPECT_FALSE(ReadDecimal(".", 4, 2, plain).has_value());
  const TextFormats german{.decimal = ',', .thousands = '.'};
  EXPECT_TRUE(ReadDecimal("-1.234,5", 10, 2, german) == iceberg::Int128{-123450});
  EXPECT_FALSE(ReadDecimal("1.23,5", 10, 2, german).has_value());
}

TEST(TextValueTest, DatesFollowTheirFormat) {
  EXPECT_EQ(ReadDate("1970-01-02", {}), 1);
  EXPECT_EQ(ReadDate("1969-12-31", {}), -1);
  EXPECT_EQ(ReadDate("2026-2-3", {}), std::nullopt);
  const TextFormats day_first{.date_formats = {"%d.%m.%Y", "%d %b %y"}};
  EXPECT_EQ(ReadDate("02.01.1970", day_first), 1);
  EXPECT_EQ(ReadDate("2 Jan 70", day_first), 1);
  EXPECT_EQ(ReadDate("1970-01-02", day_first), std::nullopt);
  EXPECT_EQ(ReadTimestamp("1970-01-01T01:00:00+01:00", true, 1'000'000, {}), 0);
  EXPECT_EQ(ReadTimestamp("1970-01-01 00:00:01.5", false, 1'000'000, {}), 1'500'000);
  EXPECT_EQ(ReadTimestamp("1970-01-01 00:00:01.1234567", false, 1'000'000, {}), std::nullopt);
  const TextFormats american{.timestamp_formats = {"%m/%d/%Y %I:%M %p"}};
  EXPECT_EQ(ReadTimestamp("01/01/1970 12:01 AM", false, 1'000'000, american), 60'000'000);
  EXPECT_EQ(ReadTimestamp("01/01/1970 12:01 PM", false, 1'000'000, american), 43'260'000'000);
}

TEST(TextColumnTest, AMisfitIsNullAndNamed) {
  auto column = MakeTextColumn(arrow::int32(), {});
  ASSERT_TRUE(column.ok());
  const std::vector<TextValue> values = {
      {.text = "1"}, {.text = "x"}, {.text = "", .null = true}, {.text = "2147483648"}};
  std::vector<int64_t> misfits;
  ASSERT_TRUE((*column)->Append(values, &misfits).ok());
  EXPECT_EQ(misfits, (std::vector<int64_t>{1, 3}));
  const auto array = (*column)->Finish();
  ASSERT_TRUE(array.ok());
  EXPECT_EQ((*array)->null_count(), 3);
}

TEST(MisfitReasonTest, SaysWhatToDo) {
  EXPECT_EQ(
      MisfitReason("12,50", *arrow::decimal128(10, 2), {}),
      "'12,50' is no decimal(10, 2); if commas are decimal here, set decimal: ',' for the source");
  EXPECT_EQ(MisfitReason(" 5", *arrow::int64(), {}),
            "' 5' is no long; there are blanks around it: set trim: true for the source");
}

}  // namespace
}  // namespace calve::columnar

#include "iceberg/value.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/random.h"
#include "iceberg/bytes.h"
#include "iceberg/calendar.h"
#include "iceberg/decimal.h"
#include "iceberg/must.h"
#include "iceberg/schema_json.h"
#include "iceberg/type.h"

namespace calve::iceberg {
namespace {

using ::testing::HasSubstr;

Type Parsed(const char* text) { return Must(Type::Parse(text)); }

struct TextCase {
  const char* type;
  const char* text;
};

class TextRoundTrip : public ::testing::TestWithParam<TextCase> {};

TEST_P(TextRoundTrip, ReadsAsItPrintsAndSurvivesBytesAndJson) {
  const Type type = Parsed(GetParam().type);
  const Value value = Must(ParseText(type, GetParam().text));
  EXPECT_TRUE(HoldsValueOf(type, value));
  EXPECT_EQ(ToText(type, value), GetParam().text);
  EXPECT_EQ(Must(FromBytes(type, Must(ToBytes(type, value)))), value);
  const Json json = Must(ParseJson(DumpJson(ValueToJson(type, value))));
  EXPECT_EQ(Must(ValueFromJson(type, json, "value")), value);
}

INSTANTIATE_TEST_SUITE_P(
    Values, TextRoundTrip,
    ::testing::Values(TextCase{"boolean", "true"}, TextCase{"boolean", "false"},
                      TextCase{"int", "-2147483648"}, TextCase{"long", "-9223372036854775808"},
                      TextCase{"long", "9223372036854775807"}, TextCase{"float", "0.34234"},
                      TextCase{"float", "3.4028235e+38"}, TextCase{"double", "0.1"},
                      TextCase{"double", "-1.7976931348623157e+308"},
                      TextCase{"decimal(9, 2)", "14.20"}, TextCase{"decimal(9, 2)", "-0.01"},
                      TextCase{"decimal(38, 0)", "99999999999999999999999999999999999999"},
                      TextCase{"decimal(38, 38)", "-0.99999999999999999999999999999999999999"},
                      TextCase{"decimal(5, 5)", "0.00001"}, TextCase{"date", "2017-11-16"},
                      TextCase{"date", "1969-12-31"}, TextCase{"date", "0000-01-01"},
                      TextCase{"date", "-0001-12-31"}, TextCase{"date", "+10000-01-01"},
                      TextCase{"date", "2024-02-29"}, TextCase{"time", "22:31:08.123456"},
                      TextCase{"time", "00:00:00"}, TextCase{"time", "23:59:59.999999"},
                      TextCase{"timestamp", "2017-11-16T22:31:08.123456"},
                      TextCase{"timestamp", "1969-12-31T23:59:59.999999"},
                      TextCase{"timestamptz", "2017-11-16T22:31:08+00:00"},
                      TextCase{"timestamp_ns", "2017-11-16T22:31:08.123456789"},
                      TextCase{"timestamptz_ns", "1677-09-21T00:12:43.145224193+00:00"},
                      TextCase{"string", "iceberg"}, TextCase{"string", ""},
                      TextCase{"uuid", "f79c3e09-677c-4bbd-a479-3f349cb785e7"},
                      TextCase{"binary", "AAEC/w=="}, TextCase{"fixed[4]", "AAEC/w=="}));

TEST(ValueTest, JsonFormsAreThoseOfAppendixD) {
  const auto json = [](const char* type, const char* text) {
    return DumpJson(ValueToJson(Parsed(type), Must(ParseText(Parsed(type), text))));
  };
  EXPECT_EQ(json("boolean", "true"), "true");
  EXPECT_EQ(json("long", "34"), "34");
  EXPECT_EQ(json("float", "0.1"), "0.1");
  EXPECT_EQ(json("decimal(9, 2)", "14.2"), R"("14.20")");
  EXPECT_EQ(json("date", "2017-11-16"), R"("2017-11-16")");
  EXPECT_EQ(json("timestamptz", "2017-11-16T22:31:08.123456Z"),
            R"("2017-11-16T22:31:08.123456+00:00")");
  EXPECT_EQ(json("binary", "AAEC/w=="), R"("000102ff")");
}

TEST(ValueTest, JsonOfAnotherTypeIsRefusedWithItsPlace) {
  const auto read = [](const char* type, const char* json) {
    return ValueFromJson(Parsed(type), Must(ParseJson(json)), "fields[0].initial-default");
  };
  EXPECT_THAT(MessageOf(read("int", "2147483648")), HasSubstr("fields[0].initial-default"));
  for (const auto& [type, json] :
       std::vector<std::pair<const char*, const char*>>{{"int", "1.5"},
                                                        {"int", "\"1\""},
                                                        {"long", "9223372036854775808"},
                                                        {"boolean", "1"},
                                                        {"float", "1e39"},
                                                        {"string", "1"},
                                                        {"uuid", "\"f79c\""},
                                                        {"binary", "\"0\""},
                                                        {"fixed[4]", "\"0001\""},
                                                        {"decimal(3, 2)", "\"10.00\""},
                                                        {"date", "\"2023-02-29\""}}) {
    const auto result = read(type, json);
    ASSERT_FALSE(result.ok()) << type << " " << json;
    EXPECT_EQ(result.error().kind, ErrorKind::kData);
  }
  EXPECT_EQ(read("variant", "{}").error().kind, ErrorKind::kRefused);
  EXPECT_TRUE(Must(read("variant", "null")).is_null());
}

TEST(ValueTest, TextThatIsNotOfTheTypeIsRefused) {
  for (const auto& [type, text] :
       std::vector<TextCase>{{"int", "2147483648"},
                             {"int", "1.0"},
                             {"int", ""},
                             {"int", " 1"},
                             {"int", "+-1"},
                             {"long", "9223372036854775808"},
                             {"boolean", "yes"},
                             {"double", "1,5"},
                             {"double", "1.5x"},
                             {"decimal(4, 2)", "1.234"},
                             {"decimal(4, 2)", "100.00"},
                             {"decimal(4, 2)", "1e9999999999"},
                             {"decimal(4, 2)", "."},
                             {"decimal(4, 2)", "--1"},
                             {"date", "2023-2-1"},
                             {"date", "2023-13-01"},
                             {"date", "2023-02-29"},
                             {"date", "20230201"},
                             {"date", "12345-01-01"},
                             {"time", "24:00:00"},
                             {"time", "10:00:00.1234567"},
                             {"time", "10:00:60"},
                             {"timestamp", "2023-01-01"},
                             {"timestamp", "2023-01-01T10:00:00Z"},
                             {"timestamptz", "2023-01-01T10:00:00"},
                             {"timestamptz", "2023-01-01T10:00:00+25:00"},
                             {"timestamp_ns", "9999-01-01T00:00:00"},
                             {"uuid", "f79c3e09677c4bbda4793f349cb785e7"},
                             {"uuid", "g79c3e09-677c-4bbd-a479-3f349cb785e7"},
                             {"binary", "A"},
                             {"fixed[2]", "AAEC/w=="}}) {
    const auto result = ParseText(Parsed(type), text);
    ASSERT_FALSE(result.ok()) << type << " " << text;
    EXPECT_EQ(result.error().kind, ErrorKind::kData);
  }
}

TEST(ValueTest, TextAllowsTheFormsThatPeopleWrite) {
  EXPECT_EQ(Must(ParseText(Type::Timestamp(), "2023-01-01 10:00")),
            Must(ParseText(Type::Timestamp(), "2023-01-01T10:00:00.000")));
  EXPECT_EQ(Must(ParseText(Type::TimestampTz(), "2023-01-01 10:00:00 +02:00")),
            Must(ParseText(Type::TimestampTz(), "2023-01-01T08:00:00Z")));
  EXPECT_EQ(Must(ParseText(Type::TimestampTz(), "2022-12-31T23:30:00-0100")),
            Must(ParseText(Type::TimestampTz(), "2023-01-01T00:30:00Z")));
  EXPECT_EQ(Must(ParseText(Type::Decimal(9, 2), "1.5e3")), Value(Decimal{150000}));
  EXPECT_EQ(Must(ParseText(Type::Decimal(9, 2), "+.5")), Value(Decimal{50}));
  EXPECT_EQ(Must(ParseText(Type::Decimal(9, 2), "1.5000")), Value(Decimal{150}));
  EXPECT_EQ(Must(ParseText(Type::Decimal(9, 2), "0e99")), Value(Decimal{0}));
  EXPECT_EQ(Must(ParseText(Type::Int(), "+7")), Value(int32_t{7}));
  EXPECT_EQ(Must(ParseText(Type::Boolean(), "TRUE")), Value(true));
}

TEST(ValueTest, BinaryFormsAreThoseOfAppendixD) {
  EXPECT_EQ(Must(ToBytes(Type::Boolean(), Value(true))), std::string("\x01", 1));
  EXPECT_EQ(Must(ToBytes(Type::Int(), Value(int32_t{-2}))), "\xfe\xff\xff\xff");
  EXPECT_EQ(Must(ToBytes(Type::Long(), Value(int64_t{1}))), std::string("\x01\0\0\0\0\0\0\0", 8));
  EXPECT_EQ(ToHex(Must(ToBytes(Type::Decimal(9, 2), Value(Decimal{1420})))), "058c");
  EXPECT_EQ(ToHex(Must(ToBytes(Type::Decimal(9, 2), Value(Decimal{-128})))), "80");
  EXPECT_EQ(ToHex(Must(ToBytes(Type::Decimal(9, 2), Value(Decimal{128})))), "0080");
  EXPECT_EQ(ToHex(Must(ToBytes(Type::Decimal(9, 2), Value(Decimal{0})))), "00");
  EXPECT_EQ(ToHex(Must(ToBytes(Type::Decimal(9, 2), Value(Decimal{-1})))), "ff");
  const Value uuid = Must(ParseText(Type::UuidType(), "f79c3e09-677c-4bbd-a479-3f349cb785e7"));
  EXPECT_EQ(ToHex(Must(ToBytes(Type::UuidType(), uuid))), "f79c3e09677c4bbda4793f349cb785e7");
  EXPECT_FALSE(ToBytes(Type(), Value(int32_t{1})).ok());
  EXPECT_FALSE(ToBytes(Type::Of(TypeKind::kVariant), Value(std::string("x"))).ok());
  EXPECT_FALSE(ToBytes(Type::Int(), Value::Null()).ok());
}

TEST(ValueTest, BoundsWrittenBeforeAPromotionAreRead) {
  const std::string seven("\x07\0\0\0", 4);
  EXPECT_EQ(Must(FromBytes(Type::Long(), seven)), Value(int64_t{7}));
  EXPECT_EQ(Must(FromBytes(Type::Long(), "\xff\xff\xff\xff")), Value(int64_t{-1}));
  EXPECT_EQ(Must(FromBytes(Type::Double(), Must(ToBytes(Type::Float(), Value(0.5F))))), Value(0.5));
  EXPECT_EQ(Must(FromBytes(Type::Timestamp(), seven)),
            Must(ParseText(Type::Timestamp(), "1970-01-08T00:00:00")));
  EXPECT_EQ(Must(FromBytes(Type::Of(TypeKind::kTimestampNs), seven)),
            Must(ParseText(Type::Of(TypeKind::kTimestampNs), "1970-01-08T00:00:00")));
  EXPECT_FALSE(
      FromBytes(Type::Of(TypeKind::kTimestampNs), std::string("\xff\xff\xff\x7f", 4)).ok());
  EXPECT_FALSE(FromBytes(Type::TimestampTz(), seven).ok());
}

TEST(ValueTest, BytesOfAnotherWidthAreRefused) {
  EXPECT_THAT(MessageOf(FromBytes(Type::Int(), std::string(8, '\0'))),
              HasSubstr("expected 4 bytes"));
  EXPECT_FALSE(FromBytes(Type::Boolean(), "").ok());
  EXPECT_FALSE(FromBytes(Type::UuidType(), "short").ok());
  EXPECT_FALSE(FromBytes(Type::Decimal(9, 2), "").ok());
  EXPECT_FALSE(FromBytes(Type::Decimal(9, 2), std::string(17, '\x01')).ok());
  EXPECT_EQ(Must(FromBytes(Type::Decimal(9, 2), std::string(20, '\xff'))), Value(Decimal{-1}));
  EXPECT_TRUE(FromBytes(Type::Fixed(16), "cut").ok());
  EXPECT_FALSE(FromBytes(Type::Fixed(2), "abc").ok());
  EXPECT_FALSE(FromBytes(Type::List(FieldId(1), Type::Int(), true), "abcd").ok());
}

TEST(ValueTest, OrdersAsBoundsAreOrdered) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_TRUE(Compare(Value(-0.0), Value(0.0)) < 0);
  EXPECT_TRUE(Compare(Value(infinity), Value(nan)) < 0);
  EXPECT_TRUE(Compare(Value(-nan), Value(nan)) == 0);
  EXPECT_TRUE(Compare(Value(-nan), Value(-infinity)) > 0);
  EXPECT_TRUE(Compare(Value(std::string("a\x7f")), Value(std::string("a\x80"))) < 0);
  EXPECT_TRUE(Compare(Value(std::string("a")), Value(std::string("a\0", 2))) < 0);
  EXPECT_TRUE(Compare(Value(false), Value(true)) < 0);
  EXPECT_TRUE(Compare(Value(Decimal{-5}), Value(Decimal{3})) < 0);
  Uuid low{};
  Uuid high{};
  high[0] = 0x80;
  EXPECT_TRUE(Compare(Value(low), Value(high)) < 0);
}

TEST(ValueTest, HoldsOnlyValuesOfItsType) {
  EXPECT_TRUE(HoldsValueOf(Type::Date(), Value(int32_t{1})));
  EXPECT_FALSE(HoldsValueOf(Type::Date(), Value(int64_t{1})));
  EXPECT_FALSE(HoldsValueOf(Type::Decimal(2, 0), Value(Decimal{100})));
  EXPECT_FALSE(HoldsValueOf(Type::Fixed(2), Value(std::string("abc"))));
  EXPECT_FALSE(HoldsValueOf(Type(), Value(int32_t{1})));
}

TEST(DecimalTest, RandomValuesSurviveEveryForm) {
  Random random(20261121);
  for (int i = 0; i < 20000; ++i) {
    const int precision = 1 + static_cast<int>(random.Below(38));
    const int scale = static_cast<int>(random.Below(static_cast<uint64_t>(precision) + 1));
    Int128 unscaled = 0;
    const auto digits = random.Below(static_cast<uint64_t>(precision) + 1);
    for (uint64_t d = 0; d < digits; ++d)
      unscaled = unscaled * 10 + static_cast<int>(random.Below(10));
    if (random.Below(2) == 0) unscaled = -unscaled;
    const Decimal decimal{unscaled};
    ASSERT_TRUE(FitsPrecision(decimal, precision));
    const std::string text = DecimalToText(decimal, scale);
    ASSERT_EQ(Must(ParseDecimal(text, precision, scale)), decimal) << text;
    ASSERT_EQ(DecimalFromBytes(DecimalToBytes(decimal)), decimal) << text;
    ASSERT_EQ(DecimalFromBytes(DecimalToFixedBytes(decimal, DecimalWidth(precision))), decimal)
        << text;
    ASSERT_LE(DecimalToBytes(decimal).size(), DecimalWidth(precision));
  }
}

TEST(DecimalTest, WidthsAreThoseOfTheFewestBytes) {
  EXPECT_EQ(DecimalWidth(1), 1U);
  EXPECT_EQ(DecimalWidth(2), 1U);
  EXPECT_EQ(DecimalWidth(3), 2U);
  EXPECT_EQ(DecimalWidth(9), 4U);
  EXPECT_EQ(DecimalWidth(10), 5U);
  EXPECT_EQ(DecimalWidth(18), 8U);
  EXPECT_EQ(DecimalWidth(19), 9U);
  EXPECT_EQ(DecimalWidth(38), 16U);
}

TEST(CalendarTest, DaysAndDatesAgreeOverTheWholeRange) {
  EXPECT_EQ(FormatDate(std::numeric_limits<int32_t>::max()), "+5881580-07-11");
  EXPECT_EQ(FormatDate(std::numeric_limits<int32_t>::min()), "-5877641-06-23");
  EXPECT_EQ(ParseDate("+5881580-07-11"), std::numeric_limits<int32_t>::max());
  EXPECT_EQ(ParseDate("+5881580-07-12"), std::nullopt);
  Random random(7);
  for (int i = 0; i < 20000; ++i) {
    const auto days = static_cast<int32_t>(random.Next());
    ASSERT_EQ(ParseDate(FormatDate(days)), days);
  }
  for (int32_t days = -1000; days < 1000; ++days) ASSERT_EQ(ParseDate(FormatDate(days)), days);
}

TEST(CalendarTest, TimestampsReachTheEndsOfTheirRange) {
  for (const int64_t ticks :
       {std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max(), int64_t{-1}}) {
    for (const int64_t per_second : {kMicrosPerSecond, kNanosPerSecond}) {
      const auto parsed = ParseDateTime(FormatDateTime(ticks, per_second), per_second);
      ASSERT_TRUE(parsed.has_value()) << FormatDateTime(ticks, per_second);
      EXPECT_EQ(parsed->ticks, ticks);
    }
  }
}

TEST(BytesTest, Base64AndHexRoundTripAndRefuseJunk) {
  Random random(3);
  for (size_t size = 0; size < 50; ++size) {
    std::string bytes;
    for (size_t i = 0; i < size; ++i) bytes += static_cast<char>(random.Next());
    EXPECT_EQ(FromBase64(ToBase64(bytes)), bytes);
    EXPECT_EQ(FromHex(ToHex(bytes)), bytes);
  }
  EXPECT_EQ(ToBase64("any carnal pleas"), "YW55IGNhcm5hbCBwbGVhcw==");
  EXPECT_EQ(FromBase64("===="), std::nullopt);
  EXPECT_EQ(FromBase64("AA=A"), std::nullopt);
  EXPECT_EQ(FromBase64("AA==AAAA"), std::nullopt);
  EXPECT_EQ(FromBase64("A!AA"), std::nullopt);
  EXPECT_EQ(FromHex("0g"), std::nullopt);
  EXPECT_EQ(FromHex("000"), std::nullopt);
}

}  // namespace
}  // namespace calve::iceberg

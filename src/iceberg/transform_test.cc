#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "base/random.h"
#include "iceberg/must.h"
#include "iceberg/partition.h"

namespace calve::iceberg {
namespace {

Type Parsed(const char* text) { return Must(Type::Parse(text)); }
Value V(const char* type, const char* text) { return Must(ParseText(Parsed(type), text)); }
int32_t HashOf(const char* type, const char* text) {
  return BucketHash(Parsed(type), V(type, text));
}

Value Applied(const char* transform, const char* type, const char* text) {
  return Must(Transform::Parse(transform)).Apply(Parsed(type), V(type, text));
}

std::string Shown(const char* transform, const char* type, const char* text) {
  return Must(Transform::Parse(transform)).ToText(Parsed(type), Applied(transform, type, text));
}

// Iceberg spec, Appendix B.
TEST(BucketHashTest, GivesTheSpecificationsValues) {
  EXPECT_EQ(HashOf("int", "34"), 2017239379);
  EXPECT_EQ(HashOf("long", "34"), 2017239379);
  EXPECT_EQ(HashOf("decimal(9, 2)", "14.20"), -500754589);
  EXPECT_EQ(HashOf("date", "2017-11-16"), -653330422);
  EXPECT_EQ(HashOf("time", "22:31:08"), -662762989);
  EXPECT_EQ(HashOf("timestamp", "2017-11-16T22:31:08"), -2047944441);
  EXPECT_EQ(HashOf("timestamp", "2017-11-16T22:31:08.000001"), -1207196810);
  EXPECT_EQ(HashOf("timestamptz", "2017-11-16T14:31:08-08:00"), -2047944441);
  EXPECT_EQ(HashOf("timestamptz", "2017-11-16T14:31:08.000001-08:00"), -1207196810);
  EXPECT_EQ(HashOf("timestamp_ns", "2017-11-16T22:31:08"), -2047944441);
  EXPECT_EQ(HashOf("timestamp_ns", "2017-11-16T22:31:08.000001001"), -1207196810);
  EXPECT_EQ(HashOf("timestamptz_ns", "2017-11-16T14:31:08-08:00"), -2047944441);
  EXPECT_EQ(HashOf("timestamptz_ns", "2017-11-16T14:31:08.000001001-08:00"), -1207196810);
  EXPECT_EQ(HashOf("string", "iceberg"), 1210000089);
  EXPECT_EQ(HashOf("uuid", "f79c3e09-677c-4bbd-a479-3f349cb785e7"), 1488055340);
  EXPECT_EQ(HashOf("fixed[4]", "AAECAw=="), -188683207);
  EXPECT_EQ(HashOf("binary", "AAECAw=="), -188683207);
  EXPECT_EQ(HashOf("boolean", "true"), 1392991556);
  EXPECT_EQ(HashOf("float", "1.0"), -142385009);
  EXPECT_EQ(HashOf("float", "0.0"), 1669671676);
  EXPECT_EQ(HashOf("float", "-0.0"), 1669671676);
  EXPECT_EQ(HashOf("double", "1.0"), -142385009);
  EXPECT_EQ(HashOf("double", "-0.0"), 1669671676);
}

TEST(TransformTest, ParsesWhatItPrints) {
  for (const char* text : {"identity", "bucket[16]", "truncate[4]", "year", "month", "day", "hour",
                           "void", "zorder[2]"}) {
    EXPECT_EQ(Must(Transform::Parse(text)).ToString(), text);
  }
  EXPECT_EQ(Must(Transform::Parse("zorder")).kind(), Transform::Kind::kUnknown);
  EXPECT_EQ(Must(Transform::Parse("BUCKET[2]")), Transform::Bucket(2));
  for (const char* text : {"", "bucket", "bucket[0]", "bucket[-1]", "bucket[x]",
                           "bucket[99999999999]", "truncate[]", "bucket[1"}) {
    EXPECT_FALSE(Transform::Parse(text).ok()) << text;
  }
}

TEST(TransformTest, BucketsDiscardTheSignBit) {
  EXPECT_EQ(Applied("bucket[16]", "decimal(5, 2)", "-1.28"), Value(int32_t{13}));
  EXPECT_EQ(Applied("bucket[16]", "int", "34"), Value(int32_t{(2017239379 & 0x7fffffff) % 16}));
  const auto unsigned_hash = static_cast<uint32_t>(-500754589) & 0x7fffffffU;
  EXPECT_EQ(Applied("bucket[100]", "decimal(9, 2)", "14.20"),
            Value(static_cast<int32_t>(unsigned_hash % 100)));
}

TEST(TransformTest, TruncatesDownwards) {
  EXPECT_EQ(Applied("truncate[10]", "int", "1"), V("int", "0"));
  EXPECT_EQ(Applied("truncate[10]", "int", "-1"), V("int", "-10"));
  EXPECT_EQ(Applied("truncate[10]", "long", "-10"), V("long", "-10"));
  EXPECT_EQ(Applied("truncate[50]", "decimal(9, 2)", "10.65"), V("decimal(9, 2)", "10.50"));
  EXPECT_EQ(Applied("truncate[50]", "decimal(9, 2)", "-0.05"), V("decimal(9, 2)", "-0.50"));
  EXPECT_EQ(Applied("truncate[3]", "string", "iceberg"), V("string", "ice"));
  EXPECT_EQ(Applied("truncate[3]", "binary", "AQIDBAU="), V("binary", "AQID"));
}

TEST(TransformTest, TruncatesStringsByCodePoint) {
  EXPECT_EQ(Applied("truncate[2]", "string", "é€😀x"), V("string", "é€"));
  EXPECT_EQ(Applied("truncate[3]", "string", "é€😀x"), V("string", "é€😀"));
  EXPECT_EQ(Applied("truncate[9]", "string", "é€😀x"), V("string", "é€😀x"));
}

TEST(TransformTest, TruncatingTheSmallestNumberWrapsAsJavaDoes) {
  EXPECT_EQ(Applied("truncate[10]", "int", "-2147483648"), Value(int32_t{2147483646}));
  EXPECT_EQ(Applied("truncate[2147483647]", "int", "-1"), Value(int32_t{-2147483647}));
}

TEST(TransformTest, TimesBefore1970RoundDown) {
  EXPECT_EQ(Applied("year", "date", "1969-12-31"), Value(int32_t{-1}));
  EXPECT_EQ(Applied("month", "date", "1969-12-31"), Value(int32_t{-1}));
  EXPECT_EQ(Applied("day", "timestamp", "1969-12-31T23:59:59.999999"), Value(int32_t{-1}));
  EXPECT_EQ(Applied("hour", "timestamp", "1969-12-31T23:59:59.999999"), Value(int32_t{-1}));
  EXPECT_EQ(Applied("hour", "timestamptz_ns", "1969-12-31T22:59:59.999999999Z"),
            Value(int32_t{-2}));
  EXPECT_EQ(Applied("year", "timestamp_ns", "2017-11-16T22:31:08.000001001"), Value(int32_t{47}));
  EXPECT_EQ(Applied("month", "timestamptz", "2017-11-16T22:31:08Z"), Value(int32_t{574}));
  EXPECT_EQ(Applied("hour", "timestamp", "2017-11-16T22:31:08"), Value(int32_t{419686}));
}

TEST(TransformTest, ResultsReadAsPeopleWriteThem) {
  EXPECT_EQ(Shown("year", "date", "2026-11-21"), "2026");
  EXPECT_EQ(Shown("month", "date", "2026-11-21"), "2026-11");
  EXPECT_EQ(Shown("month", "date", "1969-01-31"), "1969-01");
  EXPECT_EQ(Shown("day", "timestamp", "2026-11-21T08:15:00"), "2026-11-21");
  EXPECT_EQ(Shown("hour", "timestamp", "2026-11-21T08:15:00"), "2026-11-21-08");
  EXPECT_EQ(Shown("hour", "timestamp", "1969-12-31T23:15:00"), "1969-12-31-23");
  EXPECT_EQ(Shown("bucket[16]", "int", "34"), "3");
  EXPECT_EQ(Shown("identity", "decimal(9, 2)", "1.5"), "1.50");
  EXPECT_EQ(Shown("truncate[3]", "string", "iceberg"), "ice");
  EXPECT_EQ(Shown("void", "string", "iceberg"), "null");
}

TEST(TransformTest, NullStaysNull) {
  for (const char* text :
       {"identity", "bucket[16]", "truncate[4]", "year", "month", "day", "hour", "void"}) {
    EXPECT_TRUE(Must(Transform::Parse(text)).Apply(Type::Timestamp(), Value::Null()).is_null());
  }
}

TEST(TransformTest, ResultTypesFollowTheTable) {
  EXPECT_EQ(Must(Transform::Identity().ResultType(Type::String())), Type::String());
  EXPECT_EQ(Must(Transform::Bucket(4).ResultType(Type::Decimal(9, 2))), Type::Int());
  EXPECT_EQ(Must(Transform::Truncate(4).ResultType(Type::Decimal(9, 2))), Type::Decimal(9, 2));
  EXPECT_EQ(Must(Transform::Of(Transform::Kind::kDay).ResultType(Type::Timestamp())), Type::Date());
  EXPECT_EQ(Must(Transform::Of(Transform::Kind::kHour).ResultType(Type::Timestamp())), Type::Int());
  EXPECT_EQ(Must(Transform::Of(Transform::Kind::kVoid).ResultType(Type::String())), Type::String());
}

TEST(TransformTest, TypesThatATransformDoesNotTakeAreRefused) {
  const Type list = Type::List(FieldId(1), Type::Int(), false);
  for (const Type& type : {Type::Boolean(), Type::Float(), Type::Double(), list, Parsed("variant"),
                           Parsed("geometry")}) {
    EXPECT_EQ(Transform::Bucket(4).ResultType(type).error().kind, ErrorKind::kConfig);
  }
  EXPECT_FALSE(Transform::Truncate(4).ResultType(Type::Date()).ok());
  EXPECT_FALSE(Transform::Truncate(4).ResultType(Type::Fixed(4)).ok());
  EXPECT_FALSE(Transform::Identity().ResultType(list).ok());
  EXPECT_FALSE(Transform::Identity().ResultType(Parsed("geography")).ok());
  EXPECT_FALSE(Transform::Of(Transform::Kind::kHour).ResultType(Type::Date()).ok());
  EXPECT_FALSE(Transform::Of(Transform::Kind::kYear).ResultType(Type::Time()).ok());
  EXPECT_FALSE(Must(Transform::Parse("zorder")).ResultType(Type::Int()).ok());
}

TEST(TransformTest, TruncatedRandomNumbersLieBelowTheirValue) {
  Random random(99);
  for (int i = 0; i < 20000; ++i) {
    const auto value = static_cast<int64_t>(random.Next()) >> random.Below(63);
    const int width = 1 + static_cast<int>(random.Below(100000));
    if (value < std::numeric_limits<int64_t>::min() + width) continue;
    const int64_t truncated =
        Transform::Truncate(width).Apply(Type::Long(), Value(value)).as<int64_t>();
    ASSERT_LE(truncated, value);
    ASSERT_LT(value - truncated, width);
    ASSERT_EQ(truncated % width, 0);
  }
}

}  // namespace
}  // namespace calve::iceberg

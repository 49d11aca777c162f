#include "iceberg/type.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "iceberg/must.h"

namespace calve::iceberg {
namespace {

using ::testing::HasSubstr;

TEST(TypeTest, EveryPrimitiveReadsAsItPrints) {
  for (const char* text : {"boolean",
                           "int",
                           "long",
                           "float",
                           "double",
                           "date",
                           "time",
                           "timestamp",
                           "timestamptz",
                           "timestamp_ns",
                           "timestamptz_ns",
                           "string",
                           "uuid",
                           "binary",
                           "unknown",
                           "variant",
                           "decimal(9, 2)",
                           "decimal(38, 38)",
                           "fixed[16]",
                           "geometry(srid:4326)",
                           "geography(srid:4326, karney)"}) {
    EXPECT_EQ(Must(Type::Parse(text)).ToString(), text);
  }
}

TEST(TypeTest, ToleratesBlanksAndCaseInParameters) {
  EXPECT_EQ(Must(Type::Parse("decimal(9,2)")), Type::Decimal(9, 2));
  EXPECT_EQ(Must(Type::Parse(" Decimal( 9 , 2 ) ")), Type::Decimal(9, 2));
  EXPECT_EQ(Must(Type::Parse("fixed[ 4 ]")), Type::Fixed(4));
  EXPECT_EQ(Must(Type::Parse("geometry")), Type::Geometry("OGC:CRS84"));
  EXPECT_EQ(Must(Type::Parse("geometry( SRID:4326 )")).crs(), "SRID:4326");
  EXPECT_EQ(Must(Type::Parse("geography(OGC:CRS84)")), Type::Geography("", "spherical"));
}

TEST(TypeTest, CoordinateSystemsCompareWithoutCase) {
  EXPECT_EQ(Type::Geometry("ogc:crs84"), Type::Geometry(""));
  EXPECT_FALSE(Type::Geography("", "spherical") == Type::Geography("", "thomas"));
}

TEST(TypeTest, RefusesWhatIsNoType) {
  for (const char* text :
       {"", "integer", "decimal", "decimal(39, 0)", "decimal(0, 0)", "decimal(5, 6)", "decimal(5)",
        "decimal(-5, 2)", "fixed[0]", "fixed[x]", "fixed[99999999999]", "geography(a, b)",
        "geometry()", "struct", "list", "bigint", "int("}) {
    EXPECT_FALSE(Type::Parse(text).ok()) << text;
  }
  EXPECT_THAT(MessageOf(Type::Parse("strng")), HasSubstr("did you mean"));
}

TEST(TypeTest, NestedTypesPrintForPeople) {
  const Type type = Type::Struct(
      {{.id = FieldId(1), .name = "tags", .type = Type::List(FieldId(3), Type::String(), true)},
       {.id = FieldId(2),
        .name = "m",
        .type = Type::Map(FieldId(4), Type::String(), FieldId(5), Type::Double(), false),
        .required = true}});
  EXPECT_EQ(type.ToString(), "struct<tags: list<string>, m: map<string, double> required>");
}

TEST(TypeTest, EqualityLooksIntoFields) {
  const Type a = Type::List(FieldId(3), Type::String(), true);
  EXPECT_EQ(a, Type::List(FieldId(3), Type::String(), true));
  EXPECT_FALSE(a == Type::List(FieldId(4), Type::String(), true));
  EXPECT_FALSE(a == Type::List(FieldId(3), Type::String(), false));
  EXPECT_FALSE(Type::Decimal(9, 2) == Type::Decimal(9, 3));
}

TEST(TypeTest, PromotesOnlyAsTheSpecificationAllows) {
  EXPECT_TRUE(IsPromotion(Type::Int(), Type::Long(), 1));
  EXPECT_TRUE(IsPromotion(Type::Float(), Type::Double(), 2));
  EXPECT_TRUE(IsPromotion(Type::Decimal(9, 2), Type::Decimal(10, 2), 2));
  EXPECT_FALSE(IsPromotion(Type::Decimal(9, 2), Type::Decimal(9, 2), 2));
  EXPECT_FALSE(IsPromotion(Type::Decimal(9, 2), Type::Decimal(10, 3), 2));
  EXPECT_FALSE(IsPromotion(Type::Long(), Type::Int(), 3));
  EXPECT_FALSE(IsPromotion(Type::Int(), Type::Double(), 3));
  EXPECT_FALSE(IsPromotion(Type::Date(), Type::Timestamp(), 2));
  EXPECT_TRUE(IsPromotion(Type::Date(), Type::Timestamp(), 3));
  EXPECT_TRUE(IsPromotion(Type::Date(), Type::Of(TypeKind::kTimestampNs), 3));
  EXPECT_FALSE(IsPromotion(Type::Date(), Type::TimestampTz(), 3));
  EXPECT_TRUE(IsPromotion(Type(), Type::String(), 3));
  EXPECT_FALSE(IsPromotion(Type(), Type::String(), 2));
}

}  // namespace
}  // namespace calve::iceberg

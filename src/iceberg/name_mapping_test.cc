#include "iceberg/name_mapping.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "iceberg/must.h"

namespace calve::iceberg {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(NameMappingTest, ReadsNestedMappings) {
  const NameMapping mapping = Must(NameMapping::Parse(R"([
      {"field-id": 1, "names": ["id", "record_id"]},
      {"names": ["unknown"]},
      {"field-id": 3, "names": ["place"], "fields": [{"field-id": 4, "names": ["lat", "latitude"]}]}])"));
  ASSERT_EQ(mapping.fields().size(), 3U);
  EXPECT_THAT(mapping.fields()[0].names, ElementsAre("id", "record_id"));
  EXPECT_EQ(mapping.fields()[1].field_id, std::nullopt);
  EXPECT_EQ(mapping.fields()[2].fields[0].field_id, FieldId(4));
  EXPECT_EQ(Must(NameMapping::Parse(mapping.Serialize())).fields(), mapping.fields());
}

TEST(NameMappingTest, MapsEveryFieldOfASchema) {
  const SchemaPtr schema = Must(Schema::Make(
      SchemaId(0),
      {{.id = FieldId(1), .name = "id", .type = Type::Int()},
       {.id = FieldId(2), .name = "tags", .type = Type::List(FieldId(3), Type::String(), true)}}));
  EXPECT_EQ(NameMapping::Of(*schema).Serialize(),
            R"([{"field-id":1,"names":["id"]},{"field-id":2,"names":["tags"],)"
            R"("fields":[{"field-id":3,"names":["element"]}]}])");
}

TEST(NameMappingTest, RefusesWhatCannotBeFollowed) {
  EXPECT_THAT(MessageOf(NameMapping::Parse("{}")), HasSubstr("an array"));
  EXPECT_THAT(MessageOf(NameMapping::Parse("not json")), HasSubstr("line 1"));
  EXPECT_THAT(MessageOf(NameMapping::Parse(R"([{"field-id": "1", "names": []}])")),
              HasSubstr("[0].field-id"));
  EXPECT_THAT(MessageOf(NameMapping::Parse(
                  R"([{"field-id": 1, "names": ["a"]}, {"field-id": 2, "names": ["a"]}])")),
              HasSubstr("\"a\" twice"));
}

}  // namespace
}  // namespace calve::iceberg

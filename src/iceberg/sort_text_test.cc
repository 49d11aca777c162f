#include "iceberg/sort_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "iceberg/must.h"

namespace calve::iceberg {
namespace {

SchemaPtr Events() {
  return Must(
      Schema::Make(SchemaId(0), {{.id = FieldId(1), .name = "id", .type = Type::Long()},
                                 {.id = FieldId(2), .name = "b desc", .type = Type::Int()}}));
}

SortField By(int source, Transform transform, bool ascending, bool nulls_first) {
  return {.source_id = FieldId(source),
          .transform = transform,
          .ascending = ascending,
          .nulls_first = nulls_first};
}

TEST(SortTextTest, ReadsDirectionsAndColumnsWhoseNamesLookLikeThem) {
  const auto fields = Must(ParseSortFields({"id", "id DESC", "bucket(16, id) desc nulls_first",
                                            "id nulls_last asc", "b desc", "b desc desc"},
                                           *Events()));
  const Transform same = Transform::Identity();
  EXPECT_THAT(fields, testing::ElementsAre(By(1, same, true, true), By(1, same, false, false),
                                           By(1, Transform::Bucket(16), false, true),
                                           By(1, same, true, false), By(2, same, true, true),
                                           By(2, same, false, false)));
}

TEST(SortTextTest, WhatIsReadIsWrittenTheSameWay) {
  const std::vector<std::string> texts = {"id", "id desc", "bucket(16, id) desc nulls_first",
                                          "truncate(4, id) nulls_last"};
  const SortOrder order{.id = SortOrderId(1), .fields = Must(ParseSortFields(texts, *Events()))};
  EXPECT_EQ(SortTexts(order, *Events()), texts);
  const PartitionSpec spec{
      .id = SpecId(0),
      .fields = Must(ParsePartitionFields({"bucket(16, id)", "id"}, *Events(), FieldId(999)))};
  EXPECT_THAT(PartitionTexts(spec, *Events()), testing::ElementsAre("bucket(16, id)", "id"));
}

TEST(SortTextTest, AColumnMayHaveTheNameThatAPartitionWould) {
  const SchemaPtr schema = Must(
      Schema::Make(SchemaId(0), {{.id = FieldId(1), .name = "id", .type = Type::Long()},
                                 {.id = FieldId(2), .name = "id_bucket", .type = Type::Int()}}));
  EXPECT_THAT(Must(ParseSortFields({"bucket(4, id)", "id_bucket"}, *schema)),
              testing::ElementsAre(By(1, Transform::Bucket(4), true, true),
                                   By(2, Transform::Identity(), true, true)));
}

TEST(SortTextTest, WhatCannotBeSortedIsSaid) {
  const auto fields = ParseSortFields({"id", "hour(id)"}, *Events());
  ASSERT_FALSE(fields.ok());
  EXPECT_EQ(fields.error().kind, ErrorKind::kConfig);
  EXPECT_THAT(fields.error().message, testing::HasSubstr("the sort field on id"));
}

TEST(SortTextTest, WhatIsNoDirectionIsSaid) {
  for (const char* text : {"id down", "id desc asc", "ID_ desc", ""}) {
    const auto fields = ParseSortFields({text}, *Events());
    ASSERT_FALSE(fields.ok()) << text;
    EXPECT_EQ(fields.error().kind, ErrorKind::kConfig);
  }
}

}  // namespace
}  // namespace calve::iceberg

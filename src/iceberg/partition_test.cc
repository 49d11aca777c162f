#include "iceberg/partition.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "iceberg/metadata.h"
#include "iceberg/must.h"

namespace calve::iceberg {
namespace {

using ::testing::HasSubstr;

SchemaPtr Events() {
  const Type where = Type::Struct({{.id = FieldId(6), .name = "country", .type = Type::String()}});
  return Must(Schema::Make(
      SchemaId(0),
      {{.id = FieldId(1), .name = "id", .type = Type::Long()},
       {.id = FieldId(2), .name = "ts", .type = Type::TimestampTz()},
       {.id = FieldId(3), .name = "name", .type = Type::String()},
       {.id = FieldId(4), .name = "price", .type = Type::Decimal(9, 2)},
       {.id = FieldId(5), .name = "where", .type = where},
       {.id = FieldId(7), .name = "tags", .type = Type::List(FieldId(8), Type::String(), true)}}));
}

std::vector<PartitionField> Fields(const std::vector<std::string>& texts) {
  return Must(ParsePartitionFields(texts, *Events(), FieldId(999)));
}

TEST(PartitionTextTest, ReadsPeoplesFormsAndNamesFieldsAsWritersDo) {
  const auto fields = Fields({"day(ts)", "bucket(16, id)", "truncate(4, name)", "where.country"});
  ASSERT_EQ(fields.size(), 4U);
  EXPECT_EQ(fields[0].name, "ts_day");
  EXPECT_EQ(fields[0].field_id, FieldId(1000));
  EXPECT_EQ(fields[1].name, "id_bucket");
  EXPECT_EQ(fields[1].transform, Transform::Bucket(16));
  EXPECT_EQ(fields[2].name, "name_trunc");
  EXPECT_EQ(fields[3].name, "where.country");
  EXPECT_EQ(fields[3].source_id, FieldId(6));
  EXPECT_EQ(fields[3].field_id, FieldId(1003));
}

TEST(PartitionTextTest, AcceptsTheSpellingsInUse) {
  EXPECT_EQ(Fields({"days(ts)"}), Fields({"day(ts)"}));
  EXPECT_EQ(Fields({" HOURS( TS ) "}), Fields({"hour(ts)"}));
  EXPECT_EQ(Fields({"truncate(name, 4)"}), Fields({"truncate(4, name)"}));
  EXPECT_EQ(Fields({"identity(name)"}), Fields({"name"}));
  EXPECT_EQ(Fields({"bucket(8,id)", "years(ts)"})[1].name, "ts_year");
}

TEST(PartitionTextTest, ColumnsMayHaveParenthesesInTheirNames) {
  const SchemaPtr schema = Must(
      Schema::Make(SchemaId(0), {{.id = FieldId(1), .name = "price (EUR)", .type = Type::Long()}}));
  const auto fields =
      Must(ParsePartitionFields({"price (EUR)", "bucket(4, price (EUR))"}, *schema, FieldId(999)));
  EXPECT_EQ(fields[0].name, "price (EUR)");
  EXPECT_EQ(fields[1].name, "price (EUR)_bucket");
}

TEST(PartitionTextTest, FaultsSayWhatToWrite) {
  const auto fault = [](const std::vector<std::string>& texts) {
    const auto result = ParsePartitionFields(texts, *Events(), FieldId(999));
    EXPECT_TRUE(result.ok() || result.error().kind == ErrorKind::kConfig);
    return MessageOf(result);
  };
  EXPECT_THAT(fault({"day(tz)"}), HasSubstr("did you mean 'ts'"));
  EXPECT_THAT(fault({"dya(ts)"}), HasSubstr("did you mean 'day'"));
  EXPECT_THAT(fault({"bucket(id)"}), HasSubstr("expected bucket(N, column)"));
  EXPECT_THAT(fault({"day(4, ts)"}), HasSubstr("expected day(column)"));
  EXPECT_THAT(fault({"bucket(0, id)"}), HasSubstr("from 1"));
  EXPECT_THAT(fault({"day(ts"}), HasSubstr("closing parenthesis"));
  EXPECT_THAT(fault({"day(name)"}), HasSubstr("does not take values of type string"));
  EXPECT_THAT(fault({"tags.element"}), HasSubstr("inside a list or map"));
  EXPECT_THAT(fault({"tags"}), HasSubstr("does not take values"));
  EXPECT_THAT(fault({"day(ts)", "hour(ts)"}), HasSubstr("repeats"));
  EXPECT_THAT(fault({"bucket(4, id)", "bucket(8, id)"}), HasSubstr("twice"));
  EXPECT_THAT(fault({"name", "name"}), HasSubstr("twice"));
}

TEST(PartitionSpecTest, PartitionTypeFollowsTheTransforms) {
  const PartitionSpec spec{.id = SpecId(1),
                           .fields = Fields({"day(ts)", "bucket(16, id)", "truncate(50, price)"})};
  const Type type = spec.PartitionType(*Events());
  ASSERT_EQ(type.fields().size(), 3U);
  EXPECT_EQ(type.fields()[0], (Field{.id = FieldId(1000), .name = "ts_day", .type = Type::Date()}));
  EXPECT_EQ(type.fields()[1].type, Type::Int());
  EXPECT_EQ(type.fields()[2].type, Type::Decimal(9, 2));
}

TEST(PartitionSpecTest, DroppedSourceColumnsKeepTheirPlace) {
  const PartitionSpec spec{.id = SpecId(1), .fields = Fields({"day(ts)", "name", "bucket(4, id)"})};
  const SchemaPtr empty =
      Must(Schema::Make(SchemaId(1), {{.id = FieldId(99), .name = "x", .type = Type::Int()}}));
  const Type type = spec.PartitionType(*empty);
  ASSERT_EQ(type.fields().size(), 3U);
  EXPECT_EQ(type.fields()[0].type, Type::Date());
  EXPECT_EQ(type.fields()[1].type, Type());
  EXPECT_EQ(type.fields()[2].type, Type::Int());
}

TEST(PartitionSpecTest, VoidFieldsPartitionNothing) {
  EXPECT_TRUE(PartitionSpec{}.is_unpartitioned());
  PartitionSpec spec{.id = SpecId(1), .fields = Fields({"name"})};
  EXPECT_FALSE(spec.is_unpartitioned());
  spec.fields[0].transform = Transform::Of(Transform::Kind::kVoid);
  EXPECT_TRUE(spec.is_unpartitioned());
}

TEST(PartitionPathTest, IsEncodedAsJavasUrlEncoderDoes) {
  const PartitionSpec spec{.id = SpecId(0), .fields = Fields({"name", "day(ts)"})};
  const auto path = [&](std::string name) {
    return PartitionPath(spec, *Events(), {Value(std::move(name)), Value(int32_t{20778})});
  };
  EXPECT_EQ(path("EU"), "name=EU/ts_day=2026-11-21");
  EXPECT_EQ(path("a b/c=d"), "name=a+b%2Fc%3Dd/ts_day=2026-11-21");
  EXPECT_EQ(path("a.b-c*d_e~"), "name=a.b-c*d_e%7E/ts_day=2026-11-21");
  EXPECT_EQ(path("é%"), "name=%C3%A9%25/ts_day=2026-11-21");
  EXPECT_EQ(path(".."), "name=../ts_day=2026-11-21");
  EXPECT_EQ(PartitionPath(spec, *Events(), {Value::Null(), Value::Null()}),
            "name=null/ts_day=null");
  EXPECT_EQ(PartitionPath(PartitionSpec{}, *Events(), {}), "");
}

TEST(PartitionJsonTest, SpecsRoundTrip) {
  const PartitionSpec spec{.id = SpecId(3), .fields = Fields({"day(ts)", "bucket(16, id)"})};
  EXPECT_EQ(Must(ParsePartitionSpec(SerializePartitionSpec(spec))), spec);
  EXPECT_EQ(SerializePartitionFields(spec),
            R"([{"name":"ts_day","transform":"day","source-id":2,"field-id":1000},)"
            R"({"name":"id_bucket","transform":"bucket[16]","source-id":1,"field-id":1001}])");
}

TEST(PartitionJsonTest, MissingFieldIdsCountFrom1000) {
  const PartitionSpec spec = Must(ParsePartitionSpec(R"({"spec-id": 0, "fields": [
      {"name": "a", "transform": "identity", "source-id": 1}, {"name": "b", "transform": "day", "source-id": 2}]})"));
  EXPECT_EQ(spec.fields[0].field_id, FieldId(1000));
  EXPECT_EQ(spec.fields[1].field_id, FieldId(1001));
  EXPECT_THAT(MessageOf(ParsePartitionSpec(R"({"spec-id": 0, "fields": [
      {"name": "a", "transform": "identity", "source-id": 1},
      {"name": "b", "transform": "day", "source-id": 2, "field-id": 1000}]})")),
              HasSubstr("for every field or for none"));
}

TEST(PartitionJsonTest, TransformsOfSeveralColumnsAreCarriedThroughUnknown) {
  const char* json =
      R"({"spec-id":0,"fields":[{"name":"a","transform":"bucket[4]","source-ids":[1,2],"field-id":1000}]})";
  const PartitionSpec spec = Must(ParsePartitionSpec(json));
  EXPECT_EQ(spec.fields[0].transform.kind(), Transform::Kind::kUnknown);
  EXPECT_EQ(SerializePartitionSpec(spec), json);
  EXPECT_EQ(spec.PartitionType(*Events()).fields()[0].type, Type::String());
  const PartitionSpec one = Must(ParsePartitionSpec(
      R"({"spec-id": 0, "fields": [{"name": "a", "transform": "day", "source-ids": [7], "field-id": 1000}]})"));
  EXPECT_EQ(one.fields[0].source_id, FieldId(7));
  EXPECT_EQ(one.fields[0].transform.kind(), Transform::Kind::kDay);
  EXPECT_FALSE(
      ParsePartitionSpec(
          R"({"spec-id": 0, "fields": [{"name": "a", "transform": "day", "source-ids": [], "field-id": 1}]})")
          .ok());
}

TEST(SortOrderJsonTest, OrdersRoundTrip) {
  SortOrder order{.id = SortOrderId(1),
                  .fields = {{.source_id = FieldId(2), .transform = Transform::Bucket(4)}}};
  order.fields.push_back({.source_id = FieldId(1), .ascending = false, .nulls_first = false});
  EXPECT_EQ(
      SerializeSortOrder(order),
      R"({"order-id":1,"fields":[{"transform":"bucket[4]","source-id":2,"direction":"asc",)"
      R"("null-order":"nulls-first"},{"transform":"identity","source-id":1,"direction":"desc",)"
      R"("null-order":"nulls-last"}]})");
  EXPECT_EQ(Must(ParseSortOrder(SerializeSortOrder(order))), order);
  EXPECT_THAT(MessageOf(ParseSortOrder(
                  R"({"order-id": 1, "fields": [{"transform": "identity", "source-id": 1,
      "direction": "up", "null-order": "nulls-first"}]})")),
              HasSubstr("fields[0].direction: expected asc or desc"));
}

}  // namespace
}  // namespace calve::iceberg

#include "iceberg/schema.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "iceberg/metadata.h"
#include "iceberg/must.h"

namespace calve::iceberg {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Field Column(int id, std::string name, Type type, bool required = false) {
  return {
      .id = FieldId(id), .name = std::move(name), .type = std::move(type), .required = required};
}

std::vector<Field> NestedFields() {
  const Type point =
      Type::Struct({Column(7, "x", Type::Double(), true), Column(8, "y", Type::Double())});
  return {Column(1, "id", Type::Long(), true),
          Column(2, "address", Type::Struct({Column(5, "street", Type::String())}), true),
          Column(3, "points", Type::List(FieldId(6), point, true)),
          Column(4, "m", Type::Map(FieldId(9), Type::String(), FieldId(10), point, false))};
}

TEST(SchemaTest, FindsFieldsByIdAndFullName) {
  std::vector<Field> fields = NestedFields();
  fields[3].type = Type::Map(FieldId(9), Type::String(), FieldId(10),
                             Type::Struct({Column(11, "v", Type::Int())}), false);
  const SchemaPtr schema = Must(Schema::Make(SchemaId(3), fields));
  EXPECT_EQ(schema->FindByName("points.element.x")->id, FieldId(7));
  EXPECT_EQ(schema->FindByName("points.x")->id, FieldId(7));
  EXPECT_EQ(schema->FindByName("m.value.v")->id, FieldId(11));
  EXPECT_EQ(schema->FindByName("m.v")->id, FieldId(11));
  EXPECT_EQ(schema->FindByName("Address.STREET")->id, FieldId(5));
  EXPECT_EQ(schema->FindByName("nothing"), nullptr);
  EXPECT_EQ(schema->FindById(FieldId(99)), nullptr);
  EXPECT_EQ(schema->FullName(FieldId(8)), "points.element.y");
  EXPECT_EQ(schema->FullName(FieldId(99)), std::nullopt);
  EXPECT_THAT(schema->PathTo(FieldId(7)), ElementsAre(FieldId(3), FieldId(6), FieldId(7)));
  EXPECT_TRUE(schema->PathTo(FieldId(99)).empty());
  EXPECT_EQ(schema->highest_field_id(), FieldId(11));
  EXPECT_EQ(schema->full_names().front(), "id");
}

TEST(SchemaTest, CaseDecidesWhereNamesDifferByItAlone) {
  const SchemaPtr schema =
      Must(Schema::Make(SchemaId(0), {Column(1, "a", Type::Int()), Column(2, "A", Type::Int())}));
  EXPECT_EQ(schema->FindByName("A")->id, FieldId(2));
  const SchemaPtr other =
      Must(Schema::Make(SchemaId(0), {Column(1, "ab", Type::Int()), Column(2, "AB", Type::Int())}));
  EXPECT_EQ(other->FindByName("Ab"), nullptr);
}

TEST(SchemaTest, RefusesRepeatedIdsAndNames) {
  EXPECT_THAT(MessageOf(Schema::Make(SchemaId(0),
                                     {Column(1, "a", Type::Int()), Column(1, "b", Type::Int())})),
              HasSubstr("field id once"));
  EXPECT_THAT(MessageOf(Schema::Make(SchemaId(0),
                                     {Column(1, "a", Type::Int()), Column(2, "a", Type::Int())})),
              HasSubstr("\"a\" twice"));
  EXPECT_THAT(MessageOf(Schema::Make(SchemaId(0),
                                     {Column(1, "a", Type::Struct({Column(2, "b", Type::Int())})),
                                      Column(3, "a.b", Type::Int())})),
              HasSubstr("\"a.b\" twice"));
  EXPECT_FALSE(Schema::Make(SchemaId(0), {Column(-1, "a", Type::Int())}).ok());
}

TEST(SchemaTest, IdentifierFieldsAreRequiredPrimitivesOutsideListsAndMaps) {
  const auto make = [](std::vector<FieldId> ids) {
    std::vector<Field> fields = NestedFields();
    fields.pop_back();
    fields.push_back(Column(20, "f", Type::Float(), true));
    fields.push_back(Column(21, "o", Type::Struct({Column(22, "i", Type::Int(), true)})));
    return Schema::Make(SchemaId(0), std::move(fields), std::move(ids));
  };
  EXPECT_TRUE(make({FieldId(1)}).ok());
  EXPECT_THAT(MessageOf(make({FieldId(5)})), HasSubstr("optional"));
  EXPECT_THAT(MessageOf(make({FieldId(22)})), HasSubstr("optional, or inside o"));
  EXPECT_THAT(MessageOf(make({FieldId(7)})), HasSubstr("points"));
  EXPECT_THAT(MessageOf(make({FieldId(2)})), HasSubstr("not a primitive"));
  EXPECT_THAT(MessageOf(make({FieldId(20)})), HasSubstr("floating point"));
  EXPECT_THAT(MessageOf(make({FieldId(99)})), HasSubstr("no column"));
}

TEST(SchemaTest, SameColumnsIgnoresTheSchemaId) {
  const SchemaPtr a = Must(Schema::Make(SchemaId(0), {Column(1, "a", Type::Int(), true)}));
  const SchemaPtr b = Must(Schema::Make(SchemaId(1), {Column(1, "a", Type::Int(), true)}));
  const SchemaPtr c =
      Must(Schema::Make(SchemaId(1), {Column(1, "a", Type::Int(), true)}, {FieldId(1)}));
  EXPECT_TRUE(a->SameColumns(*b));
  EXPECT_FALSE(a->SameColumns(*c));
}

TEST(SchemaTest, FreshIdsNumberALevelBeforeGoingIntoIt) {
  const auto [fields, last] = AssignFreshIds(
      {Column(0, "a", Type::Struct({Column(0, "x", Type::Int()), Column(0, "y", Type::Int())})),
       Column(0, "l", Type::List(FieldId(0), Type::Struct({Column(0, "z", Type::Int())}), false)),
       Column(0, "m", Type::Map(FieldId(0), Type::String(), FieldId(0), Type::Int(), true))},
      FieldId(10));
  EXPECT_EQ(last, FieldId(19));
  EXPECT_EQ(fields[0].id, FieldId(11));
  EXPECT_EQ(fields[2].id, FieldId(13));
  EXPECT_EQ(fields[0].type.fields()[1].id, FieldId(15));
  EXPECT_EQ(fields[1].type.fields()[0].id, FieldId(16));
  EXPECT_EQ(fields[1].type.fields()[0].type.fields()[0].id, FieldId(17));
  EXPECT_EQ(fields[2].type.fields()[0].id, FieldId(18));
  EXPECT_EQ(fields[2].type.fields()[1].id, FieldId(19));
}

TEST(SchemaJsonTest, NestedSchemasRoundTrip) {
  std::vector<Field> fields = NestedFields();
  fields[3].type = Type::Map(FieldId(9), Type::String(), FieldId(10), Type::Decimal(9, 2), false);
  fields[0].doc = "the key";
  fields.push_back({.id = FieldId(30),
                    .name = "d",
                    .type = Type::Date(),
                    .initial_default = Value(int32_t{1}),
                    .write_default = Value(int32_t{2})});
  const SchemaPtr schema = Must(Schema::Make(SchemaId(4), fields, {FieldId(1)}));
  const SchemaPtr again = Must(ParseSchema(SerializeSchema(*schema)));
  EXPECT_TRUE(again->SameColumns(*schema));
  EXPECT_EQ(again->id(), SchemaId(4));
  EXPECT_EQ(again->fields().back().initial_default, Value(int32_t{1}));
}

TEST(SchemaJsonTest, WritesTheFormOfAppendixC) {
  const SchemaPtr schema = Must(
      Schema::Make(SchemaId(1), {Column(1, "id", Type::UuidType(), true),
                                 Column(2, "tags", Type::List(FieldId(3), Type::String(), true))}));
  EXPECT_EQ(
      SerializeSchema(*schema),
      R"({"type":"struct","schema-id":1,"fields":[{"id":1,"name":"id","required":true,"type":"uuid"},)"
      R"({"id":2,"name":"tags","required":false,"type":{"type":"list","element-id":3,"element":"string",)"
      R"("element-required":true}}]})");
}

TEST(SchemaJsonTest, FaultsNameTheirPlace) {
  const auto fault = [](const char* json) { return MessageOf(ParseSchema(json)); };
  EXPECT_THAT(fault("{"), HasSubstr("line 1, column 2"));
  EXPECT_THAT(fault("[]"), HasSubstr("an object"));
  EXPECT_THAT(fault(R"({"fields": []})"), HasSubstr("type: expected a value"));
  EXPECT_THAT(fault(R"({"type": "struct"})"), HasSubstr("fields: expected a value"));
  EXPECT_THAT(
      fault(
          R"({"type": "struct", "fields": [{"id": 1, "name": "a", "required": true, "type": "strin"}]})"),
      HasSubstr("fields[0].type"));
  EXPECT_THAT(
      fault(
          R"({"type": "struct", "fields": [{"id": "1", "name": "a", "required": true, "type": "int"}]})"),
      HasSubstr("fields[0].id: expected a 32-bit integer, found the string \"1\""));
  EXPECT_THAT(fault(R"({"type": "struct", "fields": [{"id": 1, "name": "a", "required": true,
                        "type": {"type": "list", "element-id": 2, "element": "int"}}]})"),
              HasSubstr("fields[0].type.element-required"));
  EXPECT_THAT(
      fault(
          R"({"type": "struct", "fields": [{"id": 1, "name": "a", "required": false, "type": "variant",
                        "initial-default": {}}]})"),
      HasSubstr("can only be null"));
}

TEST(SchemaJsonTest, DeepNestingIsRefusedNotFollowed) {
  std::string json;
  for (int i = 0; i < 100000; ++i) json += R"({"type":{"type":"list","element":)";
  EXPECT_THAT(MessageOf(ParseSchema(json)), HasSubstr("nested"));
}

}  // namespace
}  // namespace calve::iceberg

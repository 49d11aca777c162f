#include "columnar/convert.h"

#include <arrow/array/array_nested.h>
#include <arrow/array/util.h>
#include <arrow/builder.h>
#include <arrow/compute/api_vector.h>
#include <arrow/compute/cast.h>
#include <arrow/extension/uuid.h>
#include <arrow/json/from_string.h>
#include <arrow/scalar.h>
#include <arrow/util/key_value_metadata.h>
#include <gtest/gtest.h>

#include "base/error_carrier.h"
#include "columnar/arrow_status.h"

namespace calve::columnar {
namespace {

using iceberg::Field;
using iceberg::FieldId;
using iceberg::Type;
using iceberg::TypeKind;
using iceberg::Value;
using ArrayPtr = std::shared_ptr<arrow::Array>;
using TypePtr = std::shared_ptr<arrow::DataType>;

class ConvertTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { ASSERT_TRUE(StartArrow().ok()); }
};

ArrayPtr FromJson(const TypePtr& type, std::string_view json) {
  return arrow::json::ArrayFromJSONString(type, json).ValueOrDie();
}

Field Optional(int id, std::string name, Type type) {
  return {.id = FieldId(id), .name = std::move(name), .type = std::move(type)};
}
Field Required(int id, std::string name, Type type) {
  return {.id = FieldId(id), .name = std::move(name), .type = std::move(type), .required = true};
}

iceberg::SchemaPtr SchemaOf(std::vector<Field> fields) {
  return *iceberg::Schema::Make(iceberg::SchemaId(0), std::move(fields));
}

Batch BatchOf(const std::string& name, const ArrayPtr& array) {
  return arrow::RecordBatch::Make(arrow::schema({arrow::field(name, array->type())}),
                                  array->length(), {array});
}

/// Conform a batch of one column `c`.
Result<ArrayPtr> ConformColumn(const ArrayPtr& array, const Type& type) {
  CALVE_ASSIGN_OR_RETURN(const Batch batch,
                         Conform(BatchOf("c", array), *SchemaOf({Optional(1, "c", type)})));
  CALVE_RETURN_IF_ERROR(batch->ValidateFull());
  return batch->column(0);
}

void ExpectConforms(const ArrayPtr& from, const Type& type, std::string_view json) {
  SCOPED_TRACE(from->type()->ToString());
  const auto got = ConformColumn(from, type);
  ASSERT_TRUE(got.ok()) << got.error().message;
  const ArrayPtr expected = FromJson(*ToArrowType(type), json);
  EXPECT_TRUE((*got)->Equals(*expected, arrow::EqualOptions::Defaults().nans_equal(true)))
      << (*got)->ToString() << "\nexpected " << expected->ToString();
}

void ExpectRefused(const ArrayPtr& from, const Type& type, std::string_view part) {
  const auto got = ConformColumn(from, type);
  ASSERT_FALSE(got.ok()) << (*got)->ToString();
  EXPECT_EQ(got.error().kind, ErrorKind::kData);
  EXPECT_NE(got.error().message.find(part), std::string::npos) << got.error().message;
}

std::vector<Type> AllPrimitives() {
  return {Type::Boolean(),
          Type::Int(),
          Type::Long(),
          Type::Float(),
          Type::Double(),
          Type::Decimal(9, 2),
          Type::Date(),
          Type::Time(),
          Type::Timestamp(),
          Type::TimestampTz(),
          Type::String(),
          Type::UuidType(),
          Type::Fixed(5),
          Type::Binary(),
          Type::Decimal(38, 10),
          Type::Of(TypeKind::kTimestampNs),
          Type::Of(TypeKind::kTimestampTzNs)};
}

TEST_F(ConvertTest, EveryPrimitiveComesBackAsItselfThroughArrow) {
  for (const Type& type : AllPrimitives()) {
    const auto arrow_type = ToArrowType(type);
    ASSERT_TRUE(arrow_type.ok());
    const auto back = ToIcebergType(**arrow_type, 3);
    ASSERT_TRUE(back.ok()) << back.error().message;
    const Type expected = type.kind() == TypeKind::kUuid ? Type::Fixed(16) : type;
    EXPECT_EQ(back->ToString(), expected.ToString());
  }
  EXPECT_EQ(ToIcebergType(*arrow::extension::uuid(), 2)->kind(), TypeKind::kUuid);
}

TEST_F(ConvertTest, NestedTypesCarryFieldIdsAtEveryDepth) {
  const Type map =
      Type::Map(FieldId(4), Type::String(), FieldId(5),
                Type::List(FieldId(6), Type::Struct({Required(7, "x", Type::Int())}), false), true);
  const auto schema =
      *ToArrowSchema(*SchemaOf({Required(1, "s", Type::Struct({Optional(2, "m", map)}))}));
  const auto id = [](const std::shared_ptr<arrow::Field>& field) {
    return field->metadata()->Get(std::string(kFieldIdKey)).ValueOr("none");
  };
  EXPECT_FALSE(schema->field(0)->nullable());
  const auto m = schema->field(0)->type()->field(0);
  EXPECT_EQ(id(m), "2");
  const auto& map_type = static_cast<const arrow::MapType&>(*m->type());
  EXPECT_EQ(id(map_type.key_field()), "4");
  EXPECT_EQ(id(map_type.item_field()), "5");
  EXPECT_FALSE(map_type.item_field()->nullable());
  const auto element = map_type.item_type()->field(0);
  EXPECT_EQ(id(element), "6");
  EXPECT_EQ(element->name(), "element");
  EXPECT_EQ(id(element->type()->field(0)), "7");
  EXPECT_FALSE(element->type()->field(0)->nullable());
}

TEST_F(ConvertTest, ForeignArrowTypesFindTheTypeThatHoldsThem) {
  const std::vector<std::pair<TypePtr, std::string>> cases = {
      {arrow::int8(), "int"},
      {arrow::uint16(), "int"},
      {arrow::uint32(), "long"},
      {arrow::uint64(), "decimal(20, 0)"},
      {arrow::float16(), "float"},
      {arrow::date64(), "date"},
      {arrow::time32(arrow::TimeUnit::MILLI), "time"},
      {arrow::timestamp(arrow::TimeUnit::SECOND), "timestamp"},
      {arrow::timestamp(arrow::TimeUnit::MILLI, "Europe/Paris"), "timestamptz"},
      {arrow::large_utf8(), "string"},
      {arrow::utf8_view(), "string"},
      {arrow::large_binary(), "binary"},
      {arrow::dictionary(arrow::int8(), arrow::utf8()), "string"},
      {arrow::decimal256(38, 4), "decimal(38, 4)"},
      {arrow::decimal128(3, 5), "decimal(5, 5)"},
      {arrow::decimal128(5, -2), "decimal(7, 0)"},
      {arrow::null(), "string"},
  };
  for (const auto& [arrow_type, expected] : cases) {
    const auto type = ToIcebergType(*arrow_type, 2);
    ASSERT_TRUE(type.ok()) << arrow_type->ToString() << ": " << type.error().message;
    EXPECT_EQ(type->ToString(), Type::Parse(expected)->ToString()) << arrow_type->ToString();
  }
  EXPECT_EQ(ToIcebergType(*arrow::null(), 3)->kind(), TypeKind::kUnknown);
  EXPECT_EQ(ToIcebergType(*arrow::timestamp(arrow::TimeUnit::NANO, "UTC"), 3)->kind(),
            TypeKind::kTimestampTzNs);
}

TEST_F(ConvertTest, TypesWithoutExactCounterpartAreRefusedByColumn) {
  const auto nested = arrow::struct_({arrow::field("t", arrow::timestamp(arrow::TimeUnit::NANO))});
  const auto refused = ToIcebergFields(*arrow::schema({arrow::field("s", nested)}), 2);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().kind, ErrorKind::kData);
  EXPECT_NE(refused.error().message.find("column s: column t"), std::string::npos)
      << refused.error().message;
  EXPECT_FALSE(ToIcebergType(*arrow::decimal256(40, 2), 3).ok());
  EXPECT_FALSE(ToIcebergType(*arrow::time64(arrow::TimeUnit::NANO), 3).ok());
  EXPECT_FALSE(ToIcebergType(*arrow::duration(arrow::TimeUnit::MICRO), 3).ok());
  EXPECT_FALSE(ToArrowType(Type::Of(TypeKind::kGeometry)).ok());
}

TEST_F(ConvertTest, FieldsGetDistinctIds) {
  const auto fields = *ToIcebergFields(
      *arrow::schema({arrow::field("l", arrow::list(arrow::field("item", arrow::int32(), false))),
                      arrow::field("m", arrow::map(arrow::utf8(), arrow::struct_({arrow::field(
                                                                      "x", arrow::int8())}))),
                      arrow::field("z", arrow::int64(), false)}),
      2);
  ASSERT_TRUE(iceberg::Schema::Make(iceberg::SchemaId(0), fields).ok());
  EXPECT_TRUE(fields[0].type.fields()[0].required);
  EXPECT_TRUE(fields[2].required);
}

TEST_F(ConvertTest, WideningKeepsEveryValue) {
  ExpectConforms(FromJson(arrow::int8(), "[1, null, -128]"), Type::Long(), "[1, null, -128]");
  ExpectConforms(FromJson(arrow::uint64(), "[18446744073709551615]"), Type::Decimal(20, 0),
                 R"(["18446744073709551615"])");
  ExpectConforms(FromJson(arrow::int32(), "[7, null]"), Type::Decimal(5, 2), R"(["7.00", null])");
  ExpectConforms(FromJson(arrow::decimal128(5, 1), R"(["12.5"])"), Type::Decimal(9, 3),
                 R"(["12.500"])");
  ExpectConforms(FromJson(arrow::decimal256(50, 2), R"(["12.50", null])"), Type::Decimal(9, 2),
                 R"(["12.50", null])");
  ExpectConforms(FromJson(arrow::decimal64(9, 2), R"(["12.50", null])"), Type::Decimal(12, 2),
                 R"(["12.50", null])");
  ExpectConforms(FromJson(arrow::float32(), "[1.5]"), Type::Double(), "[1.5]");
  ExpectConforms(FromJson(arrow::float64(), "[1.5, NaN, -Inf]"), Type::Float(), "[1.5, NaN, -Inf]");
  ExpectConforms(FromJson(arrow::large_utf8(), R"(["a", null])"), Type::String(), R"(["a", null])");
  ExpectConforms(FromJson(arrow::utf8_view(), R"(["abcdefghijklmnopqrst"])"), Type::String(),
                 R"(["abcdefghijklmnopqrst"])");
  ExpectConforms(FromJson(arrow::binary(), R"(["ab", "cd"])"), Type::Fixed(2), R"(["ab", "cd"])");
  ExpectConforms(FromJson(arrow::date64(), "[86400000]"), Type::Date(), "[1]");
  ExpectConforms(FromJson(arrow::date32(), "[1]"), Type::Timestamp(), "[86400000000]");
  ExpectConforms(FromJson(arrow::time32(arrow::TimeUnit::MILLI), "[5]"), Type::Time(), "[5000]");
  ExpectConforms(FromJson(arrow::timestamp(arrow::TimeUnit::NANO), "[5000, -5000]"),
                 Type::Timestamp(), "[5, -5]");
  ExpectConforms(FromJson(arrow::timestamp(arrow::TimeUnit::SECOND, "+02:00"), "[5]"),
                 Type::TimestampTz(), "[5000000]");
  ExpectConforms(FromJson(arrow::null(), "[null, null]"), Type::Date(), "[null, null]");
  ExpectConforms(
      FromJson(arrow::dictionary(arrow::int8(), arrow::utf8()), R"(["b", null, "a", "b"])"),
      Type::String(), R"(["b", null, "a", "b"])");
}

TEST_F(ConvertTest, RunEndsAndExtensionTypesAreTakenOff) {
  const auto encoded =
      arrow::compute::RunEndEncode(FromJson(arrow::int32(), "[4, 4, null]")).ValueOrDie();
  ExpectConforms(encoded.make_array(), Type::Long(), "[4, 4, null]");
  const auto storage = FromJson(arrow::fixed_size_binary(16), R"(["0123456789abcdef", null])");
  const auto uuids = arrow::ExtensionType::WrapArray(arrow::extension::uuid(), storage);
  ExpectConforms(uuids, Type::UuidType(), R"(["0123456789abcdef", null])");
}

TEST_F(ConvertTest, ValuesThatDoNotFitAreNamedNeverChanged) {
  ExpectRefused(FromJson(arrow::int64(), "[1, 2, 2147483648]"), Type::Int(),
                "column c, row 2: 2147483648 does not fit int");
  ExpectRefused(FromJson(arrow::float64(), "[0.5, 0.1]"), Type::Float(), "row 1: 0.1");
  ExpectRefused(FromJson(arrow::float64(), "[1, 1.5]"), Type::Long(), "row 1: 1.5");
  ExpectRefused(FromJson(arrow::int64(), "[9007199254740993]"), Type::Double(),
                "row 0: 9007199254740993");
  ExpectRefused(FromJson(arrow::decimal128(5, 2), R"(["1.20", "1.25"])"), Type::Decimal(5, 1),
                "row 1: 1.25");
  ExpectRefused(FromJson(arrow::decimal128(5, 0), R"(["99999"])"), Type::Decimal(5, 1),
                "row 0: 99999");
  ExpectRefused(FromJson(arrow::int64(), "[10, 1000]"), Type::Decimal(4, 2), "row 1: 1000");
  ExpectRefused(FromJson(arrow::timestamp(arrow::TimeUnit::NANO), "[1000, null, 1001]"),
                Type::Timestamp(), "row 2: ");
  ExpectRefused(FromJson(arrow::binary(), R"(["ab", "abc"])"), Type::Fixed(2), "row 1: ");
  const std::string broken("\xff\xfe", 2);
  arrow::BinaryBuilder builder;
  ASSERT_TRUE(builder.Append(broken).ok());
  ExpectRefused(*builder.Finish(), Type::String(), "row 0: ");
}

TEST_F(ConvertTest, MeaningsAreNeverReinterpreted) {
  ExpectRefused(FromJson(arrow::utf8(), R"(["1"])"), Type::Long(),
                "column c: string does not become long exactly");
  ExpectRefused(FromJson(arrow::float64(), "[1]"), Type::Decimal(5, 2), "double does not become");
  ExpectRefused(FromJson(arrow::decimal128(5, 2), R"(["1.00"])"), Type::Double(),
                "does not become double");
  ExpectRefused(FromJson(arrow::timestamp(arrow::TimeUnit::MICRO), "[1]"), Type::TimestampTz(),
                "does not become timestamptz");
  ExpectRefused(FromJson(arrow::timestamp(arrow::TimeUnit::MICRO, "UTC"), "[1]"), Type::Timestamp(),
                "does not become timestamp");
  ExpectRefused(FromJson(arrow::boolean(), "[true]"), Type::Int(), "does not become int");
  ExpectRefused(FromJson(arrow::int32(), "[1]"), Type::Date(), "does not become date");
  ExpectRefused(FromJson(arrow::utf8(), R"(["a"])"), Type::Of(TypeKind::kUnknown),
                "does not become unknown");
}

TEST_F(ConvertTest, NestedValuesConformAndMisfitsNameTheOutermostRow) {
  const Type list = Type::List(FieldId(2), Type::Int(), false);
  ExpectConforms(FromJson(arrow::large_list(arrow::int64()), "[[1, 2], null, [], [3]]"), list,
                 "[[1, 2], null, [], [3]]");
  ExpectConforms(FromJson(arrow::fixed_size_list(arrow::int64(), 2), "[[1, 2], null, [3, 4]]"),
                 list, "[[1, 2], null, [3, 4]]");
  ExpectConforms(FromJson(arrow::list_view(arrow::int8()), "[[1, 2], null, [5]]"), list,
                 "[[1, 2], null, [5]]");
  ExpectConforms(FromJson(arrow::large_list_view(arrow::int8()), "[[1, 2], [5]]"), list,
                 "[[1, 2], [5]]");
  ExpectRefused(FromJson(arrow::list(arrow::int64()), "[[1], null, [], [2, 5000000000]]"), list,
                "column c.element, row 3: 5000000000");

  const Type map = Type::Map(FieldId(2), Type::String(), FieldId(3), Type::Int(), false);
  ExpectConforms(FromJson(arrow::map(arrow::utf8(), arrow::int64()),
                          R"([[["a", 1]], null, [["b", null], ["c", 2]]])"),
                 map, R"([[["a", 1]], null, [["b", null], ["c", 2]]])");
  ExpectRefused(
      FromJson(arrow::map(arrow::utf8(), arrow::int64()), R"([[["a", 1]], [["b", 5000000000]]])"),
      map, "column c.value, row 1: 5000000000");

  const Type inner = Type::List(FieldId(4), Type::Int(), false);
  const Type deep = Type::List(FieldId(2), Type::Struct({Optional(3, "a", inner)}), false);
  const auto from = arrow::list(arrow::struct_({arrow::field("a", arrow::list(arrow::int64()))}));
  ExpectRefused(FromJson(from, R"([[{"a": [1]}], [], [{"a": []}, {"a": [2, 3, 5000000000]}]])"),
                deep, "column c.element.a.element, row 2: 5000000000");
}

TEST_F(ConvertTest, SlicesConformLikeTheirRows) {
  const auto from = arrow::list(arrow::struct_({arrow::field("x", arrow::int64())}));
  const ArrayPtr whole = FromJson(
      from, R"([[{"x": 5000000000}], [{"x": 1}, null], null, [{"x": 3}], [{"x": 5000000000}]])");
  const Type type = Type::List(FieldId(2), Type::Struct({Optional(3, "x", Type::Int())}), false);
  ExpectConforms(whole->Slice(1, 3), type, R"([[{"x": 1}, null], null, [{"x": 3}]])");
  ExpectRefused(whole->Slice(1, 4), type, "row 3: 5000000000");

  const ArrayPtr structs = FromJson(arrow::struct_({arrow::field("x", arrow::int64())}),
                                    R"([{"x": 5000000000}, null, {"x": 2}, {"x": null}])");
  ExpectConforms(structs->Slice(1, 3), Type::Struct({Optional(3, "x", Type::Int())}),
                 R"([null, {"x": 2}, {"x": null}])");
}

TEST_F(ConvertTest, WhatANullHidesIsNoValue) {
  const ArrayPtr inner = FromJson(arrow::int64(), "[1, 5000000000]");
  const std::shared_ptr<arrow::Buffer> bitmap =
      FromJson(arrow::boolean(), "[true, false]")->data()->buffers[1];
  const auto structs =
      *arrow::StructArray::Make({inner}, {arrow::field("x", arrow::int64())}, bitmap);
  ExpectConforms(structs, Type::Struct({Optional(3, "x", Type::Int())}), R"([{"x": 1}, null])");
  const ArrayPtr offsets = FromJson(arrow::int32(), "[0, 1, 2]");
  const auto lists =
      *arrow::ListArray::FromArrays(*offsets, *inner, arrow::default_memory_pool(), bitmap);
  ExpectConforms(lists, Type::List(FieldId(2), Type::Int(), false), "[[1], null]");
}

TEST_F(ConvertTest, ColumnsAreFoundByNameAndMissingOnesFilled) {
  Field with_default = Required(3, "d", Type::Long());
  with_default.write_default = Value(int64_t{42});
  const auto schema =
      SchemaOf({Optional(1, "a", Type::Int()), Optional(2, "b", Type::String()), with_default});
  const ArrayPtr b = FromJson(arrow::utf8(), R"(["x", "y"])");
  const auto got = Conform(BatchOf("b", b), *schema);
  ASSERT_TRUE(got.ok()) << got.error().message;
  EXPECT_TRUE((*got)->schema()->Equals(**ToArrowSchema(*schema), true));
  EXPECT_EQ((*got)->column(0)->null_count(), 2);
  EXPECT_TRUE((*got)->column(1)->Equals(b));
  EXPECT_TRUE((*got)->column(2)->Equals(FromJson(arrow::int64(), "[42, 42]")));
}

TEST_F(ConvertTest, ColumnsThatWouldBeLostAreAnError) {
  const auto schema = SchemaOf({Optional(1, "amount", Type::Int())});
  const ArrayPtr one = FromJson(arrow::int32(), "[1]");
  const auto unknown = Conform(BatchOf("amuont", one), *schema);
  ASSERT_FALSE(unknown.ok());
  EXPECT_NE(unknown.error().message.find("did you mean 'amount'"), std::string::npos)
      << unknown.error().message;
  const auto twice = Conform(
      arrow::RecordBatch::Make(
          arrow::schema({arrow::field("amount", one->type()), arrow::field("amount", one->type())}),
          1, {one, one}),
      *schema);
  ASSERT_FALSE(twice.ok());
  EXPECT_NE(twice.error().message.find("twice"), std::string::npos);
  const auto missing =
      Conform(BatchOf("amount", one),
              *SchemaOf({Optional(1, "amount", Type::Int()), Required(2, "id", Type::Int())}));
  ASSERT_FALSE(missing.ok());
  EXPECT_NE(missing.error().message.find("column id is required"), std::string::npos);
}

TEST_F(ConvertTest, SingleValuesGoInAndOutOfArrays) {
  iceberg::Uuid uuid{};
  uuid[0] = 0xf0;
  uuid[15] = 7;
  const iceberg::Int128 big = (static_cast<iceberg::Int128>(1) << 100) + 12345;
  const std::vector<std::pair<Type, Value>> cases = {
      {Type::Boolean(), Value(true)},
      {Type::Int(), Value(int32_t{-5})},
      {Type::Long(), Value(int64_t{1} << 40)},
      {Type::Float(), Value(1.25F)},
      {Type::Double(), Value(-2.5)},
      {Type::Decimal(38, 3), Value(iceberg::Decimal{-big})},
      {Type::Decimal(4, 2), Value(iceberg::Decimal{1234})},
      {Type::Date(), Value(int32_t{20000})},
      {Type::Time(), Value(int64_t{1})},
      {Type::Timestamp(), Value(int64_t{-1})},
      {Type::TimestampTz(), Value(int64_t{17})},
      {Type::Of(TypeKind::kTimestampNs), Value(int64_t{18})},
      {Type::Of(TypeKind::kTimestampTzNs), Value(int64_t{19})},
      {Type::String(), Value(std::string("é\0x", 4))},
      {Type::Binary(), Value(std::string("\xff\0", 2))},
      {Type::Fixed(3), Value(std::string("abc"))},
      {Type::UuidType(), Value(uuid)},
  };
  for (const auto& [type, value] : cases) {
    SCOPED_TRACE(type.ToString());
    const auto repeated = Repeat(type, value, 3);
    ASSERT_TRUE(repeated.ok()) << repeated.error().message;
    ASSERT_EQ((*repeated)->length(), 3);
    EXPECT_EQ(ValueAt(**repeated, 2, type), value);
    const auto nulls = Repeat(type, Value::Null(), 2);
    ASSERT_TRUE(nulls.ok());
    EXPECT_TRUE((*nulls)->type()->Equals(**ToArrowType(type)));
    EXPECT_TRUE(ValueAt(**nulls, 1, type).is_null());
    const auto none = Repeat(type, value, 0);
    ASSERT_TRUE(none.ok());
    EXPECT_EQ((*none)->length(), 0);
  }
  EXPECT_FALSE(Repeat(Type::Fixed(4), Value(std::string("abc")), 1).ok());
}

TEST_F(ConvertTest, BytesOfASliceAreThoseOfItsRows) {
  arrow::Int64Builder builder;
  ASSERT_TRUE(builder.AppendValues(std::vector<int64_t>(1000, 1)).ok());
  const Batch batch = BatchOf("c", *builder.Finish());
  EXPECT_EQ(BatchBytes(*batch), 8000);
  EXPECT_EQ(BatchBytes(*batch->Slice(10, 100)), 800);
}

class Carried : public arrow::StatusDetail, public ErrorCarrier {
 public:
  const char* type_id() const override { return "test"; }
  std::string ToString() const override { return "carried"; }
  const Error& carried_error() const override { return error_; }

 private:
  Error error_ = TransientError("the store said 503");
};

TEST_F(ConvertTest, ErrorsCarriedThroughArrowComeOutWhole) {
  const Status out =
      StatusOf(arrow::Status(arrow::StatusCode::IOError, "x", std::make_shared<Carried>()));
  EXPECT_EQ(out.error(), TransientError("the store said 503"));
  EXPECT_EQ(StatusOf(arrow::Status::Invalid("bad")).error().kind, ErrorKind::kData);
  EXPECT_EQ(StatusOf(arrow::Status::Cancelled("")).error().kind, ErrorKind::kStopped);
  EXPECT_EQ(StatusOf(arrow::Status::OutOfMemory("")).error().kind, ErrorKind::kRefused);
  EXPECT_TRUE(StatusOf(arrow::Status::OK()).ok());
}

}  // namespace
}  // namespace calve::columnar

#include "columnar/variant_encode.h"

#include <arrow/array/array_nested.h>
#include <arrow/builder.h>
#include <arrow/json/from_string.h>
#include <arrow/record_batch.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "columnar/convert.h"
#include "columnar/text_column.h"
#include "columnar/variant.h"
#include "columnar/variant_array.h"
#include "columnar/variant_json.h"
#include "iceberg/bytes.h"

namespace calve::columnar {
namespace {

using iceberg::FieldId;
using iceberg::Type;
using iceberg::TypeKind;
using ::testing::HasSubstr;

/// Metadata and value in hexadecimal digits, as Parquet's VariantEncoding.md lays them out.
std::string Encoded(std::string_view json) {
  VariantEncoder encoder;
  if (const Status status = encoder.Encode(json); !status.ok()) {
    EXPECT_EQ(status.error().kind, ErrorKind::kData);
    return "fails: " + status.error().message;
  }
  return iceberg::ToHex(encoder.metadata()) + " " + iceberg::ToHex(encoder.value());
}

std::string Value(std::string_view json) {
  const std::string encoded = Encoded(json);
  EXPECT_EQ(encoded.substr(0, 7), "010000 ") << encoded;
  return encoded.substr(7);
}

TEST(VariantEncodeTest, WholeNumbersTakeTheFewestBytes) {
  EXPECT_EQ(Value("0"), "0c00");
  EXPECT_EQ(Value("-128"), "0c80");
  EXPECT_EQ(Value("128"), "108000");
  EXPECT_EQ(Value("-32769"), "14ff7fffff");
  EXPECT_EQ(Value("2147483648"), "180000008000000000");
  EXPECT_EQ(Value("-9223372036854775808"), "180000000000000080");
  EXPECT_EQ(Value("9223372036854775807"), "18ffffffffffffff7f");
}

TEST(VariantEncodeTest, DecimalsKeepTheirDigitsAndScale) {
  EXPECT_EQ(Value("1.50"), "200296000000");
  EXPECT_EQ(Value("-0.1"), "2001ffffffff");
  EXPECT_EQ(Value("0.000"), "200300000000");
  EXPECT_EQ(Value("9999999.99"), "2002ffc99a3b");
  EXPECT_EQ(Value("99999999.99"), "2402ffe30b5402000000");
  // A scale of ten does not fit nine digits, though the value does.
  EXPECT_EQ(Value("0.0000000001"), "240a0100000000000000");
  EXPECT_EQ(Value("9223372036854775808"), "280000000000000000800000000000000000");
  EXPECT_EQ(Value("18446744073709551616"), "280000000000000000000100000000000000");
  EXPECT_EQ(Value("99999999999999999999999999999999999999"),
            "2800ffffffff3f228a097ac4865aa84c3b4b");
}

TEST(VariantEncodeTest, AnExponentSaysDouble) {
  EXPECT_EQ(Value("1e0"), "1c000000000000f03f");
  EXPECT_EQ(Value("-2.5E-1"), "1c000000000000d0bf");
}

TEST(VariantEncodeTest, TextsAreShortUpTo63Bytes) {
  EXPECT_EQ(Value("\"\""), "01");
  EXPECT_EQ(Value("\"\\u00e9\""), "09c3a9");
  const std::string text(63, 'x');
  EXPECT_EQ(Value('"' + text + '"').substr(0, 4), "fd78");
  EXPECT_EQ(Value('"' + text + "x\"").substr(0, 12), "404000000078");
}

TEST(VariantEncodeTest, NullTrueAndFalse) {
  EXPECT_EQ(Value("null"), "00");
  EXPECT_EQ(Value(" true "), "04");
  EXPECT_EQ(Value("false"), "08");
}

TEST(VariantEncodeTest, ArraysAndObjects) {
  EXPECT_EQ(Value("[]"), "030000");
  EXPECT_EQ(Value("{}"), "020000");
  EXPECT_EQ(Value("[1, null, [2]]"),
            "03030002"
            "0309"
            "0c01"
            "00"
            "030100020c02");
  // Metadata: sorted; two names. Value: ids in the order of the names.
  EXPECT_EQ(Encoded(R"({"a": 1, "b": true})"),
            "1102000102"
            "6162"
            " "
            "02020001"
            "000203"
            "0c0104");
}

TEST(VariantEncodeTest, NamesHaveIdsAsTheyComeAndFieldsStandByName) {
  // b is name 0, a is name 1: the metadata does not say sorted, the object has a first.
  EXPECT_EQ(Encoded(R"({"b": 1, "a": {"b": 2}})"),
            "0102000102"
            "6261"
            " "
            "0202"
            "0100"
            "000709"
            "02010000020c02"
            "0c01");
}

TEST(VariantEncodeTest, OffsetsAndIdsGrowWithWhatTheyCount) {
  std::string many = "{";
  std::string list = "[";
  for (int i = 0; i < 300; ++i) {
    many += fmt::format("{}\"k{:03}\": {}", i == 0 ? "" : ",", i, i % 100);
    list += fmt::format("{}{}", i == 0 ? "" : ",", i % 100);
  }
  // Large (more than 255 items), offsets of 2 bytes, ids of 2 bytes: 0x10 | 1 << 2 | 1, as object.
  EXPECT_EQ(Encoded(many + "}").substr(0, 6), "512c01");
  EXPECT_THAT(Encoded(many + "}"), HasSubstr(" 562c0100000000"));
  EXPECT_EQ(Value(list + "]").substr(0, 10), "172c010000");
}

TEST(VariantEncodeTest, WhatIsEncodedPrintsAsItWas) {
  for (const char* json :
       {R"({"id":1,"tags":["a","b"],"deep":{"x":[{"y":null},[]],"z":-1.50}})",
        R"([1.5e+300,99999999999999999999.50,"\u0001",true,{"":{}}])", R"("é𝄞")"}) {
    VariantEncoder encoder;
    ASSERT_TRUE(encoder.Encode(json).ok()) << json;
    const auto text = VariantToJson(encoder.metadata(), encoder.value());
    ASSERT_TRUE(text.ok()) << text.error().message;
    VariantEncoder again;
    ASSERT_TRUE(again.Encode(*text).ok());
    EXPECT_EQ(VariantToJson(again.metadata(), again.value()).value(), *text);
  }
}

TEST(VariantEncodeTest, FaultsAreSaid) {
  EXPECT_THAT(Encoded(""), HasSubstr("no JSON from byte"));
  EXPECT_THAT(Encoded("abc"), HasSubstr("texts stand in double quotes"));
  EXPECT_THAT(Encoded("[1] 2"), HasSubstr("no JSON from byte 5 on"));
  EXPECT_THAT(Encoded("{\"a\": 1, \"b\": 2, \"a\": 3}"), HasSubstr("the field \"a\" twice"));
  EXPECT_THAT(Encoded("[0.123456789012345678901234567890123456789]"),
              HasSubstr("more than 38 digits"));
  EXPECT_THAT(Encoded("1000000000000000000000000000000000000000"),
              HasSubstr("more than 38 digits"));
  EXPECT_THAT(Encoded("1e999"), HasSubstr("beyond the largest double"));
  EXPECT_THAT(Encoded("\"\xff\""), HasSubstr("no JSON"));
}

TEST(VariantEncodeTest, DepthAndSizeHaveAnEnd) {
  const auto nested = [](int depth) {
    return std::string(static_cast<size_t>(depth), '[') +
           std::string(static_cast<size_t>(depth), ']');
  };
  VariantEncoder encoder;
  EXPECT_TRUE(encoder.Encode(nested(kVariantDepthMax)).ok());
  EXPECT_TRUE(VariantToJson(encoder.metadata(), encoder.value()).ok());
  EXPECT_THAT(Encoded(nested(kVariantDepthMax + 1)),
              HasSubstr("more than 1000 objects and arrays"));

  VariantEncoder small(10);
  EXPECT_TRUE(small.Encode("\"123456789\"").ok());
  EXPECT_THAT(small.Encode("\"1234567890\"").error().message, HasSubstr("of 10 at most"));
  EXPECT_THAT(small.Encode("[1, 2, 3, 4]").error().message, HasSubstr("of 10 at most"));
  EXPECT_THAT(small.Encode("{\"a long name\": 1}").error().message,
              HasSubstr("names of more than"));
}

iceberg::SchemaPtr TableWith(Type type) {
  return iceberg::Schema::Make(iceberg::SchemaId(0),
                               {{.id = FieldId(1), .name = "v", .type = std::move(type)}})
      .value();
}

TEST(VariantEncodeTest, JsonTextsConformToVariants) {
  const auto texts =
      arrow::json::ArrayFromJSONString(arrow::utf8(), R"(["[1]", null, "null"])").ValueOrDie();
  const auto schema = TableWith(Type::Of(TypeKind::kVariant));
  const auto rows = Conform(
      arrow::RecordBatch::Make(arrow::schema({arrow::field("v", arrow::utf8())}), 3, {texts}),
      *schema);
  ASSERT_TRUE(rows.ok()) << rows.error().message;
  ASSERT_TRUE(IsVariantType(*(*rows)->column(0)->type()));
  const auto shown = WithVariantText(*rows, *schema).value();
  EXPECT_EQ(shown->column(0)->ToString(), "[\n  \"[1]\",\n  null,\n  \"null\"\n]");
}

TEST(VariantEncodeTest, AMisfitIsNamedByRowAndWhatIsNoTextIsRefused) {
  const auto schema = TableWith(Type::List(FieldId(2), Type::Of(TypeKind::kVariant), false));
  const auto conform = [&](const std::shared_ptr<arrow::DataType>& type, const char* json) {
    const auto array = arrow::json::ArrayFromJSONString(arrow::list(type), json).ValueOrDie();
    return Conform(arrow::RecordBatch::Make(arrow::schema({arrow::field("v", array->type())}),
                                            array->length(), {array}),
                   *schema);
  };
  EXPECT_TRUE(conform(arrow::large_utf8(), R"([["1", "2"], null, []])").ok());
  EXPECT_EQ(conform(arrow::utf8(), R"([["1"], ["2", "x"]])").error().message,
            "column v.element, row 1: a text is no variant: no JSON from byte 1 on; texts stand in "
            "double quotes there");
  EXPECT_THAT(conform(arrow::int64(), "[[1]]").error().message,
              HasSubstr("give its values as JSON"));
}

TEST(VariantEncodeTest, TextSourcesGiveVariantsThatATableKnows) {
  const auto type = TextType(Type::Of(TypeKind::kVariant)).value();
  EXPECT_EQ(ToIcebergType(*type, 3)->ToString(), "variant");
  EXPECT_THAT(ToIcebergType(*type, 2).error().message, HasSubstr("version 3"));
  const auto column = MakeTextColumn(type, {}).value();
  std::vector<int64_t> misfits;
  const std::vector<TextValue> values{
      {.text = "{\"a\": 1}"}, {.text = "", .null = true}, {.text = "{"}};
  ASSERT_TRUE(column->Append(values, &misfits).ok());
  EXPECT_EQ(misfits, std::vector<int64_t>{2});
  EXPECT_EQ((*column->Finish())->null_count(), 2);
  EXPECT_THAT(MisfitReason("{", *type, {}), HasSubstr("'{' is no variant: no JSON from byte"));
}

TEST(VariantEncodeTest, AStructOfATableIsNoVariantThoughItsFieldsAreCalledSo) {
  const Type like = Type::Struct(
      {{.id = FieldId(2), .name = "metadata", .type = Type::Binary(), .required = true},
       {.id = FieldId(3), .name = "value", .type = Type::Binary(), .required = true}});
  EXPECT_FALSE(IsVariantType(**ToArrowType(like)));
  EXPECT_TRUE(IsVariantType(**ToArrowType(Type::Of(TypeKind::kVariant))));
}

/// Any JSON text comes back as it was, whatever its shape.
TEST(VariantEncodeTest, RandomJsonComesBack) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  const std::function<std::string(int)> make = [&](int depth) -> std::string {
    const auto kind = random() % (depth > 4 ? 5 : 7);
    std::string text;
    switch (kind) {
      case 0:
        return random() % 2 == 0 ? "null" : "true";
      case 1:
        return std::to_string(static_cast<int64_t>(random()) << (random() % 32));
      case 2:
        return fmt::format("{}.{:03}", static_cast<int>(random() % 2000) - 1000, random() % 1000);
      case 3:
        return "\"" + std::string(random() % 80, 'q') + "\"";
      case 4:
        return fmt::format("{}", std::ldexp(static_cast<double>(random()), 200));
      case 5:
        for (unsigned i = 0; i < random() % 5; ++i) text += (i == 0 ? "" : ",") + make(depth + 1);
        return "[" + text + "]";
      default:
        for (unsigned i = 0; i < 4; ++i)
          if (random() % 2 == 0)
            text += (text.empty() ? "\"" : ",\"") + std::string(1, static_cast<char>('a' + i)) +
                    "\":" + make(depth + 1);
        return "{" + text + "}";
    }
  };
  for (int i = 0; i < 500; ++i) {
    const std::string json = make(0);
    VariantEncoder encoder;
    ASSERT_TRUE(encoder.Encode(json).ok()) << json;
    EXPECT_EQ(VariantToJson(encoder.metadata(), encoder.value()).value(), json);
  }
}

}  // namespace
}  // namespace calve::columnar

#include "columnar/variant.h"

#include <arrow/array/array_binary.h>
#include <arrow/array/array_nested.h>
#include <arrow/builder.h>
#include <arrow/json/from_string.h>
#include <gtest/gtest.h>

#include <random>

#include "columnar/arrow_status.h"
#include "columnar/variant_build.h"
#include "columnar/variant_json.h"
#include "iceberg/bytes.h"

namespace calve::columnar {
namespace {

using iceberg::FieldId;
using iceberg::Type;
using iceberg::TypeKind;

/// Bytes from hexadecimal digits in groups.
std::string Hex(std::string_view groups) {
  std::string digits;
  for (const char c : groups) {
    if (c != ' ') digits += c;
  }
  return *iceberg::FromHex(digits);
}

const std::string kNoNames = Hex("01 00 00");
/// a, b, c
const std::string kAbc = Hex("11 03 00 01 02 03 61 62 63");

std::string Text(std::string_view metadata, std::string_view value) {
  const auto text = VariantToJson(metadata, value);
  if (text.ok()) return *text;
  EXPECT_EQ(text.error().kind, ErrorKind::kData);
  return "fails: " + text.error().message;
}
std::string Text(std::string_view hex_of_value) { return Text(kNoNames, Hex(hex_of_value)); }

void ExpectBroken(std::string_view metadata, std::string_view value, std::string_view part) {
  const auto text = VariantToJson(metadata, value);
  ASSERT_FALSE(text.ok()) << *text;
  EXPECT_EQ(text.error().kind, ErrorKind::kData);
  EXPECT_NE(text.error().message.find(part), std::string::npos) << text.error().message;
}

TEST(VariantTest, PrimitivesArePrintedWithoutLoss) {
  EXPECT_EQ(Text("00"), "null");
  EXPECT_EQ(Text("04"), "true");
  EXPECT_EQ(Text("08"), "false");
  EXPECT_EQ(Text("0c 80"), "-128");
  EXPECT_EQ(Text("10 d204"), "1234");
  EXPECT_EQ(Text("14 00000080"), "-2147483648");
  EXPECT_EQ(Text("18 0100000000002000"), "9007199254740993");
  EXPECT_EQ(Text("18 0000000000000080"), "-9223372036854775808");
}

TEST(VariantTest, FloatsPrintTheFewestDigitsThatReadBack) {
  EXPECT_EQ(Text("1c 9a9999999999b93f"), "0.1");
  EXPECT_EQ(Text("1c 000000000000f03f"), "1.0");
  EXPECT_EQ(Text("1c 0000000000000080"), "-0.0");
  EXPECT_EQ(Text("1c 9c7500883ce4377e"), "1e+300");
  EXPECT_EQ(Text("38 cdcccc3d"), "0.1");
  EXPECT_EQ(Text("1c 000000000000f87f"), R"("NaN")");
  EXPECT_EQ(Text("38 0000807f"), R"("Infinity")");
  EXPECT_EQ(Text("1c 000000000000f0ff"), R"("-Infinity")");
}

TEST(VariantTest, DecimalsKeepTheirScale) {
  EXPECT_EQ(Text("20 02 d2040000"), "12.34");
  EXPECT_EQ(Text("20 02 78000000"), "1.20");
  EXPECT_EQ(Text("20 00 ffffffff"), "-1");
  EXPECT_EQ(Text("24 05 0100000000000000"), "0.00001");
  EXPECT_EQ(Text("28 0a ffffffff3f228a097ac4865aa84c3b4b"),
            "9999999999999999999999999999.9999999999");
  EXPECT_EQ(Text("28 26 00000000000000000000000000000080"),
            "-1.70141183460469231731687303715884105728");
  ExpectBroken(kNoNames, Hex("20 27 00000000"), "scale 39");
}

TEST(VariantTest, MomentsAreIsoText) {
  EXPECT_EQ(Text("2c ffffffff"), R"("1969-12-31")");
  EXPECT_EQ(Text("30 ffffffffffffffff"), R"("1969-12-31T23:59:59.999999+00:00")");
  EXPECT_EQ(Text("34 0100000000000000"), R"("1970-01-01T00:00:00.000001")");
  EXPECT_EQ(Text("44 0070a3c913000000"), R"("23:36:27.31008")");
  EXPECT_EQ(Text("48 ffffffffffffffff"), R"("1969-12-31T23:59:59.999999999+00:00")");
  EXPECT_EQ(Text("4c 0100000000000000"), R"("1970-01-01T00:00:00.000000001")");
  EXPECT_EQ(Text("30 ffffffffffffff7f"), R"("+294247-01-10T04:00:54.775807+00:00")");
  EXPECT_EQ(Text("2c 00000080"), R"("-5877641-06-23")");
  ExpectBroken(kNoNames, Hex("44 ffffffffffffffff"), "no time of day");
  ExpectBroken(kNoNames, Hex("44 0060d71d14000000"), "86400000000");
}

TEST(VariantTest, StringsBytesAndUuidsAreText) {
  EXPECT_EQ(Text("01"), R"("")");
  EXPECT_EQ(Text("0d c3a922"), R"("é\"")");
  EXPECT_EQ(Text("40 02000000 0061"), R"("\u0000a")");
  EXPECT_EQ(Text("3c 04000000 ff00fe01"), R"("/wD+AQ==")");
  EXPECT_EQ(Text("50 f24f9b64 81fa 49d1 b74e 8c09a6e31c56"),
            R"("f24f9b64-81fa-49d1-b74e-8c09a6e31c56")");
  ExpectBroken(kNoNames, Hex("05 ff"), "UTF-8");
  ExpectBroken(kNoNames, Hex("40 01000000 ff"), "UTF-8");
}

TEST(VariantTest, ObjectsAndArraysNest) {
  EXPECT_EQ(Text("03 00 00"), "[]");
  EXPECT_EQ(Text("03 02 00 01 03 00 0c01"), "[null,1]");
  EXPECT_EQ(Text("02 00 00"), "{}");
  EXPECT_EQ(Text(kAbc, Hex("02 02 0002 00 01 04  00 03 00 00")), R"({"a":null,"c":[]})");
  // Values in another order than their names.
  EXPECT_EQ(Text(kAbc, Hex("02 02 0001 02 00 04  0c02 0c01")), R"({"a":1,"b":2})");
  // Two bytes for ids and offsets, four for the number of items.
  EXPECT_EQ(Text(kAbc, Hex("56 02000000 0000 0100  0000 0200 0400  0c01 0c02")),
            R"({"a":1,"b":2})");
  EXPECT_EQ(Text("1f 01000000 00000000 01000000 04"), "[true]");
}

TEST(VariantTest, MetadataWithWideOffsetsAndTrailingBytesIsRead) {
  EXPECT_EQ(Text(Hex("41 0100 0000 0100 61"), Hex("02 01 00 00 01 00")), R"({"a":null})");
  EXPECT_EQ(Text(Hex("01 01 00 01 61 ff"), Hex("02 01 00 00 01 00")), R"({"a":null})");
}

TEST(VariantTest, NamesAreWrittenAsJson) {
  EXPECT_EQ(Text(Hex("01 01 00 03 0a225c"), Hex("02 01 00 00 01 00")), R"({"\n\"\\":null})");
}

TEST(VariantTest, WhatIsBrokenIsNamed) {
  ExpectBroken("", Hex("00"), "metadata's header");
  ExpectBroken(Hex("02 00 00"), Hex("00"), "version 2");
  ExpectBroken(Hex("c1 ffffffff 00"), Hex("00"), "list of names");
  ExpectBroken(kNoNames, "", "no bytes");
  ExpectBroken(kNoNames, Hex("14 0000"), "takes 5 bytes, and 3 are left");
  ExpectBroken(kNoNames, Hex("40 ffffffff"), "takes 4294967300 bytes");
  ExpectBroken(kNoNames, Hex("54"), "primitive type 21");
  ExpectBroken(kNoNames, Hex("fc"), "primitive type 63");
  ExpectBroken(kNoNames, Hex("02 01 00 00 01 00"), "the name 0 of 0");
  ExpectBroken(kAbc, Hex("02 01 03 00 01 00"), "the name 3 of 3");
  ExpectBroken(Hex("01 01 00 02 61"), Hex("02 01 00 00 01 00"), "leads out of its metadata");
  ExpectBroken(Hex("01 02 00 05 01 6161616161"), Hex("02 01 01 00 01 00"), "leads out");
  ExpectBroken(Hex("01 01 00 01 ff"), Hex("02 01 00 00 01 00"), "UTF-8");
  ExpectBroken(kAbc, Hex("02 02 0000 00 01 02 00 00"), R"(the field "a" twice)");
  // b, a, b: out of order too.
  ExpectBroken(kAbc, Hex("02 03 010001 00 01 02 03 00 00 00"), R"(the field "b" twice)");
  ExpectBroken(kNoNames, Hex("07 ffffffff"), "list of offsets");
  ExpectBroken(kNoNames, Hex("03 01 00 ff 00"), "values");
  ExpectBroken(kNoNames, Hex("03 02 00 05 02 00 00"), "item 1 begins behind the last");
  ExpectBroken(kNoNames, Hex("03 01 00 01 0c"), "takes 2 bytes");
  ExpectBroken(kNoNames, Hex("03 02 00 00 01 00"), "overlap");
}

TEST(VariantTest, DepthIsBounded) {
  const auto nested = [](int depth) {
    std::string value(1, '\0');
    for (int i = 0; i < depth; ++i) {
      std::string outer;
      EXPECT_TRUE(AppendVariantArray({value}, outer).ok());
      value = std::move(outer);
    }
    return value;
  };
  EXPECT_EQ(Text(kNoNames, nested(kVariantDepthMax)),
            std::string(kVariantDepthMax, '[') + "null" + std::string(kVariantDepthMax, ']'));
  ExpectBroken(kNoNames, nested(kVariantDepthMax + 1), "more than 1000");
}

TEST(VariantTest, TextIsBounded) {
  const std::string value = Hex("03 02 00 02 04 0c01 0c02");
  EXPECT_TRUE(VariantToJson(kNoNames, value, 5).ok());
  EXPECT_FALSE(VariantToJson(kNoNames, value, 4).ok());
}

/// A variant of every form, for what follows.
std::string Rich() {
  std::string inner;
  EXPECT_TRUE(
      AppendVariantArray({Hex("00"), Hex("18 0100000000002000"), Hex("05 78")}, inner).ok());
  std::string decimal = Hex("20 02 d2040000");
  std::string value;
  EXPECT_TRUE(AppendVariantObject({{.name = "c", .id = 2, .value = inner},
                                   {.name = "a", .id = 0, .value = decimal},
                                   {.name = "b", .id = 1, .value = Hex("40 02000000 6162")}},
                                  value)
                  .ok());
  return value;
}

TEST(VariantTest, BuiltValuesReadBack) {
  EXPECT_EQ(Text(kAbc, Rich()), R"({"a":12.34,"b":"ab","c":[null,9007199254740993,"x"]})");
  std::string value;
  AppendVariantString(std::string(63, 'x'), value);
  EXPECT_EQ(value.size(), 64u);
  value.clear();
  AppendVariantString(std::string(64, 'x'), value);
  EXPECT_EQ(value.size(), 69u);
  EXPECT_EQ(Text(kNoNames, value), '"' + std::string(64, 'x') + '"');
  // More items than a byte counts, more bytes than a byte counts.
  value.clear();
  ASSERT_TRUE(AppendVariantArray(std::vector<std::string>(300, Hex("0c07")), value).ok());
  const auto items = VariantItems::Parse(value);
  ASSERT_TRUE(items.ok());
  EXPECT_EQ(items->size(), 300u);
  EXPECT_EQ(items->At(299), Hex("0c07"));
  value.clear();
  EXPECT_FALSE(AppendVariantObject({{.name = "a", .id = 0, .value = Hex("00")},
                                    {.name = "a", .id = 0, .value = Hex("00")}},
                                   value)
                   .ok());
}

TEST(VariantTest, NamesAreFoundWhereverTheyStand) {
  const auto names = VariantNames::Parse(kAbc);
  ASSERT_TRUE(names.ok());
  EXPECT_EQ(names->size(), 3u);
  EXPECT_EQ(names->Find("b", 1), 1u);
  EXPECT_EQ(names->Find("c", 1), 2u);
  EXPECT_EQ(names->Find("a", 77), 0u);
  EXPECT_EQ(names->Find("d", 0), std::nullopt);
}

TEST(VariantTest, CutOrDamagedBytesNeverLeadOutOfThem) {
  const std::string value = Rich();
  // Copies of the exact size, so that a step too far is seen.
  const auto look = [](const std::string& metadata, const std::string& bytes) {
    const std::vector<char> exact_metadata(metadata.begin(), metadata.end());
    const std::vector<char> exact(bytes.begin(), bytes.end());
    const auto text =
        VariantToJson({exact_metadata.data(), exact_metadata.size()}, {exact.data(), exact.size()});
    EXPECT_TRUE(text.ok() || text.error().kind == ErrorKind::kData) << text.error().message;
    return text.ok();
  };
  for (size_t size = 0; size < value.size(); ++size)
    EXPECT_FALSE(look(kAbc, value.substr(0, size))) << size;
  for (size_t size = 0; size < kAbc.size(); ++size)
    EXPECT_FALSE(look(kAbc.substr(0, size), value)) << size;
  std::minstd_rand random(1);
  for (int i = 0; i < 20'000; ++i) {
    std::string metadata = kAbc;
    std::string bytes = value;
    for (auto changes = random() % 3 + 1; changes > 0; --changes) {
      std::string& damaged = random() % 4 == 0 ? metadata : bytes;
      damaged[random() % damaged.size()] = static_cast<char>(random());
    }
    look(metadata, bytes);
  }
}

class VariantTextTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { ASSERT_TRUE(StartArrow().ok()); }

  static iceberg::Field Column(int id, std::string name, Type type) {
    return {.id = FieldId(id), .name = std::move(name), .type = std::move(type)};
  }
};

TEST_F(VariantTextTest, VariantsBecomeTextAtEveryDepth) {
  const Type variant = Type::Of(TypeKind::kVariant);
  const auto schema = *iceberg::Schema::Make(
      iceberg::SchemaId(0),
      {Column(1, "n", Type::Int()), Column(2, "v", variant),
       Column(3, "s", Type::Struct({Column(4, "v", variant), Column(5, "k", Type::Int())})),
       Column(6, "l", Type::List(FieldId(7), variant, false)),
       Column(8, "m", Type::Map(FieldId(9), Type::String(), FieldId(10), variant, false))});
  // "\u0001\u0000\u0000" is metadata without names; \f\u0001 is the int8 1, \u0004 true.
  const auto rows = *arrow::RecordBatch::FromStructArray(
      *arrow::json::ArrayFromJSONString(*ToArrowType(schema->as_struct()), R"([
    {"n": 1, "v": {"metadata": "\u0001\u0000\u0000", "value": "\f\u0001"},
     "s": {"v": {"metadata": "\u0001\u0000\u0000", "value": "\u0004"}, "k": 5},
     "l": [{"metadata": "\u0001\u0000\u0000", "value": "\f\u0002"}, null],
     "m": [["x", {"metadata": "\u0001\u0000\u0000", "value": "\u0000"}]]},
    {"n": 2, "v": null, "s": null, "l": null, "m": null},
    {"n": 3, "v": {"metadata": "\u0001\u0000\u0000", "value": "\u0000"}, "s": {"v": null, "k": 6},
     "l": [], "m": [["y", null]]}])"));
  const auto expected = arrow::json::ArrayFromJSONString(
      arrow::struct_({arrow::field("n", arrow::int32()), arrow::field("v", arrow::large_utf8()),
                      arrow::field("s", arrow::struct_({arrow::field("v", arrow::large_utf8()),
                                                        arrow::field("k", arrow::int32())})),
                      arrow::field("l", arrow::list(arrow::field("element", arrow::large_utf8()))),
                      arrow::field("m", arrow::map(arrow::utf8(),
                                                   arrow::field("value", arrow::large_utf8())))}),
      R"([{"n": 1, "v": "1", "s": {"v": "true", "k": 5}, "l": ["2", null], "m": [["x", "null"]]},
          {"n": 2, "v": null, "s": null, "l": null, "m": null},
          {"n": 3, "v": "null", "s": {"v": null, "k": 6}, "l": [], "m": [["y", null]]}])");
  for (const int64_t offset : {0, 1}) {
    const auto text = WithVariantText(rows->Slice(offset), *schema);
    ASSERT_TRUE(text.ok()) << text.error().message;
    ASSERT_TRUE((*text)->ValidateFull().ok()) << (*text)->ValidateFull().ToString();
    const auto found = *(*text)->ToStructArray();
    EXPECT_TRUE(found->Equals(*(*expected)->Slice(offset))) << found->ToString();
  }
}

TEST_F(VariantTextTest, WhatLiesInANullStructIsNotLookedAt) {
  const Type variant = Type::Of(TypeKind::kVariant);
  iceberg::Field inner = Column(2, "v", variant);
  inner.required = true;
  const auto schema =
      *iceberg::Schema::Make(iceberg::SchemaId(0), {Column(1, "s", Type::Struct({inner}))});
  // As Parquet gives a required variant in a null struct: no bytes at all.
  const auto empty = *arrow::json::ArrayFromJSONString(*ToArrowType(variant),
                                                       R"([{"metadata": "", "value": ""}])");
  const auto type = *ToArrowType(schema->fields()[0].type);
  const auto rows = [&](bool is_null) {
    std::shared_ptr<arrow::Buffer> validity = *arrow::AllocateBuffer(1);
    validity->mutable_data()[0] = is_null ? 0 : 1;
    const auto outer = arrow::MakeArray(
        arrow::ArrayData::Make(type, 1, {validity}, {empty->data()}, is_null ? 1 : 0));
    return arrow::RecordBatch::Make(*ToArrowSchema(*schema), 1, {outer});
  };
  const auto text = WithVariantText(rows(true), *schema);
  ASSERT_TRUE(text.ok()) << text.error().message;
  EXPECT_EQ((*text)->column(0)->null_count(), 1);
  const auto broken = WithVariantText(rows(false), *schema);
  ASSERT_FALSE(broken.ok());
  EXPECT_NE(broken.error().message.find("column s: a broken variant"), std::string::npos)
      << broken.error().message;
}

}  // namespace
}  // namespace calve::columnar

#include "iceberg/metrics.h"

#include <gtest/gtest.h>

#include <limits>

#include "base/text.h"
#include "iceberg/table_for_test.h"

namespace calve::iceberg {
namespace {

SchemaPtr SchemaOfStrings(int count) {
  std::vector<Field> fields;
  for (int i = 1; i <= count; ++i) {
    fields.push_back({.id = FieldId(i), .name = "c" + std::to_string(i), .type = Type::String()});
  }
  return Must(Schema::Make(SchemaId(0), fields));
}

TEST(MetricsTest, ModesAreReadAndPrinted) {
  for (const char* text : {"none", "counts", "truncate(16)", "full"}) {
    EXPECT_EQ(Must(MetricsMode::Parse(text)).ToString(), text);
  }
  EXPECT_EQ(Must(MetricsMode::Parse(" Truncate(5) ")).length, 5);
  for (const char* text :
       {"", "all", "truncate", "truncate()", "truncate(0)", "truncate(-1)", "truncate(3"}) {
    const auto mode = MetricsMode::Parse(text);
    ASSERT_FALSE(mode.ok()) << text;
    EXPECT_EQ(mode.error().kind, ErrorKind::kConfig);
  }
}

TEST(MetricsTest, PropertiesChooseTheModeOfEachColumn) {
  const SchemaPtr schema = SchemaOfStrings(3);
  const SortOrder order{.id = SortOrderId(1),
                        .fields = {{.source_id = FieldId(3), .transform = Transform::Identity()}}};
  const MetricsConfig config =
      Must(MetricsConfig::Make({{"write.metadata.metrics.default", "counts"},
                                {"write.metadata.metrics.column.c2", "full"},
                                {"write.metadata.metrics.column.gone", "full"}},
                               *schema, order));
  EXPECT_EQ(config.ModeOf(FieldId(1)).kind, MetricsMode::Kind::kCounts);
  EXPECT_EQ(config.ModeOf(FieldId(2)).kind, MetricsMode::Kind::kFull);
  EXPECT_EQ(config.ModeOf(FieldId(3)).kind, MetricsMode::Kind::kTruncate);
  const auto bad = MetricsConfig::Make({{"write.metadata.metrics.column.c2", "much"}}, *schema, {});
  ASSERT_FALSE(bad.ok());
  EXPECT_NE(bad.error().message.find("write.metadata.metrics.column.c2"), std::string::npos);
}

TEST(MetricsTest, WideTablesKeepMetricsOfTheirFirstColumns) {
  const SchemaPtr schema = SchemaOfStrings(120);
  const MetricsConfig inferred = Must(MetricsConfig::Make({}, *schema, {}));
  EXPECT_EQ(inferred.ModeOf(FieldId(100)).kind, MetricsMode::Kind::kTruncate);
  EXPECT_EQ(inferred.ModeOf(FieldId(101)).kind, MetricsMode::Kind::kNone);
  const MetricsConfig chosen =
      Must(MetricsConfig::Make({{"write.metadata.metrics.default", "truncate(16)"}}, *schema, {}));
  EXPECT_EQ(chosen.ModeOf(FieldId(101)).kind, MetricsMode::Kind::kTruncate);
}

TEST(MetricsTest, UpperBoundsAreRoundedUpByCodePoint) {
  const Type text = Type::String();
  EXPECT_EQ(TruncateUpperBound(text, "abc", 3), "abc");
  EXPECT_EQ(TruncateUpperBound(text, "abcd", 3), "abd");
  EXPECT_EQ(TruncateUpperBound(text, "\xC3\xA9t\xC3\xA9s", 1), "\xC3\xAA");  // é becomes ê
  EXPECT_EQ(TruncateUpperBound(text, "\xED\x9F\xBFx", 1),
            "\xEE\x80\x80");                                          // U+D7FF, past the surrogates
  EXPECT_EQ(TruncateUpperBound(text, "a\xF4\x8F\xBF\xBFx", 2), "b");  // U+10FFFF has no next
  EXPECT_EQ(TruncateUpperBound(text, "\xF4\x8F\xBF\xBFx", 1), std::nullopt);
  EXPECT_EQ(TruncateUpperBound(text, "\x7Fx", 1), "\xC2\x80");  // one byte more
}

TEST(MetricsTest, UpperBoundsOfBinariesAreRoundedUpByByte) {
  const Type binary = Type::Binary();
  EXPECT_EQ(TruncateUpperBound(binary, std::string("\x01\x02\x03", 3), 2), "\x01\x03");
  EXPECT_EQ(TruncateUpperBound(binary, std::string("\x01\xFF\x03", 3), 2), "\x02");
  EXPECT_EQ(TruncateUpperBound(binary, std::string("\xFF\xFF\xFF", 3), 2), std::nullopt);
  EXPECT_EQ(TruncateUpperBound(binary, std::string("\xFF\xFF", 2), 2), "\xFF\xFF");
}

TEST(MetricsTest, TruncatedBoundsEncloseEveryText) {
  Random random(7);
  static const char* const kLetters[] = {"a",
                                         "z",
                                         "\x7F",
                                         "\xC2\x80",
                                         "\xDF\xBF",
                                         "\xED\x9F\xBF",
                                         "\xEE\x80\x80",
                                         "\xEF\xBF\xBF",
                                         "\xF0\x90\x80\x80",
                                         "\xF4\x8F\xBF\xBF"};
  for (int round = 0; round < 20'000; ++round) {
    std::string text;
    for (uint64_t i = 0, n = random.Below(6); i < n; ++i) text += kLetters[random.Below(10)];
    const int length = 1 + static_cast<int>(random.Below(4));
    EXPECT_LE(TruncateLowerBound(Type::String(), text, length), text);
    const auto upper = TruncateUpperBound(Type::String(), text, length);
    if (!upper) continue;
    EXPECT_GE(*upper, text);
    EXPECT_TRUE(IsValidUtf8(*upper));
  }
}

TEST(MetricsTest, NanIsNeverABoundAndZerosAreWidened) {
  Metrics metrics;
  const MetricsMode mode;
  EXPECT_OK(SetBounds(metrics, FieldId(1), Type::Double(), mode,
                      Value(std::numeric_limits<double>::quiet_NaN()), Value(3.0)));
  EXPECT_EQ(metrics.lower_bounds.Find(FieldId(1)), nullptr);
  EXPECT_OK(SetBounds(metrics, FieldId(2), Type::Double(), mode, Value(0.0), Value(-0.0)));
  EXPECT_EQ(*metrics.lower_bounds.Find(FieldId(2)), Must(ToBytes(Type::Double(), Value(-0.0))));
  EXPECT_EQ(*metrics.upper_bounds.Find(FieldId(2)), Must(ToBytes(Type::Double(), Value(0.0))));
  EXPECT_OK(SetBounds(metrics, FieldId(3), Type::Long(), {.kind = MetricsMode::Kind::kCounts},
                      Value(int64_t{1}), Value(int64_t{2})));
  EXPECT_EQ(metrics.lower_bounds.Find(FieldId(3)), nullptr);
}

TEST(MetricsTest, FieldMapKeepsOrderAndLastValue) {
  FieldMap<int64_t> map;
  map.Set(FieldId(5), 50);
  map.Set(FieldId(2), 20);
  map.Set(FieldId(9), 90);
  map.Set(FieldId(5), 51);
  ASSERT_EQ(map.size(), 3U);
  EXPECT_EQ(map.begin()->first, FieldId(2));
  EXPECT_EQ(*map.Find(FieldId(5)), 51);
  EXPECT_EQ(map.Find(FieldId(4)), nullptr);
}

}  // namespace
}  // namespace calve::iceberg

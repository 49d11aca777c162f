#include "source/key_ranges.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace calve::source {
namespace {

using testing::ElementsAre;

TEST(KeyRangesTest, RangesHoldAboutAsManyRowsHoweverTheKeysLie) {
  // A thousand dense keys here, a thousand there, and one at either end.
  const auto count = [](Key first, Key last) -> Result<int64_t> {
    const auto within = [&](Key from, Key to) {
      return static_cast<int64_t>(std::max<Key>(0, std::min(last, to) - std::max(first, from) + 1));
    };
    constexpr int64_t kFar = 4'000'000'000'000'000'000;
    return within(1, 1000) + within(kFar, kFar + 999);
  };
  const KeyRange all{.first = ParseKey("-9223372036854775808"),
                     .last = ParseKey("18446744073709551615")};
  const auto ranges = PartKeys(all, 8, count);
  ASSERT_TRUE(ranges.ok());
  EXPECT_EQ(PrintKey(ranges->front().first), "-9223372036854775808");
  EXPECT_EQ(PrintKey(ranges->back().last), "18446744073709551615");
  EXPECT_GE(ranges->size(), 6U);
  EXPECT_LE(ranges->size(), 16U);
  for (size_t i = 0; i < ranges->size(); ++i) {
    EXPECT_LE((*ranges)[i].rows, 375);
    if (i == 0) continue;
    EXPECT_TRUE((*ranges)[i].first == (*ranges)[i - 1].last + 1);
  }
}

TEST(KeyRangesTest, WhatAHalvingFindsEmptyIsNotSharedOut) {
  // Ids that count up, and one far away; the first estimate is the room between them.
  constexpr Key kFar = 1'000'000'000'000;
  const auto count = [&](Key first, Key last) -> Result<int64_t> {
    const Key from = std::max<Key>(first, 1);
    const bool has_far = first <= kFar && kFar <= last;
    const Key to = has_far ? kFar : std::min<Key>(last, 1000);
    if (has_far && from > 1000) return 1;
    return static_cast<int64_t>(std::max<Key>(0, to - from + 1));
  };
  const auto ranges = PartKeys({.first = 1, .last = kFar}, 4, count);
  ASSERT_TRUE(ranges.ok());
  EXPECT_GE(ranges->size(), 4U);
  for (const KeyRange& range : *ranges) EXPECT_LE(range.rows, 375);
}

TEST(KeyRangesTest, TheFirstAndTheLastConditionAreOpen) {
  EXPECT_THAT(ConditionsOf({{.first = 1, .last = 5}}, "id"), ElementsAre(""));
  EXPECT_THAT(
      ConditionsOf({{.first = 1, .last = 5}, {.first = 6, .last = 9}, {.first = 10, .last = 12}},
                   "id"),
      ElementsAre("id <= 5", "id >= 6 AND id <= 9", "id >= 10"));
}

}  // namespace
}  // namespace calve::source

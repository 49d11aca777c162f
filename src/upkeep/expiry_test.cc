#include "upkeep/expiry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace calve::upkeep {
namespace {

using iceberg::SnapshotId;
using iceberg::SnapshotRef;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr int64_t kHour = 3600 * 1000;
constexpr int64_t kNow = 1000 * kHour;

/// A line of snapshots, each an hour younger than the one before it; the last one is of now.
iceberg::TableMetadata Line(int64_t count) {
  iceberg::TableMetadata table;
  for (int64_t i = 1; i <= count; ++i) {
    iceberg::Snapshot snapshot{.id = SnapshotId(i)};
    if (i > 1) snapshot.parent_id = SnapshotId(i - 1);
    snapshot.timestamp_ms = kNow - (count - i) * kHour;
    table.snapshots.push_back(std::move(snapshot));
  }
  table.refs["main"] = {.snapshot_id = SnapshotId(count)};
  table.current_snapshot_id = SnapshotId(count);
  return table;
}

std::vector<int64_t> Gone(const iceberg::TableMetadata& table, const ExpiryRules& rules) {
  const auto expiry = ChooseExpired(table, rules, kNow);
  EXPECT_TRUE(expiry.ok());
  std::vector<int64_t> ids;
  for (const SnapshotId id : expiry->snapshots) ids.push_back(id.value());
  return ids;
}

TEST(ExpiryTest, OldOnesGoAndTheHeadStays) {
  EXPECT_THAT(Gone(Line(5), {}), IsEmpty());
  EXPECT_THAT(Gone(Line(5), {.age_max_ms = 2 * kHour}), ElementsAre(1, 2));
  EXPECT_THAT(Gone(Line(5), {.age_max_ms = 0}), ElementsAre(1, 2, 3, 4));
}

TEST(ExpiryTest, SoManyStayHoweverOld) {
  EXPECT_THAT(Gone(Line(5), {.age_max_ms = 0, .snapshots_min = 3}), ElementsAre(1, 2));
}

TEST(ExpiryTest, TheTableSaysWhatTheCallerDoesNot) {
  iceberg::TableMetadata table = Line(5);
  table.properties["history.expire.max-snapshot-age-ms"] = std::to_string(kHour);
  table.properties["history.expire.min-snapshots-to-keep"] = "3";
  EXPECT_THAT(Gone(table, {}), ElementsAre(1, 2));
  EXPECT_THAT(Gone(table, {.snapshots_min = 1}), ElementsAre(1, 2, 3));
  table.properties["history.expire.min-snapshots-to-keep"] = "many";
  EXPECT_EQ(ChooseExpired(table, {}, kNow).error().kind, ErrorKind::kConfig);
}

TEST(ExpiryTest, WhatATagOrABranchLeadsToStays) {
  iceberg::TableMetadata table = Line(5);
  table.refs["first"] = {.snapshot_id = SnapshotId(1), .kind = SnapshotRef::Kind::kTag};
  EXPECT_THAT(Gone(table, {.age_max_ms = 0}), ElementsAre(2, 3, 4));
  table.refs["audit"] = {.snapshot_id = SnapshotId(3), .kind = SnapshotRef::Kind::kBranch};
  EXPECT_THAT(Gone(table, {.age_max_ms = 0}), ElementsAre(2, 4));
  table.refs["audit"].min_snapshots_to_keep = 2;
  EXPECT_THAT(Gone(table, {.age_max_ms = 0}), ElementsAre(4));
}

TEST(ExpiryTest, AReferencePastItsAgeGoesButNeverMain) {
  iceberg::TableMetadata table = Line(5);
  table.refs["first"] = {
      .snapshot_id = SnapshotId(1), .kind = SnapshotRef::Kind::kTag, .max_ref_age_ms = kHour};
  table.properties["history.expire.max-ref-age-ms"] = "0";
  const auto expiry = ChooseExpired(table, {.age_max_ms = 0}, kNow + kHour);
  ASSERT_TRUE(expiry.ok());
  EXPECT_THAT(expiry->refs, ElementsAre("first"));
  EXPECT_EQ(expiry->snapshots.size(), 4U);
}

TEST(ExpiryTest, WhatNothingLeadsToGoesByItsAge) {
  iceberg::TableMetadata table = Line(3);
  iceberg::Snapshot stray{.id = SnapshotId(9)};
  stray.timestamp_ms = kNow - 3 * kHour;
  table.snapshots.push_back(stray);
  EXPECT_THAT(Gone(table, {.age_max_ms = 4 * kHour}), IsEmpty());
  EXPECT_THAT(Gone(table, {.age_max_ms = 2 * kHour}), ElementsAre(9));
}

}  // namespace
}  // namespace calve::upkeep

#include "load/iceberg/settled_loads.h"

#include <gtest/gtest.h>

#include "commit/proof.h"
#include "load/held_back.h"

namespace calve::load {
namespace {

using iceberg::SnapshotId;

struct Commit {
  int64_t id;
  std::string pipeline;
  std::string run;
  std::string position;
};

/// A table whose main line is these commits, from the oldest; snapshot 0 before them is expired.
iceberg::TableMetadata TableOf(const std::vector<Commit>& commits) {
  iceberg::TableMetadata table;
  SnapshotId before(0);
  for (const Commit& commit : commits) {
    iceberg::Snapshot snapshot;
    snapshot.id = SnapshotId(commit.id);
    snapshot.parent_id = before;
    snapshot.timestamp_ms = commit.id * 1000;
    snapshot.summary = {{std::string(commit::summary::kPipeline), commit.pipeline},
                        {std::string(commit::summary::kRun), commit.run}};
    if (!commit.position.empty())
      snapshot.summary[std::string(commit::summary::kPosition)] = commit.position;
    table.snapshots.push_back(snapshot);
    table.current_snapshot_id = before = snapshot.id;
  }
  return table;
}

constexpr int64_t kLater = 1'000'000'000;  ///< Than all commits, in microseconds.

TEST(SettledLoads, WithoutATableNothingIs) {
  const SettledLoads settled("j", "j.replay", nullptr);
  EXPECT_FALSE(settled.Has({.key = LoadKeyOf("j"), .run = "r1"}));
}

TEST(SettledLoads, WhatTheNextRunReadsAgainIsNot) {
  const iceberg::TableMetadata table =
      TableOf({{1, "j", "r1", "{a}"}, {2, "other", "r2", ""}, {3, "j", "r3", "{b}"}});
  const SettledLoads settled("j", "j.replay", &table);
  const std::string ahead = LoadKeyOf("j", "3");
  EXPECT_TRUE(settled.Has({.key = "k", .run = "r1", .held_back_us = kLater}));
  EXPECT_FALSE(settled.Has({.key = "k", .run = "r9", .held_back_us = kLater}));
  EXPECT_FALSE(settled.Has({.key = ahead, .run = "r9", .held_back_us = kLater}));
  // Rows as old as snapshots that were expired were published, but for those that wait for a run.
  EXPECT_TRUE(settled.Has({.key = "k", .run = "r9", .held_back_us = 1}));
  EXPECT_FALSE(settled.Has({.key = ahead, .run = "r9", .held_back_us = 1}));
}

/// Two runs side by side hold back the same rows; the one that came second put its own in place of
/// the first's, and published nothing.
TEST(SettledLoads, APositionThatWasLeftBehindSettlesItsRowsWhoeverHeldThemBack) {
  const iceberg::TableMetadata table =
      TableOf({{1, "j", "r1", "{a}"}, {2, "j", "r2", "{b}"}, {3, "j.replay", "r3", "{chunk 1}"}});
  const SettledLoads settled("j", "j.replay", &table);
  const auto has = [&](const std::string& key) {
    return settled.Has({.key = key, .run = "lost", .held_back_us = kLater});
  };
  EXPECT_TRUE(has(LoadKeyOf("j")));
  EXPECT_TRUE(has(LoadKeyOf("j", "1")));
  EXPECT_FALSE(has(LoadKeyOf("j", "2")));
  EXPECT_TRUE(has(LoadKeyOf("j.replay", "{chunk 1}")));
  EXPECT_FALSE(has(LoadKeyOf("j.replay", "{chunk 2}")));
}

}  // namespace
}  // namespace calve::load

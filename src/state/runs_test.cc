#include "state/runs.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/test_folder.h"

namespace calve::state {
namespace {

class RunsTest : public testing::Test {
 protected:
  RunsTest() : runs_(Open()) {}

  Runs Open() {
    auto runs = Runs::Open(folder_.path());
    EXPECT_TRUE(runs.ok());
    return std::move(runs).value();
  }

  static RunRecord Record(const std::string& run, RunState state = RunState::kRunning) {
    RunRecord record;
    record.run = run;
    record.job = "job";
    record.state = state;
    record.started = Timestamp(std::chrono::seconds(1'700'000'000));
    return record;
  }

  /// Begin a run in a process that then dies.
  void Die(const std::string& run) {
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      auto runs = Runs::Open(folder_.path());
      ::_exit(runs.ok() && runs->Begin(Record(run)).ok() ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_EQ(status, 0);
  }

  io::TestFolder folder_;
  Runs runs_;
};

TEST_F(RunsTest, ARecordComesBackAsItWas) {
  RunRecord record = Record("r1");
  ASSERT_TRUE(runs_.Begin(record).ok());
  EXPECT_EQ(runs_.Find("r1").value()->state, RunState::kRunning);
  record.state = RunState::kPublished;
  record.ended = record.started + std::chrono::seconds(3);
  record.table = "demo.t";
  record.rows_read = 7;
  record.rows_written = 5;
  record.rows_quarantined = 2;
  record.rows_dropped = 3;
  record.rows_made = 1;
  record.bytes_read = 99;
  record.snapshot_id = int64_t{1} << 60;
  record.branch = "audit_r1";
  record.has_position = true;
  ASSERT_TRUE(runs_.End(record, {{.run = "r1", .table = "demo.t", .check = "unique(id)"}}).ok());
  Runs other = Open();
  const auto found = other.Find("r1");
  ASSERT_TRUE(found.ok() && found->has_value());
  EXPECT_EQ((*found)->state, RunState::kPublished);
  EXPECT_EQ((*found)->ended, record.ended);
  EXPECT_EQ((*found)->rows_written, 5);
  EXPECT_EQ((*found)->rows_dropped, 3);
  EXPECT_EQ((*found)->rows_made, 1);
  EXPECT_EQ((*found)->snapshot_id, record.snapshot_id);
  EXPECT_EQ((*found)->branch, "audit_r1");
  EXPECT_EQ(other.Audits(10)->front().check, "unique(id)");
  EXPECT_TRUE(*other.HasPosition("job"));
  EXPECT_FALSE(*other.HasPosition("another job"));
  EXPECT_FALSE(other.Find("r2")->has_value());
}

TEST_F(RunsTest, ARunIsAliveForEveryProcessUntilItEnds) {
  ASSERT_TRUE(runs_.Begin(Record("r1")).ok());
  Runs other = Open();
  EXPECT_TRUE(other.IsAlive("r1"));
  EXPECT_TRUE(other.Dead("job")->empty());
  ASSERT_TRUE(runs_.End(Record("r1", RunState::kNothing), {}).ok());
  EXPECT_FALSE(other.IsAlive("r1"));
  EXPECT_TRUE(other.Dead("job")->empty());
}

TEST_F(RunsTest, OneJobIsRunOnceAtATime) {
  ASSERT_TRUE(runs_.Begin(Record("r1")).ok());
  Runs other = Open();
  const Status second = other.Begin(Record("r2"));
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().kind, ErrorKind::kRefused);
  EXPECT_NE(second.error().message.find("r1"), std::string::npos);
  RunRecord another = Record("r3");
  another.job = "folder/another job";
  EXPECT_TRUE(other.Begin(another).ok());
  ASSERT_TRUE(runs_.End(Record("r1", RunState::kNothing), {}).ok());
  EXPECT_TRUE(other.Begin(Record("r2")).ok());
}

TEST_F(RunsTest, ADeadProcessHoldsNoJob) {
  Die("r1");
  EXPECT_TRUE(runs_.Begin(Record("r2")).ok());
}

TEST_F(RunsTest, ADeadRunIsNamedUntilItWasSwept) {
  Die("r1");
  EXPECT_EQ(*runs_.Dead("job"), std::vector<std::string>{"r1"});
  EXPECT_TRUE(runs_.Dead("another job")->empty());
  ASSERT_TRUE(runs_.MarkSwept("r1").ok());
  EXPECT_TRUE(runs_.Dead("job")->empty());
  EXPECT_EQ(runs_.Find("r1").value()->state, RunState::kFailed);
  EXPECT_NE(runs_.Find("r1").value()->error, "");
  EXPECT_NE(::access(folder_.At("r1.lock").c_str(), F_OK), 0);
}

TEST_F(RunsTest, AFailedRunIsNamedOnlyWhenItLeavesFiles) {
  RunRecord clean = Record("r1", RunState::kFailed);
  RunRecord leaving = Record("r2", RunState::kFailed);
  leaving.error = "the disk is full";
  ASSERT_TRUE(runs_.Begin(Record("r1")).ok());
  ASSERT_TRUE(runs_.End(clean, {}).ok());
  ASSERT_TRUE(runs_.Begin(Record("r2")).ok());
  runs_.LeavesFiles("r2");
  ASSERT_TRUE(runs_.End(leaving, {}).ok());
  EXPECT_EQ(*Open().Dead("job"), std::vector<std::string>{"r2"});
  ASSERT_TRUE(runs_.MarkSwept("r2").ok());
  EXPECT_TRUE(runs_.Dead("job")->empty());
  EXPECT_EQ(runs_.Find("r2").value()->error, "the disk is full");
}

TEST_F(RunsTest, APublishedRunThatLeavesFilesIsNamedTooAndStaysPublished) {
  ASSERT_TRUE(runs_.Begin(Record("r1")).ok());
  runs_.LeavesFiles("r1");
  ASSERT_TRUE(runs_.End(Record("r1", RunState::kPublished), {}).ok());
  EXPECT_EQ(*Open().Dead("job"), std::vector<std::string>{"r1"});
  ASSERT_TRUE(runs_.MarkSwept("r1").ok());
  EXPECT_TRUE(runs_.Dead("job")->empty());
  EXPECT_EQ(runs_.Find("r1").value()->state, RunState::kPublished);
  EXPECT_EQ(runs_.Find("r1").value()->error, "");
}

TEST_F(RunsTest, TheNewestRunsComeFirst) {
  for (int i = 0; i < 5; ++i) {
    RunRecord record = Record("r" + std::to_string(i), RunState::kNothing);
    record.started += std::chrono::seconds(i);
    ASSERT_TRUE(runs_.Begin(record).ok());
    ASSERT_TRUE(runs_.End(record, {}).ok());
  }
  const auto newest = runs_.List(2);
  ASSERT_TRUE(newest.ok());
  ASSERT_EQ(newest->size(), 2U);
  EXPECT_EQ((*newest)[0].run, "r4");
  EXPECT_EQ((*newest)[1].run, "r3");
}

TEST_F(RunsTest, RecordsOfTheFirstVersionStay) {
  RunRecord record = Record("r1", RunState::kPublished);
  record.rows_written = 5;
  ASSERT_TRUE(runs_.Begin(record).ok());
  ASSERT_TRUE(runs_.End(record, {}).ok());
  auto database = io::SqliteDatabase::Open(folder_.At("state.db"));
  ASSERT_TRUE(database.ok());
  ASSERT_TRUE(database
                  ->Execute("ALTER TABLE runs DROP COLUMN rows_dropped;"
                            "ALTER TABLE runs DROP COLUMN rows_made; PRAGMA user_version = 1")
                  .ok());
  Runs upgraded = Open();
  EXPECT_EQ(upgraded.Find("r1").value()->rows_written, 5);
  EXPECT_EQ(upgraded.Find("r1").value()->rows_dropped, 0);
  ASSERT_TRUE(upgraded.Begin(Record("r2")).ok());
}

TEST_F(RunsTest, RecordsOfANewerProgramAreRefused) {
  auto database = io::SqliteDatabase::Open(folder_.At("state.db"));
  ASSERT_TRUE(database.ok());
  ASSERT_TRUE(database->Execute("PRAGMA user_version = 3").ok());
  const auto opened = Runs::Open(folder_.path());
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().kind, ErrorKind::kRefused);
}

}  // namespace
}  // namespace calve::state

#include "commit/native_stage.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <set>

#include "catalog/registry.h"
#include "catalog/table_files.h"
#include "commit/committer.h"
#include "config/yaml.h"
#include "iceberg/scan.h"
#include "io/file_system_set.h"
#include "io/test_folder.h"

namespace calve::commit {
namespace {

using iceberg::Field;
using iceberg::FieldId;
using iceberg::TableMetadata;
using iceberg::Type;

/// Rows that wait on branches of the Nessie that the test run has started; each test works on a
/// branch of its own in the place of main. Data files are names only.
class NativeStageTest : public testing::Test {
 protected:
  void SetUp() override {
    if (std::getenv("CALVE_TEST_NESSIE") == nullptr)
      GTEST_SKIP() << "no Nessie runs: tests/services/with nessie.sh -- ...";
    const auto home = Open("main");
    catalog::NativeRefs& refs = *home->native_refs();
    const auto main = refs.FindBranch(context(), "main");
    ASSERT_TRUE(main.ok()) << main.error().message;
    ASSERT_TRUE(refs.CreateBranch(context(), trunk_, *main).ok());
    catalog_ = refs.OnBranch(trunk_);
    committer_ = std::make_unique<Committer>(*catalog_, files_);
  }

  std::unique_ptr<catalog::Catalog> Open(const std::string& branch) {
    catalog::Registry registry;
    catalog::RegisterParts(registry);
    config::Faults faults;
    config::PartOptions options{.type = "nessie"};
    options.node = config::ParseYaml(
        std::string("uri: '") + std::getenv("CALVE_TEST_NESSIE") + "'\nbranch: " + branch + "\n",
        "test", faults);
    auto made = registry.Make(options, {.name = "test",
                                        .warehouse = "file://" + folder_.At("lake"),
                                        .project_folder = folder_.path(),
                                        .files = &files_});
    EXPECT_TRUE(made.ok());
    return std::move(*made);
  }

  const Context& context() { return *context_; }
  catalog::NativeRefs& refs() { return *catalog_->native_refs(); }
  /// Names are unique on the whole Nessie.
  std::string RunOf(const std::string& name) { return trunk_ + name; }
  std::string BranchFor(const std::string& name) { return BranchOf(RunOf(name)); }
  bool HasBranch(const std::string& branch) { return refs().FindBranch(context(), branch).ok(); }

  /// A change that adds one file; with the table when it is not there yet.
  Change Adds(const std::string& name, std::optional<Position> position = std::nullopt) {
    Change change;
    change.pipeline = "job";
    change.run = RunOf(name);
    change.position = std::move(position);
    const auto there = catalog_->LoadTable(context(), table_);
    std::string location;
    if (there.ok()) {
      location = there->metadata->location;
      const auto newest =
          FindNewestPosition(context(), MainLine(*catalog_, files_, table_), *there, "job");
      if (newest->held.has_value()) change.position_before = newest->held->snapshot_id;
    } else {
      const auto planned = committer_->PlanTable(
          context(), table_, nullptr,
          [&](const std::string& place) -> Result<iceberg::CreateTableOptions> {
            iceberg::CreateTableOptions create;
            create.location = location = place;
            create.uuid = NewUuidString(*context().random);
            create.fields = {Field{.id = FieldId(1), .name = "id", .type = Type::Long()},
                             Field{.id = FieldId(2), .name = "day", .type = Type::Date()}};
            create.partition_fields = {{.source_id = FieldId(2),
                                        .field_id = FieldId(1000),
                                        .name = "day",
                                        .transform = iceberg::Transform::Identity()}};
            return create;
          });
      EXPECT_TRUE(planned.ok());
      change.new_table = *planned;
      change.schema = (*planned)->draft.metadata->schema();
    }
    auto file = std::make_shared<iceberg::DataFile>();
    file->path = location + "/data/" + name + "-" + change.run + ".parquet";
    file->record_count = 1;
    file->file_size_in_bytes = 100;
    file->partition = {iceberg::Value(int32_t{1})};
    EXPECT_TRUE(files_.WriteFile(context(), file->path, "rows").ok());
    change.rows.added_data_files = {file};
    return change;
  }

  Staged Stage(const std::string& name, std::optional<Position> position = std::nullopt) {
    auto staged =
        committer_->Stage(context(), table_, Adds(name, std::move(position)), BranchFor(name));
    EXPECT_TRUE(staged.ok()) << staged.error().message;
    return std::move(*staged);
  }
  void Load(const std::string& name, std::optional<Position> position = std::nullopt) {
    const auto done = committer_->Publish(context(), Stage(name, std::move(position)), {});
    ASSERT_TRUE(done.ok()) << done.error().message;
  }

  /// What a writer does that leaves nothing but its own snapshot in the table.
  void CommitWithoutHistory(const std::string& name) {
    Committer foreign(*catalog_, files_);
    Change change = Adds(name);
    change.pipeline = "";
    ASSERT_TRUE(foreign.Commit(context(), table_, std::move(change), Proof::kRows).ok());
    const auto forget = [](const TableMetadata& base) -> Result<iceberg::TableChange> {
      std::vector<iceberg::SnapshotId> others;
      for (const iceberg::Snapshot& snapshot : base.snapshots) {
        if (snapshot.id != base.current_snapshot_id) others.push_back(snapshot.id);
      }
      return iceberg::TableChange{.requirements = {},
                                  .updates = {iceberg::RemoveSnapshots(others)}};
    };
    ASSERT_TRUE(foreign.Update(context(), table_, forget).ok());
  }

  /// Names of the files that main has, none when there is no table.
  std::set<std::string> Main() { return FilesOn(*catalog_); }
  std::set<std::string> FilesOn(catalog::Catalog& on) {
    std::set<std::string> names;
    const auto loaded = on.LoadTable(context(), table_);
    if (!loaded.ok()) return names;
    catalog::TableFiles table_files(files_);
    const auto plan = iceberg::PlanScan(context(), table_files, *loaded->metadata, {});
    EXPECT_TRUE(plan.ok());
    for (const auto& task : plan->tasks) {
      const std::string name = task.file->path.substr(task.file->path.rfind('/') + 1);
      EXPECT_TRUE(files_.Stat(context(), task.file->path).ok()) << name << " is gone";
      names.insert(name.substr(0, name.find('-')));
    }
    return names;
  }
  size_t FilesLying() {
    const std::string place = *catalog_->NewTableLocation(context(), table_);
    const auto all = files_.ListAll(context(), place, {.recursive = true});
    return all.ok() ? all->size() : 0;
  }

  io::TestFolder folder_;
  io::FileSystemSet files_{io::Properties()};
  OwnedContext context_{11};
  const std::string trunk_ = "s_" + folder_.path().substr(folder_.path().size() - 6);
  std::unique_ptr<catalog::Catalog> catalog_;
  std::unique_ptr<Committer> committer_;
  /// Of this test alone: branches of others may have one whose files are gone.
  const catalog::TableName table_{{"sales"}, "orders_" + trunk_};
};

using Names = std::set<std::string>;

TEST_F(NativeStageTest, ANewTableWaitsOnItsBranchAndComesWithItsRows) {
  const Staged staged = Stage("a");
  EXPECT_EQ(catalog_->LoadTable(context(), table_).error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(FilesOn(*refs().OnBranch(BranchFor("a"))), Names{"a"});
  ASSERT_TRUE(committer_->Publish(context(), staged, {}).ok());
  EXPECT_EQ(Main(), Names{"a"});
  EXPECT_FALSE(HasBranch(BranchFor("a")));
  const auto loaded = catalog_->LoadTable(context(), table_);
  EXPECT_EQ(ProofOf(*loaded->metadata->current_snapshot()), Proof::kTable);
  EXPECT_EQ(loaded->metadata->spec().fields.size(), 1U);
  EXPECT_EQ(FilesLying(), 4U) << "rows, a manifest, a list, the metadata";
}

TEST_F(NativeStageTest, AnotherProcessPublishesANewTableByItsBranch) {
  Stage("a");
  Committer other(*catalog_, files_);
  const auto found = other.FindStaged(context(), table_, BranchFor("a"));
  ASSERT_TRUE(found.ok()) << found.error().message;
  const auto published = other.Publish(context(), *found, {.proof = Proof::kManual});
  ASSERT_TRUE(published.ok()) << published.error().message;
  EXPECT_EQ(Main(), Names{"a"});
  EXPECT_FALSE(HasBranch(BranchFor("a")));
}

TEST_F(NativeStageTest, WhenMainHasMovedTheSameFilesGoOnTop) {
  Load("a");
  const Staged staged = Stage("b");
  Load("c");
  bool judged = false;
  const auto done = committer_->Publish(
      context(), staged,
      {.summary = {}, .recheck = [&](const iceberg::MetadataPtr&, iceberg::SnapshotId) {
         judged = true;
         return Status::Ok();
       }});
  ASSERT_TRUE(done.ok()) << done.error().message;
  EXPECT_TRUE(judged);
  EXPECT_EQ(Main(), (Names{"a", "b", "c"}));
}

TEST_F(NativeStageTest, ADiscardedBranchTakesItsFilesAlong) {
  Load("a");
  const size_t before = FilesLying();
  Stage("b");
  ASSERT_TRUE(committer_->Discard(context(), table_, BranchFor("b")).ok());
  EXPECT_FALSE(HasBranch(BranchFor("b")));
  EXPECT_EQ(FilesLying(), before);
  EXPECT_EQ(Main(), Names{"a"});
}

TEST_F(NativeStageTest, FilesThatAnotherBranchHasStay) {
  Load("a");
  Stage("b");
  const auto staged = refs().FindBranch(context(), BranchFor("b"));
  ASSERT_TRUE(refs().CreateBranch(context(), trunk_ + "_dev", *staged).ok());
  ASSERT_TRUE(committer_->Discard(context(), table_, BranchFor("b")).ok());
  EXPECT_EQ(FilesOn(*refs().OnBranch(trunk_ + "_dev")), (Names{"a", "b"}));
}

TEST_F(NativeStageTest, ARunThatDiedBetweenThePublishAndTheEndOfItsBranchLosesNothing) {
  Load("a");
  const Staged staged = Stage("b");
  const StepObserver dies = [](std::string_view step) -> Status {
    return step == "commit.after_publish" ? StoppedError("killed") : Status::Ok();
  };
  Context dying = context();
  dying.steps = &dies;
  ASSERT_FALSE(committer_->Publish(dying, staged, {}).ok());
  ASSERT_TRUE(HasBranch(BranchFor("b")));

  const auto open = committer_->ListStaged(context(), table_, "job");
  EXPECT_TRUE(open->empty()) << "its rows are in main, nobody has to decide";
  EXPECT_EQ(Main(), (Names{"a", "b"}));
  Committer other(*catalog_, files_);
  EXPECT_EQ(other.FindStaged(context(), table_, BranchFor("b")).error().kind, ErrorKind::kRefused);
  ASSERT_TRUE(other.SweepBranch(context(), table_, RunOf("b")).ok());
  EXPECT_FALSE(HasBranch(BranchFor("b")));
  EXPECT_EQ(Main(), (Names{"a", "b"}));
}

TEST_F(NativeStageTest, RowsOnTheirWayIntoMainAreDiscardedOnlyOnceTheirRunIsOver) {
  Load("a");
  const Staged staged = Stage("b");
  int commits = 0;
  const StepObserver dies = [&](std::string_view step) -> Status {
    // The first is that of the lease.
    const bool dead = step == "commit.before_commit" && ++commits > 1;
    return dead ? StoppedError("killed") : Status::Ok();
  };
  Context dying = context();
  dying.steps = &dies;
  ASSERT_FALSE(committer_->Publish(dying, staged, {}).ok());

  Committer other(*catalog_, files_);
  EXPECT_EQ(other.FindStaged(context(), table_, BranchFor("b")).error().kind, ErrorKind::kRefused);
  EXPECT_EQ(other.Discard(context(), table_, BranchFor("b")).error().kind, ErrorKind::kRefused);
  EXPECT_TRUE(HasBranch(BranchFor("b")));
  const Status over = other.Discard(context(), table_, BranchFor("b"), {}, /*run_is_over=*/true);
  ASSERT_TRUE(over.ok()) << over.error().message;
  EXPECT_FALSE(HasBranch(BranchFor("b")));
  EXPECT_EQ(Main(), Names{"a"});
}

TEST_F(NativeStageTest, ASweepRemovesTheBranchOfARunThatDiedBeforeItHadRows) {
  Load("a");
  const auto main = refs().FindBranch(context(), trunk_);
  ASSERT_TRUE(refs().CreateBranch(context(), BranchFor("b"), *main).ok());
  ASSERT_TRUE(committer_->SweepBranch(context(), table_, RunOf("b")).ok());
  EXPECT_FALSE(HasBranch(BranchFor("b")));
}

TEST_F(NativeStageTest, ASweepKeepsABranchWhoseRowsWait) {
  Load("a");
  Stage("b");
  ASSERT_TRUE(committer_->SweepBranch(context(), table_, RunOf("b")).ok());
  EXPECT_TRUE(HasBranch(BranchFor("b")));
}

TEST_F(NativeStageTest, ASweepLeavesWhatOtherBranchesHave) {
  Load("a");
  const auto main = refs().FindBranch(context(), trunk_);
  ASSERT_TRUE(refs().CreateBranch(context(), trunk_ + "_dev", *main).ok());
  const auto dev = refs().OnBranch(trunk_ + "_dev");
  Committer on_dev(*dev, files_);
  ASSERT_TRUE(on_dev.Commit(context(), table_, Adds("dev"), Proof::kRows).ok());
  Load("b");
  const size_t before = FilesLying();
  for (const std::string run : {"a", "b", "dev"})
    ASSERT_TRUE(committer_->Sweep(context(), table_, RunOf(run)).ok());
  EXPECT_EQ(FilesLying(), before);
  EXPECT_EQ(FilesOn(*dev), (Names{"a", "dev"}));
}

TEST_F(NativeStageTest, APositionIsFoundBelowCommitsThatKeepNoHistory) {
  Load("a", Position{.state = R"({"at": 1})", .ledger = {}});
  Load("b", Position{.state = R"({"at": 2})", .ledger = {}});
  const auto find = [&] {
    return FindPosition(context(), files_, MainLine(*catalog_, files_, table_),
                        *catalog_->LoadTable(context(), table_), "job", true);
  };
  CommitWithoutHistory("x");
  CommitWithoutHistory("y");
  const auto found = find();
  ASSERT_TRUE(found.ok()) << found.error().message;
  ASSERT_TRUE(found->has_value());
  EXPECT_EQ((*found)->position.state, R"({"at": 2})");
  // A run that knows of it goes on from there; one that does not is refused.
  Change unaware = Adds("c", Position{.state = R"({"at": 3})", .ledger = {}});
  unaware.position_before.reset();
  EXPECT_EQ(committer_->Commit(context(), table_, std::move(unaware), Proof::kRows).error().kind,
            ErrorKind::kRefused);
  Load("d", Position{.state = R"({"at": 3})", .ledger = {}});
  EXPECT_EQ(Main(), (Names{"a", "b", "d", "x", "y"}));
}

TEST_F(NativeStageTest, ALostReplyBelowACommitThatKeepsNoHistoryIsNotMadeTwice) {
  Load("a");
  bool lost = false;
  const StepObserver loses = [&](std::string_view step) -> Status {
    if (step != "catalog.after_swap" || std::exchange(lost, true)) return Status::Ok();
    CommitWithoutHistory("x");
    return TransientError("the reply is lost");
  };
  Context losing = context();
  losing.steps = &loses;
  const auto done = committer_->Commit(losing, table_, Adds("b"), Proof::kRows);
  ASSERT_TRUE(done.ok()) << done.error().message;
  EXPECT_TRUE(lost);
  EXPECT_EQ(Main(), (Names{"a", "b", "x"}));
  EXPECT_EQ(catalog_->LoadTable(context(), table_)
                ->metadata->current_snapshot()
                ->summary.at("total-records"),
            "3");
}

TEST_F(NativeStageTest, ABranchOfAnEarlierRunIsFoundByItsJob) {
  Load("a");
  Stage("b");
  const auto ours = committer_->ListStaged(context(), table_, "job");
  ASSERT_EQ(ours->size(), 1U);
  EXPECT_EQ((*ours)[0].name, BranchFor("b"));
  EXPECT_EQ((*ours)[0].run, RunOf("b"));
  EXPECT_TRUE(committer_->ListStaged(context(), table_, "another job")->empty());
}

}  // namespace
}  // namespace calve::commit

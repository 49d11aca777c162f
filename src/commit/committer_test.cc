#include "commit/committer.h"

#include <gtest/gtest.h>

#include <atomic>
#include <set>

#include "catalog/registry.h"
#include "catalog/table_files.h"
#include "commit/lease.h"
#include "commit/reach.h"
#include "iceberg/scan.h"
#include "io/faulty.h"
#include "io/file_system_set.h"

namespace calve::commit {
namespace {

using iceberg::DataFile;
using iceberg::Field;
using iceberg::FieldId;
using iceberg::TableMetadata;
using iceberg::Type;

/// Commits to a table in memory. Data files are names only: nothing here reads them.
class CommitterTest : public testing::Test {
 protected:
  CommitterTest() { UseCatalog("memory"); }

  /// Make an empty table in a catalog of this kind.
  void UseCatalog(const std::string& type) {
    catalog::Registry registry;
    catalog::RegisterParts(registry);
    auto made = registry.Make(
        {.type = type},
        {.name = "test", .warehouse = "memory://" + type, .project_folder = "", .files = &files_});
    catalog_ = std::move(*made);
    committer_ = std::make_unique<Committer>(*catalog_, files_);
    MakeTable();
  }

  void MakeTable() {
    auto made = catalog_->CreateNamespace(context(), table_.ns, {});
    EXPECT_TRUE(made.ok() || made.error().kind == ErrorKind::kAlreadyExists);
    const auto planned = committer_->PlanTable(context(), table_, nullptr, Options());
    ASSERT_TRUE(planned.ok());
    EXPECT_TRUE(std::holds_alternative<catalog::Committed>(
        catalog_->Commit(context(), {{.table = table_, .change = (*planned)->change}})));
  }

  std::function<Result<iceberg::CreateTableOptions>(const std::string& location)> Options(
      Type type = Type::Long()) {
    return [this, type](const std::string& location) -> Result<iceberg::CreateTableOptions> {
      iceberg::CreateTableOptions create;
      create.location = location;
      create.uuid = NewUuidString(*context().random);
      create.fields = {Field{.id = FieldId(1), .name = "id", .type = type}};
      return create;
    };
  }

  const Context& context() { return *context_; }
  catalog::LoadedTable Loaded() { return *catalog_->LoadTable(context(), table_); }
  std::shared_ptr<const TableMetadata> Metadata() { return Loaded().metadata; }
  MainLine Line() { return {*catalog_, files_, table_}; }

  /// A change that adds one file of `rows` rows.
  Change Adds(const std::string& name, const std::string& run, int64_t rows = 1) {
    auto file = std::make_shared<DataFile>();
    file->path = Metadata()->location + "/data/" + name + "-" + run + ".parquet";
    file->record_count = rows;
    file->file_size_in_bytes = 100;
    EXPECT_TRUE(files_.WriteFile(context(), file->path, "rows").ok());
    Change change;
    change.pipeline = "job";
    change.run = run;
    change.rows.added_data_files = {file};
    return change;
  }

  /// Rows for a table that is not there yet.
  struct Plan {
    catalog::TableName table{{"demo"}, "planned"};
    Change change;
  };
  Plan PlanRows(const std::string& name, const std::string& run, Type type = Type::Long(),
                const catalog::LoadedTable* unborn = nullptr) {
    Plan plan{.change = Adds(name, run)};
    auto made = committer_->PlanTable(context(), plan.table, unborn, Options(type));
    EXPECT_TRUE(made.ok());
    plan.change.new_table = *made;
    plan.change.schema = (*made)->draft.metadata->schema();
    return plan;
  }

  /// Names of main's data files, without folder and ending.
  std::set<std::string> Main() {
    catalog::TableFiles table_files(files_);
    auto plan = iceberg::PlanScan(context(), table_files, *Metadata(), {});
    EXPECT_TRUE(plan.ok());
    std::set<std::string> names;
    for (const auto& task : plan->tasks) {
      const std::string& path = task.file->path;
      names.insert(path.substr(path.rfind('/') + 1, path.rfind('-') - path.rfind('/') - 1));
    }
    return names;
  }

  /// How many files lie in the table's folder.
  size_t FilesLying() {
    return files_.ListAll(context(), Metadata()->location, {.recursive = true})->size();
  }

  io::FileSystemSet files_;
  OwnedContext context_{11};
  std::unique_ptr<catalog::Catalog> catalog_;
  std::unique_ptr<Committer> committer_;
  const catalog::TableName table_{{"demo"}, "t"};
};

TEST_F(CommitterTest, StagedRowsAreOnTheBranchOnly) {
  const auto staged = committer_->Stage(context(), table_, Adds("a", "run1"), "audit_run1");
  ASSERT_TRUE(staged.ok());
  EXPECT_EQ(Main(), std::set<std::string>());
  EXPECT_TRUE(Metadata()->refs.contains("audit_run1"));
  EXPECT_EQ(ProofOf(*Metadata()->FindRef("audit_run1")), Proof::kPending);
}

TEST_F(CommitterTest, APublishMovesMainAndSaysHowItWasProved) {
  const auto staged = committer_->Stage(context(), table_, Adds("a", "run1"), "audit_run1");
  ASSERT_TRUE(staged.ok());
  const auto published = committer_->Publish(context(), *staged, {});
  ASSERT_TRUE(published.ok());
  EXPECT_EQ(Main(), std::set<std::string>{"a"});
  const auto metadata = Metadata();
  EXPECT_FALSE(metadata->refs.contains("audit_run1"));
  EXPECT_EQ(metadata->snapshots.size(), 1U);
  EXPECT_EQ(ProofOf(*metadata->current_snapshot()), Proof::kTable);
  EXPECT_EQ(metadata->current_snapshot()->summary.at("calve.audited-snapshot-id"),
            std::to_string(staged->snapshot.id.value()));
}

TEST_F(CommitterTest, APublishLeavesNoFileThatNothingNames) {
  const auto staged = committer_->Stage(context(), table_, Adds("a", "run1"), "audit_run1");
  ASSERT_TRUE(committer_->Publish(context(), *staged, {}).ok());
  const auto metadata = Metadata();
  // The data file, one manifest, one list, and the metadata files of create, stage and publish.
  EXPECT_EQ(FilesLying(), 3U + metadata->metadata_log.size() + 1U);
}

TEST_F(CommitterTest, AskedToStopRightAfterThePublishItStillRemovesWhatNothingNames) {
  std::stop_source stop;
  const StepObserver ask = [&](std::string_view step) -> Status {
    if (step == "commit.after_publish") stop.request_stop();
    return Status::Ok();
  };
  const auto staged = committer_->Stage(context(), table_, Adds("a", "run1"), "audit_run1");
  Context stopping = context().WithStop(stop.get_token());
  stopping.steps = &ask;
  ASSERT_TRUE(committer_->Publish(stopping, *staged, {}).ok());
  EXPECT_TRUE(stop.stop_requested());
  EXPECT_EQ(FilesLying(), 3U + Metadata()->metadata_log.size() + 1U);
}

TEST_F(CommitterTest, WhenMainHasMovedTheSameFilesGoOnTopAndAreJudgedAgain) {
  const auto staged = committer_->Stage(context(), table_, Adds("a", "run1"), "audit_run1");
  ASSERT_TRUE(committer_->Commit(context(), table_, Adds("b", "run2"), Proof::kRows).ok());
  int judged = 0;
  PublishOptions options;
  options.recheck = [&](const iceberg::MetadataPtr& candidate, iceberg::SnapshotId id) -> Status {
    ++judged;
    EXPECT_NE(candidate->FindSnapshot(id), nullptr);
    return Status::Ok();
  };
  ASSERT_TRUE(committer_->Publish(context(), *staged, options).ok());
  EXPECT_EQ(judged, 1);
  EXPECT_EQ(Main(), (std::set<std::string>{"a", "b"}));
}

TEST_F(CommitterTest, WhenTheRecheckFailsMainStays) {
  const auto staged = committer_->Stage(context(), table_, Adds("a", "run1"), "audit_run1");
  ASSERT_TRUE(committer_->Commit(context(), table_, Adds("b", "run2"), Proof::kRows).ok());
  PublishOptions options;
  options.recheck = [](const iceberg::MetadataPtr&, iceberg::SnapshotId) -> Status {
    return DataError("not unique");
  };
  EXPECT_FALSE(committer_->Publish(context(), *staged, options).ok());
  EXPECT_EQ(Main(), std::set<std::string>{"b"});
  EXPECT_TRUE(Metadata()->refs.contains("audit_run1"));
}

TEST_F(CommitterTest, ALostReplyNeitherLosesNorDoublesRows) {
  int swaps = 0;
  const StepObserver lose = [&](std::string_view step) -> Status {
    if (step == "catalog.after_swap" && ++swaps % 2 == 1)
      return TransientError("the reply is lost");
    return Status::Ok();
  };
  Context losing = context();
  losing.steps = &lose;
  const auto staged = committer_->Stage(losing, table_, Adds("a", "run1"), "audit_run1");
  ASSERT_TRUE(staged.ok());
  ASSERT_TRUE(committer_->Publish(losing, *staged, {}).ok());
  ASSERT_TRUE(committer_->Commit(losing, table_, Adds("b", "run2"), Proof::kRows).ok());
  EXPECT_EQ(Main(), (std::set<std::string>{"a", "b"}));
  EXPECT_EQ(Metadata()->current_snapshot()->summary.at("total-records"), "2");
}

TEST_F(CommitterTest, AChangeOfRefsWhoseReplyWasLostIsNotMadeTwice) {
  // Of the catalogs this one holds no lock while it says that it has swapped: another writer can
  // come between.
  UseCatalog("filesystem");
  ASSERT_TRUE(committer_->Commit(context(), table_, Adds("a", "run1"), Proof::kRows).ok());
  const iceberg::SnapshotId first = Metadata()->current_snapshot()->id;
  ASSERT_TRUE(committer_->Commit(context(), table_, Adds("b", "run2"), Proof::kRows).ok());
  Committer other(*catalog_, files_);
  bool lost = false;
  const StepObserver lose = [&](std::string_view step) -> Status {
    if (step != "catalog.after_swap" || std::exchange(lost, true)) return Status::Ok();
    EXPECT_TRUE(other.Commit(context(), table_, Adds("c", "run3"), Proof::kRows).ok());
    return TransientError("the reply is lost");
  };
  Context losing = context();
  losing.steps = &lose;
  // Computed again on what the other writer made of it, this would take that one's rows back too.
  const auto rolled_back = committer_->Update(
      losing, table_, [&](const TableMetadata& base) -> Result<iceberg::TableChange> {
        iceberg::SnapshotRef main = base.refs.at("main");
        main.snapshot_id = first;
        return iceberg::SetRef(base, "main", main, base.current_snapshot()->id);
      });
  ASSERT_TRUE(rolled_back.ok()) << rolled_back.error().message;
  EXPECT_TRUE(lost);
  EXPECT_EQ(Main(), (std::set<std::string>{"a", "c"}));
}

TEST_F(CommitterTest, AChangeOfRefsThatNeverLandedIsMadeAfterAll) {
  ASSERT_TRUE(committer_->Commit(context(), table_, Adds("a", "run1"), Proof::kRows).ok());
  bool cut = false;
  const StepObserver fail = [&](std::string_view step) -> Status {
    if (step != "catalog.before_swap" || std::exchange(cut, true)) return Status::Ok();
    return UnknownOutcomeError("the connection is cut");
  };
  Context cutting = context();
  cutting.steps = &fail;
  const auto tagged = committer_->Update(
      cutting, table_, [](const TableMetadata& base) -> Result<iceberg::TableChange> {
        return iceberg::SetRef(
            base, "v1",
            {.snapshot_id = base.current_snapshot()->id, .kind = iceberg::SnapshotRef::Kind::kTag},
            std::nullopt);
      });
  ASSERT_TRUE(tagged.ok());
  EXPECT_TRUE(Metadata()->refs.contains("v1"));
}

TEST_F(CommitterTest, AnOutcomeThatStaysOpenKeepsEveryFile) {
  const StepObserver fail = [](std::string_view step) -> Status {
    if (step == "catalog.before_swap") return UnknownOutcomeError("the connection is cut");
    return Status::Ok();
  };
  Context cut = context();
  cut.steps = &fail;
  Change change = Adds("a", "run1");
  const std::string path = change.rows.added_data_files.front()->path;
  const auto committed = committer_->Commit(cut, table_, std::move(change), Proof::kRows);
  ASSERT_FALSE(committed.ok());
  EXPECT_EQ(committed.error().kind, ErrorKind::kUnknownOutcome);
  EXPECT_TRUE(*files_.Exists(context(), path));
}

TEST_F(CommitterTest, OnceATryIsInTheFilesOfThoseThatWereLostGo) {
  for (const char* type : {"memory", "filesystem"}) {
    UseCatalog(type);
    int tries = 0;
    const StepObserver cut = [&](std::string_view step) -> Status {
      if (step != "catalog.before_swap" || ++tries % 3 == 0) return Status::Ok();
      return UnknownOutcomeError("the connection is cut");
    };
    Context cutting = context();
    cutting.steps = &cut;
    const auto staged = committer_->Stage(cutting, table_, Adds("a", "run1"), "audit_run1");
    ASSERT_TRUE(staged.ok());
    ASSERT_TRUE(committer_->Publish(cutting, *staged, {}).ok());
    EXPECT_EQ(tries, 6);
    EXPECT_EQ(Main(), std::set<std::string>{"a"});
    std::set<std::string> lists;
    for (const io::FileInfo& file :
         *files_.ListAll(context(), Metadata()->location, {.recursive = true})) {
      if (file.uri.find("/snap-") != std::string::npos) lists.insert(file.uri);
    }
    EXPECT_EQ(lists, std::set<std::string>{Metadata()->current_snapshot()->manifest_list});
    // What the catalog wrote for them is left to the next run.
    EXPECT_TRUE(committer_->leaves_files());
    ASSERT_TRUE(committer_->Sweep(context(), table_, "run1").ok());
    const size_t hint = std::string_view(type) == "filesystem" ? 1 : 0;
    EXPECT_EQ(FilesLying(), 3U + hint + Metadata()->metadata_log.size() + 1U) << type;
  }
}

TEST_F(CommitterTest, ALostReplyOfATryThatIsInTakesNoFileAway) {
  int swaps = 0;
  const StepObserver lose = [&](std::string_view step) -> Status {
    if (step == "catalog.after_swap") return TransientError("the reply is lost");
    if (step == "catalog.before_swap" && ++swaps == 1)
      return UnknownOutcomeError("the connection is cut");
    return Status::Ok();
  };
  Context losing = context();
  losing.steps = &lose;
  ASSERT_TRUE(committer_->Commit(losing, table_, Adds("a", "run1"), Proof::kRows).ok());
  EXPECT_EQ(swaps, 2);
  EXPECT_EQ(Main(), std::set<std::string>{"a"});
}

TEST_F(CommitterTest, OldMetadataThatACommitWithoutReplyDidNotRemoveIsLeftToASweep) {
  const auto prune = [](const TableMetadata&) -> Result<iceberg::TableChange> {
    return iceberg::TableChange{
        .updates = {iceberg::SetProperties({{"write.metadata.delete-after-commit.enabled", "true"},
                                            {"write.metadata.previous-versions-max", "1"}})}};
  };
  ASSERT_TRUE(committer_->Update(context(), table_, prune).ok());
  EXPECT_FALSE(committer_->leaves_files());
  const StepObserver lose = [&](std::string_view step) -> Status {
    if (step == "catalog.after_swap") return TransientError("the reply is lost");
    return Status::Ok();
  };
  Context losing = context();
  losing.steps = &lose;
  ASSERT_TRUE(committer_->Commit(losing, table_, Adds("a", "run1"), Proof::kRows).ok());
  EXPECT_TRUE(committer_->leaves_files());
  ASSERT_TRUE(committer_->Sweep(context(), table_, "run1").ok());
  const auto lying = files_.ListAll(context(), Metadata()->location + "/metadata");
  const auto is_metadata = [](const io::FileInfo& file) {
    return file.uri.ends_with(".metadata.json");
  };
  EXPECT_EQ(std::count_if(lying->begin(), lying->end(), is_metadata), 2);
}

TEST_F(CommitterTest, ItSaysWhenFilesCouldNotBeRemoved) {
  const auto deletions_fail = [](int64_t, io::FileCall call, const std::string&) {
    return call == io::FileCall::kDelete ? io::FaultEffect::kFailBefore : io::FaultEffect::kNone;
  };
  const std::shared_ptr<io::FileSystem> inner(&files_, [](io::FileSystem*) {});
  io::FaultyFileSystem faulty(inner, {.decide = deletions_fail});
  Committer committer(*catalog_, faulty);
  const auto staged = committer.Stage(context(), table_, Adds("a", "run1"), "audit_run1");
  ASSERT_TRUE(staged.ok());
  EXPECT_FALSE(committer.leaves_files());
  ASSERT_TRUE(committer.Publish(context(), *staged, {}).ok());
  EXPECT_TRUE(committer.leaves_files());
  EXPECT_GT(FilesLying(), 3U + Metadata()->metadata_log.size() + 1U);
  ASSERT_TRUE(committer_->Sweep(context(), table_, "run1").ok());
  EXPECT_EQ(FilesLying(), 3U + Metadata()->metadata_log.size() + 1U);
}

TEST_F(CommitterTest, AStopBehindALostReplyLeavesTheOutcomeOpen) {
  std::stop_source stop;
  const StepObserver lose = [&](std::string_view step) -> Status {
    if (step != "catalog.after_swap") return Status::Ok();
    stop.request_stop();
    return TransientError("the reply is lost");
  };
  Context losing = context().WithStop(stop.get_token());
  losing.steps = &lose;
  const auto committed = committer_->Commit(losing, table_, Adds("a", "run1"), Proof::kRows);
  ASSERT_FALSE(committed.ok());
  // Not kStopped: whoever hears that may delete what it wrote, and main has it.
  EXPECT_EQ(committed.error().kind, ErrorKind::kUnknownOutcome);
  EXPECT_EQ(Main(), std::set<std::string>{"a"});
}

TEST_F(CommitterTest, AWriterThatLosesRacesIsLetFirst) {
  Committer other(*catalog_, files_);
  int theirs = 0;
  // Whenever this writer is about to commit, another one that knows no lease is faster.
  const StepObserver beat = [&](std::string_view step) -> Status {
    if (step != "commit.before_commit" || theirs == 4) return Status::Ok();
    if (FindLease(*Metadata()).has_value()) return Status::Ok();
    return other
        .Commit(context(), table_, Adds("b" + std::to_string(++theirs), "run2"), Proof::kRows)
        .status();
  };
  Context beaten = context();
  beaten.steps = &beat;
  const auto committed = committer_->Commit(beaten, table_, Adds("a", "run1"), Proof::kRows);
  ASSERT_TRUE(committed.ok()) << committed.error().message;
  EXPECT_EQ(committed->attempts, 3);
  EXPECT_EQ(theirs, 2);
  EXPECT_EQ(Main(), (std::set<std::string>{"a", "b1", "b2"}));
  EXPECT_FALSE(FindLease(*Metadata()).has_value());
}

/// A second passes between two looks at it.
class HastyClock : public Clock {
 public:
  Timestamp Now() override { return Timestamp(std::chrono::seconds(++seconds_)); }
  Duration Monotonic() override { return Now().time_since_epoch(); }
  int64_t seconds() const { return seconds_; }

 private:
  std::atomic<int64_t> seconds_{1'700'000'000};
};

TEST_F(CommitterTest, ALeaseIsWaitedForUntilItRunsOut) {
  auto owned_clock = std::make_unique<HastyClock>();
  const HastyClock& clock = *owned_clock;
  const OwnedContext hasty(std::move(owned_clock), 3);
  const auto put = [&](int64_t at_ms) {
    const auto lease = [&](const TableMetadata& base) {
      return Result<iceberg::TableChange>(TakeLease(base, "somebody", at_ms + kLeaseMs));
    };
    EXPECT_TRUE(committer_->Update(*hasty, table_, lease).ok());
  };
  const int64_t begun = clock.seconds();
  put(begun * 1000);  // Its holder dies.
  ASSERT_TRUE(committer_->Commit(*hasty, table_, Adds("a", "run1"), Proof::kRows).ok());
  EXPECT_GE(clock.seconds(), begun + kLeaseMs / 1000);
  put(clock.seconds() * 1000 + 3'600'000);  // A clock that is wrong holds nobody up.
  ASSERT_TRUE(committer_->Commit(*hasty, table_, Adds("b", "run2"), Proof::kRows).ok());
  EXPECT_LT(clock.seconds(), begun + 3600);
  EXPECT_EQ(Main(), (std::set<std::string>{"a", "b"}));
}

TEST_F(CommitterTest, ADiscardedBranchTakesItsFilesAlong) {
  ASSERT_TRUE(committer_->Commit(context(), table_, Adds("b", "run0"), Proof::kRows).ok());
  const size_t before = FilesLying() - Metadata()->metadata_log.size();
  ASSERT_TRUE(committer_->Stage(context(), table_, Adds("a", "run1"), "audit_run1").ok());
  ASSERT_TRUE(committer_->Discard(context(), table_, "audit_run1").ok());
  EXPECT_EQ(FilesLying() - Metadata()->metadata_log.size(), before);
  EXPECT_EQ(Main(), std::set<std::string>{"b"});
  EXPECT_EQ(committer_->Discard(context(), table_, "audit_run1").error().kind,
            ErrorKind::kNotFound);
}

TEST_F(CommitterTest, ABranchWhoseBaseIsGoneTakesTheFilesOfTheBaseAlong) {
  for (const bool is_published : {false, true}) {
    const std::string tag = is_published ? "published" : "discarded";
    const Change old = Adds(tag + "_old", "run0");
    ASSERT_TRUE(committer_->Commit(context(), table_, old, Proof::kRows).ok());
    const auto staged = committer_->Stage(context(), table_, Adds(tag, "run1"), "audit_run1");
    ASSERT_TRUE(staged.ok());
    Change change = Adds(tag + "_new", "run2");
    change.rows.operation = iceberg::Operation::kOverwrite;
    change.rows.removed_paths = {old.rows.added_data_files[0]->path};
    ASSERT_TRUE(committer_->Commit(context(), table_, change, Proof::kRows).ok());
    ASSERT_TRUE(committer_
                    ->Expire(context(), table_,
                             [](const iceberg::TableMetadata& base) {
                               Committer::Expiry expiry;
                               for (const iceberg::Snapshot& snapshot : base.snapshots) {
                                 const auto is_head = [&](const auto& ref) {
                                   return ref.second.snapshot_id == snapshot.id;
                                 };
                                 if (std::none_of(base.refs.begin(), base.refs.end(), is_head))
                                   expiry.snapshots.insert(snapshot.id);
                               }
                               return Result<Committer::Expiry>(expiry);
                             })
                    .ok());
    EXPECT_TRUE(*files_.Exists(context(), old.rows.added_data_files[0]->path));  // The branch's.
    if (is_published) {
      ASSERT_TRUE(committer_->Publish(context(), *staged, {.proof = Proof::kTable}).ok());
    } else {
      ASSERT_TRUE(committer_->Discard(context(), table_, "audit_run1").ok());
    }
    EXPECT_FALSE(*files_.Exists(context(), old.rows.added_data_files[0]->path));
    EXPECT_EQ(Main().contains(tag), is_published);
    const auto lost = committer_->FindOrphans(context(), table_, Duration(0));
    ASSERT_TRUE(lost.ok());
    EXPECT_TRUE(lost->files.empty()) << lost->files.front();
  }
}

TEST_F(CommitterTest, WhoLooksAtAllLooksAgainWhenABranchIsPublishedMeanwhile) {
  ASSERT_TRUE(committer_->Commit(context(), table_, Adds("a", "run0"), Proof::kRows).ok());
  const Change change = Adds("b", "run1");
  const auto staged = committer_->Stage(context(), table_, change, "audit_run1");
  ASSERT_TRUE(staged.ok());
  int looks = 0;
  Names names;
  const auto look = [&](const catalog::LoadedTable& now) {
    if (++looks == 1) {
      EXPECT_TRUE(committer_->Publish(context(), *staged, {.proof = Proof::kTable}).ok());
    }
    names.clear();
    return AddReachable(context(), files_, now, names);
  };
  const Status looked = LookAtWhole(context(), *catalog_, table_, look);
  EXPECT_TRUE(looked.ok()) << looked.error().message;
  EXPECT_EQ(looks, 2);
  EXPECT_TRUE(names.contains(FileName(change.rows.added_data_files[0]->path)));
  // What is missing of main is missing.
  const std::vector<std::string> lists = {Metadata()->current_snapshot()->manifest_list};
  ASSERT_TRUE(files_.DeleteAll(context(), lists).ok());
  const Status missing = LookAtWhole(context(), *catalog_, table_, look);
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(looks, 3);
}

TEST_F(CommitterTest, AnotherProcessPublishesAStagedBranchByItsName) {
  ASSERT_TRUE(committer_->Stage(context(), table_, Adds("a", "run1"), "audit_run1").ok());
  Committer other(*catalog_, files_);
  const auto found = other.FindStaged(context(), table_, "audit_run1");
  ASSERT_TRUE(found.ok());
  ASSERT_TRUE(other.Publish(context(), *found, {.proof = Proof::kManual}).ok());
  EXPECT_EQ(Main(), std::set<std::string>{"a"});
  EXPECT_EQ(ProofOf(*Metadata()->current_snapshot()), Proof::kManual);
}

TEST_F(CommitterTest, OfTwoRunsFromOnePositionOnePublishes) {
  Change first = Adds("a", "run1");
  first.position = Position{.state = "{}", .ledger = "file one"};
  Change second = Adds("b", "run2");
  second.position = Position{.state = "{}", .ledger = "file one"};
  const auto staged_first = committer_->Stage(context(), table_, std::move(first), "audit_run1");
  const auto staged_second = committer_->Stage(context(), table_, std::move(second), "audit_run2");
  ASSERT_TRUE(committer_->Publish(context(), *staged_first, {}).ok());
  const auto refused = committer_->Publish(context(), *staged_second, {});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().kind, ErrorKind::kRefused);
  EXPECT_EQ(Main(), std::set<std::string>{"a"});
}

TEST_F(CommitterTest, RowsComputedFromOthersAreAskedAboutOnceMainHasMoved) {
  int asked = 0;
  Status answer;
  Change change = Adds("a", "run1");
  change.basis = Change::Basis{.snapshot = Metadata()->current_snapshot_id,
                               .still_holds = [&](const iceberg::MetadataPtr& now) -> Status {
                                 ++asked;
                                 EXPECT_NE(now->current_snapshot(), nullptr);
                                 return answer;
                               }};
  const auto staged = committer_->Stage(context(), table_, std::move(change), "audit_run1");
  ASSERT_TRUE(staged.ok());
  EXPECT_EQ(asked, 0);
  ASSERT_TRUE(committer_->Commit(context(), table_, Adds("b", "run2"), Proof::kRows).ok());
  answer = ConflictError("the rows have changed");
  const auto overtaken = committer_->Publish(context(), *staged, {});
  ASSERT_FALSE(overtaken.ok());
  EXPECT_EQ(overtaken.error().message, "the rows have changed");
  EXPECT_EQ(Main(), std::set<std::string>{"b"});
  answer = Status::Ok();
  ASSERT_TRUE(committer_->Publish(context(), *staged, {}).ok());
  EXPECT_EQ(asked, 2);
  EXPECT_EQ(Main(), (std::set<std::string>{"a", "b"}));
}

TEST_F(CommitterTest, WhereNobodyCanBeAskedTheyAreRefused) {
  Change change = Adds("a", "run1");
  change.rows.data_sequence_numbers[change.rows.added_data_files[0]->path] =
      iceberg::SequenceNumber(0);
  change.basis = Change::Basis{.snapshot = Metadata()->current_snapshot_id, .still_holds = {}};
  const std::string path = change.rows.added_data_files[0]->path;
  ASSERT_TRUE(committer_->Stage(context(), table_, std::move(change), "audit_run1").ok());
  const auto found = committer_->FindStaged(context(), table_, "audit_run1");
  ASSERT_TRUE(found.ok());
  EXPECT_EQ(found->change.rows.data_sequence_numbers,
            (std::map<std::string, iceberg::SequenceNumber>{{path, iceberg::SequenceNumber(0)}}));
  ASSERT_TRUE(committer_->Commit(context(), table_, Adds("b", "run2"), Proof::kRows).ok());
  const auto refused = committer_->Publish(context(), *found, {.proof = Proof::kManual});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().kind, ErrorKind::kRefused);
  EXPECT_EQ(Main(), std::set<std::string>{"b"});
}

TEST_F(CommitterTest, ADiscardedBranchLeavesTheFilesThatAreStagedAgain) {
  const Change again = Adds("a", "run1");
  Change change = again;
  change.rows.added_data_files.push_back(Adds("other", "run1").rows.added_data_files[0]);
  const std::string kept = again.rows.added_data_files[0]->path;
  const std::string gone = change.rows.added_data_files[1]->path;
  ASSERT_TRUE(committer_->Stage(context(), table_, std::move(change), "audit_run1").ok());
  ASSERT_TRUE(committer_->Discard(context(), table_, "audit_run1", {kept}).ok());
  EXPECT_TRUE(*files_.Exists(context(), kept));
  EXPECT_FALSE(*files_.Exists(context(), gone));
  ASSERT_TRUE(committer_->Stage(context(), table_, again, "audit_run1").ok());
}

TEST_F(CommitterTest, APositionIsFoundAgainAndGoesBackWithTheTable) {
  EXPECT_FALSE(FindPosition(context(), files_, Line(), Loaded(), "job", false)->has_value());
  Change change = Adds("a", "run1");
  change.position = Position{.state = R"({"version": 1})", .ledger = "file one\n"};
  const auto published = committer_->Commit(context(), table_, std::move(change), Proof::kRows);
  ASSERT_TRUE(published.ok());
  const auto found = FindPosition(context(), files_, Line(), Loaded(), "job", true);
  ASSERT_TRUE(found.ok() && found->has_value());
  EXPECT_EQ((*found)->position.ledger, "file one\n");
  EXPECT_EQ((*found)->snapshot_id, published->snapshot_id);
  EXPECT_FALSE(
      FindPosition(context(), files_, Line(), Loaded(), "another job", false)->has_value());
}

TEST_F(CommitterTest, AReservedSchemaIsCurrentOnlyAfterThePublish) {
  const auto reserved =
      committer_->ReserveSchema(context(), table_, [](iceberg::SchemaUpdate& update) {
        return update.AddColumn("",
                                Field{.id = FieldId(0), .name = "extra", .type = Type::String()});
      });
  ASSERT_TRUE(reserved.ok());
  EXPECT_EQ(Metadata()->schema()->FindByName("extra"), nullptr);
  Change change = Adds("a", "run1");
  change.schema_id = reserved->schema->id();
  const auto staged = committer_->Stage(context(), table_, std::move(change), "audit_run1");
  ASSERT_TRUE(staged.ok());
  // Another writer adds a column of its own meanwhile.
  ASSERT_TRUE(
      committer_
          ->Update(context(), table_,
                   [](const TableMetadata& base) -> Result<iceberg::TableChange> {
                     iceberg::SchemaUpdate update(base);
                     CALVE_RETURN_IF_ERROR(update.AddColumn(
                         "", Field{.id = FieldId(0), .name = "theirs", .type = Type::Int()}));
                     return update.Build();
                   })
          .ok());
  ASSERT_TRUE(committer_->Publish(context(), *staged, {}).ok());
  const auto schema = Metadata()->schema();
  ASSERT_NE(schema->FindByName("extra"), nullptr);
  ASSERT_NE(schema->FindByName("theirs"), nullptr);
  EXPECT_NE(schema->FindByName("extra")->id, schema->FindByName("theirs")->id);
}

TEST_F(CommitterTest, AMetadataFileOfADeadWriterGoesOnceItsNumberIsTaken) {
  ASSERT_TRUE(committer_->Commit(context(), table_, Adds("kept", "run1"), Proof::kRows).ok());
  const std::string folder = Metadata()->location + "/metadata/";
  const std::string now = catalog_->LoadTable(context(), table_)->metadata_location;
  const auto bytes = files_.ReadFile(context(), now);
  ASSERT_TRUE(bytes.ok());
  const std::string dead = folder + "00002-dead.metadata.json";
  ASSERT_TRUE(files_.WriteFile(context(), dead, *bytes).ok());
  // Its writer may just be about to commit.
  const auto too_early = committer_->Sweep(context(), table_, "run0");
  ASSERT_TRUE(too_early.ok());
  EXPECT_TRUE(too_early->again);
  EXPECT_TRUE(*files_.Exists(context(), dead));
  ASSERT_TRUE(committer_->Commit(context(), table_, Adds("next", "run2"), Proof::kRows).ok());
  const auto swept = committer_->Sweep(context(), table_, "run0");
  ASSERT_TRUE(swept.ok());
  EXPECT_FALSE(swept->again);
  EXPECT_EQ(swept->removed, 1);
  EXPECT_FALSE(*files_.Exists(context(), dead));
}

TEST_F(CommitterTest, ASweepLeavesTheMetadataOfADroppedTableThatHadThisPlace) {
  ASSERT_TRUE(committer_->Commit(context(), table_, Adds("old", "run1"), Proof::kRows).ok());
  const std::string dropped = catalog_->LoadTable(context(), table_)->metadata_location;
  ASSERT_TRUE(catalog_->DropTable(context(), table_).ok());
  MakeTable();
  ASSERT_TRUE(committer_->Commit(context(), table_, Adds("a", "run2"), Proof::kRows).ok());
  ASSERT_TRUE(committer_->Commit(context(), table_, Adds("b", "run2"), Proof::kRows).ok());
  const auto swept = committer_->Sweep(context(), table_, "run0");
  ASSERT_TRUE(swept.ok());
  EXPECT_FALSE(swept->again);
  EXPECT_TRUE(*files_.Exists(context(), dropped));
}

TEST_F(CommitterTest, ASweepTakesMetadataOutOfTheLogOnlyWhereCommitsDo) {
  const std::string folder = Metadata()->location + "/metadata/";
  const auto set = [&](const std::map<std::string, std::string>& properties) {
    return committer_->Update(context(), table_, [&](const TableMetadata&) {
      return Result<iceberg::TableChange>(
          iceberg::TableChange{.updates = {iceberg::SetProperties(properties)}});
    });
  };
  ASSERT_TRUE(set({{"write.metadata.previous-versions-max", "1"}}).ok());
  ASSERT_TRUE(committer_->Commit(context(), table_, Adds("a", "run1"), Proof::kRows).ok());
  ASSERT_TRUE(committer_->Commit(context(), table_, Adds("b", "run1"), Proof::kRows).ok());
  EXPECT_EQ(committer_->Sweep(context(), table_, "run0")->removed, 0);
  ASSERT_TRUE(set({{"write.metadata.delete-after-commit.enabled", "true"}}).ok());
  EXPECT_GT(committer_->Sweep(context(), table_, "run0")->removed, 0);
  EXPECT_EQ(files_.ListAll(context(), folder)->size(), 2U + 2U + 2U);
}

TEST_F(CommitterTest, ATableIsMadeWithItsFirstRowsAndNotBefore) {
  Plan planned = PlanRows("new", "run1");
  EXPECT_EQ(catalog_->LoadTable(context(), planned.table).error().kind, ErrorKind::kNotFound);
  const auto staged = committer_->Stage(context(), planned.table, planned.change, "audit_run1");
  ASSERT_TRUE(staged.ok());
  EXPECT_EQ(staged->loaded.metadata->current_snapshot(), nullptr);
  EXPECT_TRUE(staged->loaded.metadata->metadata_log.empty());
  const auto published = committer_->Publish(context(), *staged, {});
  ASSERT_TRUE(published.ok());
  EXPECT_TRUE(published->loaded.metadata->properties.empty());
}

TEST_F(CommitterTest, AFirstStageWhoseReplyIsLostIsRecognised) {
  Plan planned = PlanRows("new", "run1");
  int swaps = 0;
  const StepObserver lose = [&](std::string_view step) -> Status {
    if (step == "catalog.after_swap" && swaps++ == 0) return TransientError("the reply is lost");
    return Status::Ok();
  };
  Context losing = context();
  losing.steps = &lose;
  const auto staged = committer_->Stage(losing, planned.table, planned.change, "audit_run1");
  ASSERT_TRUE(staged.ok());
  EXPECT_EQ(staged->loaded.metadata->snapshots.size(), 1U);
}

TEST_F(CommitterTest, FaultsThatComeLateAreNotOutlivedAsOftenAsThoseThatComeAtOnce) {
  ManualClock clock(Timestamp(std::chrono::hours(1)));
  const auto tries_when_each_takes = [&](std::chrono::seconds longer) {
    int tries = 0;
    const StepObserver fail = [&](std::string_view step) -> Status {
      if (step != "catalog.before_swap") return Status::Ok();
      ++tries;
      clock.Advance(longer);
      return TransientError("the catalog does not answer");
    };
    Context failing = context();
    failing.clock = &clock;
    failing.steps = &fail;
    const auto committed = committer_->Commit(
        failing, table_, Adds(std::to_string(longer.count()), "run1"), Proof::kRows);
    EXPECT_EQ(committed.error().kind, ErrorKind::kTransient);
    return tries;
  };
  EXPECT_EQ(tries_when_each_takes(std::chrono::seconds(0)), 8);
  EXPECT_EQ(tries_when_each_takes(std::chrono::seconds(25)), 4);
}

TEST_F(CommitterTest, WhoPlannedATableThatAnotherHasMadeMeanwhileAddsToIt) {
  Plan first = PlanRows("first", "run1");
  Plan second = PlanRows("second", "run2");
  ASSERT_TRUE(committer_->Commit(context(), first.table, first.change, Proof::kRows).ok());
  const auto added = committer_->Commit(context(), first.table, second.change, Proof::kRows);
  ASSERT_TRUE(added.ok());
  EXPECT_EQ(added->loaded.metadata->snapshots.size(), 2U);
}

TEST_F(CommitterTest, WhoPlannedOtherColumnsThanTheTableGotPlansAgain) {
  Plan first = PlanRows("first", "run1");
  Plan second = PlanRows("second", "run2", Type::String());
  ASSERT_TRUE(committer_->Commit(context(), first.table, first.change, Proof::kRows).ok());
  const auto added = committer_->Commit(context(), first.table, second.change, Proof::kRows);
  ASSERT_FALSE(added.ok());
  EXPECT_EQ(added.error().kind, ErrorKind::kConflict);
}

TEST_F(CommitterTest, ATableWhoseFirstRowsWereDiscardedIsMadeAnew) {
  Plan first = PlanRows("first", "run1", Type::String());
  ASSERT_TRUE(committer_->Stage(context(), first.table, first.change, "audit_run1").ok());
  EXPECT_FALSE(IsUnborn(*catalog_->LoadTable(context(), first.table)->metadata));
  ASSERT_TRUE(committer_->Discard(context(), first.table, "audit_run1").ok());
  const auto unborn = catalog_->LoadTable(context(), first.table);
  ASSERT_TRUE(unborn.ok());
  EXPECT_TRUE(IsUnborn(*unborn->metadata));

  Plan second = PlanRows("second", "run2", Type::Long(), &*unborn);
  Plan late = PlanRows("late", "run3", Type::Long(), &*unborn);
  const auto staged = committer_->Stage(context(), first.table, second.change, "audit_run2");
  ASSERT_TRUE(staged.ok());
  EXPECT_EQ(staged->loaded.metadata->table_uuid, unborn->metadata->table_uuid);
  EXPECT_EQ(staged->loaded.metadata->schema()->fields().front().type, Type::Long());
  ASSERT_TRUE(committer_->Publish(context(), *staged, {}).ok());
  // Whoever has planned the same meanwhile adds to it.
  const auto beside = committer_->Stage(context(), first.table, late.change, "audit_run3");
  ASSERT_TRUE(beside.ok());
  EXPECT_TRUE(committer_->Publish(context(), *beside, {}).ok());
  EXPECT_FALSE(IsUnborn(*catalog_->LoadTable(context(), first.table)->metadata));
}

TEST_F(CommitterTest, RowsOfColumnsThatATableNoLongerHasAreRefused) {
  Plan first = PlanRows("first", "run1");
  ASSERT_TRUE(committer_->Stage(context(), first.table, first.change, "audit_run1").ok());
  Change late = first.change;
  late.new_table = nullptr;
  ASSERT_TRUE(committer_->Discard(context(), first.table, "audit_run1").ok());
  const auto unborn = catalog_->LoadTable(context(), first.table);
  Plan anew = PlanRows("anew", "run2", Type::Long(), &*unborn);
  ASSERT_TRUE(committer_->Stage(context(), first.table, anew.change, "audit_run2").ok());
  const auto refused = committer_->Stage(context(), first.table, late, "audit_run3");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().kind, ErrorKind::kRefused);
}

TEST_F(CommitterTest, ASweepRemovesTheTableThatADeadRunWasAboutToMake) {
  Plan dead = PlanRows("dead", "run1");
  const StepObserver die = [](std::string_view step) -> Status {
    return step == "catalog.before_swap" ? UnknownOutcomeError("killed") : Status::Ok();
  };
  Context dying = context();
  dying.steps = &die;
  EXPECT_FALSE(committer_->Stage(dying, dead.table, dead.change, "audit_run1").ok());
  EXPECT_TRUE(committer_->Sweep(context(), dead.table, "run1")->again);
  Plan alive = PlanRows("alive", "run2");
  ASSERT_TRUE(committer_->Commit(context(), dead.table, alive.change, Proof::kRows).ok());
  const auto swept = committer_->Sweep(context(), dead.table, "run1");
  ASSERT_TRUE(swept.ok());
  EXPECT_FALSE(swept->again);
  const auto files =
      files_.ListAll(context(), alive.change.new_table->draft.metadata->location + "/metadata");
  EXPECT_EQ(files->size(), 3U) << "metadata, manifest list, manifest";
}

TEST_F(CommitterTest, WhereATableWasBegunASweepComesAgain) {
  const catalog::TableName begun{{"demo"}, "begun"};
  const auto nothing = committer_->Sweep(context(), begun, "run1");
  ASSERT_TRUE(nothing.ok());
  EXPECT_FALSE(nothing->again);
  const auto place = catalog_->NewTableLocation(context(), begun);
  ASSERT_TRUE(files_.WriteFile(context(), *place + "/metadata/00000-x.metadata.json", "x").ok());
  EXPECT_TRUE(committer_->Sweep(context(), begun, "run1")->again);
}

TEST_F(CommitterTest, ASweepRemovesWhatADeadRunLeftAndNothingElse) {
  ASSERT_TRUE(committer_->Commit(context(), table_, Adds("kept", "run1"), Proof::kRows).ok());
  const std::string folder = Metadata()->location;
  ASSERT_TRUE(files_.WriteFile(context(), folder + "/data/00000-run1-00009.parquet", "dead").ok());
  ASSERT_TRUE(files_.WriteFile(context(), folder + "/metadata/run1-abc-m0.avro", "dead").ok());
  ASSERT_TRUE(files_.WriteFile(context(), folder + "/data/00000-run2-00001.parquet", "alive").ok());
  const auto removed = committer_->Sweep(context(), table_, "RUN1");
  ASSERT_TRUE(removed.ok());
  EXPECT_EQ(removed->removed, 2);
  EXPECT_FALSE(removed->again);
  EXPECT_EQ(Main(), std::set<std::string>{"kept"});
  EXPECT_TRUE(*files_.Exists(context(), folder + "/data/00000-run2-00001.parquet"));
}

}  // namespace
}  // namespace calve::commit

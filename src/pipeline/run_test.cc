#include "pipeline/run.h"

#include <arrow/array/builder_primitive.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <set>

#include "columnar/row_text.h"
#include "pipeline/adoption.h"

namespace calve::pipeline {
namespace {

using columnar::TracedBatch;

std::shared_ptr<arrow::Schema> Columns() {
  static const auto kSchema = [] {
    const iceberg::Field id{.id = iceberg::FieldId(1), .name = "id", .type = iceberg::Type::Long()};
    return *columnar::ToArrowSchema(*iceberg::Schema::Make(iceberg::SchemaId(0), {id}).value());
  }();
  return kSchema;
}

columnar::Batch Numbers(int64_t first, int64_t count) {
  arrow::Int64Builder builder;
  for (int64_t i = 0; i < count; ++i) EXPECT_TRUE(builder.Append(first + i).ok());
  return arrow::RecordBatch::Make(Columns(), count, {builder.Finish().ValueOrDie()});
}

/// What the source of a test gives, and what the target saw: all that crosses the two doors.
struct World {
  // The source.
  int splits = 1;
  int batches_a_split = 2;
  int64_t rows_a_batch = 10;
  int64_t rejects_a_batch = 0;
  std::function<Status(const Context& context, int split, int batch)> before_batch;
  bool incremental = true;
  int64_t rows_a_file = 0;  ///< Of a file that all splits together are; 0: there is none.

  // The target.
  std::function<Status()> finish;
  Status abort;
  bool sweeps_whole = true;
  std::string why_not_adopted;
  bool adopts = true;  ///< Once it has said that it would.
  bool overwrites = false;
  std::vector<load::Load::OpenBranch> open;
  int plans = 0;

  // Seen.
  std::mutex mutex;
  int64_t rows_written = 0;
  int64_t rows_quarantined = 0;
  int64_t rows_adopted = 0;
  int finished = 0;
  int aborted = 0;
  int splits_aborted = 0;
  int splits_closed = 0;
  bool stop_reached_the_abort = false;
  std::optional<commit::Position> committed;
  std::string sets_out_to_read;
  std::vector<load::QuarantinedRow> quarantined;
  std::vector<std::string> discarded;
  std::vector<std::string> swept;
  bool leaves_files = false;
};

class FakeReader : public source::SplitReader {
 public:
  FakeReader(World& world, int split) : world_(world), split_(split) {}
  Result<std::optional<TracedBatch>> Next(const Context& context) override {
    if (world_.before_batch) {
      CALVE_RETURN_IF_ERROR(world_.before_batch(context, split_, batch_));
    }
    if (batch_++ == world_.batches_a_split) return std::optional<TracedBatch>();
    TracedBatch batch;
    batch.rows = Numbers(int64_t{split_} * 1000 + batch_ * 100, world_.rows_a_batch);
    for (int64_t i = 0; i < world_.rejects_a_batch; ++i) {
      batch.rejects.push_back(
          {.origin = "line", .column = "id", .reason = "no number", .raw = "x"});
    }
    batch.rows_read = world_.rows_a_batch + world_.rejects_a_batch;
    return std::optional<TracedBatch>(std::move(batch));
  }

 private:
  World& world_;
  const int split_;
  int batch_ = 0;
};

class FakeSource : public source::Source {
 public:
  explicit FakeSource(World& world) : world_(world) {}
  Status Check(const Context&) override { return Status::Ok(); }
  Result<std::vector<source::Stream>> Discover(const Context&) override {
    return std::vector<source::Stream>();
  }
  Result<source::ReadPlan> Plan(const Context&, const source::PlanOptions&) override {
    ++world_.plans;
    source::ReadPlan plan;
    plan.schema = Columns();
    for (int i = 0; i < world_.splits; ++i)
      plan.splits.push_back({.label = std::to_string(i), .payload = i});
    if (world_.rows_a_file > 0) {
      plan.whole_files.push_back({.file = {.uri = "f", .size = ByteCount(70)},
                                  .rows = world_.rows_a_file,
                                  .splits = plan.splits.size()});
    }
    if (world_.incremental) plan.position = source::Position{.state = "{}", .ledger = "seen"};
    return plan;
  }
  Result<std::unique_ptr<source::SplitReader>> Open(const Context&, const source::ReadPlan&,
                                                    const source::Split& split) override {
    return std::make_unique<FakeReader>(world_, std::any_cast<int>(split.payload));
  }

 private:
  World& world_;
};

class FakeSplit : public load::SplitLoad {
 public:
  explicit FakeSplit(World& world) : world_(world) {}
  Status Write(const Context&, const columnar::Batch& rows) override {
    std::lock_guard lock(world_.mutex);
    world_.rows_written += rows->num_rows();
    return Status::Ok();
  }
  Status Quarantine(const Context&, std::vector<load::QuarantinedRow> rows) override {
    std::lock_guard lock(world_.mutex);
    world_.rows_quarantined += static_cast<int64_t>(rows.size());
    std::move(rows.begin(), rows.end(), std::back_inserter(world_.quarantined));
    return Status::Ok();
  }
  Status Close(const Context&) override {
    std::lock_guard lock(world_.mutex);
    ++world_.splits_closed;
    return Status::Ok();
  }
  Result<bool> Adopt(const Context&, const io::FileInfo& file,
                     const std::function<void(ByteCount)>& copied) override {
    if (!world_.adopts) return false;
    copied(file.size);
    std::lock_guard lock(world_.mutex);
    world_.rows_adopted += world_.rows_a_file;
    return true;
  }
  void Abort(const Context& context) override {
    std::lock_guard lock(world_.mutex);
    ++world_.splits_aborted;
    world_.stop_reached_the_abort |= context.stop.stop_requested();
  }

 private:
  World& world_;
};

class FakeLoad : public load::Load {
 public:
  explicit FakeLoad(World& world) : world_(world) {}
  Result<std::optional<commit::Position>> ReadPosition(const Context&, bool) override {
    return std::optional<commit::Position>();
  }
  Result<std::shared_ptr<arrow::Schema>> WantedSchema(const Context&) override {
    return std::shared_ptr<arrow::Schema>();
  }
  bool may_widen() const override { return false; }
  Result<load::SchemaPlan> PlanSchema(const Context&, const arrow::Schema&) override {
    const iceberg::Field id{.id = iceberg::FieldId(1), .name = "id", .type = iceberg::Type::Long()};
    load::SchemaPlan plan;
    CALVE_ASSIGN_OR_RETURN(plan.schema, iceberg::Schema::Make(iceberg::SchemaId(0), {id}));
    return plan;
  }
  Result<std::string> WhyNotAdopted(const Context&, const load::SchemaPlan&,
                                    const io::FileInfo&) override {
    return world_.why_not_adopted;
  }
  Status Begin(const Context&, const load::SchemaPlan&) override { return Status::Ok(); }
  Result<std::unique_ptr<load::SplitLoad>> OpenSplit(const Context&, int) override {
    return std::make_unique<FakeSplit>(world_);
  }
  Result<load::Report> Finish(const Context& context,
                              const std::optional<commit::Position>& position, int64_t rows,
                              load::Observer*) override {
    CALVE_RETURN_IF_ERROR(context.CheckStop());
    ++world_.finished;
    if (world_.finish) CALVE_RETURN_IF_ERROR(world_.finish());
    EXPECT_EQ(rows, world_.rows_written + world_.rows_adopted);
    world_.committed = position;
    return load::Report{.ending = load::Ending::kPublished, .rows_written = rows};
  }
  Status Abort(const Context& context) override {
    ++world_.aborted;
    world_.stop_reached_the_abort |= context.stop.stop_requested();
    return world_.abort;
  }
  Result<std::vector<OpenBranch>> OpenBranches(const Context&) override { return world_.open; }
  Status Discard(const Context&, const std::string& branch) override {
    world_.discarded.push_back(branch);
    return Status::Ok();
  }
  Result<bool> Sweep(const Context&, const std::string& run) override {
    world_.swept.push_back(run);
    return world_.sweeps_whole;
  }
  void SetsOutToRead(const std::string& what) override { world_.sets_out_to_read = what; }
  bool leaves_files() const override { return world_.leaves_files; }
  std::string target() const override { return "demo.t"; }
  bool overwrites() const override { return world_.overwrites; }

 private:
  World& world_;
};

class FakeBook : public RunBook {
 public:
  Result<RunFate> FateOf(const Context&, const std::string& run) override {
    const auto found = fates.find(run);
    return found == fates.end() ? RunFate::kUnknown : found->second;
  }
  void LeavesFiles(const std::string& run) override { leaving.insert(run); }
  Result<std::vector<std::string>> DeadRuns(const Context&, const std::string&) override {
    return dead;
  }
  Status Swept(const Context&, const std::string& run) override {
    swept.insert(run);
    return Status::Ok();
  }
  Result<bool> HasPosition(const Context&, const std::string&) override { return false; }

  std::map<std::string, RunFate> fates;
  std::vector<std::string> dead;
  std::set<std::string> leaving;
  std::set<std::string> swept;
};

/// Gives its chunks once each, whatever the position says.
class FakeHeldRows : public load::HeldRows {
 public:
  std::string target() const override { return "demo.t"; }
  Status Begin(const Context&) override { return Status::Ok(); }
  int64_t left() const override { return static_cast<int64_t>(chunks.size()); }
  Result<Outcome> Finish(const Context&) override { return Outcome(); }
  Result<std::optional<load::HeldChunk>> Next(const Context&,
                                              const std::optional<commit::Position>&) override {
    if (chunks.empty()) return std::optional<load::HeldChunk>();
    load::HeldChunk chunk = std::move(chunks.front());
    chunks.erase(chunks.begin());
    return std::optional<load::HeldChunk>(std::move(chunk));
  }

  std::vector<load::HeldChunk> chunks;
};

class SilentEvents : public Events {
 public:
  void Planned(const Plan&) override {}
  void Progressed(const Progress& progress) override { last = progress; }
  void Extracted(const RunReport&) override {}
  void Staged(const load::Report&) override {}
  void Audited(const load::Report&) override {}
  Progress last;
};

class RunTest : public testing::Test {
 protected:
  RunTest() {
    source::RegisterParts(parts_.sources);
    parts_.sources.Add({.type = "fake", .make = [this](const auto&, const auto&) {
                          return Result<std::unique_ptr<source::Source>>(
                              std::make_unique<FakeSource>(world_));
                        }});
    parts_.loaders.Add({.type = "fake", .make = [this](const auto&, const auto&, const auto&) {
                          return Result<std::unique_ptr<load::Load>>(
                              std::make_unique<FakeLoad>(world_));
                        }});
    job_.id = "job";
    job_.source.type = "fake";
    job_.loader.type = "fake";
    resources_.parts = &parts_;
    resources_.book = &book_;
    resources_.parallelism = 3;
  }

  Result<RunReport> Run() { return RunWith(*context_); }
  Result<RunReport> RunWith(const Context& context) {
    return RunJob(context, job_, nullptr, "run1", resources_, events_);
  }

  Result<RunReport> Replay() {
    return ReplayJob(*context_, job_, nullptr, held_, "run1", resources_, events_);
  }
  /// Rows of a form, as one chunk.
  void Hold(columnar::RowForm form, std::vector<std::string> rows) {
    load::HeldChunk chunk{.form = form,
                          .columns = *columnar::SchemaAsJson(*Columns()),
                          .rows = {},
                          .position = {.state = R"({"rows": 2})", .ledger = {}}};
    for (std::string& row : rows) chunk.rows.push_back({.raw = std::move(row), .origin = "a line"});
    held_.chunks.push_back(std::move(chunk));
  }

  OwnedContext context_{5};
  World world_;
  FakeHeldRows held_;
  FakeBook book_;
  SilentEvents events_;
  Parts parts_;
  Job job_;
  Resources resources_;
};

TEST_F(RunTest, EveryRowOfEverySplitIsWrittenOrHeldBack) {
  world_.splits = 7;
  world_.rejects_a_batch = 3;
  const auto report = Run();
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->rows_read, 7 * 2 * 13);
  EXPECT_EQ(world_.rows_written, 7 * 2 * 10);
  EXPECT_EQ(world_.rows_quarantined, 7 * 2 * 3);
  EXPECT_EQ(events_.last.rows, report->rows_read);
  EXPECT_EQ(world_.splits_closed, 3);  // One target a worker, not one a split.
  ASSERT_TRUE(world_.committed.has_value());
  EXPECT_EQ(world_.committed->ledger, "seen");
  EXPECT_TRUE(report->has_position);
}

TEST_F(RunTest, TextThatIsNotReadRowByRowIsNotLoaded) {
  job_.source.type = "csv";
  job_.source.node = *config::ParseYaml("{source_path: a, quote: \"'\"}", "job.yaml");
  Hold(columnar::RowForm::kText, {"1", "'2", "3'"});
  held_.chunks.front().columns = R"(["id"])";
  const auto report = Replay();
  ASSERT_FALSE(report.ok());
  EXPECT_THAT(
      report.error().message,
      testing::HasSubstr("expected to read 3 rows that were held back one by one, found 2"));
  EXPECT_EQ(world_.finished, 0);
}

TEST_F(RunTest, RowsThatWereHeldBackGoTheWayOfTheJob) {
  Hold(columnar::RowForm::kRead, {R"({"id": 1})", R"({"id": "one"})", R"({"id": 3})"});
  Hold(columnar::RowForm::kTransformed, {R"({"id": 4})"});
  const auto report = Replay();
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(world_.plans, 0);  // The job's own source is not asked.
  EXPECT_EQ(report->job, "job.replay");
  EXPECT_EQ(report->plan.read, "3 rows that were held back");
  EXPECT_EQ(report->rows_read, 3);
  EXPECT_EQ(world_.rows_written, 2);
  EXPECT_EQ(world_.sets_out_to_read, R"({"rows": 2})");
  EXPECT_EQ(world_.committed->state, R"({"rows": 2})");
  ASSERT_EQ(world_.quarantined.size(), 1U);
  EXPECT_EQ(world_.quarantined[0].form, columnar::RowForm::kRead);
  EXPECT_EQ(world_.quarantined[0].raw, R"({"id": "one"})");
  EXPECT_EQ(world_.quarantined[0].origin, "a line");

  world_.rows_written = 0;
  const auto second = Replay();
  ASSERT_TRUE(second.ok()) << second.error().message;
  EXPECT_EQ(second->rows_read, 1);
  EXPECT_EQ(second->plan.read, "1 row that was held back");
  const auto third = Replay();
  ASSERT_TRUE(third.ok()) << third.error().message;
  EXPECT_EQ(third->load.ending, load::Ending::kNothing);
  EXPECT_EQ(world_.finished, 2);
}

TEST_F(RunTest, RowsThatWereHeldBackDoNotGoWhereTheyDoNotBelong) {
  Hold(columnar::RowForm::kText, {"1"});
  const auto no_text = Replay();
  ASSERT_FALSE(no_text.ok());
  EXPECT_THAT(no_text.error().message, testing::HasSubstr("of type fake, which reads no text"));
  world_.overwrites = true;
  EXPECT_EQ(Replay().error().kind, ErrorKind::kRefused);
  EXPECT_EQ(world_.finished, 0);
}

TEST_F(RunTest, WithoutAnythingToReadNothingIsCommitted) {
  world_.splits = 0;
  const auto report = Run();
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->load.ending, load::Ending::kNothing);
  EXPECT_EQ(world_.finished, 0);
}

TEST_F(RunTest, AFaultInOneSplitStopsTheOthersAndRemovesWhatTheyWrote) {
  world_.splits = 3;
  world_.batches_a_split = 1'000'000;
  world_.before_batch = [](const Context& context, int split, int batch) -> Status {
    if (split == 1 && batch == 2) return DataError("line 7 is no line");
    return context.CheckStop();
  };
  const auto report = Run();
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error().message, "line 7 is no line");
  EXPECT_EQ(world_.splits_aborted, 3);
  EXPECT_EQ(world_.finished, 0);
  EXPECT_EQ(world_.aborted, 1);
  EXPECT_TRUE(book_.leaving.empty());
}

TEST_F(RunTest, AskedToStopItCleansUpAllTheSame) {
  std::stop_source stop;
  world_.splits = 2;
  world_.before_batch = [&](const Context&, int, int batch) -> Status {
    if (batch == 1) stop.request_stop();
    return Status::Ok();
  };
  const auto report = RunWith(context_->WithStop(stop.get_token()));
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error().kind, ErrorKind::kStopped);
  EXPECT_EQ(world_.aborted, 1);
  EXPECT_FALSE(world_.stop_reached_the_abort);
  EXPECT_FALSE(world_.committed.has_value());
}

TEST_F(RunTest, AStopBetweenReadingAndThePublishCleansUpToo) {
  std::stop_source stop;
  world_.finish = [&]() -> Status {
    stop.request_stop();
    return StoppedError("stopped on request");
  };
  const auto report = RunWith(context_->WithStop(stop.get_token()));
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(world_.aborted, 1);
  EXPECT_FALSE(world_.stop_reached_the_abort);
}

TEST_F(RunTest, WhileACommitMayComeTrueNothingIsRemovedAndTheNextRunLooks) {
  world_.finish = [] { return Status(UnknownOutcomeError("the connection is cut")); };
  const auto report = Run();
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error().kind, ErrorKind::kUnknownOutcome);
  EXPECT_EQ(world_.aborted, 0);
  EXPECT_EQ(book_.leaving, std::set<std::string>{"run1"});
}

TEST_F(RunTest, WhatCouldNotBeRemovedIsLeftToTheNextRun) {
  world_.finish = [] { return Status(RefusedError("the disk is full")); };
  world_.abort = TransientError("the storage does not answer");
  const auto report = Run();
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error().message, "the disk is full");
  EXPECT_EQ(book_.leaving, std::set<std::string>{"run1"});
}

TEST_F(RunTest, FilesThatALoadCouldNotRemoveAreLeftToTheNextRunHoweverItEnds) {
  world_.leaves_files = true;
  ASSERT_TRUE(Run().ok());
  EXPECT_EQ(book_.leaving, std::set<std::string>{"run1"});
  book_.leaving.clear();
  world_.finish = [] { return Status(RefusedError("the disk is full")); };
  ASSERT_FALSE(Run().ok());
  EXPECT_EQ(world_.aborted, 1);
  EXPECT_EQ(book_.leaving, std::set<std::string>{"run1"});
}

TEST_F(RunTest, APassingFaultIsTriedAgainAsOftenAsTheJobSays) {
  job_.retries = {.max = 2, .backoff = std::chrono::seconds(0)};
  int failures = 2;
  world_.finish = [&]() -> Status {
    world_.rows_written = failures > 0 ? 0 : world_.rows_written;
    return failures-- > 0 ? Status(TransientError("not now")) : Status::Ok();
  };
  ASSERT_TRUE(Run().ok());
  EXPECT_EQ(world_.finished, 3);
  world_.rows_written = 0;
  failures = 5;
  EXPECT_EQ(Run().error().message, "not now");
  EXPECT_EQ(failures, 2);
}

TEST_F(RunTest, ABranchThatWasJudgedBlocksTheJob) {
  world_.open = {{.branch = "audit_r0", .run = "r0"}};
  for (const RunFate fate : {RunFate::kEnded, RunFate::kUnknown}) {
    book_.fates["r0"] = fate;
    const auto report = Run();
    ASSERT_TRUE(report.ok());
    EXPECT_EQ(report->load.ending, load::Ending::kBlocked);
    EXPECT_EQ(report->load.branch, "audit_r0");
    EXPECT_EQ(world_.plans, 0);
  }
  job_.on_open_branch = OnOpenBranch::kReplace;
  EXPECT_EQ(Run()->load.ending, load::Ending::kPublished);
  EXPECT_EQ(world_.discarded, std::vector<std::string>{"audit_r0"});
}

TEST_F(RunTest, ABranchThatNobodyJudgedGoesAndOneOfALivingRunStays) {
  world_.open = {{.branch = "audit_dead", .run = "dead"},
                 {.branch = "audit_alive", .run = "alive"}};
  book_.fates = {{"dead", RunFate::kDied}, {"alive", RunFate::kRunning}};
  EXPECT_EQ(Run()->load.ending, load::Ending::kPublished);
  EXPECT_EQ(world_.discarded, std::vector<std::string>{"audit_dead"});
}

TEST_F(RunTest, DeadRunsAreSweptUntilNothingOfThemIsLeft) {
  book_.dead = {"r1", "r2"};
  world_.sweeps_whole = false;
  ASSERT_TRUE(Run().ok());
  EXPECT_EQ(world_.swept, book_.dead);
  EXPECT_TRUE(book_.swept.empty());
  world_.sweeps_whole = true;
  world_.rows_written = 0;
  ASSERT_TRUE(Run().ok());
  EXPECT_EQ(book_.swept, (std::set<std::string>{"r1", "r2"}));
}

TEST_F(RunTest, ARunThatTakesTooLongIsStopped) {
  job_.timeout = std::chrono::seconds(0);
  world_.batches_a_split = 1'000'000'000;
  world_.before_batch = [](const Context& context, int, int) { return context.CheckStop(); };
  const auto report = Run();
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error().kind, ErrorKind::kStopped);
  EXPECT_NE(report.error().message.find("timeout"), std::string::npos);
  EXPECT_FALSE(world_.stop_reached_the_abort);
}

TEST_F(RunTest, AnExtractGivesEveryBatchAndCommitsNothing) {
  world_.splits = 2;
  world_.rejects_a_batch = 1;
  int64_t rows = 0;
  int rejects = 0;
  const Status extracted = ExtractJob(
      *context_, job_, resources_, [](const auto&) { return Status::Ok(); },
      [&](const columnar::Batch& batch) -> Status {
        rows += batch->num_rows();
        return Status::Ok();
      },
      [&](const columnar::Reject&) { ++rejects; });
  ASSERT_TRUE(extracted.ok());
  EXPECT_EQ(rows, 40);
  EXPECT_EQ(rejects, 4);
  EXPECT_EQ(world_.finished, 0);
}

TEST_F(RunTest, AnUnknownKindIsNamed) {
  job_.source.type = "carrier_pigeon";
  EXPECT_NE(Run().error().message.find("carrier_pigeon"), std::string::npos);
}

TEST_F(RunTest, AdoptsAFileOnceInPlaceOfAllItsSplits) {
  world_.splits = 3;
  world_.rows_a_file = 60;
  const auto report = Run();
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(world_.rows_adopted, 60);
  EXPECT_EQ(world_.rows_written, 0);
  EXPECT_EQ(report->rows_read, 60);
  EXPECT_EQ(report->load.rows_written, 60);
  EXPECT_EQ(report->bytes_read, ByteCount(70));
  EXPECT_EQ(events_.last.rows, 60);
  EXPECT_THAT(report->plan.adoption, testing::ElementsAre("0 is adopted"));
}

TEST_F(RunTest, ReadsTheSplitsOfAFileThatIsNotAdopted) {
  world_.splits = 3;
  world_.rows_a_file = 60;
  world_.why_not_adopted = "column a is nested";
  const auto report = Run();
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(world_.rows_written, 60);
  EXPECT_THAT(report->plan.adoption, testing::ElementsAre("0 is decoded: column a is nested"));
}

TEST_F(RunTest, ReadsTheSplitsOfAFileThatTheTargetNoLongerTakes) {
  world_.splits = 3;
  world_.rows_a_file = 60;
  world_.adopts = false;
  const auto report = Run();
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(world_.rows_written, 60);
  EXPECT_EQ(report->rows_read, 60);
}

TEST_F(RunTest, ReadsEveryFileWhereRowsAreHeldBackOrMade) {
  world_.rows_a_file = 20;
  audit::Contract contract;
  contract.checks = {{.name = "not_null(id)", .severity = audit::Severity::kWarn}};
  OwnedContext context(1);
  FakeLoad load(world_);
  source::ReadPlan read = FakeSource(world_).Plan(*context, {}).value();
  const auto notes = [&](const audit::Contract* promised) {
    return PlanAdoption(*context, job_, promised, read, {}, load)->notes;
  };
  EXPECT_THAT(notes(&contract), testing::ElementsAre("0 is adopted"));
  contract.checks[0].severity = audit::Severity::kQuarantine;
  EXPECT_THAT(notes(&contract),
              testing::ElementsAre("the files are decoded: check not_null(id) holds rows back"));
  job_.transformers.push_back({});
  EXPECT_THAT(notes(nullptr),
              testing::ElementsAre("the files are decoded: a transformer makes their rows"));
}

}  // namespace
}  // namespace calve::pipeline

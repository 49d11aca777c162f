#include <gtest/gtest.h>

#include <cstdlib>

#include "catalog/native_refs.h"
#include "catalog/registry.h"
#include "config/yaml.h"
#include "io/file_system_set.h"
#include "io/test_folder.h"

namespace calve::catalog {
namespace {

/// On the Nessie that the test run has started; each test on branches of its own.
class NessieTest : public testing::Test {
 protected:
  void SetUp() override {
    if (std::getenv("CALVE_TEST_NESSIE") == nullptr)
      GTEST_SKIP() << "no Nessie runs: tests/services/with nessie.sh -- ...";
    home_ = Open("main");
    NativeRefs& refs = *home_->native_refs();
    const auto main = refs.FindBranch(context(), "main");
    ASSERT_TRUE(main.ok()) << main.error().message;
    ASSERT_TRUE(refs.CreateBranch(context(), trunk_, *main).ok());
    catalog_ = refs.OnBranch(trunk_);
    ASSERT_TRUE(catalog_->CreateNamespace(context(), {"sales"}, {}).ok());
  }

  std::unique_ptr<Catalog> Open(const std::string& branch) {
    Registry registry;
    RegisterParts(registry);
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
  NativeRefs& refs() { return *catalog_->native_refs(); }

  void MakeTable(const TableName& table) {
    iceberg::CreateTableOptions options;
    options.location = *catalog_->NewTableLocation(context(), table);
    options.uuid = NewUuidString(*context().random);
    options.fields = {
        iceberg::Field{.id = iceberg::FieldId(1), .name = "id", .type = iceberg::Type::Long()}};
    ASSERT_TRUE(std::holds_alternative<Committed>(
        catalog_->Commit(context(), {{.table = table, .change = *iceberg::CreateTable(options)}})));
  }

  bool Set(Catalog& on, const TableName& table, const std::string& key) {
    return std::holds_alternative<Committed>(on.Commit(
        context(),
        {{.table = table,
          .change = {.requirements = {}, .updates = {iceberg::SetProperties({{key, "1"}})}}}}));
  }

  bool Has(Catalog& on, const TableName& table, const std::string& key) {
    const auto loaded = on.LoadTable(context(), table);
    return loaded.ok() && loaded->metadata->properties.contains(key);
  }

  io::TestFolder folder_;
  io::FileSystemSet files_{io::Properties()};
  OwnedContext context_{11};
  const std::string trunk_ = "t_" + folder_.path().substr(folder_.path().size() - 6);
  const std::string side_ = trunk_ + "_audit";
  const TableName orders_{{"sales"}, "orders"};
  const TableName lines_{{"sales"}, "lines"};
  std::unique_ptr<Catalog> home_;
  std::unique_ptr<Catalog> catalog_;
};

TEST_F(NessieTest, TablesChangedOnABranchAreSeenOnTheOtherOnceItIsMergedAllAtOnce) {
  MakeTable(orders_);
  MakeTable(lines_);
  const auto start = refs().FindBranch(context(), trunk_);
  ASSERT_TRUE(refs().CreateBranch(context(), side_, *start).ok());
  EXPECT_EQ(refs().CreateBranch(context(), side_, *start).error().kind, ErrorKind::kAlreadyExists);
  const auto side = refs().OnBranch(side_);
  ASSERT_TRUE(Set(*side, orders_, "audited"));
  ASSERT_TRUE(Set(*side, lines_, "audited"));
  EXPECT_FALSE(Has(*catalog_, orders_, "audited"));
  ASSERT_TRUE(catalog_->CreateNamespace(context(), {"others"}, {}).ok());

  const auto head = refs().FindBranch(context(), side_);
  const auto tried = refs().TryMerge(context(), *head, trunk_);
  ASSERT_TRUE(tried.ok());
  EXPECT_TRUE(tried->conflicts.empty());
  EXPECT_EQ(tried->changed.size(), 2U);
  EXPECT_EQ(tried->common, start->hash);
  EXPECT_EQ(refs().Log(context(), side_, tried->common, 10)->size(), 2U);
  EXPECT_FALSE(Has(*catalog_, orders_, "audited"));

  const auto merged = refs().Merge(context(), *head, trunk_, "publish run 7");
  ASSERT_TRUE(merged.ok());
  EXPECT_TRUE(merged->conflicts.empty());
  EXPECT_TRUE(Has(*catalog_, orders_, "audited"));
  EXPECT_TRUE(Has(*catalog_, lines_, "audited"));
  const auto log = refs().Log(context(), trunk_, start->hash, 10);
  ASSERT_TRUE(log.ok());
  ASSERT_EQ(log->size(), 2U);
  EXPECT_EQ(log->front().hash, merged->hash);
  EXPECT_EQ(log->front().message, "publish run 7");
  EXPECT_EQ(log->front().changes.size(), 2U);
  EXPECT_EQ(refs().DeleteBranch(context(), {.name = side_, .hash = start->hash}).error().kind,
            ErrorKind::kConflict);
  EXPECT_TRUE(refs().DeleteBranch(context(), *head).ok());
  EXPECT_EQ(refs().FindBranch(context(), side_).error().kind, ErrorKind::kNotFound);
}

TEST_F(NessieTest, ATableThatBothBranchesChangedIsAConflictAndNothingIsMerged) {
  MakeTable(orders_);
  MakeTable(lines_);
  const auto start = refs().FindBranch(context(), trunk_);
  ASSERT_TRUE(refs().CreateBranch(context(), side_, *start).ok());
  const auto side = refs().OnBranch(side_);
  ASSERT_TRUE(Set(*side, orders_, "ours"));
  ASSERT_TRUE(Set(*side, lines_, "ours"));
  ASSERT_TRUE(Set(*catalog_, orders_, "theirs"));
  const auto head = refs().FindBranch(context(), side_);
  for (const auto& merge : {refs().TryMerge(context(), *head, trunk_),
                            refs().Merge(context(), *head, trunk_, "publish")}) {
    ASSERT_TRUE(merge.ok());
    ASSERT_EQ(merge->conflicts.size(), 1U);
    EXPECT_EQ(merge->conflicts[0].name, orders_);
    EXPECT_FALSE(merge->conflicts[0].reason.empty());
  }
  EXPECT_FALSE(Has(*catalog_, lines_, "ours"));
}

TEST_F(NessieTest, ACommitBesideAnotherTableIsNoConflict) {
  MakeTable(orders_);
  MakeTable(lines_);
  bool raced = false;
  const StepObserver race = [&](std::string_view step) -> Status {
    if (step == "catalog.before_swap" && !std::exchange(raced, true)) {
      EXPECT_TRUE(Set(*catalog_, lines_, "beside"));
    }
    return Status::Ok();
  };
  Context racing = context();
  racing.steps = &race;
  EXPECT_TRUE(std::holds_alternative<Committed>(catalog_->Commit(
      racing,
      {{.table = orders_,
        .change = {.requirements = {}, .updates = {iceberg::SetProperties({{"own", "1"}})}}}})));
  EXPECT_TRUE(raced);
  EXPECT_TRUE(Has(*catalog_, lines_, "beside"));
}

TEST_F(NessieTest, BranchesOfOneTableAreRefusedAndFilesAreKeptFromCollectors) {
  MakeTable(orders_);
  EXPECT_EQ(catalog_->LoadTable(context(), orders_)->metadata->Property("gc.enabled", "true"),
            "false");
  iceberg::Snapshot snapshot;
  snapshot.id = iceberg::SnapshotId(5);
  snapshot.sequence_number = iceberg::SequenceNumber(1);
  snapshot.manifest_list = "file:///list.avro";
  snapshot.operation = iceberg::Operation::kAppend;
  const CommitOutcome outcome = catalog_->Commit(
      context(),
      {{.table = orders_,
        .change = {.requirements = {},
                   .updates = {iceberg::AddSnapshot(snapshot),
                               iceberg::SetSnapshotRef("audit", {.snapshot_id = snapshot.id})}}}});
  ASSERT_TRUE(std::holds_alternative<Refused>(outcome));
  EXPECT_NE(std::get<Refused>(outcome).error.message.find("audit"), std::string::npos);
}

TEST_F(NessieTest, ABranchThatIsNotThereIsSaid) {
  const auto nowhere = refs().OnBranch("no_such_branch");
  const auto loaded = nowhere->LoadTable(context(), orders_);
  EXPECT_EQ(loaded.error().kind, ErrorKind::kRefused);
  EXPECT_NE(loaded.error().message.find("no_such_branch"), std::string::npos);
}

}  // namespace
}  // namespace calve::catalog

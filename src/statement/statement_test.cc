#include "statement/statement.h"

#include <arrow/array/array_primitive.h>
#include <arrow/util/checked_cast.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>

#include "audit/registry.h"
#include "catalog/registry.h"
#include "columnar/arrow_status.h"
#include "io/file_system_set.h"

namespace calve::statement {
namespace {

using ::testing::HasSubstr;
using Pairs = std::set<std::pair<int64_t, int64_t>>;

/// Does something each time that rows are staged: what another writer would do meanwhile.
class Meanwhile : public load::Observer {
 public:
  explicit Meanwhile(std::function<void(int time)> act) : act_(std::move(act)) {}
  void Staged(const load::Report&) override { act_(++times_); }
  void Audited(const load::Report&) override {}
  int times() const { return times_; }

 private:
  std::function<void(int time)> act_;
  int times_ = 0;
};

/// Runs SQL over a catalog in memory.
class StatementTest : public testing::Test {
 protected:
  StatementTest() {
    EXPECT_TRUE(columnar::StartArrow().ok());
    catalog::Registry catalogs;
    catalog::RegisterParts(catalogs);
    catalog_ = std::move(*catalogs.Make(
        {.type = "memory"},
        {.name = "test", .warehouse = "memory://w", .project_folder = "", .files = &files_}));
    engine_ = std::move(*engine::OpenDuckDb(files_, {.threads = 2}));
    resolver_ = std::make_unique<engine::CatalogResolver>(engine::CatalogResolver::Options{
        .catalog = [&](const std::string&) { return Result<catalog::Catalog*>(&*catalog_); },
        .catalog_names = {"test"},
        .default_catalog = "test",
        .files = &files_,
        .own_tables = {}});
    audit::RegisterParts(checks_);
    resources_.engine = engine_.get();
    resources_.resolver = resolver_.get();
    resources_.load.files = &files_;
    resources_.load.engine = engine_.get();
    resources_.load.resolver = resolver_.get();
    resources_.checks = &checks_;
    resources_.contract = [&](const std::string&) {
      return Result<std::optional<audit::Contract>>(contract_);
    };
  }

  Result<Outcome> Run(const std::string& sql, load::Observer* observer = nullptr) {
    CALVE_ASSIGN_OR_RETURN(
        const engine::Statement statement,
        engine_->Parse(*context_, sql, {.resolver = resolver_.get(), .tables = {}}));
    return statement::Run(*context_, sql, statement, "RUN" + std::to_string(++runs_), resources_,
                          observer);
  }
  void MustRun(const std::string& sql) {
    const auto outcome = Run(sql);
    ASSERT_TRUE(outcome.ok()) << sql << ": " << outcome.error().message;
  }

  Pairs Rows(const std::string& sql) {
    auto stream = engine_->Query(*context_, sql, {.resolver = resolver_.get(), .tables = {}});
    EXPECT_TRUE(stream.ok()) << stream.error().message;
    Pairs rows;
    while (stream.ok()) {
      const auto batch = (*stream)->Next(*context_);
      EXPECT_TRUE(batch.ok());
      if (!batch.ok() || *batch == nullptr) break;
      const auto& first =
          arrow::internal::checked_cast<const arrow::Int64Array&>(*(*batch)->column(0));
      const auto& second =
          arrow::internal::checked_cast<const arrow::Int64Array&>(*(*batch)->column(1));
      for (int64_t i = 0; i < first.length(); ++i)
        EXPECT_TRUE(rows.emplace(first.Value(i), second.Value(i)).second) << "a row twice";
    }
    return rows;
  }
  Pairs Main() { return Rows("SELECT id, v FROM demo.t"); }

  OwnedContext context_{7};
  io::FileSystemSet files_;
  std::unique_ptr<catalog::Catalog> catalog_;
  std::unique_ptr<engine::Engine> engine_;
  std::unique_ptr<engine::CatalogResolver> resolver_;
  audit::Registry checks_;
  std::optional<audit::Contract> contract_;
  Resources resources_;
  int runs_ = 0;
};

constexpr const char* kCreate = "CREATE TABLE demo.t (id BIGINT, v BIGINT)";

TEST_F(StatementTest, WhatAnotherWriterAddsMeanwhileIsChangedToo) {
  MustRun(kCreate);
  MustRun("INSERT INTO demo.t VALUES (1, 1), (2, 2)");
  Meanwhile other([&](int time) {
    if (time == 1) MustRun("INSERT INTO demo.t VALUES (3, 1)");
  });
  const auto outcome = Run("UPDATE demo.t SET v = 10 WHERE v = 1", &other);
  ASSERT_TRUE(outcome.ok()) << outcome.error().message;
  EXPECT_EQ(outcome->rows_updated, 2);
  EXPECT_EQ(other.times(), 2);
  EXPECT_EQ(Main(), (Pairs{{1, 10}, {2, 2}, {3, 10}}));
}

TEST_F(StatementTest, InSnapshotIsolationOnlyTheRowsThatWereThereCount) {
  MustRun(kCreate);
  MustRun("ALTER TABLE demo.t SET ('write.update.isolation-level' = 'snapshot')");
  MustRun("INSERT INTO demo.t VALUES (1, 1), (2, 2)");
  Meanwhile other([&](int time) {
    if (time == 1) MustRun("INSERT INTO demo.t VALUES (3, 1)");
  });
  const auto outcome = Run("UPDATE demo.t SET v = 10 WHERE v = 1", &other);
  ASSERT_TRUE(outcome.ok()) << outcome.error().message;
  EXPECT_EQ(other.times(), 1);
  EXPECT_EQ(Main(), (Pairs{{1, 10}, {2, 2}, {3, 1}}));
}

TEST_F(StatementTest, ARowThatAnotherWriterChangesMeanwhileIsNotLostInSnapshotIsolation) {
  for (const char* mode : {"copy-on-write", "merge-on-read"}) {
    MustRun("DROP TABLE IF EXISTS demo.t");
    MustRun(kCreate);
    MustRun("ALTER TABLE demo.t SET ('write.update.isolation-level' = 'snapshot')");
    MustRun("ALTER TABLE demo.t SET ('write.update.mode' = '" + std::string(mode) + "')");
    MustRun("INSERT INTO demo.t VALUES (1, 1), (2, 2)");
    Meanwhile other([&](int time) {
      if (time == 1) MustRun("UPDATE demo.t SET v = v + 100 WHERE id = 1");
    });
    const auto outcome = Run("UPDATE demo.t SET v = v + 1", &other);
    ASSERT_TRUE(outcome.ok()) << outcome.error().message;
    EXPECT_EQ(other.times(), 2);
    EXPECT_EQ(Main(), (Pairs{{1, 102}, {2, 3}})) << mode;
  }
}

TEST_F(StatementTest, AStatementReadsItsTableAtOneSnapshot) {
  MustRun(kCreate);
  MustRun("INSERT INTO demo.t VALUES (1, 1), (2, 2)");
  // By its name, with its catalog before it, and through a query of its own.
  MustRun(
      "UPDATE demo.t SET v = (SELECT max(v) FROM test.demo.t) + (SELECT count(*) FROM demo.t) "
      "WHERE id IN (SELECT id FROM demo.t WHERE v = 1)");
  EXPECT_EQ(Main(), (Pairs{{1, 4}, {2, 2}}));
}

TEST_F(StatementTest, FromVersion3OnRowsKeepTheirIds) {
  MustRun("CREATE TABLE demo.t (id BIGINT, v BIGINT) WITH ('format-version' = '3')");
  MustRun("INSERT INTO demo.t SELECT range, range FROM range(4)");
  const auto ids = [&] {
    std::map<int64_t, int64_t> found;
    const auto table = catalog_->LoadTable(*context_, *catalog::TableName::Parse("demo.t"));
    engine::IcebergTable with_ids{.metadata = table->metadata,
                                  .snapshot_id = table->metadata->current_snapshot_id,
                                  .schema = table->metadata->schema()};
    auto changes = engine_->Changes(*context_, "UPDATE demo.t SET v = v", with_ids,
                                    {.resolver = resolver_.get(), .tables = {}});
    EXPECT_TRUE(changes.ok());
    while (true) {
      const auto batch = changes->rows->Next(*context_);
      if (!batch.ok() || *batch == nullptr) return found;
      const auto& row_ids = arrow::internal::checked_cast<const arrow::Int64Array&>(
          *(*batch)->column(changes->row_id));
      const auto& keys = arrow::internal::checked_cast<const arrow::Int64Array&>(
          *(*batch)->column(changes->columns));
      for (int64_t i = 0; i < keys.length(); ++i) {
        EXPECT_FALSE(row_ids.IsNull(i));
        found[keys.Value(i)] = row_ids.Value(i);
      }
    }
  };
  const auto before = ids();
  ASSERT_EQ(before.size(), 4);
  MustRun("UPDATE demo.t SET v = v * 2 WHERE id > 1");
  EXPECT_EQ(ids(), before);
  MustRun(
      "MERGE INTO demo.t USING (VALUES (0, 7), (9, 9)) AS s(id, v) ON t.id = s.id "
      "WHEN MATCHED THEN UPDATE SET v = s.v WHEN NOT MATCHED THEN INSERT VALUES (s.id, s.v)");
  auto after = ids();
  EXPECT_TRUE(std::none_of(before.begin(), before.end(),
                           [&](const auto& known) { return known.second == after[9]; }));
  after.erase(9);
  EXPECT_EQ(after, before);
  EXPECT_EQ(Main(), (Pairs{{0, 7}, {1, 1}, {2, 4}, {3, 6}, {9, 9}}));
}

TEST_F(StatementTest, AConditionIsJudgedOnceForARow) {
  MustRun(kCreate);
  MustRun("INSERT INTO demo.t SELECT range, 0 FROM range(1000)");
  // Were random() asked anew for each column, rows would come with values of no branch.
  MustRun(
      "MERGE INTO demo.t USING (SELECT range AS id FROM range(1000)) AS s ON t.id = s.id "
      "WHEN MATCHED AND random() < 0.5 THEN UPDATE SET v = t.id + 1 "
      "WHEN MATCHED THEN UPDATE SET v = -1 - t.id");
  EXPECT_EQ(Rows("SELECT count(*), count(*) FILTER (v = id + 1 OR v = -1 - id) FROM demo.t"),
            (Pairs{{1000, 1000}}));
}

TEST_F(StatementTest, ARowThatChangesTwiceStopsAMerge) {
  MustRun(kCreate);
  MustRun("INSERT INTO demo.t VALUES (1, 1), (2, 2)");
  const auto twice =
      Run("MERGE INTO demo.t USING (VALUES (1, 5), (1, 6)) AS s(id, v) ON t.id = s.id "
          "WHEN MATCHED AND s.v = 5 THEN DELETE WHEN MATCHED THEN UPDATE SET v = s.v");
  ASSERT_FALSE(twice.ok());
  EXPECT_EQ(twice.error().kind, ErrorKind::kData);
  EXPECT_THAT(twice.error().message, HasSubstr("changed once"));
  EXPECT_EQ(Main(), (Pairs{{1, 1}, {2, 2}}));
  MustRun(
      "MERGE INTO demo.t USING (VALUES (1), (1)) AS s(id) ON t.id = s.id WHEN MATCHED THEN DELETE");
  EXPECT_EQ(Main(), (Pairs{{2, 2}}));
}

TEST_F(StatementTest, WhatAStatementThatFailsHasWrittenGoes) {
  MustRun(kCreate);
  MustRun("INSERT INTO demo.t VALUES (1, 1)");
  const auto count = [&] {
    int64_t files = 0;
    EXPECT_TRUE(files_
                    .List(*context_, "memory://w", {.recursive = true},
                          [&](std::span<const io::FileInfo> page) -> Result<bool> {
                            files += static_cast<int64_t>(page.size());
                            return true;
                          })
                    .ok());
    return files;
  };
  const int64_t before = count();
  const auto failed =
      Run("INSERT INTO demo.t SELECT range, CASE WHEN range < 199999 THEN 1 ELSE error('no') END "
          "FROM range(200000)");
  ASSERT_FALSE(failed.ok());
  EXPECT_EQ(count(), before);
}

}  // namespace
}  // namespace calve::statement

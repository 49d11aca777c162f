#include "upkeep/compaction.h"

#include <arrow/array/builder_primitive.h>
#include <arrow/util/checked_cast.h>
#include <gtest/gtest.h>

#include <map>
#include <tuple>

#include "catalog/registry.h"
#include "catalog/table_files.h"
#include "columnar/arrow_status.h"
#include "columnar/convert.h"
#include "commit/committer.h"
#include "iceberg/update.h"
#include "io/file_system_set.h"
#include "reader/reader.h"
#include "rows/row_removal.h"
#include "upkeep/keeper.h"
#include "writer/writer.h"

namespace calve::upkeep {
namespace {

using arrow::internal::checked_cast;
using iceberg::Field;
using iceberg::FieldId;
using iceberg::ScanTask;

struct Row {
  int64_t value;
  int64_t row_id;
  int64_t updated;
  auto operator<=>(const Row&) const = default;
};
using Rows = std::map<int64_t, Row>;  ///< By key.

/// Tables of two columns in memory, of the version that the test asks for.
class CompactionTest : public testing::TestWithParam<int> {
 protected:
  CompactionTest() {
    EXPECT_TRUE(columnar::StartArrow().ok());
    catalog::Registry catalogs;
    catalog::RegisterParts(catalogs);
    catalog_ = std::move(*catalogs.Make(
        {.type = "memory"},
        {.name = "test", .warehouse = "memory://w", .project_folder = "", .files = &files_}));
    columns_ = *iceberg::Schema::Make(
        iceberg::SchemaId(0),
        {Field{.id = FieldId(1), .name = "id", .type = iceberg::Type::Long()},
         Field{.id = FieldId(2), .name = "v", .type = iceberg::Type::Long()}});
    iceberg::CreateTableOptions create;
    create.location = "memory://w/demo/t";
    create.fields = columns_->fields();
    create.uuid = "5b7b0f2e-6d3c-4a55-9d0c-3f8e52c5a111";
    create.properties = {{"format-version", std::to_string(GetParam())}};
    EXPECT_TRUE(catalog_->CreateNamespace(context(), table_.ns, {}).ok());
    EXPECT_TRUE(std::holds_alternative<catalog::Committed>(
        catalog_->Commit(context(), {{.table = table_, .change = *iceberg::CreateTable(create)}})));
  }

  const Context& context() { return *context_; }
  iceberg::MetadataPtr Table() { return catalog_->LoadTable(context(), table_)->metadata; }

  std::vector<iceberg::DataFilePtr> Write(const std::string& run, int64_t first, int64_t count,
                                          int64_t value) {
    arrow::Int64Builder ids;
    arrow::Int64Builder values;
    for (int64_t id = first; id < first + count; ++id) {
      EXPECT_TRUE(ids.Append(id).ok());
      EXPECT_TRUE(values.Append(value).ok());
    }
    const columnar::Batch batch =
        arrow::RecordBatch::Make(*columnar::ToArrowSchema(*columns_), count,
                                 {ids.Finish().ValueOrDie(), values.Finish().ValueOrDie()});
    auto writer = writer::OpenDataFileWriter(
        context(), files_,
        {.table = Table(), .schema = columns_, .spec = Table()->spec(), .run_id = run});
    EXPECT_TRUE(writer.ok() && (*writer)->Write(context(), batch).ok());
    return *(*writer)->Close(context());
  }

  Status Commit(const std::string& run, iceberg::SnapshotChange rows) {
    commit::Change change;
    change.pipeline = "test";
    change.run = run;
    change.rows = std::move(rows);
    commit::Committer committer(*catalog_, files_);
    return StatusOf(committer.Commit(context(), table_, change, commit::Proof::kRows));
  }
  void Append(const std::string& run, int64_t first, int64_t count, int64_t value) {
    iceberg::SnapshotChange rows;
    rows.added_data_files = Write(run, first, count, value);
    ASSERT_TRUE(Commit(run, std::move(rows)).ok());
  }

  /// Delete the rows at the first positions of each file, as a merge on read does.
  void DeleteFirst(const std::string& run, int64_t count, size_t files = 1000) {
    std::vector<rows::FileRows> matches;
    for (const ScanTask& task : Tasks()) {
      if (matches.size() == files) break;
      matches.push_back({.task = task, .gone = {}});
      const auto deleted = reader::NamedPositions(context(), files_, task);
      ASSERT_TRUE(deleted.ok());
      const int64_t from = deleted->Cardinality();
      matches.back().gone.AddRange(from, from + count);
    }
    const rows::RewriteOptions options{
        .table = Table(), .schema = columns_, .run_id = run, .leave_files = [](const Error&) {}};
    const auto removal = rows::RemoveRows(context(), files_, options,
                                          rows::RemovalMode::kMergeOnRead, std::move(matches));
    ASSERT_TRUE(removal.ok()) << removal.error().message;
    iceberg::SnapshotChange change;
    change.operation = iceberg::Operation::kDelete;
    removal->AddTo(&change, Table()->current_snapshot()->sequence_number);
    const Status done = Commit(run, std::move(change));
    ASSERT_TRUE(done.ok()) << done.error().message;
  }
  void DeleteByKey(const std::string& run, int64_t first, int64_t count) {
    auto deletes = std::make_shared<iceberg::DataFile>(*Write(run, first, count, 0).front());
    deletes->content = iceberg::FileContent::kEqualityDeletes;
    deletes->equality_ids = {FieldId(1)};
    iceberg::SnapshotChange rows;
    rows.operation = iceberg::Operation::kDelete;
    rows.added_delete_files = {deletes};
    // Equality deletes are of one column here; the other one is ballast.
    ASSERT_TRUE(Commit(run, std::move(rows)).ok());
  }

  void SetProperty(const std::string& name, const std::string& value) {
    iceberg::TableChange change;
    change.updates.push_back(iceberg::SetProperties({{name, value}}));
    EXPECT_TRUE(std::holds_alternative<catalog::Committed>(
        catalog_->Commit(context(), {{.table = table_, .change = change}})));
  }

  std::vector<ScanTask> Tasks() {
    catalog::TableFiles table_files(files_);
    auto plan = iceberg::PlanScan(context(), table_files, *Table(), {});
    EXPECT_TRUE(plan.ok());
    return std::move(plan->tasks);
  }

  Rows Main() {
    std::vector<Field> fields = columns_->fields();
    if (GetParam() >= 3) {
      fields.push_back(
          {.id = iceberg::reserved::kRowId, .name = "_row_id", .type = iceberg::Type::Long()});
      fields.push_back({.id = iceberg::reserved::kLastUpdatedSequenceNumber,
                        .name = "_last_updated_sequence_number",
                        .type = iceberg::Type::Long()});
    }
    const auto projection = *iceberg::Schema::Make(iceberg::SchemaId(0), fields);
    Rows rows;
    for (const ScanTask& task : Tasks()) {
      const auto reader = reader::OpenTask(context(), files_, *Table(), task,
                                           {.projection = projection, .filter = {}});
      EXPECT_TRUE(reader.ok());
      for (auto batch = (*reader)->Next(context()); batch.ok() && *batch != nullptr;
           batch = (*reader)->Next(context())) {
        const auto at = [&](int column, int64_t row) {
          return column < (*batch)->num_columns()
                     ? checked_cast<const arrow::Int64Array&>(*(*batch)->column(column)).Value(row)
                     : 0;
        };
        for (int64_t i = 0; i < (*batch)->num_rows(); ++i)
          EXPECT_TRUE(rows.emplace(at(0, i), Row{at(1, i), at(2, i), at(3, i)}).second) << at(0, i);
      }
    }
    return rows;
  }

  Result<CompactionReport> Compacted(const std::string& run, CompactionRules rules = {},
                                     const StepObserver* steps = nullptr) {
    Context watched = context();
    watched.steps = steps;
    return Compact(watched, *catalog_, files_, table_, {.rules = rules, .run_id = run});
  }

  /// Run `act` once, when the commit comes to a step.
  static StepObserver Once(std::string step, std::function<void()> act) {
    auto done = std::make_shared<bool>(false);
    return [step = std::move(step), act = std::move(act), done](std::string_view name) {
      if (name == step && !std::exchange(*done, true)) act();
      return Status::Ok();
    };
  }
  size_t DataFilesLying() {
    return files_.ListAll(context(), Table()->location + "/data", {.recursive = true})->size();
  }

  io::FileSystemSet files_;
  OwnedContext context_{7};
  std::unique_ptr<catalog::Catalog> catalog_;
  iceberg::SchemaPtr columns_;
  const catalog::TableName table_{{"demo"}, "t"};
};

TEST_P(CompactionTest, SmallFilesBecomeOneWithTheSameRows) {
  for (int64_t i = 0; i < 8; ++i) Append("run" + std::to_string(i), i * 100, 100, i);
  const Rows before = Main();
  const auto report = Compacted("c1");
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->files_before, 8);
  EXPECT_EQ(report->files_after, 1);
  EXPECT_EQ(report->rows, 800);
  EXPECT_EQ(Main(), before);
  EXPECT_EQ(Tasks().size(), 1U);
  const auto again = Compacted("c2");
  ASSERT_TRUE(again.ok());
  EXPECT_FALSE(again->snapshot_id.has_value());
}

TEST_P(CompactionTest, FewFilesAreLeftAlone) {
  for (int64_t i = 0; i < 4; ++i) Append("run" + std::to_string(i), i * 100, 100, i);
  const auto report = Compacted("c1");
  ASSERT_TRUE(report.ok());
  EXPECT_FALSE(report->snapshot_id.has_value());
  const auto forced = Compacted("c2", {.all = true});
  ASSERT_TRUE(forced.ok());
  EXPECT_EQ(forced->files_before, 4);
}

TEST_P(CompactionTest, WhatIsLargerThanTheOthersTogetherIsLeftWhereItMustPay) {
  Append("large", 100'000, 50'000, 1);
  for (int64_t i = 0; i < 6; ++i) Append("run" + std::to_string(i), i * 100, 100, i);
  const Rows before = Main();
  const auto report = Compacted("c1", {.amortized = true});
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->files_before, 6);
  EXPECT_EQ(Main(), before);
  const auto all = Compacted("c2", {.files_min = 2});
  ASSERT_TRUE(all.ok());
  EXPECT_EQ(all->files_before, 2);
}

TEST_P(CompactionTest, UpkeepStartsByItselfAndCostsLittle) {
  int64_t looks = 0;
  int64_t rows_rewritten = 0;
  const auto keep = [&](const std::string& run) {
    const auto due = IsDue(*Table(), *Table()->current_snapshot_id);
    ASSERT_TRUE(due.ok());
    if (!*due) return;
    ++looks;
    const auto kept = Keep(context(), *catalog_, files_, table_, {.run_id = run});
    ASSERT_TRUE(kept.ok()) << kept.error().message;
    rows_rewritten += kept->compaction.rows;
    EXPECT_EQ(kept->snapshot_id(), Table()->current_snapshot_id->value());
    EXPECT_EQ(kept->expired.snapshots, 0);
  };
  constexpr int64_t kLoads = 100;
  size_t files_most = 0;
  for (int64_t i = 0; i < kLoads; ++i) {
    Append("run" + std::to_string(i), i * 10, 10, i);
    files_most = std::max(files_most, Tasks().size());
    keep("u" + std::to_string(i));
  }
  EXPECT_EQ(Main().size(), static_cast<size_t>(kLoads * 10));
  EXPECT_GE(looks, 4);
  EXPECT_LE(looks, 5);
  EXPECT_LT(files_most, 40U);
  EXPECT_LT(rows_rewritten, kLoads * 10 * 5);
}

TEST_P(CompactionTest, UpkeepDoesAsTheTableSays) {
  for (int64_t i = 0; i < 24; ++i) Append("run" + std::to_string(i), i * 10, 10, i);
  iceberg::TableMetadata table = *Table();
  const auto is_due = [&] { return IsDue(table, *table.current_snapshot_id); };
  EXPECT_TRUE(*is_due());
  table.properties["calve.upkeep"] = "off";
  EXPECT_FALSE(*is_due());
  table.properties["calve.upkeep"] = "no";
  EXPECT_EQ(is_due().error().kind, ErrorKind::kConfig);

  SetProperty("history.expire.max-snapshot-age-ms", "0");
  SetProperty("history.expire.min-snapshots-to-keep", "2");
  const Rows before = Main();
  const auto kept = Keep(context(), *catalog_, files_, table_, {.run_id = "u1"});
  ASSERT_TRUE(kept.ok()) << kept.error().message;
  EXPECT_EQ(kept->compaction.files_after, 1);
  EXPECT_EQ(kept->manifests.manifests_before, 0);  // There were no small ones any more.
  EXPECT_EQ(kept->expired.snapshots, 23);
  EXPECT_EQ(Table()->snapshots.size(), 2U);
  EXPECT_EQ(Main(), before);
}

TEST_P(CompactionTest, UpkeepRewritesManifestsOfFilesThatAreRight) {
  Append("first", 0, 10, 0);
  SetProperty("write.target-file-size-bytes",
              std::to_string(Tasks().front().file->file_size_in_bytes));
  for (int64_t i = 1; i < 25; ++i) Append("run" + std::to_string(i), i * 10, 10, i);
  const auto kept = Keep(context(), *catalog_, files_, table_, {.run_id = "u1"});
  ASSERT_TRUE(kept.ok()) << kept.error().message;
  EXPECT_EQ(kept->compaction.files_before, 0);
  EXPECT_EQ(kept->manifests.manifests_before, 25);
  EXPECT_EQ(kept->manifests.manifests_after, 1);
  EXPECT_EQ(Main().size(), 250U);
}

TEST_P(CompactionTest, DeletesAreWorkedInAndGo) {
  Append("run1", 0, 1000, 1);
  Append("run2", 1000, 1000, 2);
  DeleteFirst("del1", 400);
  DeleteFirst("del2", 10);
  DeleteByKey("del3", 1990, 5);
  const Rows before = Main();
  ASSERT_EQ(before.size(), 1175U);
  const auto report = Compacted("c1");
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_GT(report->deletes_gone, 0);
  EXPECT_EQ(Main(), before);
  for (const ScanTask& task : Tasks()) EXPECT_FALSE(task.has_deletes());
  EXPECT_EQ(Table()->current_snapshot()->summary.at("total-delete-files"), "0");
}

TEST_P(CompactionTest, RowsThatOthersDeleteMeanwhileStayDeleted) {
  for (const char* step : {"commit.before_commit", "iceberg.write_manifests"}) {
    const std::string tag = step;
    for (int64_t i = 0; i < 6; ++i)
      Append(tag + std::to_string(i), static_cast<int64_t>(Main().size()) * 1000 + i * 100, 100, i);
    const StepObserver meanwhile = Once(step, [&] { DeleteFirst(tag + "theirs", 7, 2); });
    const Rows before = Main();
    const auto report = Compacted(tag + "c", {.all = true}, &meanwhile);
    ASSERT_TRUE(report.ok()) << report.error().message;
    EXPECT_EQ(report->groups_overtaken, 1);
    EXPECT_EQ(Main().size(), before.size() - 14);
  }
}

TEST_P(CompactionTest, RowsThatOthersAppendMeanwhileAreThere) {
  for (int64_t i = 0; i < 6; ++i) Append("run" + std::to_string(i), i * 100, 100, i);
  const StepObserver meanwhile =
      Once("commit.before_commit", [&] { Append("theirs", 5000, 50, 9); });
  const auto report = Compacted("c1", {}, &meanwhile);
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->files_before, 6);
  EXPECT_EQ(Main().size(), 650U);
}

TEST_P(CompactionTest, AnEqualityDeleteThatComesMeanwhileHolds) {
  for (int64_t i = 0; i < 6; ++i) Append("run" + std::to_string(i), i * 100, 100, i);
  const StepObserver meanwhile =
      Once("commit.before_commit", [&] { DeleteByKey("theirs", 0, 10); });
  const auto report = Compacted("c1", {}, &meanwhile);
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(Main().size(), 590U);
}

TEST_P(CompactionTest, AFailureLeavesNothing) {
  for (int64_t i = 0; i < 6; ++i) Append("run" + std::to_string(i), i * 100, 100, i);
  const Rows before = Main();
  const size_t lying = DataFilesLying();
  const StepObserver fails = [](std::string_view step) -> Status {
    if (step == "commit.before_commit") return DataError("stopped here");
    return Status::Ok();
  };
  EXPECT_FALSE(Compacted("c1", {}, &fails).ok());
  EXPECT_EQ(DataFilesLying(), lying);
  EXPECT_EQ(Main(), before);
}

TEST_P(CompactionTest, GroupsAreOfTheTargetsSize) {
  for (int64_t i = 0; i < 40; ++i) Append("run" + std::to_string(i), i * 1000, 1000, i * i);
  const Rows before = Main();
  const int64_t bytes = Tasks().front().file->file_size_in_bytes;
  const auto report = Compacted("c1", {.target_bytes = bytes * 10});
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->files_after, 4);
  EXPECT_EQ(Main(), before);
}

INSTANTIATE_TEST_SUITE_P(Versions, CompactionTest, testing::Values(2, 3));

}  // namespace
}  // namespace calve::upkeep

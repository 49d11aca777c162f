#include "upkeep/manifests.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <tuple>
#include <utility>
#include <variant>

#include "catalog/registry.h"
#include "catalog/table_files.h"
#include "commit/committer.h"
#include "iceberg/manifest.h"
#include "iceberg/update.h"
#include "io/file_system_set.h"

namespace calve::upkeep {
namespace {

using iceberg::DataFile;
using iceberg::Field;
using iceberg::FieldId;

/// What a rewriting keeps of an entry: snapshot, both sequence numbers, first row id, partition.
using Kept = std::tuple<int64_t, int64_t, int64_t, int64_t, int64_t>;

/// Tables in memory whose files are only named; partitioned by their first column.
class ManifestsTest : public testing::TestWithParam<int> {
 protected:
  ManifestsTest() {
    catalog::Registry catalogs;
    catalog::RegisterParts(catalogs);
    catalog_ = std::move(*catalogs.Make(
        {.type = "memory"},
        {.name = "test", .warehouse = "memory://w", .project_folder = "", .files = &files_}));
    iceberg::CreateTableOptions create;
    create.location = "memory://w/demo/t";
    create.fields = {Field{.id = FieldId(1), .name = "id", .type = iceberg::Type::Long()}};
    create.partition_fields = {{.source_id = FieldId(1),
                                .field_id = FieldId(1000),
                                .name = "id",
                                .transform = iceberg::Transform::Identity()}};
    create.uuid = "5b7b0f2e-6d3c-4a55-9d0c-3f8e52c5a112";
    create.properties = {{"format-version", std::to_string(GetParam())}};
    EXPECT_TRUE(catalog_->CreateNamespace(context(), table_.ns, {}).ok());
    EXPECT_TRUE(std::holds_alternative<catalog::Committed>(
        catalog_->Commit(context(), {{.table = table_, .change = *iceberg::CreateTable(create)}})));
  }

  const Context& context() { return *context_; }
  iceberg::MetadataPtr Table() { return catalog_->LoadTable(context(), table_)->metadata; }

  std::shared_ptr<DataFile> File(const std::string& path, int64_t part) {
    auto file = std::make_shared<DataFile>();
    file->path = path;
    file->partition = {iceberg::Value(part)};
    file->record_count = 10;
    file->file_size_in_bytes = 100;
    return file;
  }

  /// Deletes of one row of a data file, of the kind that the version takes.
  std::shared_ptr<DataFile> DeletesOf(const std::string& data_file, int64_t part) {
    auto deletes = File(data_file + "-deletes", part);
    deletes->content = iceberg::FileContent::kPositionDeletes;
    deletes->record_count = 1;
    deletes->referenced_data_file = data_file;
    if (GetParam() >= 3) {
      deletes->format = iceberg::FileFormat::kPuffin;
      deletes->content_offset = 4;
      deletes->content_size_in_bytes = 40;
    }
    return deletes;
  }

  void Commit(iceberg::SnapshotChange rows) {
    const commit::Change change{.rows = std::move(rows), .pipeline = "test", .run = "run"};
    commit::Committer committer(*catalog_, files_);
    const auto done = committer.Commit(context(), table_, change, commit::Proof::kRows);
    ASSERT_TRUE(done.ok()) << done.error().message;
  }
  /// Six appends into three partitions, and deletes of two of the files.
  void Fill() {
    for (int64_t i = 0; i < 6; ++i)
      Commit({.added_data_files = {File("f" + std::to_string(i), i % 3)}});
    for (int64_t i = 0; i < 2; ++i)
      Commit({.operation = iceberg::Operation::kDelete,
              .added_delete_files = {DeletesOf("f" + std::to_string(i), i)}});
  }

  std::vector<iceberg::ManifestFile> Manifests() {
    catalog::TableFiles table_files(files_);
    return *iceberg::ReadManifestList(context(), table_files, *Table(),
                                      *Table()->current_snapshot());
  }
  /// Live entries by path; `order` gets their partitions in the order of the manifests.
  std::map<std::string, Kept> Entries(std::vector<int64_t>* order = nullptr) {
    catalog::TableFiles table_files(files_);
    std::map<std::string, Kept> entries;
    for (const iceberg::ManifestFile& manifest : Manifests()) {
      const auto read = iceberg::ReadManifest(context(), table_files, *Table(), manifest);
      EXPECT_TRUE(read.ok());
      for (const iceberg::ManifestEntry& entry : *read) {
        const int64_t part = entry.file->partition.front().as<int64_t>();
        const Kept kept = {entry.snapshot_id->value(), entry.sequence_number->value(),
                           entry.file_sequence_number->value(),
                           entry.file->first_row_id.value_or(iceberg::RowId(-1)).value(), part};
        EXPECT_TRUE(entries.emplace(entry.file->path, kept).second) << entry.file->path;
        if (order != nullptr && manifest.content == iceberg::ManifestContent::kData)
          order->push_back(part);
      }
    }
    return entries;
  }

  Result<ManifestReport> Rewritten(bool all = false, const StepObserver* steps = nullptr) {
    Context watched = context();
    watched.steps = steps;
    return RewriteManifests(watched, *catalog_, files_, table_, {.all = all, .run_id = "upkeep"});
  }
  void Set(const std::string& key, const std::string& value) {
    ASSERT_TRUE(std::holds_alternative<catalog::Committed>(catalog_->Commit(
        context(),
        {{.table = table_, .change = {.updates = {iceberg::SetProperties({{key, value}})}}}})));
  }

  io::FileSystemSet files_;
  OwnedContext context_{7};
  std::unique_ptr<catalog::Catalog> catalog_;
  const catalog::TableName table_{{"demo"}, "t"};
};

TEST_P(ManifestsTest, EntriesStayAsTheyAreInFewerManifests) {
  Fill();
  const auto before = Entries();
  const auto report = Rewritten();
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->manifests_before, 8);
  EXPECT_EQ(report->manifests_after, 2);
  EXPECT_EQ(report->entries, 8);
  std::vector<int64_t> order;
  EXPECT_EQ(Entries(&order), before);
  EXPECT_EQ(order, (std::vector<int64_t>{0, 0, 1, 1, 2, 2}));
  EXPECT_EQ(Manifests().size(), 2U);
  const iceberg::Snapshot& head = *Table()->current_snapshot();
  EXPECT_EQ(head.operation, iceberg::Operation::kReplace);
  EXPECT_EQ(head.summary.at("total-records"), "60");
  EXPECT_EQ(head.summary.at("total-position-deletes"), "2");
  const auto again = Rewritten();
  ASSERT_TRUE(again.ok());
  EXPECT_FALSE(again->snapshot_id.has_value());
}

TEST_P(ManifestsTest, ManifestsAreNoLargerThanTheTable) {
  for (int64_t i = 0; i < 40; ++i)
    Commit({.added_data_files = {File("f" + std::to_string(i), 39 - i)}});
  const auto before = Entries();
  Set("commit.manifest.target-size-bytes", "1");  // As few entries as a manifest can have.
  const auto small = Rewritten();
  ASSERT_TRUE(small.ok());
  EXPECT_FALSE(small->snapshot_id.has_value());  // None is smaller than that.
  const auto all = Rewritten(/*all=*/true);
  ASSERT_TRUE(all.ok()) << all.error().message;
  EXPECT_EQ(all->manifests_after, 40);
  EXPECT_EQ(Entries(), before);
  Set("commit.manifest.target-size-bytes", "100000");
  ASSERT_TRUE(Rewritten().ok());
  EXPECT_EQ(Manifests().size(), 1U);
  EXPECT_EQ(Entries(), before);
}

TEST_P(ManifestsTest, WhatOthersBringMeanwhileIsThere) {
  Fill();
  bool done = false;
  const StepObserver meanwhile = [&](std::string_view step) -> Status {
    if (step == "commit.before_commit" && !std::exchange(done, true))
      Commit({.added_data_files = {File("theirs", 1)}});
    return Status::Ok();
  };
  auto wanted = Entries();
  const auto report = Rewritten(/*all=*/false, &meanwhile);
  ASSERT_TRUE(report.ok()) << report.error().message;
  const auto found = Entries();
  wanted["theirs"] = found.at("theirs");
  EXPECT_EQ(found, wanted);
  EXPECT_EQ(std::get<1>(found.at("theirs")), 9);  // Its own commit's.
  EXPECT_EQ(Manifests().size(), 2U);
}

TEST_P(ManifestsTest, WhatOthersHaveDoneMeanwhileIsNotDoneAgain) {
  Fill();
  bool done = false;
  const StepObserver meanwhile = [&](std::string_view step) -> Status {
    if (step == "commit.before_commit" && !std::exchange(done, true)) {
      EXPECT_TRUE(Rewritten().ok());
    }
    return Status::Ok();
  };
  const auto report = Rewritten(/*all=*/false, &meanwhile);
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_FALSE(report->snapshot_id.has_value());
  EXPECT_EQ(Manifests().size(), 2U);
}

TEST_P(ManifestsTest, ATableWithoutRowsHasNothingToDo) {
  const auto report = Rewritten(/*all=*/true);
  ASSERT_TRUE(report.ok());
  EXPECT_FALSE(report->snapshot_id.has_value());
}

INSTANTIATE_TEST_SUITE_P(Versions, ManifestsTest, testing::Values(2, 3));

}  // namespace
}  // namespace calve::upkeep

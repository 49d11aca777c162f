#include "load/iceberg/merge.h"

#include <arrow/array/builder_primitive.h>
#include <arrow/util/checked_cast.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "catalog/registry.h"
#include "catalog/table_files.h"
#include "columnar/arrow_status.h"
#include "columnar/convert.h"
#include "io/file_system_set.h"
#include "load/registry.h"
#include "reader/reader.h"
#include "writer/writer.h"

namespace calve::load {
namespace {

using arrow::internal::checked_cast;
using iceberg::Field;
using iceberg::FieldId;
using ::testing::HasSubstr;

using Rows = std::vector<std::pair<int64_t, int64_t>>;  ///< Key and value.
using Expected = std::map<int64_t, int64_t>;

/// Merges rows of two columns into a table in memory.
class MergeTest : public testing::Test {
 protected:
  MergeTest() {
    EXPECT_TRUE(columnar::StartArrow().ok());
    catalog::Registry catalogs;
    catalog::RegisterParts(catalogs);
    catalog_ = std::move(*catalogs.Make(
        {.type = "memory"},
        {.name = "test", .warehouse = "memory://w", .project_folder = "", .files = &files_}));
    RegisterParts(loaders_);
    columns_ = *iceberg::Schema::Make(
        iceberg::SchemaId(0),
        {Field{.id = FieldId(1), .name = "id", .type = iceberg::Type::Long()},
         Field{.id = FieldId(2), .name = "v", .type = iceberg::Type::Long()}});
  }

  const Context& context() { return *context_; }
  iceberg::MetadataPtr Table() { return catalog_->LoadTable(context(), table_)->metadata; }

  columnar::Batch BatchOf(const Rows& rows) {
    arrow::Int64Builder ids;
    arrow::Int64Builder values;
    for (const auto& [id, value] : rows) {
      EXPECT_TRUE(id < 0 ? ids.AppendNull().ok() : ids.Append(id).ok());
      EXPECT_TRUE(values.Append(value).ok());
    }
    return arrow::RecordBatch::Make(*columnar::ToArrowSchema(*columns_),
                                    static_cast<int64_t>(rows.size()),
                                    {ids.Finish().ValueOrDie(), values.Finish().ValueOrDie()});
  }

  /// Load rows, and delete others; a key below 0 is NULL. What happens at each step of it is up to `steps`.
  Result<Report> Load(const std::string& run, const Rows& rows, const std::string& options,
                      const StepObserver* steps = nullptr, const Rows& deletes = {},
                      int64_t buffer_bytes_max = 256 << 20) {
    Context watched = context();
    watched.steps = steps;
    Request request;
    request.job = "job_" + run;
    request.run = run;
    request.buffer_bytes_max = ByteCount(buffer_bytes_max);
    Resources resources;
    resources.catalog = [&](const std::string&) { return Result<catalog::Catalog*>(&*catalog_); };
    resources.files = &files_;
    CALVE_ASSIGN_OR_RETURN(const config::Node node,
                           config::ParseYaml("{database: demo, table: t, " + options + "}", "job"));
    CALVE_ASSIGN_OR_RETURN(const auto load,
                           loaders_.Find("iceberg")->make(node, request, resources));
    CALVE_RETURN_IF_ERROR(load->ReadPosition(watched, false));
    const columnar::Batch batch = BatchOf(rows);
    auto incoming = batch->schema();
    if (!deletes.empty()) incoming = *incoming->AddField(2, arrow::field("gone", arrow::boolean()));
    CALVE_ASSIGN_OR_RETURN(const SchemaPlan plan, load->PlanSchema(watched, *incoming));
    CALVE_RETURN_IF_ERROR(load->Begin(watched, plan));
    CALVE_ASSIGN_OR_RETURN(const auto split, load->OpenSplit(watched, 0));
    CALVE_RETURN_IF_ERROR(split->Write(watched, batch));
    CALVE_RETURN_IF_ERROR(split->Delete(watched, BatchOf(deletes)));
    CALVE_RETURN_IF_ERROR(split->Close(watched));
    const auto given = static_cast<int64_t>(rows.size() + deletes.size());
    Result<Report> report = load->Finish(watched, std::nullopt, given, nullptr);
    if (!report.ok()) {
      EXPECT_TRUE(load->Abort(context()).ok());
    }
    return report;
  }
  Result<Report> Merges(const std::string& run, const Rows& rows,
                        const StepObserver* steps = nullptr) {
    return Load(run, rows, "write_mode: merge, key: [id]", steps);
  }

  iceberg::ScanPlan Plan() {
    catalog::TableFiles table_files(files_);
    auto plan = iceberg::PlanScan(context(), table_files, *Table(), {});
    EXPECT_TRUE(plan.ok());
    return std::move(*plan);
  }

  /// Main's rows; a key twice fails the test.
  std::map<int64_t, int64_t> Main() {
    std::map<int64_t, int64_t> rows;
    for (const iceberg::ScanTask& task : Plan().tasks) {
      const auto reader = reader::OpenTask(context(), files_, *Table(), task,
                                           {.projection = columns_, .filter = {}});
      EXPECT_TRUE(reader.ok());
      for (auto batch = (*reader)->Next(context()); batch.ok() && *batch != nullptr;
           batch = (*reader)->Next(context())) {
        const auto& ids = checked_cast<const arrow::Int64Array&>(*(*batch)->column(0));
        const auto& values = checked_cast<const arrow::Int64Array&>(*(*batch)->column(1));
        for (int64_t i = 0; i < ids.length(); ++i)
          EXPECT_TRUE(rows.emplace(ids.Value(i), values.Value(i)).second) << ids.Value(i);
      }
    }
    return rows;
  }

  /// Commit an equality delete of some ids, as another writer would.
  void DeleteIds(const std::string& run, const std::vector<int64_t>& ids) {
    writer::WriteOptions options{
        .table = Table(), .schema = columns_, .spec = Table()->spec(), .run_id = run};
    auto writer = writer::OpenDataFileWriter(context(), files_, options);
    ASSERT_TRUE(writer.ok());
    Rows rows;
    for (const int64_t id : ids) rows.emplace_back(id, 0);
    ASSERT_TRUE((*writer)->Write(context(), BatchOf(rows)).ok());
    const auto written = (*writer)->Close(context());
    ASSERT_TRUE(written.ok());
    auto deletes = std::make_shared<iceberg::DataFile>(*written->front());
    deletes->content = iceberg::FileContent::kEqualityDeletes;
    deletes->equality_ids = {FieldId(1)};
    commit::Change change;
    change.pipeline = "other";
    change.run = run;
    change.rows.operation = iceberg::Operation::kOverwrite;
    change.rows.added_delete_files = {deletes};
    commit::Committer committer(*catalog_, files_);
    ASSERT_TRUE(committer.Commit(context(), table_, change, commit::Proof::kRows).ok());
  }

  /// Run `act` once, when a load comes to a step.
  static StepObserver Once(std::string step, std::function<void()> act) {
    auto done = std::make_shared<bool>(false);
    return [step = std::move(step), act = std::move(act), done](std::string_view name) {
      if (name == step && !std::exchange(*done, true)) act();
      return Status::Ok();
    };
  }

  /// Data files and deletes that snapshots of main know, those that were expired aside.
  size_t FilesKnown() {
    std::set<std::string> paths;
    catalog::TableFiles table_files(files_);
    for (const iceberg::Snapshot& snapshot : Table()->snapshots) {
      const auto plan = iceberg::PlanScan(context(), table_files, *Table(),
                                          {.snapshot_id = snapshot.id, .filter = {}});
      EXPECT_TRUE(plan.ok());
      for (const iceberg::ScanTask& task : plan->tasks) paths.insert(task.file->path);
    }
    return paths.size();
  }

  size_t DataFilesLying() {
    return files_.ListAll(context(), Table()->location + "/data", {.recursive = true})->size();
  }

  io::FileSystemSet files_;
  OwnedContext context_{7};
  std::unique_ptr<catalog::Catalog> catalog_;
  Registry loaders_;
  iceberg::SchemaPtr columns_;
  const catalog::TableName table_{{"demo"}, "t"};
};

TEST_F(MergeTest, OnlyFilesWithAKeyOfTheLoadAreWrittenAnew) {
  ASSERT_TRUE(Merges("run1", {{1, 10}, {2, 20}}).ok());
  ASSERT_TRUE(Merges("run2", {{3, 30}, {9, 90}}).ok());
  const auto merged = Merges("run3", {{2, 21}, {5, 50}});
  ASSERT_TRUE(merged.ok());
  EXPECT_EQ(merged->rows_replaced, 1);
  EXPECT_EQ(merged->files_rewritten, 1);
  EXPECT_EQ(Main(), (Expected{{1, 10}, {2, 21}, {3, 30}, {5, 50}, {9, 90}}));
  for (const iceberg::ScanTask& task : Plan().tasks) {
    const bool carried = task.file->path.find("-m1-") != std::string::npos;
    const bool added = task.data_sequence_number == Table()->current_snapshot()->sequence_number;
    EXPECT_EQ(added, !carried && task.file->path.find("run3") != std::string::npos);
  }
}

TEST_F(MergeTest, AMergeIntoRowsThatAnotherMergeReplacesMeanwhileIsComputedAgain) {
  for (const char* step : {"publish.before", "commit.before_commit"}) {
    const std::string tag = step;
    ASSERT_TRUE(Merges(tag + "0", {{1, 10}, {2, 20}, {3, 30}}).ok());
    const StepObserver meanwhile =
        Once(step, [&] { ASSERT_TRUE(Merges(tag + "theirs", {{2, 21}, {3, 31}, {4, 41}}).ok()); });
    const auto ours = Merges(tag + "ours", {{3, 32}, {4, 42}, {5, 52}}, &meanwhile);
    ASSERT_TRUE(ours.ok()) << ours.error().message;
    EXPECT_EQ(Main(), (Expected{{1, 10}, {2, 21}, {3, 32}, {4, 42}, {5, 52}}));
    EXPECT_GE(ours->rows_replaced, 2);
  }
}

TEST_F(MergeTest, WhatAnotherWriterDeletesMeanwhileStaysDeleted) {
  ASSERT_TRUE(Merges("run0", {{1, 10}, {2, 20}, {3, 30}}).ok());
  const StepObserver meanwhile = Once("publish.before", [&] { DeleteIds("theirs", {1, 3}); });
  const auto ours = Merges("ours", {{3, 32}}, &meanwhile);
  ASSERT_TRUE(ours.ok()) << ours.error().message;
  EXPECT_EQ(Main(), (Expected{{2, 20}, {3, 32}}));
}

TEST_F(MergeTest, RowsWrittenAnewLeaveOutWhatIsDeleted) {
  ASSERT_TRUE(Merges("run0", {{1, 10}, {2, 20}, {3, 30}}).ok());
  DeleteIds("theirs", {1, 3});
  const auto merged = Merges("ours", {{2, 22}, {3, 33}});
  ASSERT_TRUE(merged.ok());
  EXPECT_EQ(merged->rows_replaced, 1);
  EXPECT_EQ(Main(), (Expected{{2, 22}, {3, 33}}));
}

TEST_F(MergeTest, RowsOfOtherKeysMeanwhileAreNoReasonToComputeAgain) {
  ASSERT_TRUE(Merges("run0", {{1, 10}, {8, 80}}).ok());
  const StepObserver meanwhile = Once(
      "publish.before", [&] { ASSERT_TRUE(Load("theirs", {{4, 40}}, "write_mode: append").ok()); });
  const auto ours = Merges("ours", {{1, 11}, {5, 50}}, &meanwhile);
  ASSERT_TRUE(ours.ok());
  EXPECT_EQ(Main(), (Expected{{1, 11}, {4, 40}, {5, 50}, {8, 80}}));
  for (const iceberg::ScanTask& task : Plan().tasks)
    EXPECT_EQ(task.file->path.find("-m2-"), std::string::npos);
}

TEST_F(MergeTest, ARefusedLoadLeavesNoFile) {
  ASSERT_TRUE(Merges("run0", {{1, 10}}).ok());
  const size_t before = DataFilesLying();
  const auto twice = Merges("run1", {{1, 11}, {2, 22}, {1, 12}});
  ASSERT_FALSE(twice.ok());
  EXPECT_EQ(twice.error().kind, ErrorKind::kData);
  EXPECT_THAT(twice.error().message, HasSubstr("several rows with id 1:"));
  const auto null = Merges("run2", {{1, 11}, {-1, 22}});
  ASSERT_FALSE(null.ok());
  EXPECT_THAT(null.error().message, HasSubstr("key column id"));
  EXPECT_EQ(DataFilesLying(), before);
  EXPECT_EQ(Main(), (Expected{{1, 10}}));
}

TEST_F(MergeTest, KeysThatDoNotFitInMemoryAreGoneThroughInParts) {
  Rows rows;
  for (int64_t id = 0; id < 50'000; ++id) rows.emplace_back(id * 3, id);
  const auto loaded = Load("run0", rows, "write_mode: append");
  ASSERT_TRUE(loaded.ok()) << loaded.error().message;
  const auto columns = KeyColumns::Of(*Table()->schema(), {"id"});
  ASSERT_TRUE(columns.ok());
  std::vector<iceberg::DataFilePtr> files;
  for (const iceberg::ScanTask& task : Plan().tasks) files.push_back(task.file);
  LoadKeys keys(files_,
                {.columns = *columns, .table = Table(), .files = files, .bytes_max = 200'000});
  std::multiset<size_t> parts;
  const auto outdated = keys.FindOutdated(context());
  ASSERT_TRUE(outdated.ok());
  EXPECT_TRUE(outdated->empty());
  ASSERT_TRUE(keys.ForEachPart(context(),
                               [&](const KeySet& part) {
                                 EXPECT_LE(part.bytes(), 200'000);
                                 parts.insert(part.size());
                                 return Status::Ok();
                               })
                  .ok());
  EXPECT_GT(parts.size(), 4U);
  size_t total = 0;
  for (const size_t size : parts) total += size;
  EXPECT_EQ(total, rows.size());
  files.push_back(files.front());  // Now each key is there twice, in whatever part.
  LoadKeys twice(files_,
                 {.columns = *columns, .table = Table(), .files = files, .bytes_max = 200'000});
  EXPECT_EQ(twice.FindOutdated(context()).error().kind, ErrorKind::kData);
}

TEST_F(MergeTest, OfSeveralRowsWithAKeyTheLatestHolds) {
  ASSERT_TRUE(Merges("run1", {{1, 10}, {2, 20}}).ok());
  const std::string latest = "write_mode: merge, key: [id], latest_by: [v]";
  Rows rows;
  Expected expected{{1, 10}, {2, 20}};
  for (int64_t id = 2; id < 20'000; ++id) {
    for (const int64_t version : {3, 5, 4}) rows.emplace_back(id, id * 10 + version);
    expected[id] = id * 10 + 5;
  }
  // In parts, since the keys take more than the load may have.
  const auto merged = Load("run2", rows, latest, nullptr, {}, 1 << 20);
  ASSERT_TRUE(merged.ok()) << merged.error().message;
  EXPECT_EQ(merged->rows_written, 19'998);
  EXPECT_EQ(merged->rows_outdated, 2 * 19'998);
  EXPECT_EQ(merged->rows_replaced, 1);
  EXPECT_EQ(Main(), expected);
  EXPECT_EQ(DataFilesLying(), FilesKnown());

  const auto rivals =
      Load("run3", {{7, 1}, {8, 5}, {8, 5}, {8, 4}, {9, 1}, {9, 1}, {9, 2}}, latest);
  ASSERT_FALSE(rivals.ok());
  EXPECT_THAT(rivals.error().message, HasSubstr("several with the same v with id 8: "));
  EXPECT_EQ(Main(), expected);
  EXPECT_EQ(DataFilesLying(), FilesKnown());
}

TEST_F(MergeTest, RowsThatDeleteTakeOutTheOneWithTheirKey) {
  const std::string deleting = "write_mode: merge, key: [id], delete_flag: gone";
  ASSERT_TRUE(Merges("run1", {{1, 10}, {2, 20}, {3, 30}}).ok());
  const auto merged = Load("run2", {{3, 31}, {4, 40}}, deleting, nullptr, {{1, 0}, {9, 0}, {9, 0}});
  ASSERT_TRUE(merged.ok()) << merged.error().message;
  EXPECT_EQ(merged->rows_written, 2);
  EXPECT_EQ(merged->rows_deleting, 3);
  EXPECT_EQ(merged->rows_replaced, 2);
  EXPECT_EQ(Main(), (Expected{{2, 20}, {3, 31}, {4, 40}}));
  EXPECT_EQ(DataFilesLying(), FilesKnown());

  // A row and a deletion of one key: nobody knows which is later.
  const auto both = Load("run3", {{2, 21}, {4, 41}}, deleting, nullptr, {{2, 0}});
  ASSERT_FALSE(both.ok());
  EXPECT_THAT(both.error().message, HasSubstr("several rows with id 2: "));
  EXPECT_EQ(DataFilesLying(), FilesKnown());

  const auto only = Load("run4", {}, deleting, nullptr, {{3, 0}, {4, 0}});
  ASSERT_TRUE(only.ok()) << only.error().message;
  EXPECT_EQ(Main(), (Expected{{2, 20}}));
  EXPECT_EQ(Table()->current_snapshot()->operation, iceberg::Operation::kDelete);
}

TEST_F(MergeTest, ADeletionThatWasOvertakenIsComputedAgain) {
  const std::string deleting = "write_mode: merge, key: [id], delete_flag: gone";
  ASSERT_TRUE(Merges("run1", {{1, 10}, {2, 20}, {3, 30}}).ok());
  const StepObserver meanwhile =
      Once("publish.before", [&] { ASSERT_TRUE(Merges("theirs", {{2, 21}, {4, 40}}).ok()); });
  const auto ours = Load("ours", {{3, 31}}, deleting, &meanwhile, {{2, 0}, {4, 0}});
  ASSERT_TRUE(ours.ok()) << ours.error().message;
  EXPECT_EQ(Main(), (Expected{{1, 10}, {3, 31}}));
}

/// By which means rows that give way are taken out, and in which format version.
struct Way {
  int version;
  std::string mode;      ///< Of write.merge.mode; empty: not set.
  bool deletes = false;  ///< Whether rows are to be deleted, and no file written anew.
};

class MergeWayTest : public MergeTest, public testing::WithParamInterface<Way> {
 protected:
  std::string Options() const {
    const std::string mode = GetParam().mode.empty() ? "" : "write.merge.mode: " + GetParam().mode;
    return "write_mode: merge, key: [id], format_version: " + std::to_string(GetParam().version) +
           ", properties: {" + mode + "}";
  }
  Result<Report> Merged(const std::string& run, const Rows& rows,
                        const StepObserver* steps = nullptr) {
    return Load(run, rows, Options(), steps);
  }

  /// Row ids of main, by key; empty below version 3.
  std::map<int64_t, std::pair<int64_t, int64_t>> Lineage() {
    std::map<int64_t, std::pair<int64_t, int64_t>> lineage;
    if (GetParam().version < 3) return lineage;
    const auto projection = *iceberg::Schema::Make(
        iceberg::SchemaId(0),
        {columns_->fields()[0],
         Field{.id = iceberg::reserved::kRowId, .name = "_row_id", .type = iceberg::Type::Long()},
         Field{.id = iceberg::reserved::kLastUpdatedSequenceNumber,
               .name = "_last_updated_sequence_number",
               .type = iceberg::Type::Long()}});
    for (const iceberg::ScanTask& task : Plan().tasks) {
      const auto reader = reader::OpenTask(context(), files_, *Table(), task,
                                           {.projection = projection, .filter = {}});
      EXPECT_TRUE(reader.ok());
      for (auto batch = (*reader)->Next(context()); batch.ok() && *batch != nullptr;
           batch = (*reader)->Next(context())) {
        const auto column = [&](int i) -> const arrow::Int64Array& {
          return checked_cast<const arrow::Int64Array&>(*(*batch)->column(i));
        };
        for (int64_t i = 0; i < (*batch)->num_rows(); ++i) {
          EXPECT_TRUE(column(1).IsValid(i) && column(2).IsValid(i));
          lineage[column(0).Value(i)] = {column(1).Value(i), column(2).Value(i)};
        }
      }
    }
    return lineage;
  }

  static Rows Numbered(int64_t first, int64_t count, int64_t value) {
    Rows rows;
    for (int64_t id = first; id < first + count; ++id) rows.emplace_back(id, value);
    return rows;
  }
};

TEST_P(MergeWayTest, ReplacedRowsAreGoneAndOthersKeepWhoTheyAre) {
  Expected expected;
  const auto first = Merged("run0", Numbered(0, 1000, 1));
  ASSERT_TRUE(first.ok()) << first.error().message;
  for (int64_t id = 0; id < 1000; ++id) expected[id] = 1;
  const auto before = Lineage();
  ASSERT_EQ(Main(), expected);

  for (int64_t round = 2; round < 6; ++round) {
    const Rows rows = Numbered(round * 100, 20, round);
    const auto merged = Merged("run" + std::to_string(round), rows);
    ASSERT_TRUE(merged.ok()) << merged.error().message;
    EXPECT_EQ(merged->rows_replaced, 20);
    EXPECT_EQ(merged->files_rewritten, GetParam().deletes ? 0 : 1);
    EXPECT_EQ(merged->files_with_deletes, GetParam().deletes ? 1 : 0);
    for (const auto& [id, value] : rows) expected[id] = value;
    ASSERT_EQ(Main(), expected);
  }
  const iceberg::ScanPlan plan = Plan();
  for (const iceberg::ScanTask& task : plan.tasks) {
    if (GetParam().version >= 3) {
      EXPECT_TRUE(task.position_deletes.empty());
    } else {
      EXPECT_EQ(task.deletion_vector, nullptr);
      EXPECT_LE(task.position_deletes.size(), 1U);  // Which takes in those before it.
    }
  }
  const auto after = Lineage();
  for (const auto& [id, was] : before) {
    if (expected[id] == 1) {
      EXPECT_EQ(after.at(id), was) << id;
    } else {
      EXPECT_GT(after.at(id).second, was.second) << id;
    }
  }
  std::set<int64_t> ids;
  for (const auto& [id, now] : after) EXPECT_TRUE(ids.insert(now.first).second) << id;
}

TEST_P(MergeWayTest, ARowMergedAgainAndAgainIsThereOnce) {
  ASSERT_TRUE(Merged("run0", Numbered(0, 400, 0)).ok());
  for (int64_t round = 1; round < 8; ++round) {
    const auto merged = Merged("run" + std::to_string(round), {{7, round}, {8 + round, -round}});
    ASSERT_TRUE(merged.ok()) << merged.error().message;
    EXPECT_EQ(Main().at(7), round);
    EXPECT_EQ(Main().size(), 400U);
  }
}

TEST_P(MergeWayTest, AMergeThatIsOvertakenIsComputedAgain) {
  for (const char* step : {"publish.before", "commit.before_commit"}) {
    const std::string tag = step;
    ASSERT_TRUE(Merged(tag + "0", Numbered(1, 300, 0)).ok());
    const StepObserver meanwhile =
        Once(step, [&] { ASSERT_TRUE(Merged(tag + "theirs", {{2, 21}, {3, 31}, {4, 41}}).ok()); });
    const auto ours = Merged(tag + "ours", {{3, 32}, {4, 42}, {5, 52}}, &meanwhile);
    ASSERT_TRUE(ours.ok()) << ours.error().message;
    const auto rows = Main();
    EXPECT_EQ(rows.size(), 300U);
    EXPECT_EQ(rows.at(2), 21);
    EXPECT_EQ(rows.at(3), 32);
    EXPECT_EQ(rows.at(5), 52);
  }
}

TEST_P(MergeWayTest, WhatAnEqualityDeleteTookStaysGone) {
  ASSERT_TRUE(Merged("run0", Numbered(1, 300, 0)).ok());
  DeleteIds("theirs", {1, 3});
  ASSERT_TRUE(Merged("run1", {{2, 22}, {3, 33}}).ok());
  const auto rows = Main();
  EXPECT_EQ(rows.size(), 299U);
  EXPECT_FALSE(rows.contains(1));
  EXPECT_EQ(rows.at(3), 33);
}

TEST_P(MergeWayTest, ALoadThatFailsAfterItsDeletesLeavesNothing) {
  ASSERT_TRUE(Merged("run0", Numbered(1, 300, 0)).ok());
  const size_t before = DataFilesLying();
  const StepObserver fails = [](std::string_view step) -> Status {
    if (step == "publish.before") return DataError("stopped here");
    return Status::Ok();
  };
  ASSERT_FALSE(Merged("run1", {{2, 22}, {500, 5}}, &fails).ok());
  EXPECT_EQ(DataFilesLying(), before);
  EXPECT_EQ(Main().size(), 300U);
}

INSTANTIATE_TEST_SUITE_P(
    Ways, MergeWayTest,
    testing::Values(Way{.version = 2, .mode = "copy-on-write"},
                    Way{.version = 2, .mode = "merge-on-read", .deletes = true},
                    Way{.version = 2, .mode = ""}, Way{.version = 3, .mode = "copy-on-write"},
                    Way{.version = 3, .mode = "merge-on-read", .deletes = true},
                    Way{.version = 3, .mode = ""}),
    [](const auto& way) {
      std::string name = "V" + std::to_string(way.param.version) + way.param.mode;
      std::erase(name, '-');
      return name;
    });

TEST(KeySetTest, HoldsExactlyWhatWasPutIn) {
  KeySet keys;
  EXPECT_TRUE(keys.Insert(""));
  EXPECT_FALSE(keys.Insert(""));
  for (int i = 0; i < 20'000; ++i) {
    const std::string key = std::string(static_cast<size_t>(i % 23), 'k') + std::to_string(i * 2);
    EXPECT_TRUE(keys.Insert(key));
    EXPECT_FALSE(keys.Insert(key));
  }
  EXPECT_EQ(keys.size(), 20'001U);
  for (int i = 0; i < 20'000; ++i) {
    const std::string pad(static_cast<size_t>(i % 23), 'k');
    EXPECT_TRUE(keys.Contains(pad + std::to_string(i * 2)));
    EXPECT_FALSE(keys.Contains(pad + std::to_string(i * 2 + 1)));
  }
}

}  // namespace
}  // namespace calve::load

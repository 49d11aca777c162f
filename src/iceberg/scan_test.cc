#include "iceberg/scan.h"

#include <gtest/gtest.h>

#include "iceberg/delete_index.h"
#include "iceberg/table_for_test.h"

namespace calve::iceberg {
namespace {

using Op = Expression::Op;

Value Text(const char* text) { return Value(std::string(text)); }

TestTableOptions ByRegion(int format_version = 2) {
  return {.partition = {{.source_id = FieldId(2),
                         .field_id = FieldId(1000),
                         .name = "region",
                         .transform = Transform::Identity()}},
          .format_version = format_version};
}

std::shared_ptr<DataFile> WithIds(std::string path, const char* region, int64_t low, int64_t high) {
  auto file = NewDataFile(std::move(path), {Text(region)});
  file->metrics.value_counts.Set(FieldId(1), 10);
  file->metrics.null_value_counts.Set(FieldId(1), 0);
  file->metrics.lower_bounds.Set(FieldId(1), Must(ToBytes(Type::Long(), Value(low))));
  file->metrics.upper_bounds.Set(FieldId(1), Must(ToBytes(Type::Long(), Value(high))));
  return file;
}

TEST(ScanTest, ATableWithoutSnapshotsHasNoTasks) {
  TestTable table;
  EXPECT_TRUE(table.Plan().tasks.empty());
  const auto missing =
      PlanScan(table.context(), table.files(), table.metadata(), {.snapshot_id = SnapshotId(4)});
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().kind, ErrorKind::kNotFound);
}

TEST(ScanTest, ManifestsAndFilesArePrunedBeforeTheyAreRead) {
  TestTable table(ByRegion());
  EXPECT_OK(table.Commit(
      {.added_data_files = {WithIds("eu1", "EU", 1, 10), WithIds("eu2", "EU", 11, 20)}}));
  EXPECT_OK(table.Commit({.added_data_files = {WithIds("us1", "US", 1, 10)}}));
  table.files().TakeReads();
  const Expression eu = Expression::Compare(Op::kEqual, FieldId(2), {Text("EU")});
  ScanPlan plan = table.Plan({.filter = eu});
  EXPECT_EQ(PathsOf(plan), (std::set<std::string>{"eu1", "eu2"}));
  EXPECT_EQ(plan.statistics.manifests_total, 2);
  EXPECT_EQ(plan.statistics.manifests_read, 1);
  EXPECT_EQ(table.files().TakeReads().size(), 2U);  // The list and one manifest.
  plan = table.Plan({.filter = Expression::And(
                         eu, Expression::Compare(Op::kGreater, FieldId(1), {Value(int64_t{15})}))});
  EXPECT_EQ(PathsOf(plan), std::set<std::string>{"eu2"});
  EXPECT_EQ(plan.statistics.files_total, 2);
  EXPECT_EQ(plan.statistics.files_kept, 1);
  EXPECT_TRUE(plan.tasks[0].file->metrics.lower_bounds.empty());
  plan = table.Plan({.filter = eu, .metrics = true});
  EXPECT_FALSE(plan.tasks[0].file->metrics.lower_bounds.empty());
  EXPECT_TRUE(table.Plan({.filter = Expression::False()}).tasks.empty());
}

TEST(ScanTest, EarlierSnapshotsAreReadAsTheyWere) {
  TestTable table;
  const auto first = Must(table.Commit({.added_data_files = {NewDataFile("a")}}));
  EXPECT_OK(table.Commit({.operation = Operation::kOverwrite,
                          .added_data_files = {NewDataFile("b")},
                          .removed_paths = {"a"}}));
  EXPECT_EQ(PathsOf(table.Plan({.snapshot_id = first.snapshot.id})), std::set<std::string>{"a"});
  EXPECT_EQ(PathsOf(table.Plan()), std::set<std::string>{"b"});
}

// ---- Deletes.

ManifestEntry DeleteEntry(FileContent content, int64_t number, const char* path,
                          PartitionValues partition = {}, SpecId spec = SpecId(0)) {
  auto file = NewDataFile(path, std::move(partition), 3, spec);
  file->content = content;
  if (content == FileContent::kEqualityDeletes) file->equality_ids = {FieldId(1)};
  return {.sequence_number = SequenceNumber(number), .file = file};
}

ManifestEntry VectorEntry(int64_t number, const char* target) {
  ManifestEntry entry = DeleteEntry(FileContent::kPositionDeletes, number, "dv.puffin");
  auto file = std::make_shared<DataFile>(*entry.file);
  file->format = FileFormat::kPuffin;
  file->referenced_data_file = target;
  file->content_offset = 4;
  file->content_size_in_bytes = 40;
  entry.file = file;
  return entry;
}

ScanTask TaskOf(int64_t number, const char* path, PartitionValues partition = {},
                SpecId spec = SpecId(0)) {
  return {.file = NewDataFile(path, std::move(partition), 10, spec),
          .data_sequence_number = SequenceNumber(number)};
}

const PartitionSpec kUnpartitioned{.id = SpecId(0), .fields = {}};
const PartitionSpec kByRegion{.id = SpecId(1),
                              .fields = {{.source_id = FieldId(2),
                                          .field_id = FieldId(1000),
                                          .name = "region",
                                          .transform = Transform::Identity()}}};

TEST(ScanTest, SequenceNumbersDecideWhichDeletesApply) {
  struct Case {
    int64_t deletes;
    bool positions, vector, equalities;
  };
  for (const Case& c :
       {Case{4, false, false, false}, Case{5, true, true, false}, Case{6, true, true, true}}) {
    DeleteIndex positions, vectors, equalities;
    EXPECT_OK(
        positions.Add(DeleteEntry(FileContent::kPositionDeletes, c.deletes, "p"), kUnpartitioned));
    EXPECT_OK(vectors.Add(VectorEntry(c.deletes, "data"), kUnpartitioned));
    EXPECT_OK(
        equalities.Add(DeleteEntry(FileContent::kEqualityDeletes, c.deletes, "e"), kUnpartitioned));
    ScanTask by_position = TaskOf(5, "data"), by_vector = TaskOf(5, "data"),
             by_equality = TaskOf(5, "data");
    positions.Finish();
    positions.Assign(by_position);
    vectors.Finish();
    vectors.Assign(by_vector);
    equalities.Finish();
    equalities.Assign(by_equality);
    EXPECT_EQ(by_position.position_deletes.size(), c.positions ? 1U : 0U) << c.deletes;
    EXPECT_EQ(by_vector.deletion_vector != nullptr, c.vector) << c.deletes;
    EXPECT_EQ(by_equality.equality_deletes.size(), c.equalities ? 1U : 0U) << c.deletes;
  }
}

TEST(ScanTest, DeletesStayInTheirPartitionAndSpec) {
  DeleteIndex index;
  EXPECT_OK(index.Add(DeleteEntry(FileContent::kPositionDeletes, 9, "p", {Text("EU")}, SpecId(1)),
                      kByRegion));
  EXPECT_OK(index.Add(DeleteEntry(FileContent::kEqualityDeletes, 9, "e", {Text("EU")}, SpecId(1)),
                      kByRegion));
  index.Finish();
  const auto count = [&](ScanTask task) {
    index.Assign(task);
    return task.position_deletes.size() + task.equality_deletes.size();
  };
  EXPECT_EQ(count(TaskOf(1, "a", {Text("EU")}, SpecId(1))), 2U);
  EXPECT_EQ(count(TaskOf(1, "a", {Text("US")}, SpecId(1))), 0U);
  EXPECT_EQ(count(TaskOf(1, "a", {Value()}, SpecId(1))), 0U);
  EXPECT_EQ(count(TaskOf(1, "a", {Text("EU")}, SpecId(2))), 0U);
}

TEST(ScanTest, EqualityDeletesWithoutPartitionApplyEverywhere) {
  DeleteIndex index;
  EXPECT_OK(index.Add(DeleteEntry(FileContent::kEqualityDeletes, 9, "e"), kUnpartitioned));
  EXPECT_OK(index.Add(DeleteEntry(FileContent::kPositionDeletes, 9, "p"), kUnpartitioned));
  index.Finish();
  ScanTask task = TaskOf(1, "a", {Text("EU")}, SpecId(1));
  index.Assign(task);
  EXPECT_EQ(task.equality_deletes.size(), 1U);
  EXPECT_TRUE(task.position_deletes.empty());
}

TEST(ScanTest, AVectorStandsForAllPositionDeletesOfItsFile) {
  DeleteIndex index;
  EXPECT_OK(index.Add(DeleteEntry(FileContent::kPositionDeletes, 9, "p"), kUnpartitioned));
  EXPECT_OK(index.Add(VectorEntry(10, "a"), kUnpartitioned));
  const Status second = index.Add(VectorEntry(11, "a"), kUnpartitioned);
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().kind, ErrorKind::kData);
  index.Finish();
  ScanTask a = TaskOf(1, "a"), b = TaskOf(1, "b");
  index.Assign(a);
  index.Assign(b);
  EXPECT_NE(a.deletion_vector, nullptr);
  EXPECT_TRUE(a.position_deletes.empty());
  EXPECT_EQ(b.deletion_vector, nullptr);
  EXPECT_EQ(b.position_deletes.size(), 1U);
}

TEST(ScanTest, PositionDeletesOfOneFileAreToldByTheirBounds) {
  auto file = NewDataFile("p");
  file->content = FileContent::kPositionDeletes;
  EXPECT_EQ(ReferencedDataFile(*file), std::nullopt);
  file->metrics.lower_bounds.Set(reserved::kDeleteFilePath, "mem://bucket/table/data/a.parquet");
  file->metrics.upper_bounds.Set(reserved::kDeleteFilePath, "mem://bucket/table/data/b.parquet");
  EXPECT_EQ(ReferencedDataFile(*file), std::nullopt);
  file->metrics.upper_bounds.Set(reserved::kDeleteFilePath, "mem://bucket/table/data/a.parquet");
  EXPECT_EQ(ReferencedDataFile(*file), "mem://bucket/table/data/a.parquet");
  file->metrics.lower_bounds.Set(reserved::kDeleteFilePath,
                                 "mem://bucket/tab");  // Cut: many paths begin so.
  file->metrics.upper_bounds.Set(reserved::kDeleteFilePath, "mem://bucket/tab");
  EXPECT_EQ(ReferencedDataFile(*file), std::nullopt);
}

TEST(ScanTest, TasksCarryTheirDeletes) {
  TestTable table(ByRegion());
  EXPECT_OK(table.Commit(
      {.added_data_files = {WithIds("eu1", "EU", 1, 10), WithIds("us1", "US", 1, 10)}}));
  auto positions = NewDataFile("p", {Text("EU")});
  positions->content = FileContent::kPositionDeletes;
  auto named = NewDataFile("n", {Text("US")});
  named->content = FileContent::kPositionDeletes;
  named->metrics.lower_bounds.Set(reserved::kDeleteFilePath, "us1");
  named->metrics.upper_bounds.Set(reserved::kDeleteFilePath, "us1");
  auto equal = NewDataFile("e", {Text("EU")});
  equal->content = FileContent::kEqualityDeletes;
  equal->equality_ids = {FieldId(1)};
  EXPECT_OK(table.Commit(
      {.operation = Operation::kDelete, .added_delete_files = {positions, named, equal}}));
  EXPECT_OK(table.Commit({.added_data_files = {WithIds("eu2", "EU", 1, 10)}}));
  for (const ScanTask& task : table.Plan().tasks) {
    if (task.file->path == "eu1") {
      EXPECT_EQ(PathsOf(task.position_deletes), std::set<std::string>{"p"});
      EXPECT_EQ(PathsOf(task.equality_deletes), std::set<std::string>{"e"});
    } else if (task.file->path == "us1") {
      EXPECT_EQ(PathsOf(task.position_deletes), std::set<std::string>{"n"});
      EXPECT_TRUE(task.equality_deletes.empty());
    } else {
      EXPECT_FALSE(task.has_deletes());
    }
  }
}

// ---- Increments.

TEST(ScanTest, IncrementsHoldWhatAppendsAdded) {
  TestTable table({.properties = {{"commit.manifest.min-count-to-merge", "2"}}});
  const auto first = Must(table.Commit({.added_data_files = {NewDataFile("a")}}));
  const auto second = Must(table.Commit({.added_data_files = {NewDataFile("b")}}));
  const auto third =
      Must(table.Commit({.added_data_files = {NewDataFile("c")}, .merge_manifests = true}));
  const auto paths = [&](std::optional<SnapshotId> from, SnapshotId to) {
    return PathsOf(Must(
        PlanIncrementalAppends(table.context(), table.files(), table.metadata(), from, to, {})));
  };
  EXPECT_EQ(paths(std::nullopt, third.snapshot.id), (std::set<std::string>{"a", "b", "c"}));
  EXPECT_EQ(paths(first.snapshot.id, third.snapshot.id), (std::set<std::string>{"b", "c"}));
  EXPECT_EQ(paths(third.snapshot.id, third.snapshot.id), std::set<std::string>{});
  // Compaction changes no rows: what was appended before it is still told.
  const auto fourth = Must(table.Commit({.operation = Operation::kReplace,
                                         .added_data_files = {NewDataFile("bc", {}, 20)},
                                         .removed_paths = {"b", "c"}}));
  EXPECT_EQ(paths(second.snapshot.id, fourth.snapshot.id), std::set<std::string>{"c"});
}

TEST(ScanTest, IncrementsAreRefusedWhereRowsWereTakenOut) {
  TestTable table;
  const auto first = Must(table.Commit({.added_data_files = {NewDataFile("a")}}));
  const auto second = Must(table.Commit({.operation = Operation::kDelete, .removed_paths = {"a"}}));
  const auto plan = [&](std::optional<SnapshotId> from, SnapshotId to) {
    return PlanIncrementalAppends(table.context(), table.files(), table.metadata(), from, to, {});
  };
  const auto refused = plan(first.snapshot.id, second.snapshot.id);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().kind, ErrorKind::kRefused);
  EXPECT_NE(refused.error().message.find(std::to_string(second.snapshot.id.value())),
            std::string::npos);
  const auto backwards = plan(second.snapshot.id, first.snapshot.id);
  ASSERT_FALSE(backwards.ok());
  EXPECT_EQ(backwards.error().kind, ErrorKind::kRefused);
  // The first snapshot is expired: from it on all is known, from the start not.
  const auto third = Must(table.Commit({.added_data_files = {NewDataFile("b")}}));
  EXPECT_OK(table.Apply({.updates = {RemoveSnapshots({first.snapshot.id, second.snapshot.id})}}));
  EXPECT_OK(plan(second.snapshot.id, third.snapshot.id));
  EXPECT_FALSE(plan(std::nullopt, third.snapshot.id).ok());
}

}  // namespace
}  // namespace calve::iceberg

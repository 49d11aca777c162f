#include "iceberg/produce.h"

#include <gtest/gtest.h>

#include "iceberg/manifest_merge.h"
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

DataFilePtr Vector(const char* target, int64_t offset, const char* path = "dv.puffin",
                   PartitionValues partition = {}) {
  auto file = NewDataFile(path, std::move(partition), 2);
  file->content = FileContent::kPositionDeletes;
  file->format = FileFormat::kPuffin;
  file->referenced_data_file = target;
  file->content_offset = offset;
  file->content_size_in_bytes = 44;
  return file;
}

ErrorKind KindOf(const Result<ProducedSnapshot>& result) {
  EXPECT_FALSE(result.ok());
  return result.ok() ? ErrorKind::kBug : result.error().kind;
}

TEST(ProduceTest, AnAppendCountsWhatItAdds) {
  TestTable table(ByRegion());
  const auto first = Must(table.Commit(
      {.added_data_files = {NewDataFile("a", {Text("EU")}, 10), NewDataFile("b", {Text("US")}, 5)},
       .summary = {{"who", "me"}}}));
  const std::map<std::string, std::string> expected = {
      {"added-data-files", "2"},       {"added-records", "15"},
      {"added-files-size", "1500"},    {"changed-partition-count", "2"},
      {"total-data-files", "2"},       {"total-records", "15"},
      {"total-files-size", "1500"},    {"total-delete-files", "0"},
      {"total-position-deletes", "0"}, {"total-equality-deletes", "0"},
      {"manifests-created", "1"},      {"manifests-kept", "0"},
      {"manifests-replaced", "0"},     {"who", "me"}};
  EXPECT_EQ(first.snapshot.summary, expected);
  EXPECT_EQ(first.snapshot.parent_id, std::nullopt);
  EXPECT_EQ(first.snapshot.sequence_number, SequenceNumber(1));
  const auto second = Must(table.Commit({.added_data_files = {NewDataFile("c", {Text("EU")}, 1)}}));
  EXPECT_EQ(second.snapshot.summary.at("total-data-files"), "3");
  EXPECT_EQ(second.snapshot.summary.at("total-files-size"), "1600");
  EXPECT_EQ(second.snapshot.summary.at("manifests-kept"), "1");
  EXPECT_EQ(second.snapshot.parent_id, first.snapshot.id);
  EXPECT_EQ(PathsOf(table.Plan()), (std::set<std::string>{"a", "b", "c"}));
}

TEST(ProduceTest, AFastAppendReadsNoManifest) {
  TestTable table;
  for (const char* path : {"a", "b", "c"})
    EXPECT_OK(table.Commit({.added_data_files = {NewDataFile(path)}}));
  table.files().TakeReads();
  EXPECT_OK(table.Commit({.added_data_files = {NewDataFile("d")}}));
  EXPECT_EQ(table.files().TakeReads().size(), 1U);  // The parent's list.
}

TEST(ProduceTest, RemovedFilesStayAsDeletedEntriesForOneSnapshot) {
  TestTable table;
  const auto first =
      Must(table.Commit({.added_data_files = {NewDataFile("a", {}, 1), NewDataFile("b", {}, 2)}}));
  const auto second = Must(table.Commit({.operation = Operation::kOverwrite,
                                         .added_data_files = {NewDataFile("c", {}, 3)},
                                         .removed_paths = {"a"}}));
  EXPECT_EQ(second.snapshot.summary.at("deleted-data-files"), "1");
  EXPECT_EQ(second.snapshot.summary.at("deleted-records"), "1");
  EXPECT_EQ(second.snapshot.summary.at("total-records"), "5");
  const auto manifests =
      Must(ReadManifestList(table.context(), table.files(), table.metadata(), second.snapshot));
  ASSERT_EQ(manifests.size(), 2U);
  EXPECT_EQ(manifests[1].min_sequence_number, SequenceNumber(1));
  EXPECT_EQ(manifests[1].sequence_number, SequenceNumber(2));
  const auto entries = Must(ReadManifest(table.context(), table.files(), table.metadata(),
                                         manifests[1], {.deleted_entries = true}));
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_EQ(entries[0].status, EntryStatus::kDeleted);
  EXPECT_EQ(entries[0].snapshot_id, second.snapshot.id);
  EXPECT_EQ(entries[0].sequence_number, SequenceNumber(1));
  EXPECT_EQ(entries[1].status, EntryStatus::kExisting);
  EXPECT_EQ(entries[1].snapshot_id, first.snapshot.id);
  EXPECT_OK(table.Commit({.operation = Operation::kDelete, .removed_paths = {"b"}}));
  const auto third = Must(table.Commit({.added_data_files = {NewDataFile("d")}}));
  // The manifest whose files are all gone is no longer listed.
  EXPECT_EQ(Must(ReadManifestList(table.context(), table.files(), table.metadata(), third.snapshot))
                .size(),
            2U);
}

TEST(ProduceTest, ARemovedFileMustBeThere) {
  TestTable table;
  EXPECT_OK(table.Commit({.added_data_files = {NewDataFile("a")}}));
  const auto gone = table.Commit({.operation = Operation::kDelete, .removed_paths = {"a", "zz"}});
  EXPECT_EQ(KindOf(gone), ErrorKind::kConflict);
  EXPECT_NE(gone.error().message.find("zz"), std::string::npos);
  TestTable empty;
  EXPECT_EQ(KindOf(empty.Commit({.operation = Operation::kDelete, .removed_paths = {"a"}})),
            ErrorKind::kConflict);
}

TEST(ProduceTest, AFilterRemovesWholeFilesOrIsRefused) {
  TestTable table(ByRegion());
  const auto with_ids = [](const char* path, const char* region, int64_t low, int64_t high) {
    auto file = NewDataFile(path, {Text(region)});
    file->metrics.value_counts.Set(FieldId(1), 10);
    file->metrics.null_value_counts.Set(FieldId(1), 0);
    file->metrics.lower_bounds.Set(FieldId(1), Must(ToBytes(Type::Long(), Value(low))));
    file->metrics.upper_bounds.Set(FieldId(1), Must(ToBytes(Type::Long(), Value(high))));
    return file;
  };
  EXPECT_OK(
      table.Commit({.added_data_files = {with_ids("a", "EU", 1, 10), with_ids("b", "EU", 11, 20),
                                         with_ids("c", "US", 1, 20)}}));
  const Expression eu = Expression::Compare(Op::kEqual, FieldId(2), {Text("EU")});
  const auto less = [&](int64_t n) {
    return Expression::And(eu, Expression::Compare(Op::kLess, FieldId(1), {Value(n)}));
  };
  const auto partly = table.Commit({.operation = Operation::kDelete, .remove_matching = less(15)});
  EXPECT_EQ(KindOf(partly), ErrorKind::kRefused);
  EXPECT_NE(partly.error().message.find(" b "), std::string::npos) << partly.error().message;
  EXPECT_OK(table.Commit({.operation = Operation::kDelete, .remove_matching = less(11)}));
  EXPECT_EQ(PathsOf(table.Plan()), (std::set<std::string>{"b", "c"}));
  EXPECT_OK(table.Commit({.operation = Operation::kOverwrite,
                          .added_data_files = {NewDataFile("d", {Text("EU")})},
                          .remove_matching = eu}));
  EXPECT_EQ(PathsOf(table.Plan()), (std::set<std::string>{"c", "d"}));
  EXPECT_OK(table.Commit({.operation = Operation::kOverwrite,
                          .added_data_files = {NewDataFile("e", {Text("X")})},
                          .remove_matching = Expression::True()}));
  EXPECT_EQ(PathsOf(table.Plan()), std::set<std::string>{"e"});
}

TEST(ProduceTest, DynamicOverwriteReplacesThePartitionsItWrites) {
  TestTable table(ByRegion());
  auto deletes = NewDataFile("p", {Text("EU")}, 1);
  deletes->content = FileContent::kPositionDeletes;
  EXPECT_OK(table.Commit(
      {.operation = Operation::kOverwrite,
       .added_data_files = {NewDataFile("a", {Text("EU")}), NewDataFile("b", {Text("US")}),
                            NewDataFile("n", {Value()})},
       .added_delete_files = {deletes}}));
  const auto produced = Must(table.Commit(
      {.operation = Operation::kOverwrite,
       .added_data_files = {NewDataFile("c", {Text("EU")}), NewDataFile("m", {Value()})},
       .replace_partitions = true}));
  EXPECT_EQ(PathsOf(table.Plan()), (std::set<std::string>{"b", "c", "m"}));
  EXPECT_EQ(produced.snapshot.summary.at("removed-position-delete-files"), "1");
  EXPECT_EQ(produced.snapshot.summary.at("total-delete-files"), "0");
}

TEST(ProduceTest, DeletionVectorsGoWithTheirDataFile) {
  TestTable table({.format_version = 3});
  EXPECT_OK(table.Commit({.added_data_files = {NewDataFile("a"), NewDataFile("b")}}));
  const auto vectors = Must(table.Commit(
      {.operation = Operation::kDelete, .added_delete_files = {Vector("a", 4), Vector("b", 48)}}));
  EXPECT_EQ(vectors.snapshot.summary.at("added-dvs"), "2");
  EXPECT_EQ(vectors.snapshot.summary.at("added-files-size"), "88");
  const auto produced =
      Must(table.Commit({.operation = Operation::kDelete, .removed_paths = {"a"}}));
  EXPECT_EQ(produced.snapshot.summary.at("removed-dvs"), "1");
  const ScanPlan plan = table.Plan();
  ASSERT_EQ(plan.tasks.size(), 1U);
  EXPECT_EQ(plan.tasks[0].deletion_vector->content_offset, 48);
}

TEST(ProduceTest, AVectorReplacesOnlyTheOneItKnows) {
  TestTable table({.format_version = 3});
  EXPECT_OK(table.Commit({.added_data_files = {NewDataFile("a")}}));
  const DataFilePtr old = Vector("a", 4);
  EXPECT_OK(table.Commit({.operation = Operation::kDelete, .added_delete_files = {old}}));
  EXPECT_EQ(KindOf(table.Commit({.operation = Operation::kDelete,
                                 .added_delete_files = {Vector("a", 4, "dv2.puffin")}})),
            ErrorKind::kConflict);
  EXPECT_OK(table.Commit({.operation = Operation::kDelete,
                          .added_delete_files = {Vector("a", 4, "dv2.puffin")},
                          .removed_delete_files = {old}}));
  EXPECT_EQ(table.Plan().tasks[0].deletion_vector->path, "dv2.puffin");
  EXPECT_EQ(KindOf(table.Commit({.operation = Operation::kDelete,
                                 .added_delete_files = {Vector("a", 4, "dv3.puffin")},
                                 .removed_delete_files = {old}})),
            ErrorKind::kConflict);
}

TEST(ProduceTest, DeletesOfAFileThatIsGoneAreAConflict) {
  TestTable table({.format_version = 3});
  EXPECT_OK(table.Commit({.added_data_files = {NewDataFile("a"), NewDataFile("b")}}));
  EXPECT_OK(table.Commit({.operation = Operation::kReplace,
                          .added_data_files = {NewDataFile("ab")},
                          .removed_paths = {"a", "b"}}));
  EXPECT_EQ(KindOf(table.Commit(
                {.operation = Operation::kDelete, .added_delete_files = {Vector("a", 4)}})),
            ErrorKind::kConflict);
  EXPECT_OK(table.Commit({.operation = Operation::kOverwrite,
                          .added_data_files = {NewDataFile("c")},
                          .added_delete_files = {Vector("c", 4)}}));
}

TEST(ProduceTest, EachVersionTakesItsOwnKindOfDeletes) {
  auto positions = NewDataFile("p");
  positions->content = FileContent::kPositionDeletes;
  TestTable two;
  TestTable three({.format_version = 3});
  EXPECT_OK(two.Commit({.added_data_files = {NewDataFile("a")}}));
  EXPECT_OK(three.Commit({.added_data_files = {NewDataFile("a")}}));
  EXPECT_EQ(
      KindOf(two.Commit({.operation = Operation::kDelete, .added_delete_files = {Vector("a", 4)}})),
      ErrorKind::kConflict);
  EXPECT_EQ(
      KindOf(three.Commit({.operation = Operation::kDelete, .added_delete_files = {positions}})),
      ErrorKind::kConflict);
  two.mutable_metadata().format_version = 1;
  EXPECT_EQ(KindOf(two.Commit({.added_data_files = {NewDataFile("b")}})), ErrorKind::kRefused);
}

TEST(ProduceTest, MalformedChangesAreBugs) {
  TestTable table(ByRegion());
  EXPECT_EQ(KindOf(table.Commit({.added_data_files = {NewDataFile("a", {Text("x")}),
                                                      NewDataFile("a", {Text("x")})}})),
            ErrorKind::kBug);
  EXPECT_EQ(KindOf(table.Commit({.added_data_files = {NewDataFile("a")}})), ErrorKind::kBug);
  EXPECT_EQ(KindOf(table.Commit({.added_data_files = {NewDataFile("a", {Value(int32_t{3})})}})),
            ErrorKind::kBug);
  EXPECT_EQ(
      KindOf(table.Commit({.added_data_files = {NewDataFile("a", {Text("x")}, 1, SpecId(7))}})),
      ErrorKind::kBug);
  EXPECT_OK(table.Commit({.added_data_files = {NewDataFile("a", {Text("x")})}}));
  EXPECT_EQ(KindOf(table.Commit({.removed_paths = {"a"}})), ErrorKind::kBug);  // As an append.
}

TEST(ProduceTest, ARetryTakesTheManifestsOfTheFirstAttempt) {
  for (const int version : {2, 3}) {
    TestTable table({.format_version = version});
    EXPECT_OK(table.Commit({.added_data_files = {NewDataFile("a")}}));
    const SnapshotChange change{.added_data_files = {NewDataFile("mine")}};
    ProduceOptions options = table.NextOptions();
    const ProducedSnapshot lost =
        Must(ProduceSnapshot(table.context(), table.files(), table.metadata(), change, options));
    EXPECT_OK(table.Commit({.added_data_files = {NewDataFile("theirs")}}));
    EXPECT_EQ(table.Apply(lost.change).error().kind, ErrorKind::kConflict);
    options.attempt = 2;
    const ProducedSnapshot won = Must(ProduceSnapshot(
        table.context(), table.files(), table.metadata(), change, options, lost.reusable));
    ASSERT_EQ(won.written.size(), 1U);  // Only the list.
    EXPECT_OK(table.Apply(won.change));
    std::set<int64_t> row_ids;
    for (const ScanTask& task : table.Plan().tasks) {
      EXPECT_TRUE(task.file->path != "mine" || task.data_sequence_number == SequenceNumber(3));
      EXPECT_TRUE(version != 3 || row_ids.insert(task.file->first_row_id->value()).second);
    }
    EXPECT_EQ(PathsOf(table.Plan()), (std::set<std::string>{"a", "mine", "theirs"}));
  }
}

TEST(ProduceTest, RowsLaidOutAnewKeepTheirNumberOverRetriesAndMerges) {
  for (const char* merges : {"2", "100"}) {
    TestTable table({.properties = {{"commit.manifest.min-count-to-merge", merges}}});
    EXPECT_OK(table.Commit({.added_data_files = {NewDataFile("a")}}));
    const SnapshotChange change{.operation = Operation::kOverwrite,
                                .added_data_files = {NewDataFile("new"), NewDataFile("a again")},
                                .data_sequence_numbers = {{"a again", SequenceNumber(1)}},
                                .removed_paths = {"a"},
                                .merge_manifests = true};
    ProduceOptions options = table.NextOptions();
    const ProducedSnapshot lost =
        Must(ProduceSnapshot(table.context(), table.files(), table.metadata(), change, options));
    EXPECT_OK(table.Commit({.added_data_files = {NewDataFile("theirs")}}));
    options.attempt = 2;
    const ProducedSnapshot won = Must(ProduceSnapshot(
        table.context(), table.files(), table.metadata(), change, options, lost.reusable));
    EXPECT_OK(table.Apply(won.change));
    std::map<std::string, int64_t> numbers;
    for (const ScanTask& task : table.Plan().tasks)
      numbers[task.file->path] = task.data_sequence_number.value();
    EXPECT_EQ(numbers, (std::map<std::string, int64_t>{{"new", 3}, {"a again", 1}, {"theirs", 2}}));
    for (const ManifestFile& manifest :
         Must(ReadManifestList(table.context(), table.files(), table.metadata(), won.snapshot))) {
      int64_t least = manifest.sequence_number.value();
      for (const ManifestEntry& entry :
           Must(ReadManifest(table.context(), table.files(), table.metadata(), manifest)))
        least = std::min(least, entry.sequence_number->value());
      EXPECT_EQ(manifest.min_sequence_number.value(), least);
    }
  }
}

TEST(ProduceTest, AnUpgradedTableGivesRowIdsToItsOldFiles) {
  TestTable table;
  EXPECT_OK(
      table.Commit({.added_data_files = {NewDataFile("a", {}, 10), NewDataFile("b", {}, 5)}}));
  EXPECT_OK(table.Commit({.added_data_files = {NewDataFile("c", {}, 3)}}));
  EXPECT_OK(table.Apply({.requirements = {}, .updates = {UpgradeFormatVersion(3)}}));
  for (const ScanTask& task : table.Plan().tasks) EXPECT_FALSE(task.file->first_row_id);
  const auto produced = Must(table.Commit({.added_data_files = {NewDataFile("d", {}, 2)}}));
  EXPECT_EQ(produced.snapshot.first_row_id, RowId(0));
  EXPECT_EQ(produced.snapshot.added_rows, 20);
  EXPECT_EQ(table.metadata().next_row_id, RowId(20));
  const auto row_ids = [&] {
    std::map<std::string, int64_t> ids;
    for (const ScanTask& task : table.Plan().tasks) {
      ids[task.file->path] = task.file->first_row_id.value_or(RowId(-1)).value();
    }
    return ids;
  };
  const std::map<std::string, int64_t> before = row_ids();
  EXPECT_EQ(before, (std::map<std::string, int64_t>{{"a", 5}, {"b", 15}, {"c", 2}, {"d", 0}}));
  EXPECT_OK(table.Commit({.operation = Operation::kDelete, .removed_paths = {"b"}}));
  EXPECT_EQ(row_ids(), (std::map<std::string, int64_t>{{"a", 5}, {"c", 2}, {"d", 0}}));
  EXPECT_EQ(table.metadata().next_row_id, RowId(20));  // Nothing was assigned anew.
}

TEST(ProduceTest, BranchesGrowFromMainAndLeaveItAlone) {
  TestTable table;
  const auto first = Must(table.Commit({.added_data_files = {NewDataFile("a")}}));
  const auto staged = Must(table.Commit({.added_data_files = {NewDataFile("b")}}, "audit"));
  EXPECT_EQ(staged.snapshot.parent_id, first.snapshot.id);
  EXPECT_EQ(PathsOf(table.Plan()), std::set<std::string>{"a"});
  EXPECT_EQ(PathsOf(table.PlanBranch("audit")), (std::set<std::string>{"a", "b"}));
  EXPECT_OK(table.Commit({.added_data_files = {NewDataFile("c")}}, "audit"));
  EXPECT_EQ(PathsOf(table.PlanBranch("audit")), (std::set<std::string>{"a", "b", "c"}));
  EXPECT_OK(table.Apply(SetRef(table.metadata(), "v1",
                               {.snapshot_id = first.snapshot.id, .kind = SnapshotRef::Kind::kTag},
                               std::nullopt)));
  EXPECT_EQ(KindOf(table.Commit({.added_data_files = {NewDataFile("d")}}, "v1")),
            ErrorKind::kConfig);
}

TEST(ProduceTest, ManifestsAreSplitBySizeAndSpec) {
  TestTable table({.properties = {{"commit.manifest.target-size-bytes", "5000"}}});
  std::vector<DataFilePtr> files;
  Random random(5);
  for (int i = 0; i < 2000; ++i) files.push_back(NewDataFile("mem://" + NewUuidString(random)));
  const auto produced = Must(table.Commit({.added_data_files = files}));
  EXPECT_GT(produced.written.size(), 5U);
  EXPECT_EQ(table.Plan().tasks.size(), 2000U);
}

TEST(ProduceTest, AnInterruptedAttemptSaysWhatItMayHaveWritten) {
  TestTable table;
  std::vector<std::string> attempted;
  ProduceOptions options = table.NextOptions();
  options.attempted = &attempted;
  Context failing = table.context();
  const StepObserver observer = [](std::string_view step) {
    return step == "iceberg.write_manifest_list" ? Status(TransientError("cut")) : Status::Ok();
  };
  failing.steps = &observer;
  const auto produced = ProduceSnapshot(failing, table.files(), table.metadata(),
                                        {.added_data_files = {NewDataFile("a")}}, options);
  EXPECT_EQ(KindOf(produced), ErrorKind::kTransient);
  ASSERT_EQ(attempted.size(), 1U);
  EXPECT_TRUE(table.files().files().contains(attempted[0]));
}

std::vector<size_t> RunSizes(std::vector<MergeCandidate> candidates, MergeRules rules) {
  std::vector<size_t> sizes;
  for (const auto& run : PlanMerge(candidates, rules)) sizes.push_back(run.size());
  return sizes;
}

TEST(ProduceTest, SmallManifestsAreMergedFromTheOldEnd) {
  const MergeRules rules{.target_bytes = 100, .count_min = 3};
  EXPECT_EQ(RunSizes({{10, true}, {10}, {10}}, rules), (std::vector<size_t>{3}));
  EXPECT_EQ(RunSizes({{10, true}, {10}}, rules), (std::vector<size_t>{1, 1}));
  EXPECT_EQ(RunSizes({{10, true}, {60}, {50}, {40}}, rules), (std::vector<size_t>{1, 1, 2}));
  EXPECT_EQ(RunSizes({{500, true}, {500}}, rules), (std::vector<size_t>{1, 1}));
  EXPECT_EQ(RunSizes({}, rules), std::vector<size_t>{});
}

// ---- Random histories against a plain model.

struct ModelFile {
  std::string partition;
  SpecId spec;
  int64_t rows = 0;
  int64_t number = 0;
  std::optional<RowId> row_id;
  std::set<std::string> deletes;  ///< Paths and offsets of what applies.
};
using Model = std::map<std::string, ModelFile>;

class History {
 public:
  History(uint64_t seed, int format_version)
      : random_(seed),
        version_(format_version),
        table_({.partition = ByRegion().partition,
                .format_version = format_version,
                .properties = {{"commit.manifest.target-size-bytes", "4000"},
                               {"commit.manifest.min-count-to-merge", "3"}},
                .seed = seed}) {}

  void Step() {
    const std::string branch = random_.Below(4) == 0 && !models_["main"].empty() ? "side" : "main";
    if (!table_.metadata().refs.contains(branch)) models_[branch] = models_["main"];
    Model& model = models_[branch];
    switch (random_.Below(8)) {
      case 0:
      case 1:
      case 2:
        Append(branch, model);
        break;
      case 3:
        Overwrite(branch, model, Operation::kOverwrite);
        break;
      case 4:
        Overwrite(branch, model, Operation::kReplace);
        break;
      case 5:
        ReplacePartitions(branch, model);
        break;
      case 6:
        DeleteRows(branch, model);
        break;
      case 7:
        random_.Below(3) == 0 ? DropRegion(branch, model) : ChangeSpec();
        break;
    }
    Check();
  }

 private:
  std::shared_ptr<DataFile> NewFile() {
    const std::string region = std::string(1, static_cast<char>('A' + random_.Below(4)));
    const bool partitioned = !table_.metadata().spec().is_unpartitioned();
    PartitionValues values(table_.metadata().spec().fields.size());
    if (partitioned) values[0] = Value(region);
    auto file =
        NewDataFile("mem://f" + std::to_string(++names_), values,
                    1 + static_cast<int64_t>(random_.Below(9)), table_.metadata().default_spec_id);
    return file;
  }
  std::vector<DataFilePtr> NewFiles() {
    std::vector<DataFilePtr> files;
    for (uint64_t i = 0, count = 1 + random_.Below(4); i < count; ++i) files.push_back(NewFile());
    return files;
  }
  static std::string KeyOf(const DataFile& file) {
    return file.partition.empty() || file.partition[0].is_null()
               ? ""
               : file.partition[0].as<std::string>();
  }
  void Commit(const std::string& branch, Model& model, SnapshotChange change) {
    change.merge_manifests = random_.Below(2) == 0;
    const auto produced = table_.Commit(change, branch);
    ASSERT_TRUE(produced.ok()) << produced.error().message;
    for (const DataFilePtr& file : change.added_data_files) {
      model[file->path] = {.partition = KeyOf(*file),
                           .spec = file->spec_id,
                           .rows = file->record_count,
                           .number = produced.value().snapshot.sequence_number.value(),
                           .row_id = {},
                           .deletes = {}};
    }
    int64_t rows = 0;
    for (const auto& [path, file] : model) rows += file.rows;
    EXPECT_EQ(produced.value().snapshot.summary.at("total-records"), std::to_string(rows));
    EXPECT_EQ(produced.value().snapshot.summary.at("total-data-files"),
              std::to_string(model.size()));
  }
  void Append(const std::string& branch, Model& model) {
    Commit(branch, model, {.added_data_files = NewFiles()});
  }
  void Overwrite(const std::string& branch, Model& model, Operation operation) {
    std::vector<std::string> removed;
    for (const auto& [path, file] : model) {
      if (random_.Below(3) == 0) removed.push_back(path);
    }
    for (const std::string& path : removed) model.erase(path);
    Commit(branch, model,
           {.operation = operation, .added_data_files = NewFiles(), .removed_paths = removed});
  }
  void ReplacePartitions(const std::string& branch, Model& model) {
    const std::vector<DataFilePtr> files = NewFiles();
    std::erase_if(model, [&](const auto& item) {
      return std::any_of(files.begin(), files.end(), [&](const DataFilePtr& file) {
        return file->spec_id == item.second.spec && KeyOf(*file) == item.second.partition;
      });
    });
    Commit(branch, model,
           {.operation = Operation::kOverwrite,
            .added_data_files = files,
            .replace_partitions = true});
  }
  void DropRegion(const std::string& branch, Model& model) {
    const std::string region(1, static_cast<char>('A' + random_.Below(4)));
    const bool refused = std::any_of(
        model.begin(), model.end(), [](const auto& item) { return item.second.partition.empty(); });
    const SnapshotChange change{
        .operation = Operation::kDelete,
        .remove_matching = Expression::Compare(Op::kEqual, FieldId(2), {Value(region)})};
    if (refused) {
      EXPECT_EQ(KindOf(table_.Commit(change, branch)), ErrorKind::kRefused);
      return;
    }
    std::erase_if(model, [&](const auto& item) { return item.second.partition == region; });
    Commit(branch, model, change);
  }
  void DeleteRows(const std::string& branch, Model& model) {
    if (model.empty()) return;
    auto victim = model.begin();
    std::advance(victim, static_cast<int64_t>(random_.Below(model.size())));
    ModelFile& data = victim->second;
    PartitionValues partition(table_.metadata().FindSpec(data.spec)->fields.size());
    if (!data.partition.empty()) partition[0] = Value(data.partition);
    const std::string name = "mem://d" + std::to_string(++names_);
    auto deletes = NewDataFile(name, partition, 1, data.spec);
    SnapshotChange change{.operation = Operation::kDelete};
    if (random_.Below(3) == 0) {
      deletes->content = FileContent::kEqualityDeletes;
      deletes->equality_ids = {FieldId(1)};
      for (auto& [path, file] : model) {
        const bool same = file.spec == data.spec && file.partition == data.partition;
        if (data.partition.empty() || same) file.deletes.insert(name);
      }
    } else if (version_ == 2) {
      deletes->content = FileContent::kPositionDeletes;
      for (auto& [path, file] : model) {
        if (file.spec == data.spec && file.partition == data.partition) file.deletes.insert(name);
      }
    } else {
      deletes =
          std::make_shared<DataFile>(*Vector(victim->first.c_str(), 4, name.c_str(), partition));
      deletes->spec_id = data.spec;
      std::erase_if(data.deletes, [&](const std::string& path) { return vectors_.contains(path); });
      data.deletes.insert(name);
      vectors_.insert(name);
      if (const DataFilePtr old = VectorOf(branch, victim->first))
        change.removed_delete_files = {old};
    }
    change.added_delete_files = {deletes};
    Commit(branch, model, change);
  }
  DataFilePtr VectorOf(const std::string& branch, const std::string& path) {
    const Snapshot* head = table_.metadata().FindRef(branch);
    if (head == nullptr) head = table_.metadata().current_snapshot();
    for (const ScanTask& task : table_.Plan({.snapshot_id = head->id}).tasks) {
      if (task.file->path == path) return task.deletion_vector;
    }
    return nullptr;
  }
  void ChangeSpec() {
    std::vector<PartitionField> wanted;
    if (table_.metadata().spec().is_unpartitioned()) wanted = ByRegion().partition;
    EXPECT_OK(table_.Apply(Must(ReplacePartitionSpec(table_.metadata(), wanted))));
  }

  void Check() {
    for (auto& [branch, model] : models_) {
      if (table_.metadata().FindRef(branch) == nullptr) continue;
      const ScanPlan plan = table_.PlanBranch(branch);
      ASSERT_EQ(plan.tasks.size(), model.size()) << branch;
      std::map<int64_t, int64_t> ranges;
      for (const ScanTask& task : plan.tasks) {
        const auto found = model.find(task.file->path);
        ASSERT_NE(found, model.end()) << branch << " " << task.file->path;
        ModelFile& file = found->second;
        EXPECT_EQ(task.data_sequence_number.value(), file.number);
        EXPECT_EQ(task.file->spec_id, file.spec);
        std::set<std::string> deletes = PathsOf(task.position_deletes);
        deletes.merge(PathsOf(task.equality_deletes));
        if (task.deletion_vector) deletes.insert(task.deletion_vector->path);
        EXPECT_EQ(deletes, file.deletes) << task.file->path;
        if (version_ < 3) continue;
        ASSERT_TRUE(task.file->first_row_id);
        EXPECT_EQ(file.row_id.value_or(*task.file->first_row_id), *task.file->first_row_id)
            << task.file->path;
        file.row_id = task.file->first_row_id;
        ranges[file.row_id->value()] = file.row_id->value() + file.rows;
      }
      int64_t end = 0;
      for (const auto& [first, last] : ranges) {
        EXPECT_GE(first, end);
        end = last;
      }
      EXPECT_TRUE(version_ < 3 || ranges.size() == model.size());
      EXPECT_LE(end, table_.metadata().next_row_id.value());
    }
  }

  Random random_;
  int version_;
  TestTable table_;
  std::map<std::string, Model> models_;
  std::set<std::string> vectors_;
  int names_ = 0;
};

TEST(ProduceTest, RandomHistoriesHoldWhatTheModelHolds) {
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    History history(seed, seed % 2 == 0 ? 2 : 3);
    for (int step = 0; step < 25 && !testing::Test::HasFailure(); ++step) history.Step();
    if (testing::Test::HasFailure()) return;
  }
}

}  // namespace
}  // namespace calve::iceberg

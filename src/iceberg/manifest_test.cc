#include "iceberg/manifest.h"

#include <gtest/gtest.h>

#include "avro/file_reader.h"
#include "avro/file_writer.h"
#include "iceberg/manifest_schema.h"
#include "iceberg/manifest_writer.h"
#include "iceberg/table_for_test.h"

namespace calve::iceberg {
namespace {

/// One column of each type that partitions by identity.
TestTableOptions EveryType(int format_version) {
  const Type types[] = {
      Type::Boolean(),   Type::Int(),         Type::Long(),          Type::Float(),
      Type::Double(),    Type::Decimal(9, 2), Type::Date(),          Type::Time(),
      Type::Timestamp(), Type::TimestampTz(), Type::String(),        Type::UuidType(),
      Type::Fixed(3),    Type::Binary(),      Type::Decimal(38, 10), Type::Decimal(9, 2)};
  TestTableOptions options{.fields = {}, .format_version = format_version};
  for (const Type& type : types) {
    const FieldId id(static_cast<int>(options.fields.size()) + 1);
    // Avro has no such names: they are changed, and changed back.
    const std::string name = "c-" + std::to_string(id.value());
    options.fields.push_back({.id = id, .name = name, .type = type});
    options.partition.push_back({.source_id = id,
                                 .field_id = FieldId(999 + id.value()),
                                 .name = name,
                                 .transform = Transform::Identity()});
  }
  return options;
}

PartitionValues EveryValue() {
  return {Value(true),
          Value(int32_t{-7}),
          Value(int64_t{1} << 40),
          Value(-0.5F),
          Value(2.25),
          Value(Decimal{-12345}),
          Value(int32_t{-1}),
          Value(int64_t{86'399'999'999}),
          Value(int64_t{-1}),
          Value(int64_t{5}),
          Value(std::string("M\xC3\xBCnchen")),
          Value(Uuid{1, 2, 3}),
          Value(std::string("\0\xFFz", 3)),
          Value(std::string("\xFF\0", 2)),
          Value(Decimal{static_cast<Int128>(1) << 100}),
          Value()};
}

std::shared_ptr<DataFile> FullFile(std::string path, PartitionValues partition) {
  auto file = NewDataFile(std::move(path), std::move(partition), 42);
  file->metrics.column_sizes.Set(FieldId(1), 100);
  file->metrics.column_sizes.Set(FieldId(2), 1'000'000'000'000);
  file->metrics.value_counts.Set(FieldId(1), 42);
  file->metrics.null_value_counts.Set(FieldId(1), 0);
  file->metrics.nan_value_counts.Set(FieldId(4), 3);
  file->metrics.lower_bounds.Set(FieldId(1), std::string("\0", 1));
  file->metrics.upper_bounds.Set(FieldId(11), "zzz");
  file->split_offsets = {4, 100'000};
  file->sort_order_id = SortOrderId(0);
  return file;
}

TEST(ManifestTest, EveryFieldComesBackAsItWasWritten) {
  for (const int version : {2, 3}) {
    TestTable table(EveryType(version));
    const auto first = FullFile("mem://a.parquet", EveryValue());
    const auto second = FullFile("mem://b.parquet", PartitionValues(16));
    auto deletes = NewDataFile("mem://d.parquet", EveryValue(), 2);
    deletes->content = FileContent::kEqualityDeletes;
    deletes->equality_ids = {FieldId(1), FieldId(3)};
    const ProducedSnapshot produced = Must(table.Commit({.operation = Operation::kOverwrite,
                                                         .added_data_files = {first, second},
                                                         .added_delete_files = {deletes}}));
    const auto manifests =
        Must(ReadManifestList(table.context(), table.files(), table.metadata(), produced.snapshot));
    ASSERT_EQ(manifests.size(), 2U);
    EXPECT_EQ(manifests[0].content, ManifestContent::kData);
    EXPECT_EQ(manifests[0].added_files_count, 2);
    EXPECT_EQ(manifests[0].added_rows_count, 84);
    EXPECT_EQ(manifests[0].length,
              static_cast<int64_t>(table.files().files().at(manifests[0].path).size()));
    const auto entries =
        Must(ReadManifest(table.context(), table.files(), table.metadata(), manifests[0]));
    ASSERT_EQ(entries.size(), 2U);
    DataFile expected = *first;
    if (version == 3) expected.first_row_id = RowId(0);
    EXPECT_TRUE(*entries[0].file == expected);
    expected = *second;
    if (version == 3) expected.first_row_id = RowId(42);
    EXPECT_TRUE(*entries[1].file == expected);
    EXPECT_EQ(entries[0].snapshot_id, produced.snapshot.id);
    EXPECT_EQ(entries[0].sequence_number, SequenceNumber(1));
    EXPECT_EQ(entries[0].file_sequence_number, SequenceNumber(1));
    const auto deleted =
        Must(ReadManifest(table.context(), table.files(), table.metadata(), manifests[1]));
    ASSERT_EQ(deleted.size(), 1U);
    EXPECT_TRUE(*deleted[0].file == *deletes);
    EXPECT_FALSE(manifests[1].first_row_id);
  }
}

TEST(ManifestTest, HeadersAndSchemaAreAsTheSpecSays) {
  TestTable table(EveryType(2));
  const ProducedSnapshot produced =
      Must(table.Commit({.added_data_files = {FullFile("mem://a.parquet", EveryValue())}}));
  const std::string& manifest = table.files().files().at(produced.written[0]);
  const auto reader = Must(avro::FileReader::Open(manifest));
  EXPECT_EQ(*reader.FindMetadata("schema-id"), "0");
  EXPECT_EQ(*reader.FindMetadata("partition-spec-id"), "0");
  EXPECT_EQ(*reader.FindMetadata("format-version"), "2");
  EXPECT_EQ(*reader.FindMetadata("content"), "data");
  EXPECT_TRUE(
      Must(ParseSchema(*reader.FindMetadata("schema")))->SameColumns(*table.metadata().schema()));
  const avro::Node& root = reader.schema().root();
  EXPECT_EQ(root.name, "manifest_entry");
  const avro::Node* file = root.FindFieldById(2)->type;
  EXPECT_EQ(file->name, "r2");  // Required: not a union.
  const avro::Node* partition = file->FindFieldById(102)->type;
  EXPECT_EQ(partition->name, "r102");
  const avro::Node* decimal = partition->FindFieldById(1005)->type->OptionalOf();
  EXPECT_EQ(decimal->kind, avro::Kind::kFixed);
  EXPECT_EQ(decimal->size_bytes, 4);
  EXPECT_EQ(partition->FindFieldById(1011)->type->OptionalOf()->logical_type, "uuid");
  EXPECT_EQ(partition->FindFieldById(1000)->name, "c_x2D1");
  EXPECT_EQ(file->FindFieldById(108)->type->OptionalOf()->element->name, "k117_v118");
  EXPECT_EQ(file->FindFieldById(142), nullptr);
  EXPECT_EQ(produced.written[0].rfind("mem://bucket/table/metadata/", 0), 0U);
  EXPECT_NE(produced.snapshot.manifest_list.find(
                "/snap-" + std::to_string(produced.snapshot.id.value()) + "-1-"),
            std::string::npos);
}

/// A manifest with its fields back to front, without optional ones, with `long` for `int` and a
/// field that the spec doesn't know.
std::string OddManifest(bool with_ids, bool v1) {
  avro::SchemaBuilder b;
  const auto add = [&](avro::Node* record, int id, const char* name, const avro::Node* type) {
    avro::Field& field = avro::SchemaBuilder::AddField(record, name, type);
    if (with_ids) field.attributes.SetInt("field-id", id);
  };
  avro::Node* partition = b.Record("partition_struct");
  add(partition, 1000, "region", b.Optional(b.String()));
  avro::Node* file = b.Record("file");
  add(file, 104, "file_size_in_bytes", b.Long());
  add(file, 7777, "comment", b.String());
  add(file, 103, "record_count", b.Int());
  add(file, 102, "partition", partition);
  add(file, 101, "file_format", b.String());
  add(file, 100, "file_path", b.String());
  avro::Node* entry = b.Record("line");
  add(entry, 2, "data_file", file);
  if (!v1) add(entry, 3, "sequence_number", b.Optional(b.Long()));
  add(entry, 1, "snapshot_id", b.Long());
  add(entry, 0, "status", b.Long());
  const avro::Schema schema = Must(std::move(b).Finish(entry));
  std::string bytes;
  avro::FileWriterOptions options{.codec = avro::CodecName::kNull,
                                  .sync_marker = {1},
                                  .metadata = {{"partition-spec-id", "0"}}};
  avro::FileWriter writer = Must(avro::FileWriter::Open(schema, avro::AppendTo(&bytes), options));
  for (int i = 0; i < 3; ++i) {
    avro::Encoder& e = writer.record();
    e.WriteLong(1000 + i);
    e.WriteString("ignored");
    e.WriteInt(i);
    e.WriteIndex(1);
    e.WriteString("EU");
    e.WriteString("PARQUET");
    e.WriteString("mem://odd" + std::to_string(i));
    if (!v1) e.WriteIndex(0);
    e.WriteLong(77);
    e.WriteLong(i == 2 ? 2 : 1);  // ADDED, ADDED, DELETED
    EXPECT_OK(writer.EndRecord());
  }
  EXPECT_OK(writer.Close());
  return bytes;
}

TestTableOptions ByRegion() {
  return {.partition = {{.source_id = FieldId(2),
                         .field_id = FieldId(1000),
                         .name = "region",
                         .transform = Transform::Identity()}}};
}

TEST(ManifestTest, FieldsAreFoundByIdWhereverTheyAre) {
  for (const bool with_ids : {true, false}) {
    TestTable table(ByRegion());
    table.files().files()["mem://odd.avro"] = OddManifest(with_ids, false);
    const ManifestFile manifest{.path = "mem://odd.avro",
                                .sequence_number = SequenceNumber(9),
                                .added_snapshot_id = SnapshotId(5)};
    const auto entries =
        Must(ReadManifest(table.context(), table.files(), table.metadata(), manifest));
    ASSERT_EQ(entries.size(), 2U);
    EXPECT_EQ(entries[1].file->path, "mem://odd1");
    EXPECT_EQ(entries[1].file->file_size_in_bytes, 1001);
    EXPECT_EQ(entries[1].file->record_count, 1);
    EXPECT_EQ(entries[1].file->partition, PartitionValues{Value(std::string("EU"))});
    EXPECT_EQ(entries[1].snapshot_id, SnapshotId(77));
    EXPECT_EQ(entries[1].sequence_number, SequenceNumber(9));
    EXPECT_EQ(Must(ReadManifest(table.context(), table.files(), table.metadata(), manifest,
                                {.deleted_entries = true}))
                  .size(),
              3U);
  }
}

TEST(ManifestTest, Version1ListsItsManifestsInTheSnapshot) {
  TestTable table(ByRegion());
  table.files().files()["mem://odd.avro"] = OddManifest(true, true);
  Snapshot snapshot{.id = SnapshotId(12), .v1_manifests = {"mem://odd.avro"}};
  const auto manifests =
      Must(ReadManifestList(table.context(), table.files(), table.metadata(), snapshot));
  ASSERT_EQ(manifests.size(), 1U);
  EXPECT_EQ(manifests[0].spec_id, SpecId(0));
  EXPECT_EQ(manifests[0].sequence_number, SequenceNumber(0));
  const auto entries =
      Must(ReadManifest(table.context(), table.files(), table.metadata(), manifests[0]));
  EXPECT_EQ(entries[0].sequence_number, SequenceNumber(0));
}

TEST(ManifestTest, CountsThatVersion1LeavesOutAreCountedWhenListed) {
  TestTable table(ByRegion());
  table.files().files()["mem://odd.avro"] = OddManifest(true, true);
  TableMetadata& metadata = table.mutable_metadata();
  metadata.snapshots.push_back({.id = SnapshotId(12), .v1_manifests = {"mem://odd.avro"}});
  metadata.current_snapshot_id = SnapshotId(12);
  metadata.refs["main"] = {.snapshot_id = SnapshotId(12)};
  const SnapshotChange change{
      .added_data_files = {NewDataFile("new", {Value(std::string("US"))}, 4)}};
  const ProducedSnapshot produced =
      Must(ProduceSnapshot(table.context(), table.files(), metadata, change, table.NextOptions()));
  const auto manifests =
      Must(ReadManifestList(table.context(), table.files(), metadata, produced.snapshot));
  ASSERT_EQ(manifests.size(), 2U);
  EXPECT_EQ(manifests[1].path, "mem://odd.avro");
  EXPECT_EQ(manifests[1].added_files_count, 2);
  EXPECT_EQ(manifests[1].deleted_files_count, 1);
  EXPECT_EQ(manifests[1].added_rows_count, 1);
  EXPECT_EQ(produced.snapshot.summary.at("total-data-files"), "3");
  EXPECT_EQ(produced.snapshot.summary.at("total-records"), "5");
}

TEST(ManifestTest, RowIdsAreInheritedByTheListsWord) {
  TestTable table({.format_version = 3});
  const ManifestWriterOptions options{.format_version = 3,
                                      .snapshot_id = SnapshotId(5),
                                      .schema = table.metadata().schema(),
                                      .spec = &table.metadata().spec(),
                                      .partition_type = Type::Struct({})};
  ManifestWriter writer = Must(ManifestWriter::Open(options, *table.context().random));
  const auto entry = [](EntryStatus status, const char* path, std::optional<int64_t> row_id) {
    auto file = NewDataFile(path, {}, 10);
    if (row_id) file->first_row_id = RowId(*row_id);
    ManifestEntry made{.status = status,
                       .snapshot_id = SnapshotId(1),
                       .sequence_number = SequenceNumber(3),
                       .file_sequence_number = SequenceNumber(3),
                       .file = file};
    if (status == EntryStatus::kAdded) made.sequence_number.reset();
    return made;
  };
  EXPECT_OK(writer.Add(entry(EntryStatus::kExisting, "kept", 800)));
  EXPECT_OK(writer.Add(
      entry(EntryStatus::kAdded, "new1", 12345)));  // What a new file claims does not count.
  EXPECT_OK(writer.Add(entry(EntryStatus::kDeleted, "gone", std::nullopt)));
  EXPECT_OK(writer.Add(entry(EntryStatus::kExisting, "upgraded", std::nullopt)));
  EXPECT_OK(writer.Add(entry(EntryStatus::kAdded, "new2", std::nullopt)));
  EncodedManifest encoded = Must(writer.Close());
  EXPECT_EQ(encoded.rows_without_ids, 30);
  EXPECT_EQ(encoded.least_own_number, SequenceNumber(3));
  encoded.manifest.path = "mem://m.avro";
  encoded.manifest.sequence_number = SequenceNumber(8);
  table.files().files()["mem://m.avro"] = encoded.bytes;
  const auto row_ids = [&] {
    std::map<std::string, std::optional<RowId>> ids;
    for (const ManifestEntry& e :
         Must(ReadManifest(table.context(), table.files(), table.metadata(), encoded.manifest,
                           {.deleted_entries = true}))) {
      ids[e.file->path] = e.file->first_row_id;
      EXPECT_EQ(e.sequence_number, SequenceNumber(e.status == EntryStatus::kAdded ? 8 : 3));
    }
    return ids;
  };
  encoded.manifest.first_row_id = RowId(1000);
  auto ids = row_ids();
  EXPECT_EQ(ids["kept"], RowId(800));
  EXPECT_EQ(ids["new1"], RowId(1000));
  EXPECT_EQ(ids["gone"], std::nullopt);
  EXPECT_EQ(ids["upgraded"], RowId(1010));
  EXPECT_EQ(ids["new2"], RowId(1020));
  encoded.manifest.first_row_id.reset();
  ids = row_ids();
  EXPECT_EQ(ids["kept"], std::nullopt);
  EXPECT_EQ(ids["new1"], std::nullopt);
}

TEST(ManifestTest, FilesOfADroppedColumnsSpecStillLoad) {
  TestTable table(ByRegion());
  EXPECT_TRUE(
      table.Commit({.added_data_files = {NewDataFile("mem://a", {Value(std::string("EU"))})}})
          .ok());
  EXPECT_OK(table.Apply(Must(ReplacePartitionSpec(table.metadata(), {}))));
  SchemaUpdate update(table.metadata());
  EXPECT_OK(update.DropColumn("region"));
  EXPECT_OK(table.Apply(Must(update.Build())));
  const ScanPlan plan = table.Plan();
  ASSERT_EQ(plan.tasks.size(), 1U);
  EXPECT_EQ(plan.tasks[0].file->partition, PartitionValues{Value(std::string("EU"))});
  // The old manifest is written again and keeps its values.
  EXPECT_TRUE(table
                  .Commit({.added_data_files = {NewDataFile("mem://b", {}, 1,
                                                            table.metadata().default_spec_id)}})
                  .ok());
  EXPECT_TRUE(table.Commit({.operation = Operation::kDelete, .removed_paths = {"mem://a"}}).ok());
  EXPECT_EQ(PathsOf(table.Plan()), std::set<std::string>{"mem://b"});
}

TEST(ManifestTest, DamageIsAnErrorThatNamesTheFile) {
  TestTable table(ByRegion());
  const std::string whole = OddManifest(true, false);
  const ManifestFile manifest{.path = "mem://odd.avro", .sequence_number = SequenceNumber(9)};
  int failed = 0;
  Random random(3);
  for (size_t i = 0; i < 2000; ++i) {
    std::string damaged = whole.substr(0, i < whole.size() ? i : random.Below(whole.size()));
    if (i % 2 == 1) {
      damaged = whole;
      damaged[random.Below(whole.size())] = static_cast<char>(random.Next());
    }
    table.files().files()["mem://odd.avro"] = damaged;
    const auto entries = ReadManifest(table.context(), table.files(), table.metadata(), manifest);
    if (entries.ok()) continue;
    ++failed;
    EXPECT_NE(entries.error().message.find("mem://odd.avro"), std::string::npos)
        << entries.error().message;
  }
  EXPECT_GT(failed, 1000);
}

TEST(ManifestTest, EncryptedManifestsAreRefused) {
  TestTable table;
  ManifestFile manifest{.path = "mem://m.avro", .key_metadata = "key"};
  const auto entries = ReadManifest(table.context(), table.files(), table.metadata(), manifest);
  ASSERT_FALSE(entries.ok());
  EXPECT_EQ(entries.error().kind, ErrorKind::kRefused);
}

TEST(ManifestTest, ManifestsOfUuidPartitionsCarryNoMisleadingSummary) {
  TestTable table({.fields = {{.id = FieldId(1), .name = "u", .type = Type::UuidType()}},
                   .partition = {{.source_id = FieldId(1),
                                  .field_id = FieldId(1000),
                                  .name = "u",
                                  .transform = Transform::Identity()}}});
  const Value low(Uuid{0x10}), high(Uuid{0xF0});
  const auto one =
      Must(table.Commit({.added_data_files = {NewDataFile("a", {low}), NewDataFile("b", {low})}}));
  EXPECT_EQ(
      Must(ReadManifestList(table.context(), table.files(), table.metadata(), one.snapshot))[0]
          .partitions.size(),
      1U);
  const auto two =
      Must(table.Commit({.added_data_files = {NewDataFile("c", {low}), NewDataFile("d", {high})}}));
  EXPECT_TRUE(
      Must(ReadManifestList(table.context(), table.files(), table.metadata(), two.snapshot))[0]
          .partitions.empty());
}

}  // namespace
}  // namespace calve::iceberg

#include "iceberg/update.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "iceberg/json.h"
#include "iceberg/must.h"

namespace calve::iceberg {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr int64_t kNow = 1700000000000;

SchemaPtr OneColumn(std::string name = "a", int id = 1) {
  return Must(Schema::Make(SchemaId(0),
                           {{.id = FieldId(id), .name = std::move(name), .type = Type::Long()}}));
}

TableMetadata NewTable(const char* version = "2", const char* previous_max = "100") {
  CreateTableOptions options{
      .location = "file:///lake/t/",
      .uuid = "u-1",
      .fields = {{.id = FieldId(0), .name = "a", .type = Type::Long()}},
      .properties = {{"format-version", version},
                     {"write.metadata.previous-versions-max", previous_max}}};
  return Must(Apply(nullptr, Must(CreateTable(options)), {.now_ms = kNow}));
}

Snapshot SnapshotOf(int64_t id, int64_t sequence, std::optional<int64_t> parent = std::nullopt) {
  Snapshot snapshot{.id = SnapshotId(id),
                    .sequence_number = SequenceNumber(sequence),
                    .timestamp_ms = kNow + sequence * 1000,
                    .manifest_list = "file:///lake/t/metadata/s.avro",
                    .operation = Operation::kAppend,
                    .schema_id = SchemaId(0)};
  if (parent) snapshot.parent_id = SnapshotId(*parent);
  return snapshot;
}

TableChange Change(std::vector<UpdatePtr> updates) {
  return {.requirements = {}, .updates = std::move(updates)};
}

TableChange Commit(const Snapshot& snapshot) {
  return Change({AddSnapshot(snapshot), SetSnapshotRef("main", {.snapshot_id = snapshot.id})});
}

Result<TableMetadata> Try(const TableMetadata& base, TableChange change,
                          std::string previous = "") {
  return Apply(&base, change, {.now_ms = kNow + 100000, .previous_location = std::move(previous)});
}

TableMetadata Done(const TableMetadata& base, TableChange change, std::string previous = "") {
  TableMetadata result = Must(Try(base, std::move(change), std::move(previous)));
  // Whatever is applied must be readable.
  EXPECT_EQ(MessageOf(ParseTableMetadata(SerializeTableMetadata(result))), "");
  return result;
}

void ExpectRefused(const Result<TableMetadata>& result, ErrorKind kind, const char* why) {
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().kind, kind);
  EXPECT_THAT(result.error().message, HasSubstr(why));
}

TEST(ApplyTest, MakesATable) {
  const TableMetadata table = NewTable();
  EXPECT_EQ(table.table_uuid, "u-1");
  EXPECT_EQ(table.location, "file:///lake/t");
  EXPECT_EQ(table.format_version, 2);
  EXPECT_EQ(table.last_column_id, FieldId(1));
  EXPECT_EQ(table.last_partition_id, FieldId(999));
  EXPECT_EQ(table.last_updated_ms, kNow);
  EXPECT_EQ(table.properties.count("format-version"), 0U);
  EXPECT_EQ(table.default_sort_order_id, SortOrderId(0));
  EXPECT_THAT(table.metadata_log, SizeIs(0));
}

TEST(ApplyTest, ANewTableNeedsItsParts) {
  ExpectRefused(Apply(nullptr, Change({AssignUuid("u"), SetLocation("x")}), {}), ErrorKind::kData,
                "schema");
  const TableChange no_uuid =
      Change({AddSchema(OneColumn()), SetCurrentSchema(SchemaId(-1)), AddPartitionSpec({}),
              SetDefaultSpec(SpecId(-1)), AddSortOrder({}), SetDefaultSortOrder(SortOrderId(-1)),
              SetLocation("x")});
  ExpectRefused(Apply(nullptr, no_uuid, {}), ErrorKind::kData, "UUID");
}

TEST(ApplyTest, TheVersionOfANewTableCountsBeforeItsSchema) {
  const SchemaPtr schema = Must(Schema::Make(
      SchemaId(0), {{.id = FieldId(1), .name = "v", .type = Type::Of(TypeKind::kVariant)}}));
  std::vector<UpdatePtr> updates = {AssignUuid("u"),
                                    AddSchema(schema),
                                    SetCurrentSchema(SchemaId(-1)),
                                    AddPartitionSpec({}),
                                    SetDefaultSpec(SpecId(-1)),
                                    AddSortOrder({}),
                                    SetDefaultSortOrder(SortOrderId(-1)),
                                    SetLocation("x")};
  ExpectRefused(Apply(nullptr, Change(updates), {}), ErrorKind::kData, "format version 3");
  updates.push_back(UpgradeFormatVersion(3));
  EXPECT_EQ(Must(Apply(nullptr, Change(updates), {})).format_version, 3);
}

TEST(ApplyTest, ASnapshotOnMainBecomesCurrentInTheLog) {
  const TableMetadata table = Done(NewTable(), Commit(SnapshotOf(5, 1)));
  EXPECT_EQ(table.current_snapshot_id, SnapshotId(5));
  EXPECT_EQ(table.last_sequence_number, SequenceNumber(1));
  ASSERT_THAT(table.snapshot_log, SizeIs(1));
  EXPECT_EQ(table.snapshot_log[0].timestamp_ms, kNow + 1000);
  EXPECT_EQ(table.last_updated_ms, kNow + 100000);
}

TEST(ApplyTest, ASnapshotOnABranchLeavesMainAlone) {
  const TableMetadata base = Done(NewTable(), Commit(SnapshotOf(5, 1)));
  const TableMetadata table =
      Done(base, Change({AddSnapshot(SnapshotOf(6, 2, 5)),
                         SetSnapshotRef("audit", {.snapshot_id = SnapshotId(6)})}));
  EXPECT_EQ(table.current_snapshot_id, SnapshotId(5));
  EXPECT_THAT(table.snapshot_log, SizeIs(1));
  EXPECT_EQ(table.FindRef("audit")->id, SnapshotId(6));
  const TableMetadata published =
      Done(table, Change({SetSnapshotRef("main", {.snapshot_id = SnapshotId(6)})}));
  EXPECT_EQ(published.current_snapshot_id, SnapshotId(6));
  // Published now, not when it was staged.
  EXPECT_EQ(published.snapshot_log.back().timestamp_ms, kNow + 100000);
}

TEST(ApplyTest, SequenceNumbersOnlyGrow) {
  const TableMetadata base = Done(NewTable(), Commit(SnapshotOf(5, 1)));
  ExpectRefused(Try(base, Commit(SnapshotOf(6, 1, 5))), ErrorKind::kConflict,
                "sequence number above 1");
  ExpectRefused(Try(base, Commit(SnapshotOf(6, 0))), ErrorKind::kConflict,
                "sequence number above 1");
  // A replaced table begins anew, on whatever it was computed.
  EXPECT_EQ(Done(base, Commit(SnapshotOf(6, 1))).last_sequence_number, SequenceNumber(1));
}

TEST(ApplyTest, ASnapshotIsAddedOnce) {
  const TableMetadata base = Done(NewTable(), Commit(SnapshotOf(5, 1)));
  ExpectRefused(Try(base, Commit(SnapshotOf(5, 2, 5))), ErrorKind::kData, "found 5");
}

TEST(ApplyTest, RowIdsAreTakenOnce) {
  Snapshot first = SnapshotOf(5, 1);
  ExpectRefused(Try(NewTable("3"), Commit(first)), ErrorKind::kData, "first-row-id");
  first.first_row_id = RowId(0);
  first.added_rows = 10;
  const TableMetadata base = Done(NewTable("3"), Commit(first));
  EXPECT_EQ(base.next_row_id, RowId(10));
  Snapshot second = SnapshotOf(6, 2, 5);
  second.first_row_id = RowId(9);
  second.added_rows = 1;
  ExpectRefused(Try(base, Commit(second)), ErrorKind::kConflict, "at least 10");
  second.first_row_id = RowId(12);
  EXPECT_EQ(Done(base, Commit(second)).next_row_id, RowId(13));
}

TEST(ApplyTest, SnapshotsOfOneChangeThatGaveWayWereNeverSeen) {
  const TableMetadata table = Done(
      NewTable(),
      Change({AddSnapshot(SnapshotOf(5, 1)), SetSnapshotRef("main", {.snapshot_id = SnapshotId(5)}),
              AddSnapshot(SnapshotOf(6, 2, 5)),
              SetSnapshotRef("main", {.snapshot_id = SnapshotId(6)})}));
  ASSERT_THAT(table.snapshot_log, SizeIs(1));
  EXPECT_EQ(table.snapshot_log[0].snapshot_id, SnapshotId(6));
}

TableMetadata FourSnapshots() {
  TableMetadata table = NewTable();
  for (int64_t i = 1; i <= 4; ++i) {
    table = Done(table, Commit(SnapshotOf(i, i, i == 1 ? std::nullopt : std::optional(i - 1))));
  }
  return table;
}

TEST(ApplyTest, RemovingASnapshotCutsTheLogThere) {
  TableMetadata base = FourSnapshots();
  base = Done(base, Change({SetStatistics({.snapshot_id = SnapshotId(2), .path = "p"}),
                            SetPartitionStatistics({.snapshot_id = SnapshotId(2), .path = "p"}),
                            SetSnapshotRef("old", {.snapshot_id = SnapshotId(2)})}));
  const TableMetadata table = Done(base, Change({RemoveSnapshots({SnapshotId(2)})}));
  EXPECT_THAT(table.snapshots, SizeIs(3));
  ASSERT_THAT(table.snapshot_log, SizeIs(2));
  EXPECT_EQ(table.snapshot_log[0].snapshot_id, SnapshotId(3));
  EXPECT_THAT(table.statistics, SizeIs(0));
  EXPECT_THAT(table.partition_statistics, SizeIs(0));
  EXPECT_EQ(table.refs.count("old"), 0U);
  const TableMetadata empty = Done(base, Change({RemoveSnapshots({SnapshotId(4)})}));
  EXPECT_EQ(empty.current_snapshot_id, std::nullopt);
  EXPECT_EQ(empty.refs.count("main"), 0U);
}

TEST(ApplyTest, WhatTheLogHadBeforeStaysUntilSnapshotsAreRemoved) {
  TableMetadata base = FourSnapshots();
  base.snapshot_log.insert(base.snapshot_log.begin() + 1,
                           {.timestamp_ms = kNow + 1000, .snapshot_id = SnapshotId(99)});
  EXPECT_THAT(Done(base, Change({SetProperties({{"k", "v"}})})).snapshot_log, SizeIs(5));
  EXPECT_THAT(Done(base, Change({RemoveSnapshots({SnapshotId(1)})})).snapshot_log, SizeIs(3));
}

TEST(ApplyTest, LogTimesNeverGoBack) {
  const TableMetadata base = Done(NewTable(), Commit(SnapshotOf(5, 1)));
  Snapshot early = SnapshotOf(6, 2, 5);
  early.timestamp_ms = 5;
  const TableMetadata table = Must(Apply(&base, Commit(early), {.now_ms = 6}));
  EXPECT_EQ(table.snapshot_log[1].timestamp_ms, table.snapshot_log[0].timestamp_ms);
  EXPECT_EQ(table.last_updated_ms, base.last_updated_ms);
}

TEST(ApplyTest, MetadataLogIsTrimmed) {
  TableMetadata table = NewTable("2", "2");
  for (const char* previous : {"m0", "m1", "m2"})
    table = Done(table, Change({SetProperties({{"k", previous}})}), previous);
  ASSERT_THAT(table.metadata_log, SizeIs(2));
  EXPECT_EQ(table.metadata_log[0].metadata_file, "m1");
  EXPECT_EQ(table.metadata_log[1].metadata_file, "m2");
  table =
      Done(table, Change({SetProperties({{"write.metadata.previous-versions-max", "0"}})}), "m3");
  ASSERT_THAT(table.metadata_log, SizeIs(1));
  EXPECT_EQ(table.metadata_log[0].metadata_file, "m3");
}

TEST(ApplyTest, AChangeOfNothingIsNothing) {
  const TableMetadata base = NewTable();
  EXPECT_EQ(SerializeTableMetadata(Must(Try(base, Change({}), "m0"))),
            SerializeTableMetadata(base));
}

TEST(ApplyTest, EqualSchemasSpecsAndOrdersAreTakenAgain) {
  const TableMetadata base = NewTable();
  TableMetadata table =
      Done(base, Change({AddSchema(OneColumn("b", 2)), SetCurrentSchema(SchemaId(-1))}));
  EXPECT_EQ(table.current_schema_id, SchemaId(1));
  EXPECT_EQ(table.last_column_id, FieldId(2));
  table = Done(table, Change({AddSchema(OneColumn()), SetCurrentSchema(SchemaId(-1))}));
  EXPECT_EQ(table.current_schema_id, SchemaId(0));
  EXPECT_THAT(table.schemas, SizeIs(2));
  const PartitionSpec spec{
      .fields = {{.source_id = FieldId(1), .field_id = FieldId(1000), .name = "a"}}};
  table = Done(table, Change({AddPartitionSpec(spec), SetDefaultSpec(SpecId(-1))}));
  EXPECT_EQ(table.default_spec_id, SpecId(1));
  EXPECT_EQ(table.last_partition_id, FieldId(1000));
  table = Done(table, Change({AddPartitionSpec({}), SetDefaultSpec(SpecId(-1))}));
  EXPECT_EQ(table.default_spec_id, SpecId(0));
  EXPECT_THAT(table.specs, SizeIs(2));
  const SortOrder order{.id = SortOrderId(9), .fields = {{.source_id = FieldId(1)}}};
  table = Done(table, Change({AddSortOrder(order), SetDefaultSortOrder(SortOrderId(-1))}));
  EXPECT_EQ(table.default_sort_order_id, SortOrderId(1));
  table = Done(table, Change({AddSortOrder(order)}));
  EXPECT_THAT(table.sort_orders, SizeIs(2));
}

TEST(ApplyTest, PartitionFieldsWithoutIdsGetThem) {
  const UpdatePtr add =
      Must(ParseUpdate(R"({"action": "add-spec", "spec": {"spec-id": 0, "fields": [
      {"name": "a_bucket", "transform": "bucket[4]", "source-id": 1}]}})"));
  const TableMetadata table = Done(NewTable(), Change({add}));
  EXPECT_EQ(table.specs[1].fields[0].field_id, FieldId(1000));
  const UpdatePtr again =
      Must(ParseUpdate(R"({"action": "add-spec", "spec": {"spec-id": 0, "fields": [
      {"name": "other", "transform": "bucket[4]", "source-id": 1},
      {"name": "a", "transform": "identity", "source-id": 1}]}})"));
  const TableMetadata more = Done(table, Change({again}));
  EXPECT_EQ(more.specs[2].fields[0].field_id, FieldId(1000));
  EXPECT_EQ(more.specs[2].fields[1].field_id, FieldId(1001));
}

TEST(ApplyTest, MalformedUpdatesAreRefused) {
  const TableMetadata base = Done(NewTable(), Commit(SnapshotOf(5, 1)));
  const auto refused = [&](std::vector<UpdatePtr> updates, const char* why) {
    ExpectRefused(Try(base, Change(std::move(updates))), ErrorKind::kData, why);
  };
  refused({SetCurrentSchema(SchemaId(-1))}, "adds a schema");
  refused({SetCurrentSchema(SchemaId(7))}, "unknown id 7");
  refused({SetDefaultSpec(SpecId(-1))}, "adds a partition spec");
  refused({SetDefaultSpec(SpecId(7))}, "unknown id 7");
  refused({SetDefaultSortOrder(SortOrderId(-1))}, "adds a sort order");
  refused({SetDefaultSortOrder(SortOrderId(7))}, "unknown id 7");
  refused({RemoveSchemas({SchemaId(0)})}, "in use");
  refused({RemovePartitionSpecs({SpecId(0)})}, "in use");
  refused({UpgradeFormatVersion(1)}, "cannot go back");
  refused({UpgradeFormatVersion(4)}, "from 1 to 3");
  refused({AssignUuid("u-2")}, "keeps its UUID");
  refused({SetSnapshotRef("b", {.snapshot_id = SnapshotId(99)})}, "unknown id 99");
  refused({SetSnapshotRef("main", {.snapshot_id = SnapshotId(5), .kind = SnapshotRef::Kind::kTag})},
          "branch");
  refused({SetSnapshotRef("", {.snapshot_id = SnapshotId(5)})}, "name");
  refused({SetSnapshotRef("b", {.snapshot_id = SnapshotId(5), .min_snapshots_to_keep = 0})},
          "above 0");
  refused({SetSnapshotRef("t", {.snapshot_id = SnapshotId(5),
                                .kind = SnapshotRef::Kind::kTag,
                                .max_snapshot_age_ms = 1})},
          "is a tag");
  refused({SetLocation("")}, "location");
  refused({AddSchema(OneColumn("x", 2147483500))}, "2147483447");
  refused({AddPartitionSpec(
              {.fields = {{.source_id = FieldId(9), .field_id = FieldId(1000), .name = "x"}}})},
          "field id 9");
  refused({AddSortOrder({.fields = {{.source_id = FieldId(9)}}})}, "field id 9");
}

TEST(ApplyTest, ASchemaMustFitTheDefaultSpec) {
  const PartitionSpec spec{
      .fields = {{.source_id = FieldId(1), .field_id = FieldId(1000), .name = "a"}}};
  const TableMetadata base =
      Done(NewTable(), Change({AddPartitionSpec(spec), SetDefaultSpec(SpecId(-1))}));
  ExpectRefused(Try(base, Change({AddSchema(OneColumn("b", 2)), SetCurrentSchema(SchemaId(-1))})),
                ErrorKind::kData, "the schema does not have");
  const TableMetadata staged = Done(base, Change({AddSchema(OneColumn("b", 2))}));
  EXPECT_EQ(staged.current_schema_id, SchemaId(0));
}

TEST(ApplyTest, RemovesWhatIsNotInUse) {
  TableMetadata table =
      Done(NewTable(), Change({AddSchema(OneColumn("b", 2)), SetCurrentSchema(SchemaId(-1)),
                               AddEncryptionKey({.key_id = "k"}), AddEncryptionKey({.key_id = "k"}),
                               SetProperties({{"a", "1"}, {"b", "2"}})}));
  EXPECT_THAT(table.encryption_keys, SizeIs(1));
  table = Done(
      table,
      Change({RemoveSchemas({SchemaId(0)}), RemoveEncryptionKey("k"), RemoveProperties({"a", "zz"}),
              RemoveSnapshotRef("nothing"), RemoveStatistics(SnapshotId(1)),
              RemovePartitionStatistics(SnapshotId(1)), RemovePartitionSpecs({SpecId(5)})}));
  EXPECT_THAT(table.schemas, SizeIs(1));
  EXPECT_THAT(table.encryption_keys, SizeIs(0));
  EXPECT_EQ(table.properties.count("a"), 0U);
  EXPECT_EQ(table.properties.at("b"), "2");
}

TEST(ApplyTest, UpgradeKeepsEverything) {
  const TableMetadata base = Done(NewTable(), Commit(SnapshotOf(5, 1)));
  const TableMetadata table = Done(base, Change({UpgradeFormatVersion(3)}));
  EXPECT_EQ(table.format_version, 3);
  EXPECT_EQ(table.next_row_id, RowId(0));
  EXPECT_EQ(table.snapshots, base.snapshots);
}

TEST(RequirementTest, EachHoldsOrConflicts) {
  const TableMetadata table = Done(NewTable(), Commit(SnapshotOf(5, 1)));
  const auto check = [&](const RequirementPtr& good, const RequirementPtr& bad) {
    EXPECT_EQ(MessageOf(good->Check(&table)), "");
    const Status failed = bad->Check(&table);
    ASSERT_FALSE(failed.ok()) << bad->ToJson();
    EXPECT_EQ(failed.error().kind, ErrorKind::kConflict);
    EXPECT_FALSE(bad->Check(nullptr).ok()) << bad->ToJson();
    for (const RequirementPtr& requirement : {good, bad}) {
      EXPECT_EQ(Must(ParseRequirement(requirement->ToJson()))->ToJson(), requirement->ToJson());
    }
  };
  check(AssertTableUuid("U-1"), AssertTableUuid("u-2"));
  check(AssertRefSnapshotId("main", SnapshotId(5)), AssertRefSnapshotId("main", SnapshotId(6)));
  check(AssertRefSnapshotId("new", std::nullopt), AssertRefSnapshotId("new", SnapshotId(5)));
  check(AssertLastAssignedFieldId(FieldId(1)), AssertLastAssignedFieldId(FieldId(2)));
  check(AssertCurrentSchemaId(SchemaId(0)), AssertCurrentSchemaId(SchemaId(2)));
  check(AssertLastAssignedPartitionId(FieldId(999)), AssertLastAssignedPartitionId(FieldId(1000)));
  check(AssertDefaultSpecId(SpecId(0)), AssertDefaultSpecId(SpecId(2)));
  check(AssertDefaultSortOrderId(SortOrderId(0)), AssertDefaultSortOrderId(SortOrderId(2)));
  EXPECT_FALSE(AssertRefSnapshotId("main", std::nullopt)->Check(&table).ok());
  EXPECT_FALSE(AssertCreate()->Check(&table).ok());
  EXPECT_TRUE(AssertCreate()->Check(nullptr).ok());
  EXPECT_EQ(AssertRefSnapshotId("b", std::nullopt)->ToJson(),
            R"({"type":"assert-ref-snapshot-id","ref":"b","snapshot-id":null})");
}

TEST(RequirementTest, AFailedOneAppliesNothing) {
  const TableMetadata base = NewTable();
  TableChange change = Change({SetLocation("elsewhere")});
  change.requirements = {AssertDefaultSpecId(SpecId(3))};
  ExpectRefused(Try(base, change), ErrorKind::kConflict,
                "default partition spec changed: expected 3, found 0");
}

TEST(RequirementTest, UnknownTypesNameTheKnownOnes) {
  EXPECT_THAT(MessageOf(ParseRequirement(R"({"type": "assert-creat"})")),
              HasSubstr("did you mean 'assert-create'"));
  EXPECT_FALSE(ParseRequirement(R"({"type": "assert-table-uuid"})").ok());
  EXPECT_FALSE(ParseRequirement("[]").ok());
}

std::vector<UpdatePtr> EveryUpdate() {
  Snapshot snapshot = SnapshotOf(7, 3, 5);
  snapshot.first_row_id = RowId(4);
  snapshot.added_rows = 2;
  return {AssignUuid("u"),
          UpgradeFormatVersion(3),
          AddSchema(OneColumn()),
          SetCurrentSchema(SchemaId(-1)),
          AddPartitionSpec(
              {.id = SpecId(2),
               .fields = {{.source_id = FieldId(1), .field_id = FieldId(1000), .name = "a"}}}),
          SetDefaultSpec(SpecId(2)),
          AddSortOrder({.id = SortOrderId(2), .fields = {{.source_id = FieldId(1)}}}),
          SetDefaultSortOrder(SortOrderId(2)),
          AddSnapshot(snapshot),
          SetSnapshotRef("b", {.snapshot_id = SnapshotId(7), .max_ref_age_ms = 5}),
          RemoveSnapshotRef("b"),
          RemoveSnapshots({SnapshotId(7), SnapshotId(8)}),
          SetLocation("x"),
          SetProperties({{"k", "v"}}),
          RemoveProperties({"k"}),
          SetStatistics({.snapshot_id = SnapshotId(7), .path = "p", .blobs = {{.type = "t"}}}),
          RemoveStatistics(SnapshotId(7)),
          SetPartitionStatistics({.snapshot_id = SnapshotId(7), .path = "p"}),
          RemovePartitionStatistics(SnapshotId(7)),
          RemovePartitionSpecs({SpecId(1)}),
          RemoveSchemas({SchemaId(1)}),
          AddEncryptionKey({.key_id = "k", .encrypted_key_metadata = "bQ=="}),
          RemoveEncryptionKey("k")};
}

TEST(UpdateJsonTest, EveryUpdateReadsAsItIsWritten) {
  for (const UpdatePtr& update : EveryUpdate()) {
    const UpdatePtr again = Must(ParseUpdate(update->ToJson()));
    EXPECT_EQ(again->ToJson(), update->ToJson());
    EXPECT_EQ(again->action(), update->action());
    EXPECT_EQ(Must(ParseJson(update->ToJson()))["action"], update->action());
  }
}

TEST(UpdateJsonTest, EveryUpdateSaysWhichKeyIsMissing) {
  for (const UpdatePtr& update : EveryUpdate()) {
    const auto result = ParseUpdate(DumpJson({{"action", update->action()}}));
    ASSERT_FALSE(result.ok()) << update->action();
    EXPECT_EQ(result.error().kind, ErrorKind::kData);
    EXPECT_THAT(result.error().message, HasSubstr("found none"));
  }
}

TEST(UpdateJsonTest, FormsAreThoseOfTheRestSpecification) {
  EXPECT_EQ(SetSnapshotRef("b", {.snapshot_id = SnapshotId(7)})->ToJson(),
            R"({"action":"set-snapshot-ref","ref-name":"b","snapshot-id":7,"type":"branch"})");
  EXPECT_EQ(RemoveProperties({"k"})->ToJson(),
            R"({"action":"remove-properties","removals":["k"]})");
  EXPECT_EQ(SetProperties({{"k", "v"}})->ToJson(),
            R"({"action":"set-properties","updates":{"k":"v"}})");
  EXPECT_EQ(SetCurrentSchema(SchemaId(-1))->ToJson(),
            R"({"action":"set-current-schema","schema-id":-1})");
  EXPECT_THAT(AddSchema(OneColumn())->ToJson(), HasSubstr(R"("last-column-id":1)"));
  EXPECT_EQ(Must(ParseUpdate(R"({"action": "set-properties", "updated": {"k": "v"}})"))->ToJson(),
            SetProperties({{"k", "v"}})->ToJson());
  EXPECT_EQ(Must(ParseUpdate(R"({"action": "remove-properties", "removed": ["k"]})"))->ToJson(),
            RemoveProperties({"k"})->ToJson());
}

TEST(UpdateJsonTest, UnknownActionsNameTheKnownOnes) {
  EXPECT_THAT(MessageOf(ParseUpdate(R"({"action": "add-snapshots"})")),
              HasSubstr("did you mean 'add-snapshot'"));
  EXPECT_THAT(MessageOf(ParseUpdate("{}")), HasSubstr("action: expected a value"));
}

TEST(CreateTableTest, GivesFreshIdsAndFollowsThem) {
  const CreateTableOptions options{
      .location = "x",
      .uuid = "u",
      .fields = {{.id = FieldId(70), .name = "id", .type = Type::Long(), .required = true},
                 {.id = FieldId(71),
                  .name = "s",
                  .type = Type::Struct(
                      {{.id = FieldId(72), .name = "ts", .type = Type::Timestamp()}})}},
      .identifier_field_ids = {FieldId(70)},
      .partition_fields = {{.source_id = FieldId(72),
                            .transform = Transform::Of(Transform::Kind::kDay)}},
      .sort_fields = {{.source_id = FieldId(70), .ascending = false}}};
  const TableMetadata table = Must(Apply(nullptr, Must(CreateTable(options)), {.now_ms = 1}));
  EXPECT_EQ(table.schema()->FindByName("s.ts")->id, FieldId(3));
  EXPECT_THAT(table.schema()->identifier_field_ids(), ElementsAre(FieldId(1)));
  EXPECT_EQ(table.spec().fields[0].source_id, FieldId(3));
  EXPECT_EQ(table.spec().fields[0].name, "s.ts_day");
  EXPECT_EQ(table.last_partition_id, FieldId(1000));
  EXPECT_EQ(table.sort_order().fields[0].source_id, FieldId(1));
  EXPECT_EQ(table.default_sort_order_id, SortOrderId(1));
}

TEST(CreateTableTest, FaultsAreTheConfigurations) {
  CreateTableOptions options{.location = "x",
                             .uuid = "u",
                             .fields = {{.id = FieldId(1), .name = "a", .type = Type::Long()}}};
  const auto fault = [&] {
    const auto result = CreateTable(options);
    EXPECT_TRUE(result.ok() || result.error().kind == ErrorKind::kConfig) << MessageOf(result);
    return MessageOf(result);
  };
  options.properties = {{"format-version", "1"}};
  EXPECT_THAT(fault(), HasSubstr("2 or 3"));
  options.properties = {};
  options.partition_fields = {{.source_id = FieldId(9), .name = "x"}};
  EXPECT_THAT(fault(), HasSubstr("no column"));
  options.partition_fields = {};
  options.sort_fields = {{.source_id = FieldId(9)}};
  EXPECT_THAT(fault(), HasSubstr("no column"));
  options.sort_fields = {};
  options.identifier_field_ids = {FieldId(1)};
  EXPECT_THAT(fault(), HasSubstr("identifier"));
  options.identifier_field_ids = {};
  options.fields.push_back({.id = FieldId(2), .name = "v", .type = Type::Of(TypeKind::kVariant)});
  EXPECT_THAT(fault(), HasSubstr("format version 3"));
  options.fields.back() = options.fields.front();
  EXPECT_THAT(fault(), HasSubstr("twice"));
}

}  // namespace
}  // namespace calve::iceberg

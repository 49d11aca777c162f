#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "iceberg/must.h"
#include "iceberg/produce.h"

namespace calve::iceberg {
namespace {

using ::testing::HasSubstr;

/// Snapshots 1 <- 2 <- 3 (main), and 1 <- 4.
TableMetadata Forked() {
  const CreateTableOptions options{
      .location = "x",
      .uuid = "u",
      .fields = {{.id = FieldId(1), .name = "id", .type = Type::Long()}}};
  TableChange change = Must(CreateTable(options));
  for (int64_t id = 1; id <= 4; ++id) {
    Snapshot snapshot{
        .id = SnapshotId(id), .sequence_number = SequenceNumber(id), .manifest_list = "x"};
    if (id > 1) snapshot.parent_id = SnapshotId(id == 4 ? 1 : id - 1);
    change.updates.push_back(AddSnapshot(snapshot));
  }
  change.updates.push_back(SetSnapshotRef("main", {.snapshot_id = SnapshotId(3)}));
  return Must(Apply(nullptr, change, {.now_ms = 1}));
}

TEST(RefsTest, ARefMovesOnlyFromWhereItWasSeen) {
  const TableMetadata base = Forked();
  const TableChange create = SetRef(base, "b", {.snapshot_id = SnapshotId(4)}, std::nullopt);
  const TableMetadata table = Must(Apply(&base, create, {}));
  EXPECT_EQ(table.FindRef("b")->id, SnapshotId(4));
  EXPECT_EQ(Apply(&table, create, {}).error().kind, ErrorKind::kConflict);
  const TableChange move = SetRef(table, "b", {.snapshot_id = SnapshotId(2)}, SnapshotId(4));
  EXPECT_EQ(Must(Apply(&table, move, {})).FindRef("b")->id, SnapshotId(2));
  EXPECT_EQ(Apply(&base, move, {}).error().kind, ErrorKind::kConflict);
}

TEST(RefsTest, RemovesWhatIsThere) {
  const TableMetadata base = Forked();
  const TableMetadata table =
      Must(Apply(&base, SetRef(base, "audit", {.snapshot_id = SnapshotId(4)}, std::nullopt), {}));
  EXPECT_EQ(Must(Apply(&table, Must(RemoveRef(table, "audit")), {})).refs.count("audit"), 0U);
  EXPECT_EQ(RemoveRef(table, "main").error().kind, ErrorKind::kConfig);
  EXPECT_EQ(RemoveRef(table, "adit").error().kind, ErrorKind::kNotFound);
  EXPECT_THAT(MessageOf(RemoveRef(table, "adit")), HasSubstr("did you mean 'audit'"));
}

TEST(RefsTest, AncestorsAreFollowedThroughParents) {
  TableMetadata table = Forked();
  EXPECT_TRUE(IsAncestor(table, SnapshotId(1), SnapshotId(3)));
  EXPECT_TRUE(IsAncestor(table, SnapshotId(3), SnapshotId(3)));
  EXPECT_TRUE(IsAncestor(table, SnapshotId(1), SnapshotId(4)));
  EXPECT_FALSE(IsAncestor(table, SnapshotId(2), SnapshotId(4)));
  EXPECT_FALSE(IsAncestor(table, SnapshotId(3), SnapshotId(1)));
  EXPECT_FALSE(IsAncestor(table, SnapshotId(9), SnapshotId(3)));
  EXPECT_FALSE(IsAncestor(table, SnapshotId(1), SnapshotId(9)));
  Snapshot circular = table.snapshots[0];
  circular.parent_id = SnapshotId(3);
  table.snapshots.Replace(0, circular);
  EXPECT_FALSE(IsAncestor(table, SnapshotId(4), SnapshotId(3)));
}

}  // namespace
}  // namespace calve::iceberg

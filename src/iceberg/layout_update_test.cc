#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "iceberg/must.h"
#include "iceberg/replace_table.h"
#include "iceberg/update.h"

namespace calve::iceberg {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

TableMetadata Events() {
  const CreateTableOptions options{
      .location = "x",
      .uuid = "u",
      .fields = {{.id = FieldId(1), .name = "id", .type = Type::Long()},
                 {.id = FieldId(2), .name = "ts", .type = Type::Timestamp()}},
      .partition_fields = {{.source_id = FieldId(1), .transform = Transform::Bucket(4)}}};
  return Must(Apply(nullptr, Must(CreateTable(options)), {.now_ms = 1}));
}

PartitionField By(int source, Transform transform, std::string name = "") {
  return {.source_id = FieldId(source), .name = std::move(name), .transform = std::move(transform)};
}

TableMetadata Partitioned(const TableMetadata& base, std::vector<PartitionField> wanted) {
  return Must(Apply(&base, Must(ReplacePartitionSpec(base, std::move(wanted))), {.now_ms = 2}));
}

TEST(ReplacePartitionSpecTest, FieldsThatStayKeepTheirIds) {
  const TableMetadata base = Events();
  const Transform day = Transform::Of(Transform::Kind::kDay);
  TableMetadata table = Partitioned(base, {By(2, day), By(1, Transform::Bucket(4))});
  EXPECT_EQ(table.default_spec_id, SpecId(1));
  EXPECT_EQ(table.spec().fields[0].field_id, FieldId(1001));
  EXPECT_EQ(table.spec().fields[0].name, "ts_day");
  EXPECT_EQ(table.spec().fields[1].field_id, FieldId(1000));
  EXPECT_EQ(table.last_partition_id, FieldId(1001));
  table = Partitioned(table, {By(1, Transform::Bucket(8))});
  EXPECT_EQ(table.spec().fields[0].field_id, FieldId(1002));
  table = Partitioned(table, {By(2, day, "when")});
  EXPECT_EQ(table.spec().fields[0].field_id, FieldId(1001));
  EXPECT_EQ(table.spec().fields[0].name, "when");
  EXPECT_EQ(table.specs.size(), 4U);
}

TEST(ReplacePartitionSpecTest, AnEqualSpecIsTakenAgain) {
  const TableMetadata base = Events();
  EXPECT_THAT(Must(ReplacePartitionSpec(base, {By(1, Transform::Bucket(4))})).updates, IsEmpty());
  TableMetadata table = Partitioned(base, {});
  EXPECT_TRUE(table.spec().is_unpartitioned());
  table = Partitioned(table, {By(1, Transform::Bucket(4))});
  EXPECT_EQ(table.default_spec_id, SpecId(0));
  EXPECT_EQ(table.specs.size(), 2U);
}

TEST(ReplacePartitionSpecTest, Version1KeepsPlacesWithVoid) {
  TableMetadata base = Events();
  base.format_version = 1;
  base.last_sequence_number = SequenceNumber(0);
  TableMetadata table = Partitioned(base, {By(2, Transform::Of(Transform::Kind::kDay))});
  ASSERT_EQ(table.spec().fields.size(), 2U);
  EXPECT_EQ(table.spec().fields[0].transform.kind(), Transform::Kind::kVoid);
  EXPECT_EQ(table.spec().fields[0].name, "id_bucket");
  EXPECT_EQ(table.spec().fields[0].field_id, FieldId(1000));
  EXPECT_EQ(table.spec().fields[1].field_id, FieldId(1001));
  table = Partitioned(base, {By(1, Transform::Bucket(9))});
  EXPECT_EQ(table.spec().fields[0].name, "id_bucket_1000");
  EXPECT_EQ(table.spec().fields[1].name, "id_bucket");
  EXPECT_EQ(MessageOf(ParseTableMetadata(SerializeTableMetadata(table))), "");
}

TEST(ReplacePartitionSpecTest, FaultsAreTheConfigurations) {
  const TableMetadata base = Events();
  const auto fault = [&](std::vector<PartitionField> wanted) {
    const auto result = ReplacePartitionSpec(base, std::move(wanted));
    EXPECT_TRUE(result.ok() || result.error().kind == ErrorKind::kConfig);
    return MessageOf(result);
  };
  EXPECT_THAT(fault({By(9, Transform::Identity(), "x")}), HasSubstr("field id 9"));
  EXPECT_THAT(fault({By(1, Transform::Of(Transform::Kind::kDay))}), HasSubstr("does not take"));
  EXPECT_THAT(fault({By(1, Transform::Bucket(8), "ts")}), HasSubstr("the name of a column"));
  EXPECT_THAT(fault({By(1, Must(Transform::Parse("zorder")))}), HasSubstr("not known"));
}

TEST(ReplaceSortOrderTest, GoesToANewOrderAndBack) {
  const TableMetadata base = Events();
  EXPECT_THAT(Must(ReplaceSortOrder(base, {})).updates, IsEmpty());
  TableMetadata table =
      Must(Apply(&base, Must(ReplaceSortOrder(base, {{.source_id = FieldId(2)}})), {}));
  EXPECT_EQ(table.default_sort_order_id, SortOrderId(1));
  table = Must(Apply(
      &table, Must(ReplaceSortOrder(table, {{.source_id = FieldId(1), .ascending = false}})), {}));
  EXPECT_EQ(table.default_sort_order_id, SortOrderId(2));
  table = Must(Apply(&table, Must(ReplaceSortOrder(table, {})), {}));
  EXPECT_EQ(table.default_sort_order_id, SortOrderId(0));
  EXPECT_EQ(table.sort_orders.size(), 3U);
  EXPECT_EQ(ReplaceSortOrder(base, {{.source_id = FieldId(9)}}).error().kind, ErrorKind::kConfig);
}

TEST(ReplaceTest, ALateChangeConflicts) {
  const TableMetadata base = Events();
  const TableChange late_spec = Must(ReplacePartitionSpec(base, {}));
  const TableChange late_order = Must(ReplaceSortOrder(base, {{.source_id = FieldId(2)}}));
  TableMetadata table = Partitioned(base, {By(2, Transform::Of(Transform::Kind::kDay))});
  table = Must(Apply(&table, Must(ReplaceSortOrder(table, {{.source_id = FieldId(1)}})), {}));
  EXPECT_EQ(Apply(&table, late_spec, {}).error().kind, ErrorKind::kConflict);
  EXPECT_EQ(Apply(&table, late_order, {}).error().kind, ErrorKind::kConflict);
}

TEST(ReplaceTableTest, GivesFreshIdsAndKeepsWhatTheTableIs) {
  TableMetadata base = Events();
  base =
      Must(Apply(&base, {.updates = {UpgradeFormatVersion(3), SetProperties({{"a", "b"}})}}, {}));
  const CreateTableOptions options{
      .location = "elsewhere",
      .uuid = "other",
      .fields = {{.id = FieldId(1), .name = "id", .type = Type::String()},
                 {.id = FieldId(2), .name = "day", .type = Type::Date()}},
      .partition_fields = {{.source_id = FieldId(2),
                            .transform = Transform::Of(Transform::Kind::kMonth)}},
      .properties = {{"format-version", "2"}, {"c", "d"}}};
  const TableChange change = Must(ReplaceTable(base, options));
  const TableMetadata table = Must(Apply(&base, change, {}));
  EXPECT_EQ(table.format_version, 3);
  EXPECT_EQ(table.table_uuid, "u");
  EXPECT_EQ(table.location, "x");
  EXPECT_EQ(table.properties.size(), 2U);
  EXPECT_EQ(table.schema()->fields()[0].id, FieldId(3));
  EXPECT_EQ(table.spec().fields[0].source_id, FieldId(4));
  EXPECT_EQ(table.spec().fields[0].field_id, FieldId(1001));
  // The same change again comes too late.
  EXPECT_EQ(Apply(&table, change, {}).error().kind, ErrorKind::kConflict);
}

}  // namespace
}  // namespace calve::iceberg

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/random.h"
#include "iceberg/must.h"
#include "iceberg/update.h"

namespace calve::iceberg {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Field Column(std::string name, Type type, bool required = false) {
  return {.name = std::move(name), .type = std::move(type), .required = required};
}

/// id 1, name 2, price 3, where 4 {street 7, city 8}, points 5 (element 9 {x 10, y 11}), m 6 (key
/// 12, value 13), day at the end.
TableMetadata Shop(const char* version = "2") {
  const Type point = Type::Struct({Column("x", Type::Float()), Column("y", Type::Float())});
  CreateTableOptions options{
      .location = "file:///lake/shop",
      .uuid = "u",
      .fields = {{.id = FieldId(1), .name = "id", .type = Type::Int(), .required = true},
                 {.id = FieldId(2), .name = "name", .type = Type::String()},
                 {.id = FieldId(3), .name = "price", .type = Type::Decimal(9, 2)},
                 Column("where", Type::Struct({Column("street", Type::String()),
                                               Column("city", Type::String())})),
                 Column("points", Type::List(FieldId(0), point, false)),
                 Column("m", Type::Map(FieldId(0), Type::String(), FieldId(0), Type::Int(), false)),
                 {.id = FieldId(7), .name = "day", .type = Type::Date()}},
      .identifier_field_ids = {FieldId(1)},
      .properties = {{"format-version", version}}};
  for (size_t i = 3; i < 6; ++i) options.fields[i].id = FieldId(static_cast<int32_t>(i) + 100);
  return Must(Apply(nullptr, Must(CreateTable(options)), {.now_ms = 1}));
}

TableMetadata WithRows(TableMetadata table) {
  Snapshot snapshot{
      .id = SnapshotId(1), .sequence_number = SequenceNumber(1), .manifest_list = "x"};
  if (table.format_version >= 3) {
    snapshot.first_row_id = RowId(0);
    snapshot.added_rows = 5;
  }
  return Must(
      Apply(&table, {.requirements = {}, .updates = {AddSnapshot(snapshot)}}, {.now_ms = 2}));
}

TableMetadata Evolved(const TableMetadata& base, const SchemaUpdate& update) {
  return Must(Apply(&base, Must(update.Build()), {.now_ms = base.last_updated_ms + 1}));
}

void ExpectRefused(const Status& status, const char* why, ErrorKind kind = ErrorKind::kConfig) {
  ASSERT_FALSE(status.ok()) << "expected an error with " << why;
  EXPECT_EQ(status.error().kind, kind);
  EXPECT_THAT(status.error().message, HasSubstr(why));
}

std::vector<std::string> TopNames(const Schema& schema) {
  std::vector<std::string> names;
  for (const Field& field : schema.fields()) names.push_back(field.name);
  return names;
}

TEST(SchemaUpdateTest, AddsColumnsAtEveryDepthWithFreshIds) {
  const TableMetadata base = Shop();
  const FieldId last = base.last_column_id;
  SchemaUpdate update(base);
  EXPECT_EQ(MessageOf(update.AddColumn("", Column("note", Type::String()))), "");
  EXPECT_EQ(MessageOf(update.AddColumn("where", Column("zip", Type::String()))), "");
  EXPECT_EQ(MessageOf(update.AddColumn("points", Column("z", Type::Float()))), "");
  EXPECT_EQ(
      MessageOf(update.AddColumn("", Column("box", Type::Struct({Column("w", Type::Int())})))), "");
  EXPECT_EQ(MessageOf(update.AddColumn("box", Column("h", Type::Int()))), "");
  const TableMetadata table = Evolved(base, update);
  EXPECT_EQ(table.schema()->FindByName("note")->id, last + FieldId(1));
  EXPECT_EQ(table.schema()->FindByName("where.zip")->id, last + FieldId(2));
  EXPECT_EQ(table.schema()->FindByName("points.element.z")->id, last + FieldId(3));
  EXPECT_EQ(table.schema()->FindByName("box.w")->id, last + FieldId(5));
  EXPECT_EQ(table.schema()->FindByName("box.h")->id, last + FieldId(6));
  EXPECT_EQ(table.last_column_id, last + FieldId(6));
  EXPECT_EQ(table.current_schema_id, SchemaId(1));
  EXPECT_EQ(table.schemas.size(), 2U);
}

TEST(SchemaUpdateTest, RefusesColumnsThatCannotBeAdded) {
  const TableMetadata base = WithRows(Shop());
  SchemaUpdate update(base);
  ExpectRefused(update.AddColumn("", Column("name", Type::Int())), "exists already");
  ExpectRefused(update.AddColumn("nowhere", Column("x", Type::Int())),
                "no column \"nowhere\"; did you mean 'where'");
  ExpectRefused(update.AddColumn("name", Column("x", Type::Int())), "cannot hold columns");
  ExpectRefused(update.AddColumn("m", Column("x", Type::Int())), "cannot hold columns");
  ExpectRefused(update.AddColumn("", Column("", Type::Int())), "a name");
  ExpectRefused(update.AddColumn("", Column("must", Type::Int(), true)), "cannot be required");
  ExpectRefused(update.AddColumn("", Column("v", Type::Of(TypeKind::kVariant))),
                "format version 3");
  Field with_default = Column("d", Type::Int());
  with_default.initial_default = Value(int32_t{1});
  ExpectRefused(update.AddColumn("", with_default), "format version 3");
  EXPECT_THAT(Must(update.Build()).updates, IsEmpty());
}

TEST(SchemaUpdateTest, RequiredColumnsNeedRowsToBeFilled) {
  SchemaUpdate of_empty_table(Shop());
  EXPECT_EQ(MessageOf(of_empty_table.AddColumn("", Column("must", Type::Int(), true))), "");
  SchemaUpdate third(WithRows(Shop("3")));
  Field field = Column("must", Type::Int(), true);
  field.initial_default = Value(int64_t{7});
  ExpectRefused(third.AddColumn("", field), "another one");
  field.initial_default = Value(int32_t{7});
  EXPECT_EQ(MessageOf(third.AddColumn("", field)), "");
  const Field added = *Must(third.Preview())->FindByName("must");
  EXPECT_EQ(added.write_default, Value(int32_t{7}));
}

TEST(SchemaUpdateTest, ADroppedNameComesBackWithAnotherId) {
  const TableMetadata base = Shop();
  const FieldId before = base.schema()->FindByName("name")->id;
  SchemaUpdate update(base);
  EXPECT_EQ(MessageOf(update.DropColumn("name")), "");
  ExpectRefused(update.DropColumn("name"), "no column");
  EXPECT_EQ(MessageOf(update.AddColumn("", Column("name", Type::String()))), "");
  const TableMetadata table = Evolved(base, update);
  EXPECT_NE(table.schema()->FindByName("name")->id, before);
  // Dropping the newest column must not give its id away either.
  SchemaUpdate drop(table);
  EXPECT_EQ(MessageOf(drop.DropColumn("name")), "");
  const TableMetadata without = Evolved(table, drop);
  SchemaUpdate again(without);
  EXPECT_EQ(MessageOf(again.AddColumn("", Column("name", Type::String()))), "");
  EXPECT_GT(Must(again.Preview())->FindByName("name")->id, table.schema()->FindByName("name")->id);
}

TEST(SchemaUpdateTest, WhatIsInUseIsNotDropped) {
  TableMetadata base = Shop();
  base = Must(Apply(&base,
                    Must(ReplacePartitionSpec(
                        base, {{.source_id = base.schema()->FindByName("where.city")->id}})),
                    {}));
  base = Must(Apply(&base, Must(ReplaceSortOrder(base, {{.source_id = FieldId(3)}})), {}));
  SchemaUpdate update(base);
  ExpectRefused(update.DropColumn("id"), "identifier");
  ExpectRefused(update.DropColumn("where.city"), "partition field");
  ExpectRefused(update.DropColumn("where"), "partition field");
  ExpectRefused(update.DropColumn("price"), "sort order");
  ExpectRefused(update.DropColumn("points.element"), "element");
  ExpectRefused(update.DropColumn("m.key"), "element, key or value");
  EXPECT_EQ(MessageOf(update.DropColumn("points.x")), "");
  ExpectRefused(update.DropColumn("points.y"), "last one of its struct");
}

TEST(SchemaUpdateTest, RenamesKeepIds) {
  const TableMetadata base = Shop();
  SchemaUpdate update(base);
  EXPECT_EQ(MessageOf(update.RenameColumn("where.city", "town")), "");
  EXPECT_EQ(MessageOf(update.RenameColumn("id", "key")), "");
  ExpectRefused(update.RenameColumn("name", "price"), "exists already");
  ExpectRefused(update.RenameColumn("name", ""), "not empty");
  ExpectRefused(update.RenameColumn("m.value", "v"), "element, key or value");
  ExpectRefused(update.RenameColumn("nme", "x"), "did you mean 'name'");
  // Names stay those of the base until the change is built.
  EXPECT_EQ(MessageOf(update.SetDoc("id", "the key")), "");
  const TableMetadata table = Evolved(base, update);
  EXPECT_EQ(table.schema()->FindByName("where.town")->id,
            base.schema()->FindByName("where.city")->id);
  EXPECT_EQ(table.schema()->FindByName("key")->doc, "the key");
  EXPECT_THAT(table.schema()->identifier_field_ids(), ElementsAre(FieldId(1)));
}

TEST(SchemaUpdateTest, TypesOnlyWiden) {
  SchemaUpdate update(Shop());
  EXPECT_EQ(MessageOf(update.ChangeType("id", Type::Long())), "");
  EXPECT_EQ(MessageOf(update.ChangeType("price", Type::Decimal(12, 2))), "");
  EXPECT_EQ(MessageOf(update.ChangeType("points.x", Type::Double())), "");
  EXPECT_EQ(MessageOf(update.ChangeType("m.value", Type::Long())), "");
  EXPECT_EQ(MessageOf(update.ChangeType("name", Type::String())), "");
  ExpectRefused(update.ChangeType("price", Type::Decimal(12, 3)), "has type decimal(12, 2)");
  ExpectRefused(update.ChangeType("id", Type::Int()), "cannot become int");
  ExpectRefused(update.ChangeType("name", Type::Int()), "cannot become int");
  ExpectRefused(update.ChangeType("day", Type::Timestamp()), "cannot become timestamp");
  const SchemaPtr schema = Must(update.Preview());
  EXPECT_EQ(schema->FindByName("points.element.x")->type, Type::Double());
  EXPECT_EQ(schema->FindByName("m.value")->type, Type::Long());
}

TEST(SchemaUpdateTest, Version3WidensDatesWithTheirDefaults) {
  TableMetadata base = Shop("3");
  SchemaUpdate add(base);
  Field since = Column("since", Type::Date());
  since.initial_default = Value(int32_t{2});
  EXPECT_EQ(MessageOf(add.AddColumn("", since)), "");
  Field count = Column("count", Type::Int());
  count.initial_default = Value(int32_t{5});
  EXPECT_EQ(MessageOf(add.AddColumn("", count)), "");
  base = Evolved(base, add);
  SchemaUpdate update(base);
  EXPECT_EQ(MessageOf(update.ChangeType("since", Type::Timestamp())), "");
  EXPECT_EQ(MessageOf(update.ChangeType("count", Type::Long())), "");
  const TableMetadata table = Evolved(base, update);
  EXPECT_EQ(table.schema()->FindByName("since")->initial_default,
            Value(int64_t{2} * 86'400'000'000));
  EXPECT_EQ(table.schema()->FindByName("count")->write_default, Value(int64_t{5}));
  EXPECT_EQ(MessageOf(ParseTableMetadata(SerializeTableMetadata(table))), "");
}

TEST(SchemaUpdateTest, PartitionedDatesWidenOnlyWhenPartitionsStay) {
  TableMetadata base = Shop("3");
  const FieldId day = base.schema()->FindByName("day")->id;
  const auto partitioned = [&](Transform transform) {
    return Must(Apply(
        &base, Must(ReplacePartitionSpec(base, {{.source_id = day, .transform = transform}})), {}));
  };
  SchemaUpdate by_month(partitioned(Transform::Of(Transform::Kind::kMonth)));
  EXPECT_EQ(MessageOf(by_month.ChangeType("day", Type::Timestamp())), "");
  SchemaUpdate by_bucket(partitioned(Transform::Bucket(4)));
  ExpectRefused(by_bucket.ChangeType("day", Type::Timestamp()), "partition field \"day_bucket\"");
  SchemaUpdate by_value(partitioned(Transform::Identity()));
  ExpectRefused(by_value.ChangeType("day", Type::Timestamp()), "partition field \"day\"");
}

TEST(SchemaUpdateTest, UnknownBecomesAnything) {
  TableMetadata base = Shop("3");
  SchemaUpdate add(base);
  EXPECT_EQ(MessageOf(add.AddColumn("", Column("u", Type()))), "");
  base = Evolved(base, add);
  SchemaUpdate update(base);
  EXPECT_EQ(MessageOf(update.ChangeType(
                "u", Type::Struct({Column("a", Type::Int()), Column("b", Type::Int())}))),
            "");
  const SchemaPtr schema = Must(update.Preview());
  EXPECT_EQ(schema->FindByName("u.b")->id, base.last_column_id + FieldId(2));
}

TEST(SchemaUpdateTest, NullabilityAndIdentifierFields) {
  SchemaUpdate update(Shop());
  ExpectRefused(update.MakeOptional("id"), "identifier");
  EXPECT_EQ(MessageOf(update.MakeRequired("name")), "");
  EXPECT_EQ(MessageOf(update.SetIdentifierFields({"name"})), "");
  EXPECT_EQ(MessageOf(update.MakeOptional("id")), "");
  ExpectRefused(update.SetIdentifierFields({"price"}), "optional");
  ExpectRefused(update.SetIdentifierFields({"nothing"}), "no column");
  ExpectRefused(update.MakeOptional("m.key"), "key of a map");
  EXPECT_THAT(Must(update.Preview())->identifier_field_ids(), ElementsAre(FieldId(2)));
}

TEST(SchemaUpdateTest, WriteDefaultsNeedTheirTypeAndVersion) {
  SchemaUpdate second(Shop());
  ExpectRefused(second.SetWriteDefault("name", Value(std::string("x"))), "format version 3");
  SchemaUpdate third(Shop("3"));
  EXPECT_EQ(MessageOf(third.SetWriteDefault("name", Value(std::string("x")))), "");
  ExpectRefused(third.SetWriteDefault("name", Value(int32_t{1})), "another one");
  ExpectRefused(third.SetWriteDefault("name", Value(std::string("\xff"))), "metadata cannot hold");
  ExpectRefused(third.SetWriteDefault("where", Value(std::string("x"))), "another one");
  EXPECT_EQ(Must(third.Preview())->FindByName("name")->write_default, Value(std::string("x")));
}

TEST(SchemaUpdateTest, ColumnsMoveWithinTheirStruct) {
  SchemaUpdate update(Shop());
  EXPECT_EQ(MessageOf(update.MoveFirst("day")), "");
  EXPECT_EQ(MessageOf(update.MoveAfter("id", "price")), "");
  EXPECT_EQ(MessageOf(update.MoveBefore("m", "name")), "");
  EXPECT_EQ(MessageOf(update.MoveFirst("where.city")), "");
  EXPECT_EQ(MessageOf(update.AddColumn("", Column("new", Type::Int()))), "");
  EXPECT_EQ(MessageOf(update.MoveFirst("new")), "");
  ExpectRefused(update.MoveAfter("id", "where.city"), "not in the same struct");
  ExpectRefused(update.MoveAfter("id", "id"), "beside itself");
  ExpectRefused(update.MoveFirst("points.element"), "element");
  ExpectRefused(update.MoveFirst("zzz"), "no column");
  const SchemaPtr schema = Must(update.Preview());
  EXPECT_THAT(TopNames(*schema),
              ElementsAre("new", "day", "m", "name", "price", "id", "where", "points"));
  EXPECT_EQ(schema->FindByName("where")->type.fields()[0].name, "city");
}

TEST(SchemaUpdateTest, UnionTakesWhatIsNewAndWider) {
  const TableMetadata base = WithRows(Shop());
  SchemaUpdate update(base);
  EXPECT_EQ(
      MessageOf(update.UnionByName(
          {Column("id", Type::Long()), Column("price", Type::Decimal(7, 2)),
           Column("extra", Type::Boolean(), true),
           Column("where",
                  Type::Struct({Column("zip", Type::String()), Column("city", Type::String())})),
           Column("points",
                  Type::List(FieldId(0), Type::Struct({Column("x", Type::Double())}), false)),
           Column("m", Type::Map(FieldId(0), Type::String(), FieldId(0), Type::Long(), false))})),
      "");
  const SchemaPtr schema = Must(update.Preview());
  EXPECT_EQ(schema->FindByName("id")->type, Type::Long());
  EXPECT_TRUE(schema->FindByName("id")->required);
  EXPECT_EQ(schema->FindByName("price")->type, Type::Decimal(9, 2));
  EXPECT_FALSE(schema->FindByName("extra")->required);
  EXPECT_EQ(schema->FindByName("where.street")->type, Type::String());
  EXPECT_NE(schema->FindByName("where.zip"), nullptr);
  EXPECT_EQ(schema->FindByName("points.element.x")->type, Type::Double());
  EXPECT_EQ(schema->FindByName("m.value")->type, Type::Long());
  EXPECT_NE(schema->FindByName("day"), nullptr);
}

TEST(SchemaUpdateTest, UnionNamesTheColumnThatDoesNotFit) {
  SchemaUpdate update(Shop());
  ExpectRefused(update.UnionByName({Column("name", Type::Int())}),
                "\"name\" has type string in the table and int", ErrorKind::kData);
  ExpectRefused(update.UnionByName({Column("where", Type::Struct({Column("city", Type::Int())}))}),
                "where.city", ErrorKind::kData);
  ExpectRefused(update.UnionByName({Column("where", Type::Int())}), "\"where\" has type struct",
                ErrorKind::kData);
  ExpectRefused(update.UnionByName({Column(
                    "m", Type::Map(FieldId(0), Type::Long(), FieldId(0), Type::Int(), false))}),
                "m.key", ErrorKind::kData);
}

TEST(SchemaUpdateTest, AFailedUnionLeavesNoTrace) {
  SchemaUpdate update(Shop());
  ExpectRefused(update.UnionByName({Column("extra", Type::Int()), Column("id", Type::Long()),
                                    Column("name", Type::Int())}),
                "name", ErrorKind::kData);
  EXPECT_THAT(Must(update.Build()).updates, IsEmpty());
}

TEST(SchemaUpdateTest, StagingAddsASchemaThatIsNotCurrent) {
  const TableMetadata base = Shop();
  SchemaUpdate update(base);
  EXPECT_EQ(MessageOf(update.AddColumn("", Column("note", Type::String()))), "");
  const TableMetadata staged = Must(Apply(&base, Must(update.Build(false)), {}));
  EXPECT_EQ(staged.current_schema_id, SchemaId(0));
  EXPECT_EQ(staged.schemas.size(), 2U);
  EXPECT_EQ(Must(update.Preview())->id(), SchemaId(1));
}

TEST(SchemaUpdateTest, AnEqualSchemaIsTakenAgain) {
  TableMetadata base = Shop();
  SchemaUpdate rename(base);
  EXPECT_EQ(MessageOf(rename.RenameColumn("name", "title")), "");
  base = Evolved(base, rename);
  SchemaUpdate back(base);
  EXPECT_EQ(MessageOf(back.RenameColumn("title", "name")), "");
  EXPECT_EQ(Must(back.Preview())->id(), SchemaId(0));
  EXPECT_THAT(Must(back.Build(false)).updates, IsEmpty());
  base = Evolved(base, back);
  EXPECT_EQ(base.current_schema_id, SchemaId(0));
  EXPECT_EQ(base.schemas.size(), 2U);
}

TEST(SchemaUpdateTest, ALateChangeConflicts) {
  const TableMetadata base = Shop();
  SchemaUpdate first(base);
  SchemaUpdate second(base);
  EXPECT_EQ(MessageOf(first.AddColumn("", Column("a", Type::Int()))), "");
  EXPECT_EQ(MessageOf(second.AddColumn("", Column("b", Type::Int()))), "");
  const TableMetadata changed = Evolved(base, first);
  EXPECT_EQ(Apply(&changed, Must(second.Build()), {}).error().kind, ErrorKind::kConflict);
}

/// Take one random step; it may be refused.
Status RandomStep(SchemaUpdate& update, const Schema& schema, Random& random) {
  const auto any = [&] { return schema.full_names()[random.Below(schema.full_names().size())]; };
  const std::string fresh = "c" + std::to_string(random.Below(40));
  switch (random.Below(10)) {
    case 0:
      return update.AddColumn("", Column(fresh, Type::Int()));
    case 1:
      return update.AddColumn(any(), Column(fresh, Type::Struct({Column("k", Type::Float())})));
    case 2:
      return update.AddColumn(
          "",
          Column(fresh, Type::List(FieldId(0), Type::Struct({Column("e", Type::Int())}), true)));
    case 3:
      return update.DropColumn(any());
    case 4:
      return update.RenameColumn(any(), fresh);
    case 5:
      return update.ChangeType(any(), random.Below(2) == 0 ? Type::Long() : Type::Double());
    case 6:
      return update.MoveFirst(any());
    case 7:
      return update.MoveAfter(any(), any());
    case 8:
      return update.MakeOptional(any());
    default:
      return update.UnionByName({Column(fresh, Type::Long()),
                                 Column("where", Type::Struct({Column(fresh, Type::Int())}))});
  }
}

TEST(SchemaUpdateTest, RandomEvolutionKeepsEveryInvariant) {
  for (uint64_t seed = 1; seed <= 8; ++seed) {
    Random random(seed);
    TableMetadata table = WithRows(Shop());
    std::map<FieldId, TypeKind> kinds;  // An id never changes its kind of type, but for promotions.
    int taken = 0;
    for (int step = 0; step < 25; ++step) {
      SchemaUpdate update(table);
      for (uint64_t i = random.Below(3) + 1; i > 0; --i)
        taken += RandomStep(update, *table.schema(), random).ok() ? 1 : 0;
      const FieldId before = table.last_column_id;
      std::set<FieldId> old_ids;
      for (const std::string& name : table.schema()->full_names())
        old_ids.insert(table.schema()->FindByName(name)->id);
      table = Evolved(table, update);
      ASSERT_GE(table.last_column_id, before) << "seed " << seed;
      for (const std::string& name : table.schema()->full_names()) {
        const Field& field = *table.schema()->FindByName(name);
        ASSERT_TRUE(old_ids.contains(field.id) || field.id > before)
            << "seed " << seed << ": an id came back";
        ASSERT_LE(field.id, table.last_column_id);
        const auto [kind, fresh] = kinds.try_emplace(field.id, field.type.kind());
        if (fresh || kind->second == field.type.kind()) continue;
        ASSERT_TRUE(field.type.kind() == TypeKind::kLong || field.type.kind() == TypeKind::kDouble);
        kind->second = field.type.kind();
      }
    }
    const std::string written = SerializeTableMetadata(table);
    ASSERT_EQ(SerializeTableMetadata(Must(ParseTableMetadata(written))), written)
        << "seed " << seed;
    ASSERT_GT(taken, 10) << "seed " << seed;
  }
}

}  // namespace
}  // namespace calve::iceberg

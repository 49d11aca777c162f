#include <fmt/format.h>
#include <gmock/gmock.h>

#include "columnar/convert.h"
#include "engine/duckdb/test_table.h"
#include "engine/duckdb/testing.h"
#include "iceberg/name_mapping.h"

namespace calve::engine {
namespace {

using iceberg::Field;
using iceberg::FieldId;
using iceberg::Type;
using iceberg::TypeKind;
using iceberg::Value;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

Field Column(int id, std::string name, Type type, bool required = false) {
  return {
      .id = FieldId(id), .name = std::move(name), .type = std::move(type), .required = required};
}

class TablesTest : public EngineTest {
 protected:
  TestTable& Make(const std::string& name, const TestTable::Options& options) {
    tables_.push_back(
        std::make_unique<TestTable>(*context_, files_, "memory://lake/" + name, options));
    resolver_.Add(name, *tables_.back());
    return *tables_.back();
  }
  TestTable& Simple() {
    return Make("t", {.fields = {Column(1, "id", Type::Long()), Column(2, "s", Type::String())}});
  }
  std::vector<std::string> Ask(const std::string& sql) {
    return Rows(sql, {.resolver = &resolver_});
  }
  std::string Fail(const std::string& sql) { return ErrorOf(sql, {.resolver = &resolver_}); }
  void Lose(const iceberg::DataFile& file) {
    ASSERT_TRUE(files_.Delete(*context_, file.path).ok());
  }
  static std::string Bytes(const Type& type, const Value& value) {
    return *iceberg::ToBytes(type, value);
  }

  TestResolver resolver_;
  std::vector<std::unique_ptr<TestTable>> tables_;
};

TEST_F(TablesTest, ATableWithoutSnapshotsHasNoRows) {
  Simple();
  EXPECT_THAT(Ask("SELECT * FROM t"), ElementsAre());
  EXPECT_THAT(Ask("SELECT count(*), min(id), max(s) FROM t WHERE id > 5"),
              ElementsAre("0|NULL|NULL"));
}

TEST_F(TablesTest, EveryTypeIsReadExactly) {
  TestTable& table =
      Make("t", {.fields = {Column(1, "b", Type::Boolean()), Column(2, "i", Type::Int()),
                            Column(3, "l", Type::Long()), Column(4, "f", Type::Float()),
                            Column(5, "d", Type::Double()), Column(6, "d9", Type::Decimal(9, 2)),
                            Column(7, "d38", Type::Decimal(38, 10)), Column(8, "ti", Type::Time()),
                            Column(9, "ts", Type::Timestamp()),
                            Column(10, "tz", Type::TimestampTz()), Column(11, "s", Type::String()),
                            Column(12, "u", Type::UuidType()), Column(13, "fx", Type::Fixed(2)),
                            Column(14, "bi", Type::Binary()), Column(15, "da", Type::Date())}});
  table.Append({table.Write(
      R"([{"b": true, "i": -1, "l": 9007199254740993, "f": 1.5, "d": 0.1, "d9": "-1234567.89",
      "d38": "1234567890123456789012345678.0123456789", "ti": 3723000001, "ts": "1969-12-31 23:59:59.999999",
      "tz": "2026-11-21 08:15:00.123456", "s": "é", "u": "0123456789abcdef", "fx": "ab", "bi": "xyz", "da": -1}, {}])")});
  EXPECT_THAT(
      Ask("SELECT * FROM t ORDER BY i NULLS LAST"),
      ElementsAre("true|-1|9007199254740993|1.5|0.1|-1234567.89|1234567890123456789012345678."
                  "0123456789|01:02:03.000001|"
                  "1969-12-31 23:59:59.999999|2026-11-21 "
                  "08:15:00.123456Z|é|30313233343536373839616263646566|6162|78797A|"
                  "1969-12-31",
                  "NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL"));
  EXPECT_THAT(Ask("SELECT count(*) FROM t WHERE u = '30313233-3435-3637-3839-616263646566' AND d38 "
                  "> 1234567890123456789012345678"),
              ElementsAre("1"));
  EXPECT_EQ(SchemaOf("SELECT u, fx, tz FROM t", {.resolver = &resolver_})->ToString(),
            "u: extension<arrow.uuid>\nfx: binary\ntz: timestamp[us, tz=UTC]");
}

TEST_F(TablesTest, ColumnsAreFoundByTheirIdsAfterTheSchemaEvolved) {
  TestTable& table = Make(
      "t", {.fields = {
                Column(1, "id", Type::Int()), Column(2, "gone", Type::String()),
                Column(3, "st",
                       Type::Struct({Column(4, "x", Type::Int()), Column(5, "y", Type::String())})),
                Column(6, "li", Type::List(FieldId(7), Type::Int(), false)),
                Column(8, "ma",
                       Type::Map(FieldId(9), Type::String(), FieldId(10), Type::Int(), false))}});
  table.Append({table.Write(
      R"([{"id": 1, "gone": "g", "st": {"x": 10, "y": "a"}, "li": [1, null], "ma": [["k", 5]]},
                               {"id": 2, "gone": "h", "st": null, "li": null, "ma": []}])")});
  auto change = table.Evolve();
  ASSERT_TRUE(change.RenameColumn("id", "number").ok());
  ASSERT_TRUE(change.ChangeType("id", Type::Long()).ok());
  ASSERT_TRUE(change.DropColumn("gone").ok());
  ASSERT_TRUE(change.AddColumn("", Column(0, "gone", Type::Double())).ok());
  ASSERT_TRUE(change.RenameColumn("st.x", "xx").ok());
  ASSERT_TRUE(change.ChangeType("st.x", Type::Long()).ok());
  ASSERT_TRUE(change.AddColumn("st", Column(0, "z", Type::String())).ok());
  ASSERT_TRUE(change.ChangeType("li.element", Type::Long()).ok());
  ASSERT_TRUE(change.ChangeType("ma.value", Type::Long()).ok());
  table.Change(*change.Build());
  table.Append({table.Write(
      R"([{"number": 5000000000, "gone": 2.5, "st": {"xx": 6000000000, "y": "b", "z": "c"}, "li": [7000000000],
                                 "ma": [["k", 8000000000]]}])")});
  EXPECT_THAT(Ask("SELECT number, gone, st.xx, st.y, st.z, li::VARCHAR, ma::VARCHAR FROM t ORDER "
                  "BY number"),
              ElementsAre("1|NULL|10|a|NULL|[1, NULL]|{k=5}", "2|NULL|NULL|NULL|NULL|NULL|{}",
                          "5000000000|2.5|6000000000|b|c|[7000000000]|{k=8000000000}"));
  EXPECT_THAT(Ask("SELECT count(*) FROM t WHERE number > 4000000000"), ElementsAre("1"));
  EXPECT_THAT(Ask("SELECT count(*) FROM t WHERE number < 4000000000"), ElementsAre("2"));
  EXPECT_THAT(Ask("SELECT count(*) FROM t WHERE gone IS NULL"), ElementsAre("2"));
  EXPECT_THAT(Ask("SELECT count(*) FROM t WHERE st.xx >= 10"), ElementsAre("2"));
  EXPECT_THAT(Ask("SELECT number FROM t WHERE st.z IS NULL ORDER BY 1"), ElementsAre("1", "2"));
  EXPECT_THAT(Ask("SELECT number FROM t WHERE st IS NULL"), ElementsAre("2"));
}

TEST_F(TablesTest, InitialDefaultsStandWhereOldFilesHaveNothing) {
  TestTable& table =
      Make("t", {.fields = {Column(1, "id", Type::Long()),
                            Column(2, "st", Type::Struct({Column(3, "x", Type::Int())}))},
                 .properties = {{"format-version", "3"}}});
  table.Append({table.Write(R"([{"id": 1, "st": {"x": 1}}, {"id": 2, "st": null}])")});
  auto change = table.Evolve();
  Field added = Column(0, "level", Type::Int());
  added.initial_default = added.write_default = Value(int32_t{7});
  ASSERT_TRUE(change.AddColumn("", added).ok());
  Field nested = Column(0, "unit", Type::String());
  nested.initial_default = nested.write_default = Value(std::string("kg"));
  ASSERT_TRUE(change.AddColumn("st", nested).ok());
  table.Change(*change.Build());
  table.Append({table.Write(R"([{"id": 3, "st": {"x": 3, "unit": null}, "level": null}])")});
  EXPECT_THAT(Ask("SELECT id, level, st.x, st.unit, st IS NULL FROM t ORDER BY id"),
              ElementsAre("1|7|1|kg|false", "2|7|NULL|NULL|true", "3|NULL|3|NULL|false"));
  EXPECT_THAT(Ask("SELECT count(*), count(level), min(level), max(level) FROM t"),
              ElementsAre("3|2|7|7"));
  EXPECT_THAT(Ask("SELECT count(*) FROM t WHERE level = 7"), ElementsAre("2"));
  EXPECT_THAT(Ask("SELECT count(*) FROM t WHERE level = 8"), ElementsAre("0"));
  EXPECT_THAT(Ask("SELECT count(*) FROM t WHERE level IS NULL"), ElementsAre("1"));
}

TEST_F(TablesTest, PositionDeletesCountInEveryAggregate) {
  TestTable& table = Simple();
  const auto file = table.Write(
      R"([{"id": 1, "s": "a"}, {"id": 2, "s": "b"}, {"id": 3, "s": "c"}, {"id": 4, "s": "d"}])",
      {.row_group_rows = 2});
  const auto other = table.Write(R"([{"id": 10, "s": "x"}])");
  table.Append({file, other});
  table.Delete({table.WritePositionDeletes({{file->path, 0}, {file->path, 3}})});
  EXPECT_THAT(Ask("SELECT id FROM t ORDER BY id"), ElementsAre("2", "3", "10"));
  EXPECT_THAT(Ask("SELECT count(*) FROM t"), ElementsAre("3"));
  EXPECT_THAT(Ask("SELECT min(id), max(id), min(s), count(s) FROM t WHERE id < 10"),
              ElementsAre("2|3|b|2"));
  EXPECT_THAT(Ask("SELECT count(*) FROM t WHERE s = 'd'"), ElementsAre("0"));
  EXPECT_THAT(Ask("SELECT id FROM t ORDER BY s LIMIT 1"), ElementsAre("2"));
  EXPECT_THAT(Ask("SELECT count(*) FROM t@1000"), ElementsAre("5"));
}

TEST_F(TablesTest, EqualityDeletesTakeWhatWasThereBefore) {
  TestTable& table = Simple();
  table.Append(
      {table.Write(R"([{"id": 1, "s": "a"}, {"id": 2, "s": null}, {"id": 3, "s": "c"}])")});
  table.Delete({table.WriteEqualityDeletes({"s"}, R"([{"s": null}, {"s": "c"}])")});
  table.Append({table.Write(R"([{"id": 4, "s": "c"}])")});
  EXPECT_THAT(Ask("SELECT id FROM t ORDER BY id"), ElementsAre("1", "4"));
  EXPECT_THAT(Ask("SELECT count(*), max(id) FROM t"), ElementsAre("2|4"));
}

TEST_F(TablesTest, DeletionVectorsAreApplied) {
  TestTable& table = Make(
      "t", {.fields = {Column(1, "id", Type::Long())}, .properties = {{"format-version", "3"}}});
  std::string rows = "[";
  for (int i = 0; i < 5000; ++i) rows += fmt::format("{}{{\"id\": {}}}", i == 0 ? "" : ",", i);
  const auto file = table.Write(rows + "]", {.row_group_rows = 1500});
  table.Append({file});
  std::vector<int64_t> deleted;
  for (int64_t i = 0; i < 5000; i += 2) deleted.push_back(i);
  deleted.push_back(4999);
  table.Delete({table.WriteDeletionVector(*file, deleted)});
  EXPECT_THAT(Ask("SELECT count(*), min(id), max(id), sum(id) FROM t"),
              ElementsAre("2499|1|4997|6245001"));
  EXPECT_THAT(Ask("SELECT count(*) FROM t WHERE id % 2 = 0 OR id = 4999"), ElementsAre("0"));
}

TEST_F(TablesTest, FilesWithoutIdsAreReadByTheNameMappingOrNotAtAll) {
  TestTable& table = Make(
      "t",
      {.fields = {Column(1, "id", Type::Long()),
                  Column(2, "st", Type::Struct({Column(3, "x", Type::Int())})),
                  Column(4, "li", Type::List(FieldId(5), Type::Int(), false)),
                  Column(6, "ma",
                         Type::Map(FieldId(7), Type::String(), FieldId(8), Type::Int(), false))}});
  const auto plain =
      arrow::schema({arrow::field("old_id", arrow::int64()),
                     arrow::field("st", arrow::struct_({arrow::field("x", arrow::int32())})),
                     arrow::field("li", arrow::list(arrow::int32())),
                     arrow::field("ma", arrow::map(arrow::utf8(), arrow::int32()))});
  table.Append({table.Write(R"([{"old_id": 1, "st": {"x": 2}, "li": [3], "ma": [["k", 4]]}])",
                            {.schema = plain})});
  EXPECT_THAT(Ask("SELECT id, st.x, li, ma FROM t"), ElementsAre("NULL|NULL|NULL|NULL"));
  const auto mapped = [&](const std::string& column, std::vector<std::string> names,
                          std::vector<iceberg::MappedField> fields = {}) {
    return iceberg::MappedField{
        .field_id = table.IdOf(column), .names = std::move(names), .fields = std::move(fields)};
  };
  const iceberg::NameMapping mapping(
      {mapped("id", {"id", "old_id"}), mapped("st", {"st"}, {mapped("st.x", {"x"})}),
       mapped("li", {"li"}, {mapped("li.element", {"element"})}),
       mapped("ma", {"ma"}, {mapped("ma.key", {"key"}), mapped("ma.value", {"value"})})});
  table.Change({.requirements = {},
                .updates = {iceberg::SetProperties(
                    {{std::string(iceberg::kNameMappingProperty), mapping.Serialize()}})}});
  EXPECT_THAT(Ask("SELECT id, st.x, li::VARCHAR, ma::VARCHAR FROM t"),
              ElementsAre("1|2|[3]|{k=4}"));
  EXPECT_THAT(Ask("SELECT count(*) FROM t WHERE id = 1"), ElementsAre("1"));
}

TEST_F(TablesTest, IdentityPartitionsFillColumnsThatFilesLeaveOut) {
  TestTable& table =
      Make("t", {.fields = {Column(1, "id", Type::Long()), Column(2, "region", Type::String())},
                 .partition = {{.source_id = FieldId(2),
                                .field_id = FieldId(1000),
                                .name = "region",
                                .transform = iceberg::Transform::Identity()}}});
  const auto narrow = *columnar::ToArrowSchema(
      **iceberg::Schema::Make(iceberg::SchemaId(0), {Column(1, "id", Type::Long())}));
  table.Append(
      {table.Write(R"([{"id": 1}])", {.schema = narrow, .partition = {Value(std::string("EU"))}}),
       table.Write(R"([{"id": 2}])", {.schema = narrow, .partition = {Value()}}),
       table.Write(R"([{"id": 3, "region": "US"}])", {.partition = {Value(std::string("US"))}})});
  EXPECT_THAT(Ask("SELECT id, region FROM t ORDER BY id"), ElementsAre("1|EU", "2|NULL", "3|US"));
  EXPECT_THAT(Ask("SELECT id FROM t WHERE region = 'EU'"), ElementsAre("1"));
  EXPECT_THAT(Ask("SELECT count(*), min(region), max(region) FROM t"), ElementsAre("3|EU|US"));
}

TEST_F(TablesTest, FilesThatCannotMatchAreNotOpened) {
  TestTable& table =
      Make("t", {.fields = {Column(1, "id", Type::Long()), Column(2, "s", Type::String()),
                            Column(3, "day", Type::Date()), Column(4, "ts", Type::Timestamp()),
                            Column(5, "flag", Type::Boolean())}});
  const auto bounds = [&](int64_t id, const std::string& s, int32_t day) {
    iceberg::FieldMap<std::string> map;
    map.Set(FieldId(1), Bytes(Type::Long(), Value(id)));
    map.Set(FieldId(2), Bytes(Type::String(), Value(s)));
    map.Set(FieldId(3), Bytes(Type::Date(), Value(day)));
    map.Set(FieldId(4), Bytes(Type::Timestamp(), Value(int64_t{day} * 86'400'000'000)));
    map.Set(FieldId(5), Bytes(Type::Boolean(), Value(id > 50)));
    return map;
  };
  const auto near =
      table.Write(R"([{"id": 1, "s": "apple", "day": 20000, "ts": "2024-10-04", "flag": false}])",
                  {.lower = bounds(1, "apple", 20000), .upper = bounds(1, "apple", 20000)});
  const auto far =
      table.Write(R"([{"id": 100, "s": "pear", "day": 20100, "ts": "2025-01-12", "flag": true}])",
                  {.lower = bounds(100, "pear", 20100), .upper = bounds(100, "pear", 20100)});
  table.Append({near, far});
  Lose(*far);
  for (const char* filter : {"id < 50",
                             "id <= 1",
                             "id = 1",
                             "id IN (1, 2)",
                             "id BETWEEN 0 AND 50",
                             "NOT (id > 50)",
                             "id + 0 = 1 AND id < 50",
                             "50 > id",
                             "s LIKE 'app%'",
                             "starts_with(s, 'a')",
                             "s < 'b'",
                             "s IN ('apple')",
                             "day = DATE '2024-10-04'",
                             "day < TIMESTAMP '2024-10-04 12:00:00'",
                             "ts::DATE = DATE '2024-10-04'",
                             "ts < TIMESTAMP '2025-01-01'",
                             "ts BETWEEN '2024-01-01' AND '2024-12-31'",
                             "id < 50 OR s = 'apple'",
                             "id < 49.5 + 0.5",
                             "id = 1::SMALLINT",
                             "id < 50.0",
                             "NOT flag",
                             "flag = false"}) {
    EXPECT_THAT(Ask(std::string("SELECT count(*) FROM t WHERE ") + filter), ElementsAre("1"))
        << filter;
  }
  EXPECT_THAT(Fail("SELECT count(*) FROM t WHERE id + 0 < 200"),
              AllOf(StartsWith("not_found: "), HasSubstr(far->path)));
  EXPECT_THAT(Fail("SELECT count(*) FROM t WHERE id > 0"), StartsWith("not_found: "));
}

TEST_F(TablesTest, PruningKeepsRowsOfNotANumber) {
  TestTable& table = Make("t", {.fields = {Column(1, "x", Type::Double())}});
  iceberg::FieldMap<std::string> bound;
  bound.Set(FieldId(1), Bytes(Type::Double(), Value(1.0)));
  auto file = std::make_shared<iceberg::DataFile>(
      *table.Write(R"([{"x": 1.0}, {"x": NaN}])", {.lower = bound, .upper = bound}));
  file->metrics.nan_value_counts.Set(FieldId(1), 1);
  file->metrics.value_counts.Set(FieldId(1), 2);
  table.Append({file});
  EXPECT_THAT(Ask("SELECT count(*) FROM t WHERE x > 5"), ElementsAre("1"));
  EXPECT_THAT(Ask("SELECT count(*) FROM t WHERE x >= 5 AND x <> 7"), ElementsAre("1"));
  EXPECT_THAT(Ask("SELECT count(*) FROM t WHERE NOT (x < 5)"), ElementsAre("1"));
  EXPECT_THAT(Ask("SELECT count(*) FROM t WHERE x = 'nan'::DOUBLE"), ElementsAre("1"));
  EXPECT_THAT(Ask("SELECT count(*) FROM t WHERE x < 5"), ElementsAre("1"));
}

TEST_F(TablesTest, BranchesSnapshotsAndTimesAreReadAsTheyWere) {
  TestTable& table = Simple();
  table.Append({table.Write(R"([{"id": 1, "s": "a"}])")});
  table.Append({table.Write(R"([{"id": 2, "s": "b"}])")});
  table.Append({table.Write(R"([{"id": 3, "s": "c"}])")}, "audit_1");
  EXPECT_THAT(Ask("SELECT id FROM lake.t ORDER BY id"), ElementsAre("1", "2"));
  EXPECT_THAT(Ask("SELECT id FROM lake.t@audit_1 ORDER BY id"), ElementsAre("1", "2", "3"));
  EXPECT_THAT(Ask("SELECT id FROM t@1000"), ElementsAre("1"));
  EXPECT_THAT(Ask("SELECT id FROM t AT (VERSION => 1000)"), ElementsAre("1"));
  EXPECT_THAT(Ask("SELECT id FROM t AT (TIMESTAMP => to_timestamp(1700000001))"), ElementsAre("1"));
  EXPECT_THAT(Ask("SELECT id FROM t AT (TIMESTAMP => '2020-01-01')"), ElementsAre());
  EXPECT_THAT(Ask("SELECT b.id FROM t@audit_1 b LEFT JOIN t m ON b.id = m.id WHERE m.id IS NULL"),
              ElementsAre("3"));
  EXPECT_THAT(Ask("SELECT count(*) FROM iceberg('t')"), ElementsAre("2"));
  EXPECT_THAT(Fail("SELECT id FROM t@nowhere"), HasSubstr("t@nowhere"));
}

TEST_F(TablesTest, OldTimestampsAreReadExactly) {
  TestTable& table = Make(
      "t", {.fields = {Column(1, "ts", Type::Timestamp()), Column(2, "tz", Type::TimestampTz())}});
  table.Append(
      {table.Write(R"([{"ts": "1883-11-18 12:03:57.000001", "tz": "2026-11-21 08:15:00.654321"}])",
                   {.int96 = true})});
  EXPECT_THAT(Ask("SELECT * FROM t"),
              ElementsAre("1883-11-18 12:03:57.000001|2026-11-21 08:15:00.654321Z"));
  EXPECT_THAT(Ask("SELECT count(*) FROM t WHERE tz = TIMESTAMPTZ '2026-11-21 08:15:00.654321+00'"),
              ElementsAre("1"));
}

TEST_F(TablesTest, WhatDuckDbReadsInexactlyComesThroughOurReader) {
  TestTable& table = Make(
      "t",
      {.fields = {Column(1, "tzns", Type::Of(TypeKind::kTimestampTzNs)),
                  Column(2, "u", Type::UuidType()), Column(3, "id", Type::Long()),
                  Column(4, "ma",
                         Type::Map(FieldId(5), Type::String(), FieldId(6), Type::Int(), false))},
       .properties = {{"format-version", "3"}}});
  const auto file = table.Write(
      R"([{"tzns": "2026-11-21 08:15:00.123456789", "u": "0123456789abcdef", "id": 1, "ma": [["k", 1]]},
                                   {"tzns": null, "u": null, "id": 2, "ma": null},
                                   {"tzns": "2026-11-21 08:15:00.123456788", "u": null, "id": 3, "ma": []}])");
  table.Append({file});
  EXPECT_THAT(Ask("SELECT tzns, u, id, ma::VARCHAR FROM t ORDER BY id"),
              ElementsAre("2026-11-21 08:15:00.123456789|30313233343536373839616263646566|1|{k=1}",
                          "NULL|NULL|2|NULL", "2026-11-21 08:15:00.123456788|NULL|3|{}"));
  EXPECT_THAT(Ask("SELECT id FROM t WHERE tzns > TIMESTAMP_NS '2026-11-21 08:15:00.123456788'"),
              ElementsAre("1"));
  EXPECT_THAT(Ask("SELECT count(*), count(u), max(id) FROM t WHERE id <> 2"), ElementsAre("2|1|3"));
  table.Delete({table.WriteDeletionVector(*file, {0})});
  EXPECT_THAT(Ask("SELECT count(*) FROM t"), ElementsAre("2"));
  EXPECT_THAT(Ask("SELECT id, _pos FROM t ORDER BY id"), ElementsAre("2|1", "3|2"));
}

TEST_F(TablesTest, NanosecondsUnderAMicrosecondColumnAreNotGuessed) {
  TestTable& table = Make("t", {.fields = {Column(1, "ts", Type::Timestamp())}});
  const auto nano = arrow::schema(
      {arrow::field("ts", arrow::timestamp(arrow::TimeUnit::NANO), true,
                    arrow::key_value_metadata({{std::string(columnar::kFieldIdKey), "1"}}))});
  table.Append({table.Write(R"([{"ts": "2026-11-21 08:15:00.123456000"}])", {.schema = nano})});
  EXPECT_THAT(Ask("SELECT ts FROM t"), ElementsAre("2026-11-21 08:15:00.123456"));
}

TEST_F(TablesTest, FileAndPositionCanBeAskedFor) {
  TestTable& table = Simple();
  const auto file = table.Write(R"([{"id": 1}, {"id": 2}, {"id": 3}])", {.row_group_rows = 2});
  table.Append({file});
  table.Delete({table.WritePositionDeletes({{file->path, 1}})});
  EXPECT_THAT(Ask("SELECT _file, _pos, id FROM t ORDER BY id"),
              ElementsAre(file->path + "|0|1", file->path + "|2|3"));
  EXPECT_THAT(Ask("SELECT * FROM t WHERE _pos = 2"), ElementsAre("3|NULL"));
}

TEST_F(TablesTest, ABrokenFileIsNamedAsItIsCalled) {
  TestTable& table = Simple();
  const auto file = table.Write(R"([{"id": 1}])");
  table.Append({file});
  Lose(*file);
  ASSERT_TRUE(files_
                  .WriteFile(*context_, file->path,
                             std::string(static_cast<size_t>(file->file_size_in_bytes), 'x'))
                  .ok());
  EXPECT_THAT(Fail("SELECT * FROM t"), AllOf(HasSubstr(file->path), Not(HasSubstr("calve-data"))));
}

TEST_F(TablesTest, AFileThatIsGoneWhenSomeRowsWereFetchedIsNamedToo) {
  Open({.threads = 1});
  TestTable& table = Make("t", {.fields = {Column(1, "id", Type::Long())}});
  // More rows than DuckDB computes ahead.
  arrow::Int64Builder ids;
  for (int64_t id = 0; id < 500'000; ++id) ASSERT_TRUE(ids.Append(id).ok());
  const std::shared_ptr<arrow::Array> column = ids.Finish().ValueOrDie();
  const auto schema = columnar::ToArrowSchema(*table.metadata().schema());
  ASSERT_TRUE(schema.ok());
  const auto whole =
      table.WriteBatch(arrow::RecordBatch::Make(*schema, column->length(), {column}), {});
  const auto gone = table.Write(R"([{"id": -1}])");
  table.Append({whole, gone});
  Lose(*gone);
  EXPECT_THAT(Fail("SELECT id FROM t"), HasSubstr(gone->path));
}

TEST_F(TablesTest, NamesThatDifferOnlyInCaseAreToldApart) {
  TestTable& table =
      Make("t", {.fields = {Column(1, "id", Type::Long()), Column(2, "ID", Type::String())}});
  table.Append({table.Write(R"([{"id": 1, "ID": "x"}])")});
  EXPECT_THAT(Ask("SELECT id, id_1 FROM t"), ElementsAre("1|x"));
  EXPECT_EQ(SchemaOf("SELECT * FROM t", {.resolver = &resolver_})->ToString(),
            "id: int64\nID_1: string");
}

TEST_F(TablesTest, AColumnThatSqlCannotReadIsRefusedByName) {
  Make("t", {.fields = {Column(1, "id", Type::Long()), Column(2, "shape", Type::Geometry(""))},
             .properties = {{"format-version", "3"}}});
  EXPECT_THAT(Fail("SELECT id FROM t"),
              AllOf(StartsWith("refused: "), HasSubstr("shape"), HasSubstr("geometry")));
}

TEST_F(TablesTest, ManyFilesAreReadByManyThreadsEachOnce) {
  Open({.threads = 4});
  TestTable& table = Simple();
  std::vector<iceberg::DataFilePtr> data;
  std::vector<std::pair<std::string, int64_t>> deletes;
  for (int i = 0; i < 40; ++i) {
    data.push_back(table.Write(fmt::format(
        R"([{{"id": {0}, "s": "a"}}, {{"id": {0}, "s": "b"}}, {{"id": {0}, "s": "c"}}])", i)));
    deletes.emplace_back(data.back()->path, i % 3);
  }
  table.Append(data);
  table.Delete({table.WritePositionDeletes(deletes)});
  for (int round = 0; round < 5; ++round) {
    EXPECT_THAT(Ask("SELECT count(*), sum(id), count(DISTINCT id) FROM t"),
                ElementsAre("80|1560|40"));
  }
  EXPECT_THAT(Ask("SELECT count(*) FROM (SELECT id FROM t GROUP BY id HAVING count(*) = 2)"),
              ElementsAre("40"));
}

}  // namespace
}  // namespace calve::engine

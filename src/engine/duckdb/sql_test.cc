#include <arrow/api.h>
#include <arrow/extension/uuid.h>
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <stop_token>
#include <thread>

#include "engine/duckdb/testing.h"

namespace calve::engine {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class SqlTest : public EngineTest {};

TEST_F(SqlTest, ResultsHaveTheirExactArrowTypes) {
  const auto schema = SchemaOf(
      "SELECT true b, 1::TINYINT i8, 1::SMALLINT i16, 1 i32, 1::BIGINT i64, 1::UBIGINT u64, "
      "1.5::FLOAT f, 1.5::DOUBLE d, "
      "1.50::DECIMAL(9,2) de, sum(1) hugeint, DATE '2026-01-01' da, TIME '01:02:03' ti, TIMESTAMP "
      "'2026-01-01' ts, "
      "TIMESTAMPTZ '2026-01-01 00:00:00+00' tz, TIMESTAMP_NS '2026-01-01' ns, 'x' s, 'x'::BLOB "
      "bin, "
      "'00000000-0000-0000-0000-000000000001'::UUID u, [1] l, {a: 1, u: "
      "'00000000-0000-0000-0000-000000000001'::UUID} st, "
      "MAP {'k': 1} m, INTERVAL 1 DAY iv, 'a'::ENUM('a') e, [1, 2]::INTEGER[2] ar");
  ASSERT_NE(schema, nullptr);
  std::vector<std::string> types;
  for (const auto& field : schema->fields()) types.push_back(field->type()->ToString());
  EXPECT_THAT(types,
              ElementsAre("bool", "int8", "int16", "int32", "int64", "uint64", "float", "double",
                          "decimal128(9, 2)", "decimal128(38, 0)", "date32[day]", "time64[us]",
                          "timestamp[us]", "timestamp[us, tz=UTC]", "timestamp[ns]", "string",
                          "binary", "extension<arrow.uuid>", "list<element: int32>",
                          "struct<a: int32, u: extension<arrow.uuid>>", "map<string, int32>",
                          "month_day_nano_interval", "string", "list<element: int32>"));
}

TEST_F(SqlTest, ValuesComeOutAsTheyAre) {
  EXPECT_THAT(Rows("SELECT sum(i::BIGINT) FROM range(5) t(i)"), ElementsAre("10"));
  EXPECT_THAT(Rows("SELECT '12345678901234567890.123456789'::DECIMAL(38, 9)"),
              ElementsAre("12345678901234567890.123456789"));
  EXPECT_THAT(Rows("SELECT TIMESTAMPTZ '2026-11-21 08:15:00+02'"),
              ElementsAre("2026-11-21 06:15:00.000000Z"));
  EXPECT_THAT(
      Rows("SELECT u FROM (VALUES ('12345678-9abc-def0-1234-56789abcdef0'::UUID), (NULL)) t(u)"),
      ElementsAre("123456789ABCDEF0123456789ABCDEF0", "NULL"));
  EXPECT_THAT(Rows("SELECT NULL::INTEGER, 'é', [1, NULL], {a: NULL::INTEGER}"),
              ElementsAre("NULL|é|list<element: int32>[1, null]|{a:int32 = null}"));
}

/// Two batches, whose second column is there only when it is looked at.
class TwoBatches : public ResultStream {
 public:
  explicit TwoBatches(ArrowTable table) : table_(std::move(table)) {}
  const std::shared_ptr<arrow::Schema>& schema() const override { return table_.schema; }
  Result<columnar::Batch> Next(const Context&) override {
    if (next_ < 2) return table_.batches[next_++];
    if (fails) return DataError("the other system is gone");
    return columnar::Batch();
  }
  bool fails = false;

 private:
  const ArrowTable table_;
  size_t next_ = 0;
};

TEST_F(SqlTest, StreamsAreReadAnewByEachScan) {
  const auto schema =
      arrow::schema({arrow::field("a", arrow::int64()), arrow::field("b", arrow::utf8())});
  ArrowTable rows = TableOf(schema, R"([{"a": 1, "b": "x"}, {"a": 2, "b": "y"}])");
  rows.batches.push_back(TableOf(schema, R"([{"a": 3, "b": null}])").batches[0]);
  std::vector<std::vector<int>> looked_at;
  bool fails = false;
  ArrowTable table{.schema = schema};
  table.stream = [&](const Context&, const std::vector<int>& columns) {
    looked_at.push_back(columns);
    auto stream = std::make_unique<TwoBatches>(rows);
    stream->fails = fails;
    return Result<std::unique_ptr<ResultStream>>(std::move(stream));
  };
  const QueryOptions options{.tables = {{"t", table}}};
  EXPECT_THAT(Rows("SELECT sum(a) FROM t", options), ElementsAre("6"));
  EXPECT_THAT(looked_at, ElementsAre(ElementsAre(0)));
  EXPECT_THAT(Rows("SELECT count(*) FROM t", options), ElementsAre("3"));
  EXPECT_THAT(Rows("SELECT l.a, r.b FROM t l JOIN t r USING (a) WHERE r.b = 'y'", options),
              ElementsAre("2|y"));
  EXPECT_EQ(looked_at.size(), 4U);
  fails = true;
  EXPECT_THAT(ErrorOf("SELECT max(a) FROM t", options), HasSubstr("the other system is gone"));
}

TEST_F(SqlTest, AWholeNumberTooLargeForADecimalIsAnError) {
  EXPECT_THAT(ErrorOf("SELECT 170141183460469231731687303715884105727::HUGEINT"),
              StartsWith("data: "));
}

TEST_F(SqlTest, AnEmptyResultStillHasItsColumns) {
  EXPECT_THAT(Rows("SELECT 1 AS x WHERE false"), ElementsAre());
  EXPECT_EQ(SchemaOf("SELECT 1 AS x WHERE false")->ToString(), "x: int32");
}

TEST_F(SqlTest, ManyRowsStreamInOrder) {
  Open();
  auto stream =
      engine_->Query(*context_, "SELECT i, 'value ' || i AS s FROM range(300000) t(i)", {});
  ASSERT_TRUE(stream.ok());
  int64_t next = 0;
  int batches = 0;
  while (true) {
    auto batch = (*stream)->Next(*context_);
    ASSERT_TRUE(batch.ok()) << batch.error().message;
    if (*batch == nullptr) break;
    ++batches;
    const auto& numbers = static_cast<const arrow::Int64Array&>(*(*batch)->column(0));
    for (int64_t i = 0; i < numbers.length(); ++i) ASSERT_EQ(numbers.Value(i), next++);
  }
  EXPECT_EQ(next, 300000);
  EXPECT_GT(batches, 3);
  EXPECT_EQ(*(*stream)->Next(*context_), nullptr) << "the end stays the end";
}

TEST_F(SqlTest, BatchesAreReadByTheNameTheyAreGiven) {
  const auto schema =
      arrow::schema({arrow::field("a", arrow::int64()), arrow::field("s", arrow::utf8())});
  const auto table =
      TableOf(schema, R"([{"a": 1, "s": "x"}, {"a": null, "s": "y"}, {"a": 3, "s": null}])");
  const QueryOptions options{.tables = {{"This", table}}};
  EXPECT_THAT(Rows("SELECT * FROM this", options), ElementsAre("1|x", "NULL|y", "3|NULL"));
  EXPECT_THAT(
      Rows("SELECT count(*), count(a), sum(a) FROM THIS WHERE s <> 'z' OR s IS NULL", options),
      ElementsAre("3|2|4"));
  EXPECT_THAT(Rows("SELECT s FROM this ORDER BY s DESC NULLS LAST LIMIT 1", options),
              ElementsAre("y"));
  EXPECT_THAT(Rows("SELECT count(*) FROM this a JOIN this b USING (a)", options), ElementsAre("2"));
}

TEST_F(SqlTest, BatchesKeepNanosecondsDecimalsAndUuids) {
  const auto schema = arrow::schema(
      {arrow::field("ns", arrow::timestamp(arrow::TimeUnit::NANO, "UTC")),
       arrow::field("d", arrow::decimal128(38, 2)), arrow::field("u", arrow::extension::uuid()),
       arrow::field("dict", arrow::dictionary(arrow::int32(), arrow::utf8()))});
  arrow::TimestampBuilder ns(schema->field(0)->type(), arrow::default_memory_pool());
  ASSERT_TRUE(ns.Append(1'700'000'000'123'456'789).ok());
  arrow::Decimal128Builder d(schema->field(1)->type());
  ASSERT_TRUE(
      d.Append(
           arrow::Decimal128::FromString("999999999999999999999999999999999999.99").ValueOrDie())
          .ok());
  arrow::FixedSizeBinaryBuilder u(arrow::fixed_size_binary(16));
  ASSERT_TRUE(u.Append("0123456789abcdef").ok());
  arrow::StringDictionary32Builder dict;
  ASSERT_TRUE(dict.Append("x").ok());
  const auto uuids =
      arrow::ExtensionType::WrapArray(schema->field(2)->type(), u.Finish().ValueOrDie());
  const ArrowTable table{
      schema,
      {arrow::RecordBatch::Make(
          schema, 1,
          {ns.Finish().ValueOrDie(), d.Finish().ValueOrDie(), uuids, dict.Finish().ValueOrDie()})}};
  EXPECT_THAT(Rows("SELECT * FROM t", {.tables = {{"t", table}}}),
              ElementsAre("2023-11-14 "
                          "22:13:20.123456789|999999999999999999999999999999999999.99|"
                          "30313233343536373839616263646566|x"));
}

TEST_F(SqlTest, SlicedBatchesAreReadFromTheirStart) {
  const auto schema = arrow::schema(
      {arrow::field("a", arrow::int64()), arrow::field("l", arrow::list(arrow::int64()))});
  auto table = TableOf(
      schema,
      R"([{"a": 1, "l": [1]}, {"a": 2, "l": null}, {"a": 3, "l": [3, 4]}, {"a": 4, "l": []}])");
  table.batches = {table.batches[0]->Slice(2), table.batches[0]->Slice(0, 2),
                   table.batches[0]->Slice(0, 0)};
  EXPECT_THAT(Rows("SELECT a, len(l) FROM t ORDER BY a", {.tables = {{"t", table}}}),
              ElementsAre("1|1", "2|NULL", "3|2", "4|0"));
}

TEST_F(SqlTest, ErrorsSayTheKindThePlaceAndTheNearestName) {
  const auto table = TableOf(
      arrow::schema({arrow::field("price", arrow::int64()), arrow::field("s", arrow::utf8())}),
      R"([{"price": 1, "s": "abc"}])");
  const QueryOptions options{.tables = {{"this", table}}};
  EXPECT_THAT(ErrorOf("SELECT pric FROM this", options),
              AllOf(StartsWith("config: SQL line 1, column 8: "), HasSubstr("price")));
  EXPECT_THAT(ErrorOf("SELECT\n  FRM this", options), StartsWith("config: SQL line 2"));
  EXPECT_THAT(ErrorOf("SELECT no_such_function(1)"), StartsWith("config: SQL line 1, column 8: "));
  EXPECT_THAT(ErrorOf("SELECT s::INTEGER FROM this", options),
              AllOf(StartsWith("data: "), HasSubstr("abc")));
  EXPECT_THAT(ErrorOf("SELECT 1; SELECT 2"), HasSubstr("expected one SQL statement, found 2"));
  EXPECT_THAT(ErrorOf(""), HasSubstr("expected one SQL statement, found 0"));
  EXPECT_THAT(ErrorOf("SELECT 'unfinished"), StartsWith("config: "));
  EXPECT_THAT(ErrorOf("SELECT pric FROM this", options), Not(HasSubstr("\n")));
}

TEST_F(SqlTest, AnErrorDoesNotHurtTheNextQuery) {
  EXPECT_THAT(ErrorOf("SELECT 'x'::INTEGER"), StartsWith("data: "));
  EXPECT_THAT(Rows("SELECT 1"), ElementsAre("1"));
}

TEST_F(SqlTest, AStreamEndsWhenAskedToStop) {
  Open();
  auto stream = engine_->Query(*context_, "SELECT i FROM range(100000000000) t(i)", {});
  ASSERT_TRUE(stream.ok());
  ASSERT_TRUE((*stream)->Next(*context_).ok());
  std::stop_source stop;
  stop.request_stop();
  const auto batch = (*stream)->Next(context_->WithStop(stop.get_token()));
  ASSERT_FALSE(batch.ok());
  EXPECT_EQ(batch.error().kind, ErrorKind::kStopped);
}

TEST_F(SqlTest, ALongComputationEndsWhenAskedToStop) {
  Open();
  std::stop_source stop;
  const Context context = context_->WithStop(stop.get_token());
  auto stream = engine_->Query(
      context, "SELECT sum(a.i * b.i) FROM range(1000000) a(i), range(1000000) b(i)", {});
  ASSERT_TRUE(stream.ok());
  std::jthread stopper([&] { stop.request_stop(); });
  const auto batch = (*stream)->Next(context);
  ASSERT_FALSE(batch.ok());
  EXPECT_EQ(batch.error().kind, ErrorKind::kStopped);
}

TEST_F(SqlTest, AStreamMayBeLeftInTheMiddle) {
  Open();
  for (int i = 0; i < 20; ++i) {
    auto stream = engine_->Query(*context_, "SELECT i FROM range(100000000) t(i)", {});
    ASSERT_TRUE(stream.ok());
    ASSERT_TRUE((*stream)->Next(*context_).ok());
  }
  EXPECT_THAT(Rows("SELECT 1"), ElementsAre("1"));
}

TEST_F(SqlTest, WhatDoesNotFitInMemoryIsRefused) {
  Open({.memory_limit = ByteCount(64 << 20), .threads = 2});
  EXPECT_THAT(ErrorOf("SELECT list(i ORDER BY hash(i)) FROM range(50000000) t(i)"),
              AllOf(StartsWith("refused: "),
                    EndsWith("; raise resources.memory_limit, or lower resources.parallelism"),
                    Not(HasSubstr("SET threads"))));
  EXPECT_THAT(Rows("SELECT 1"), ElementsAre("1"));
}

TEST_F(SqlTest, AQueryHasTheMemoryThatItNeedsAtLeast) {
  Open({.memory_limit = ByteCount(1), .threads = 2});
  EXPECT_THAT(Rows("SELECT count(DISTINCT i) FROM range(10000) t(i)"), ElementsAre("10000"));
}

TEST_F(SqlTest, QueriesRunSideBySide) {
  Open();
  std::vector<std::jthread> threads;
  std::vector<std::vector<std::string>> results(4);
  for (size_t i = 0; i < results.size(); ++i) {
    threads.emplace_back([&, i] {
      const auto table = TableOf(arrow::schema({arrow::field("a", arrow::int64())}),
                                 fmt::format(R"([{{"a": {}}}])", i));
      for (int round = 0; round < 20; ++round)
        results[i] = Rows("SELECT a FROM t", {.tables = {{"t", table}}});
    });
  }
  threads.clear();
  for (size_t i = 0; i < results.size(); ++i)
    EXPECT_THAT(results[i], ElementsAre(std::to_string(i)));
}

class LockedTest : public EngineTest {
 protected:
  void SetUp() override { Open({.locked = true}); }
};

TEST_F(LockedTest, OnlyReadingStatementsAreLetIn) {
  for (const char* sql : {"CREATE TABLE t (a INTEGER)",
                          "COPY (SELECT 1) TO 'out.csv'",
                          "COPY (SELECT 1) TO 'calve-data://x/1.parquet'",
                          "ATTACH 'x.db'",
                          "SET memory_limit = '100GB'",
                          "RESET memory_limit",
                          "PRAGMA disable_optimizer",
                          "INSTALL httpfs",
                          "LOAD httpfs",
                          "USE memory",
                          "INSERT INTO t VALUES (1)",
                          "CALL pragma_version()",
                          "EXPORT DATABASE 'x'",
                          "CHECKPOINT",
                          "CREATE SECRET s (TYPE s3)",
                          "PREPARE p AS SELECT 1",
                          "BEGIN",
                          "VACUUM",
                          "SET VARIABLE x = 1",
                          "DETACH memory",
                          "CREATE MACRO f(x) AS x"}) {
    EXPECT_THAT(ErrorOf(sql), AllOf(StartsWith("config: "), HasSubstr("only SELECT"))) << sql;
  }
}

TEST_F(LockedTest, NoFileAndNoNetworkIsReached) {
  for (const char* sql : {"SELECT * FROM read_csv('/etc/passwd')",
                          "SELECT * FROM read_text('/etc/passwd')",
                          "SELECT * FROM read_blob('/etc/*')",
                          "SELECT * FROM glob('/*')",
                          "SELECT * FROM '/etc/passwd.csv'",
                          "SELECT * FROM 'data.parquet'",
                          "SELECT * FROM '/etc/x.json'",
                          "SELECT * FROM read_parquet('calve-data://x/0-0')",
                          "SELECT * FROM parquet_scan('calve-data://x/0-0')",
                          "SELECT * FROM parquet_metadata('x.parquet')",
                          "SELECT * FROM read_json('http://localhost/x')",
                          "SELECT * FROM sniff_csv('/etc/passwd')",
                          "SELECT * FROM query('SELECT * FROM read_text(''/etc/passwd'')')",
                          "SELECT * FROM query_table('/etc/passwd.csv')",
                          "SELECT * FROM read_duckdb('x.db')",
                          "SELECT getenv('HOME')",
                          "SELECT * FROM duckdb_secrets()",
                          "SELECT * FROM duckdb_settings()",
                          "SELECT * FROM arrow_scan(1, 2, 3)",
                          "SELECT * FROM arrow_scan_dumb(1, 2, 3)",
                          "SELECT * FROM enable_logging()",
                          "SELECT * FROM duckdb_temporary_files()",
                          "SELECT * FROM calve_table('0')",
                          "SELECT * FROM calve_batches(0)",
                          "SELECT * FROM seq_scan('x')",
                          "SELECT * FROM force_checkpoint()"}) {
    const auto rows = TryRows(sql, {});
    EXPECT_FALSE(rows.ok()) << sql;
  }
}

TEST_F(LockedTest, HarmlessFunctionsWork) {
  EXPECT_THAT(Rows("SELECT sum(i) FROM range(4) t(i)"), ElementsAre("6"));
  EXPECT_THAT(Rows("SELECT unnest([1, 2])"), ElementsAre("1", "2"));
  EXPECT_THAT(Rows("SELECT key FROM json_each('{\"a\": 1}')"), ElementsAre("a"));
  EXPECT_THAT(Rows("EXPLAIN SELECT 1").size(), 1U);
  EXPECT_THAT(Rows("DESCRIBE SELECT 1 AS x").size(), 1U);
  EXPECT_THAT(Rows("VALUES (1), (2)"), ElementsAre("1", "2"));
}

TEST_F(LockedTest, AnUnlockedEngineMayDoMore) {
  Open({.locked = false});
  EXPECT_THAT(Rows("SELECT count(*) > 0 FROM duckdb_settings()"), ElementsAre("true"));
}

}  // namespace
}  // namespace calve::engine

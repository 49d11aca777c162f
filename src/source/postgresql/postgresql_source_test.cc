#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <thread>

#include "base/text.h"
#include "columnar/row_text.h"
#include "io/postgres.h"
#include "source/fixture_for_test.h"
#include "source/postgresql/numeric.h"
#include "source/source_for_test.h"

namespace calve::source {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string ServerUri() {
  const char* uri = std::getenv("CALVE_TEST_POSTGRES");
  return uri == nullptr ? "" : uri;
}

/// Run statements on the server that the test run started.
void RunSql(const std::vector<std::string>& statements) {
  const OwnedContext context(7);
  auto database = io::PostgresDatabase::Open(*context, ServerUri());
  ASSERT_TRUE(database.ok()) << database.error().message;
  for (const std::string& sql : statements) {
    const auto done = database->Change(*context, sql);
    ASSERT_TRUE(done.ok()) << done.error().message;
  }
}

std::string CreateSql(const std::string& folder) {
  return "CREATE TABLE IF NOT EXISTS " + TableOfFolder(folder) +
         " (id bigint PRIMARY KEY, price numeric(18, 2), day date, at timestamptz, name text)";
}

void WriteRows(const std::string& folder, int64_t first, int64_t rows) {
  std::vector<std::string> statements = {CreateSql(folder)};
  for (int64_t begin = first; begin < first + rows; begin += 5000) {
    std::string values;
    for (int64_t n = begin; n < std::min(first + rows, begin + 5000); ++n) {
      const ContractRow row = ContractRowAt(n);
      values += std::string(values.empty() ? "(" : ", (") + std::to_string(row.id) + ", " +
                row.PriceText() + ", '" + row.DayText() + "', '" + row.AtText() + "', " +
                (row.name.has_value() ? "'" + *row.name + "'" : "NULL") + ")";
    }
    statements.push_back("INSERT INTO " + TableOfFolder(folder) + " VALUES " + values);
  }
  RunSql(statements);
}

BrokenInput Broken(std::string name, std::string columns, std::string values,
                   std::vector<std::string> says) {
  const auto write = [columns, values](const std::string& folder) {
    RunSql({"CREATE TABLE " + TableOfFolder(folder) + " (" + columns + ")",
            "INSERT INTO " + TableOfFolder(folder) + " VALUES " + values});
  };
  return {.name = std::move(name), .write = write, .says = std::move(says)};
}

}  // namespace

SOURCE_FIXTURE(postgresql) {
  return {.options =
              [](const std::string& folder, int64_t rows) {
                if (rows == 0) RunSql({CreateSql(folder)});
                return "cursor_column: id\ntable: " + TableOfFolder(folder) +
                       "\nurl: " + ServerUri();
              },
          .write = WriteRows,
          .broken = {Broken("an infinite date", "id int PRIMARY KEY, day date",
                            "(1, '2026-01-01'), (2, 'infinity')",
                            {"public.t", "where id = 2", "column day", "'infinity' is no date",
                             "infinity: as_null"}),
                     Broken("an infinite timestamp", "id int, at timestamptz", "(1, '-infinity')",
                            {"row 1", "column at", "'-infinity' is no timestamp"}),
                     Broken("not a number", "id int, price numeric(5, 2)", "(1, 'NaN')",
                            {"row 1", "column price", "'NaN' is no decimal(5, 2)"}),
                     Broken("a matrix", "id int, grid int[]", "(1, '{1,2}'), (2, '{{1,2},{3,4}}')",
                            {"row 2", "column grid", "2 dimensions"})},
          .server = "CALVE_TEST_POSTGRES"};
}

namespace {

class PostgresqlSourceTest : public SourceTest {
 protected:
  void SetUp() override {
    SourceTest::SetUp();
    if (ServerUri().empty()) GTEST_SKIP() << "needs tests/services/with postgres.sh --";
    table_ = TableOfFolder(folder_.path());
  }
  Result<std::unique_ptr<Source>> Make(const std::string& options) {
    CALVE_ASSIGN_OR_RETURN(const config::Node node,
                           config::ParseYaml(options + "\nurl: " + ServerUri(), "job.yaml"));
    return registry_.Find("postgresql")->make(node, {.files = &files_});
  }
  Result<Rows> Postgres(const std::string& options) {
    CALVE_ASSIGN_OR_RETURN(const auto source, Make(options));
    return ReadAll(*source);
  }
  /// Read on from where the last call of this ended.
  Result<Rows> ReadOn(const std::string& options) {
    CALVE_ASSIGN_OR_RETURN(const auto source, Make(options + "\nincremental: true"));
    PlanOptions plan{.since = position_};
    CALVE_ASSIGN_OR_RETURN(const ReadPlan planned, source->Plan(*context_, plan));
    CALVE_ASSIGN_OR_RETURN(Rows rows, ReadAll(*source, plan));
    position_ = planned.position;
    return rows;
  }
  std::string table_;
  std::optional<Position> position_;
};

std::string Printed(const arrow::Array& column, int64_t row) {
  return column.IsNull(row) || column.type_id() != arrow::Type::LIST
             ? columnar::CellText(column, row)
             : columnar::CellJson(column, row);
}

TEST_F(PostgresqlSourceTest, EveryTypeComesAsTheServerPrintsIt) {
  struct Column {
    std::string type;
    std::string values;   ///< Of n in 1 to 400.
    std::string printed;  ///< As calve prints values of the type it becomes.
    std::string becomes;
  };
  const std::string micros = "'YYYY-MM-DD\"T\"HH24:MI:SS.US'";
  const std::vector<Column> columns = {
      {"boolean", "n % 2 = 0", "$::text", "boolean"},
      {"smallint", "(n * 163 % 65536 - 32768)", "$::text", "int"},
      {"integer", "(n::bigint * 10737418 - 2147483648)", "$::text", "int"},
      {"bigint", "(n - 200) * 46116860184273879", "$::text", "long"},
      {"oid", "(n::bigint * 10737418)", "$::text", "long"},
      {"numeric(5, 2)", "(n - 200) / 7.0", "$::text", "decimal(5, 2)"},
      {"numeric(18, 6)", "(n - 200) * 1234567.123457", "$::text", "decimal(18, 6)"},
      {"numeric(38, 0)", "(n - 200) * 12345678901234567890123456789012345", "$::text",
       "decimal(38, 0)"},
      {"numeric(38, 38)", "n / 1000000000000000000.0 / 99999999999999999999", "$::text",
       "decimal(38, 38)"},
      {"numeric(5, -2)", "(n - 200) * 1234", "$::text", "decimal(7, 0)"},
      {"numeric(3, 5)", "n * 0.00001", "$::text", "decimal(5, 5)"},
      {"numeric", "n / 3.0", "$::text", "string"},
      {"money", "(n - 200) * 1234.56", "$::numeric::text", "decimal(19, 2)"},
      {"date", "DATE '0001-01-01' + n * 9000", "$::text", "date"},
      {"time", "TIME '00:00' + n * interval '215.123456 s'",
       "rtrim(rtrim(to_char($, 'HH24:MI:SS.US'), '0'), '.')", "time"},
      {"timestamp", "TIMESTAMP '1700-01-01' + n * interval '300.123 d'",
       "rtrim(rtrim(to_char($, " + micros + "), '0'), '.')", "timestamp"},
      {"timestamptz", "TIMESTAMPTZ '1900-01-01 00:00+00' + n * interval '99.000001 d'",
       "rtrim(rtrim(to_char($ AT TIME ZONE 'UTC', " + micros + "), '0'), '.') || '+00:00'",
       "timestamptz"},
      {"uuid", "md5(n::text)::uuid", "$::text", "uuid"},
      {"bytea", "decode(md5(n::text), 'hex')", "encode($, 'base64')", "binary"},
      {"text", "repeat(chr(n + 160), n % 9) || '\\\" '''", "$", "string"},
      {"varchar(20)", "substr(md5(n::text), 1, n % 20)", "$", "string"},
      {"char(4)", "n::text", "$::bpchar::text || repeat(' ', 4 - length($::text))", "string"},
      {"json", "json_build_object('n', n)", "$::text", "string"},
      {"jsonb", "jsonb_build_object('n', n, 'a', '[1, 2]'::jsonb)", "$::text", "string"},
      {"interval", "n * interval '1 month 2 days 3.5 s'", "$::text", "string"},
      {"inet", "('10.0.0.' || n % 256)::inet", "$::text", "string"},
      {"bit(4)", "(n % 16)::bit(4)", "$::text", "string"},
      {"point", "point(n, -n)", "$::text", "string"},
      {"int4range", "int4range(n, n + 3)", "$::text", "string"},
      {"tsvector", "to_tsvector('simple', 'a ' || n)", "$::text", "string"},
      {"timetz", "TIMETZ '10:00+02' + n * interval '1 s'", "$::text", "string"},
      {"pg_lsn", "('0/' || to_hex(n))::pg_lsn", "$::text", "string"},
      {"mood_of_test", "(ARRAY['sad', 'so so'])[n % 2 + 1]::mood_of_test", "$::text", "string"},
      {"cents_of_test", "n", "$::text", "decimal(9, 2)"},
      {"pair_of_test", "ROW(n, 'x')::pair_of_test", "$::text", "string"},
      {"int[]", "ARRAY[n, NULL, -n]", "'[' || $[1]::text || ', null, ' || $[3]::text || ']'",
       "list<int>"},
      {"numeric(9, 2)[]", "ARRAY[n / 4.0]", "'[' || $[1]::text || ']'", "list<decimal(9, 2)>"},
      {"text[]", "ARRAY['a,b', n::text]", "'[\"a,b\", \"' || $[2] || '\"]'", "list<string>"},
      {"mood_of_test[]", "ARRAY['sad']::mood_of_test[]", "'[\"' || $[1]::text || '\"]'",
       "list<string>"},
      {"inet[]", "ARRAY['::1'::inet]", "'[\"' || $[1]::text || '\"]'", "list<string>"},
      {"uuid[]", "ARRAY[md5(n::text)::uuid]", "'[\"' || $[1]::text || '\"]'", "list<uuid>"},
      {"date[]", "CASE WHEN n % 2 = 0 THEN '{}'::date[] ELSE ARRAY[DATE '2026-01-01' + n] END",
       "CASE WHEN $ = '{}' THEN '[]' ELSE '[\"' || $[1]::text || '\"]' END", "list<date>"},
  };
  std::string create;
  std::string values;
  std::string prints;
  for (size_t i = 0; i < columns.size(); ++i) {
    const std::string name = "c" + std::to_string(i);
    create += (i == 0 ? "" : ", ") + name + " " + columns[i].type;
    values += (i == 0 ? "" : ", ") + ("CASE WHEN n % 10 = 0 THEN NULL ELSE " + columns[i].values) +
              " END";
    std::string printed = columns[i].printed;
    for (size_t at = printed.find('$'); at != std::string::npos; at = printed.find('$', at + 1))
      printed.replace(at, 1, name);
    prints += (i == 0 ? "" : ", ") +
              ("md5(string_agg(coalesce(" + printed + ", 'NULL'), '|' ORDER BY n))");
  }
  RunSql({"DROP TYPE IF EXISTS mood_of_test, pair_of_test CASCADE",
          "DROP DOMAIN IF EXISTS cents_of_test CASCADE",
          "CREATE TYPE mood_of_test AS ENUM ('sad', 'so so')",
          "CREATE TYPE pair_of_test AS (a int, b text)",
          "CREATE DOMAIN cents_of_test AS numeric(9, 2) CHECK (VALUE > 0)",
          "CREATE TABLE " + table_ + " (n int PRIMARY KEY, " + create + ")",
          "INSERT INTO " + table_ + " SELECT n, " + values + " FROM generate_series(1, 400) n"});
  const auto source = Make("table: " + table_);
  ASSERT_TRUE(source.ok()) << source.error().message;
  const auto plan = (*source)->Plan(*context_, {});
  ASSERT_TRUE(plan.ok()) << plan.error().message;
  std::map<int64_t, std::vector<std::string>> printed;
  for (const Split& split : plan->splits) {
    const auto reader = (*source)->Open(*context_, *plan, split);
    ASSERT_TRUE(reader.ok()) << reader.error().message;
    while (true) {
      const auto batch = (*reader)->Next(*context_);
      ASSERT_TRUE(batch.ok()) << batch.error().message;
      if (!batch->has_value()) break;
      ASSERT_TRUE((*batch)->rows->ValidateFull().ok());
      for (int64_t row = 0; row < (*batch)->rows->num_rows(); ++row) {
        const int64_t n = *ParseInteger(columnar::CellText(*(*batch)->rows->column(0), row));
        for (int i = 1; i < (*batch)->rows->num_columns(); ++i)
          printed[n].push_back(Printed(*(*batch)->rows->column(i), row));
      }
    }
  }
  ASSERT_EQ(printed.size(), 400U);
  // The server adds up what we have read, and what it holds, by the same words.
  auto database = io::PostgresDatabase::Open(*context_, ServerUri());
  ASSERT_TRUE(database.ok());
  for (const char* sql : {"SET timezone = 'UTC'", "SET intervalstyle = 'iso_8601'"})
    ASSERT_TRUE(database->Change(*context_, sql).ok());
  const auto held = database->Query(*context_, "SELECT " + prints + " FROM " + table_);
  ASSERT_TRUE(held.ok()) << held.error().message;
  for (size_t i = 0; i < columns.size(); ++i) {
    std::string joined;
    for (const auto& [n, row] : printed) joined += (joined.empty() ? "" : "|") + row[i];
    const auto sum = database->Query(*context_, "SELECT md5($1)", {joined});
    ASSERT_TRUE(sum.ok());
    EXPECT_EQ((*sum)[0][0], held->front()[i]) << columns[i].type << ": " << printed[1][i] << ", "
                                              << printed[2][i] << ", " << printed[399][i];
    const auto type =
        columnar::ToIcebergType(*plan->schema->field(static_cast<int>(i) + 1)->type(), 3);
    ASSERT_TRUE(type.ok()) << columns[i].type;
    EXPECT_EQ(type->ToString(), columns[i].becomes) << columns[i].type;
  }
}

TEST_F(PostgresqlSourceTest, FloatsKeepEveryBit) {
  RunSql({"CREATE TABLE " + table_ + " (a real, b double precision)",
          "INSERT INTO " + table_ + " VALUES (1.1, 0.1), ('NaN', '-Infinity'), (3.4e38, 5e-324)"});
  const auto rows = Postgres("table: " + table_);
  ASSERT_TRUE(rows.ok()) << rows.error().message;
  EXPECT_EQ(rows->schema, "a: float, b: double");
  EXPECT_THAT(rows->rows,
              ElementsAre("{\"a\": 1.1, \"b\": 0.1}", "{\"a\": \"nan\", \"b\": \"-inf\"}",
                          "{\"a\": 3.4e+38, \"b\": 5e-324}"));
}

TEST_F(PostgresqlSourceTest, NumericWithoutPrecisionGoesByThePolicy) {
  RunSql({"CREATE TABLE " + table_ + " (id int PRIMARY KEY, a numeric)",
          "INSERT INTO " + table_ + " VALUES (1, 12.5), (2, 1e30), (3, 0.00001)"});
  const auto text = Postgres("table: " + table_);
  ASSERT_TRUE(text.ok()) << text.error().message;
  EXPECT_THAT(text->rows, ElementsAre("{\"id\": 1, \"a\": \"12.5\"}", testing::_, testing::_));
  EXPECT_THAT(text->notes, ElementsAre(HasSubstr("column a is numeric without precision")));
  const auto decimal = Postgres("numeric: decimal(12, 4)\ntable: " + table_);
  ASSERT_TRUE(decimal.ok()) << decimal.error().message;
  EXPECT_THAT(decimal->rows, ElementsAre("{\"id\": 1, \"a\": 12.5000}"));
  EXPECT_THAT(decimal->rejects,
              ElementsAre(HasSubstr("where id = 2: column a: '1000000000000000000000000000000' has "
                                    "more digits than decimal(12, 4) holds"),
                          HasSubstr("'0.00001' has more digits")));
  EXPECT_EQ(decimal->rejected[1].raw, "{\"id\": 3, \"a\": \"0.00001\"}");
}

TEST_F(PostgresqlSourceTest, InfinityIsNullWhereThatIsSaid) {
  RunSql({"CREATE TABLE " + table_ + " (a date, b timestamp)",
          "INSERT INTO " + table_ + " VALUES ('infinity', '-infinity')"});
  const auto rows = Postgres("infinity: as_null\ntable: " + table_);
  ASSERT_TRUE(rows.ok()) << rows.error().message;
  EXPECT_THAT(rows->rows, ElementsAre("{\"a\": null, \"b\": null}"));
}

TEST_F(PostgresqlSourceTest, EqualAndLateValuesComeOnceEach) {
  RunSql(
      {"CREATE TABLE " + table_ + " (at timestamp, what text)",
       "INSERT INTO " + table_ + " VALUES ('2026-01-01 10:00', 'a'), ('2026-01-01 11:00', 'b')"});
  const std::string options =
      "table: " + table_ + "\ncursor_column: at\nlook_back: 1h\ncolumns: [what, at]";
  const auto names = [](const Result<Rows>& rows) {
    EXPECT_TRUE(rows.ok()) << rows.error().message;
    std::string names;
    for (const std::string& row : rows.ok() ? rows->rows : std::vector<std::string>())
      names += row.substr(10, 1);
    return names;
  };
  EXPECT_EQ(names(ReadOn(options)), "ab");
  EXPECT_EQ(names(ReadOn(options)), "");
  // The same value as the greatest; one within the hour; one before it; one that is there twice.
  RunSql({"INSERT INTO " + table_ +
          " VALUES ('2026-01-01 11:00', 'c'), ('2026-01-01 10:30', 'd'), "
          "('2026-01-01 09:00', 'e'), ('2026-01-01 11:00', 'b')"});
  EXPECT_EQ(names(ReadOn(options)), "cdb");
  EXPECT_EQ(names(ReadOn(options)), "");
  RunSql(
      {"INSERT INTO " + table_ + " VALUES ('2026-01-01 12:30', 'f'), ('2026-01-01 11:00', 'g')"});
  EXPECT_EQ(names(ReadOn(options)), "gf");
  RunSql({"ALTER TABLE " + table_ + " ADD more int DEFAULT 7",
          "INSERT INTO " + table_ + " VALUES ('2026-01-01 12:30', 'h')"});
  EXPECT_EQ(names(ReadOn(options + "")), "h");
  // A longer look back does not bring back what was not remembered.
  EXPECT_EQ(
      names(ReadOn("table: " + table_ + "\ncursor_column: at\nlook_back: 1d\ncolumns: [what, at]")),
      "");
}

TEST_F(PostgresqlSourceTest, AnIncrementalCursorThatIsNullIsRefused) {
  RunSql({"CREATE TABLE " + table_ + " (id int, name text)",
          "INSERT INTO " + table_ + " VALUES (1, 'a'), (NULL, 'b')"});
  const auto refused = ReadOn("table: " + table_ + "\ncursor_column: id");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().kind, ErrorKind::kData);
  EXPECT_THAT(refused.error().message, HasSubstr("column id: there are rows in which it is NULL"));
  const auto rows = ReadOn("table: " + table_ + "\ncursor_column: id\nwhere: id IS NOT NULL");
  ASSERT_TRUE(rows.ok()) << rows.error().message;
  EXPECT_EQ(rows->rows.size(), 1U);
}

TEST_F(PostgresqlSourceTest, AllReadersSeeTheMomentOfThePlan) {
  RunSql({"CREATE TABLE " + table_ + " (id int)",
          "INSERT INTO " + table_ + " SELECT generate_series(1, 1000)"});
  for (const bool shared : {true, false}) {
    if (!shared) {
      RunSql({"CREATE ROLE " + table_ + "_r LOGIN PASSWORD 'x'",
              "GRANT SELECT ON " + table_ + " TO " + table_ + "_r",
              "REVOKE EXECUTE ON FUNCTION pg_export_snapshot() FROM PUBLIC"});
    }
    std::string uri = ServerUri();
    if (!shared) uri.replace(uri.find("calve:secret"), 12, table_ + "_r:x");
    const auto node = config::ParseYaml("table: " + table_ + "\nurl: " + uri, "job.yaml");
    ASSERT_TRUE(node.ok());
    const auto source = registry_.Find("postgresql")->make(*node, {.files = &files_});
    ASSERT_TRUE(source.ok());
    const auto plan = (*source)->Plan(*context_, {});
    ASSERT_TRUE(plan.ok()) << plan.error().message;
    RunSql({"INSERT INTO " + table_ + " SELECT generate_series(1, 1000)"});
    std::atomic<int64_t> rows = 0;
    {
      std::vector<std::jthread> threads;
      for (int i = 0; i < 3; ++i) {
        threads.emplace_back([&] {
          const auto reader = (*source)->Open(*context_, *plan, plan->splits.front());
          ASSERT_TRUE(reader.ok()) << reader.error().message;
          while (true) {
            const auto batch = (*reader)->Next(*context_);
            ASSERT_TRUE(batch.ok()) << batch.error().message;
            if (!batch->has_value()) return;
            rows += (*batch)->rows->num_rows();
          }
        });
      }
    }
    EXPECT_EQ(rows, shared ? 3 * 1000 : 3 * 2000);
  }
  RunSql({"GRANT EXECUTE ON FUNCTION pg_export_snapshot() TO PUBLIC"});
}

TEST_F(PostgresqlSourceTest, PartitionsAreReadOnceAndTablesByPatternAsOne) {
  RunSql(
      {"CREATE TABLE " + table_ + "_p (id int, at date) PARTITION BY RANGE (id)",
       "CREATE TABLE " + table_ + "_p_1 PARTITION OF " + table_ + "_p FOR VALUES FROM (0) TO (50)",
       "CREATE TABLE " + table_ + "_p_2 PARTITION OF " + table_ +
           "_p FOR VALUES FROM (50) TO (100)",
       "INSERT INTO " + table_ + "_p SELECT n, '2026-01-01' FROM generate_series(0, 99) n",
       "CREATE TABLE " + table_ + "_p_3 (id int, more text)",
       "INSERT INTO " + table_ + "_p_3 VALUES (100, 'x')"});
  const auto rows = Postgres("tables: [" + table_ + "_p*]");
  ASSERT_TRUE(rows.ok()) << rows.error().message;
  EXPECT_EQ(rows->rows.size(), 101U);
  EXPECT_EQ(rows->schema, "id: int, at: date, more: string");
  EXPECT_EQ(rows->rows.back(), "{\"id\": 100, \"at\": null, \"more\": \"x\"}");
}

TEST_F(PostgresqlSourceTest, AQueryIsReadWithItsTypesAndCondition) {
  const auto rows = Postgres(
      "query: \"SELECT n AS id, n::numeric(9, 2) / 4 AS x, 'a' AS y FROM generate_series(1, 3) n; "
      "-- all\"\n"
      "where: id > 2\ncolumns: [y, id]");
  ASSERT_FALSE(rows.ok());  // The comment is behind the semicolon, which ends the statement.
  const auto whole = Postgres(
      "query: \"SELECT n AS id, 'a' AS y FROM generate_series(1, 3) n -- all\"\nwhere: id > "
      "2\ncolumns: [y, id]");
  ASSERT_TRUE(whole.ok()) << whole.error().message;
  EXPECT_THAT(whole->rows, ElementsAre("{\"y\": \"a\", \"id\": 3}"));
  const auto twice = Postgres("query: SELECT 1 AS a, 2 AS a");
  ASSERT_FALSE(twice.ok());
  EXPECT_THAT(twice.error().message, HasSubstr("several columns called 'a'"));
}

TEST_F(PostgresqlSourceTest, WhatIsMissingOrForbiddenIsSaidWithWhatToDo) {
  RunSql({"CREATE TABLE " + table_ + " (id int, amount int)",
          "CREATE ROLE " + table_ + "_n LOGIN PASSWORD 'x'"});
  const auto column = Postgres("columns: [amuont]\ntable: " + table_);
  EXPECT_EQ(column.error().kind, ErrorKind::kConfig);
  EXPECT_THAT(column.error().message, HasSubstr("did you mean 'amount'?"));
  const auto condition = Postgres("where: amuont > 1\ntable: " + table_);
  ASSERT_FALSE(condition.ok());
  EXPECT_EQ(condition.error().kind, ErrorKind::kConfig);
  EXPECT_THAT(condition.error().message, HasSubstr("mend columns, where or query"));
  const auto schema = Postgres("table: nowhere.orders");
  EXPECT_EQ(schema.error().kind, ErrorKind::kNotFound);
  std::string uri = ServerUri();
  uri.replace(uri.find("calve:secret"), 12, table_ + "_n:x");
  const auto node = config::ParseYaml("table: " + table_ + "\nurl: " + uri, "job.yaml");
  const auto source = registry_.Find("postgresql")->make(*node, {.files = &files_});
  const Status refused = (*source)->Check(*context_);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().kind, ErrorKind::kRefused) << refused.error().message;
  EXPECT_THAT(refused.error().message, HasSubstr("needs the right to SELECT"));
}

TEST_F(PostgresqlSourceTest, AStoppedReadEndsTheQueryOnTheServer) {
  const auto source =
      Make("query: SELECT n, pg_sleep(0.001) AS s FROM generate_series(1, 10000000) n");
  ASSERT_TRUE(source.ok());
  const auto plan = (*source)->Plan(*context_, {.batch_rows_max = 10});
  ASSERT_TRUE(plan.ok()) << plan.error().message;
  std::stop_source stop;
  const Context stoppable = context_->WithStop(stop.get_token());
  auto reader = (*source)->Open(stoppable, *plan, plan->splits.front());
  ASSERT_TRUE(reader.ok()) << reader.error().message;
  ASSERT_TRUE((*reader)->Next(stoppable).ok());
  stop.request_stop();
  EXPECT_EQ((*reader)->Next(stoppable).error().kind, ErrorKind::kStopped);
  reader->reset();
  auto database = io::PostgresDatabase::Open(*context_, ServerUri());
  for (int i = 0; i < 200; ++i) {
    const auto running =
        database->Query(*context_,
                        "SELECT count(*) FROM pg_stat_activity, pg_sleep(0.02) WHERE query LIKE "
                        "'COPY%generate_series(1, 10000000)%'");
    ASSERT_TRUE(running.ok());
    if ((*running)[0][0] == "0") return;
  }
  FAIL() << "the query goes on";
}

TEST_F(PostgresqlSourceTest, AConnectionThatIsLostInTheMiddleFailsTheRead) {
  RunSql({"CREATE TABLE " + table_ +
          " AS SELECT n, md5(n::text) AS t FROM generate_series(1, 200000) n"});
  const auto source = Make("table: " + table_);
  ASSERT_TRUE(source.ok());
  const auto plan = (*source)->Plan(*context_, {.batch_rows_max = 10});
  ASSERT_TRUE(plan.ok()) << plan.error().message;
  const auto reader = (*source)->Open(*context_, *plan, plan->splits.front());
  ASSERT_TRUE((*reader)->Next(*context_).ok());
  RunSql({"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE query LIKE 'COPY%" +
          table_ + "%' AND pid <> pg_backend_pid()"});
  Status ended;
  while (ended.ok()) {
    const auto batch = (*reader)->Next(*context_);
    ended = batch.status();
    ASSERT_TRUE(!batch.ok() || batch->has_value()) << "it ended as if all were read";
  }
  EXPECT_EQ(ended.error().kind, ErrorKind::kTransient);
  EXPECT_THAT(ended.error().message, HasSubstr("public." + table_));
}

TEST(PostgresqlNumeric, DigitsThatDoNotFitAreNotCut) {
  using postgresql::ReadNumeric;
  // 12345.678: groups 1, 2345, 6780; weight 1, three digits shown.
  const std::string wire("\0\3\0\1\0\0\0\3\0\1\x09\x29\x1a\x7c", 14);
  EXPECT_EQ(static_cast<int64_t>(*ReadNumeric(wire, {.precision = 8, .scale = 3})), 12'345'678);
  EXPECT_EQ(static_cast<int64_t>(*ReadNumeric(wire, {.precision = 38, .scale = 9})),
            12'345'678'000'000);
  EXPECT_FALSE(ReadNumeric(wire, {.precision = 38, .scale = 2}).has_value());
  EXPECT_FALSE(ReadNumeric(wire, {.precision = 7, .scale = 3}).has_value());
  EXPECT_FALSE(ReadNumeric(wire.substr(0, 13), {.precision = 38, .scale = 3}).has_value());
  EXPECT_EQ(postgresql::PrintNumeric(wire), "12345.678");
}

}  // namespace
}  // namespace calve::source

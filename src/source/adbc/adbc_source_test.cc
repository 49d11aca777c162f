#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "base/text.h"
#include "columnar/row_text.h"
#include "io/sqlite.h"
#include "source/adbc/adbc_options.h"
#include "source/adbc/connection.h"
#include "source/adbc/dialect.h"
#include "source/adbc/driver.h"
#include "source/fixture_for_test.h"
#include "source/source_for_test.h"

namespace calve::source {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::UnorderedElementsAre;

/// What tools/bootstrap has fetched; the tests lie in build/<preset>.
std::string Fetched(const std::string& path) {
  std::error_code failed;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", failed);
  return (program.parent_path().parent_path().parent_path() / ".deps" / path).string();
}

std::string LibraryOf(const std::string& name) {
  return Fetched("adbc-driver-" + name + "/adbc_driver_" + name + "/libadbc_driver_" + name +
                 ".so");
}

std::string PostgresUrl() {
  const char* url = std::getenv("CALVE_TEST_POSTGRES");
  return url == nullptr ? "" : url;
}

std::string PostgresYaml() {
  return "driver: " + LibraryOf("postgresql") + "\nurl: " + PostgresUrl() + "\n";
}

std::string DuckdbYaml(const std::string& path) {
  return "driver: " + Fetched("duckdb-library/lib/libduckdb.so") +
         "\nentrypoint: duckdb_adbc_init\noptions: {path: " + path + "}\n";
}

/// Run statements by a driver.
void RunSql(const adbc::AdbcOptions& options, const std::vector<std::string>& statements) {
  const OwnedContext context(7);
  adbc::Address address = options.DatabaseAddress();
  address.library = adbc::FindDriver(address.driver, "");
  auto database = adbc::Database::Open(*context, address);
  ASSERT_TRUE(database.ok()) << database.error().message;
  auto connection = adbc::Connection::Open(*context, *database);
  ASSERT_TRUE(connection.ok()) << connection.error().message;
  for (const std::string& sql : statements) {
    const Status done = (*connection)->Run(*context, sql);
    EXPECT_TRUE(done.ok()) << sql.substr(0, 500) << ": " << done.error().message;
  }
}

void RunPostgres(const std::vector<std::string>& statements) {
  adbc::AdbcOptions options;
  options.driver = LibraryOf("postgresql");
  options.url = PostgresUrl();
  RunSql(options, statements);
}

void RunDuckdb(const std::string& path, const std::vector<std::string>& statements) {
  adbc::AdbcOptions options;
  options.driver = Fetched("duckdb-library/lib/libduckdb.so");
  options.entrypoint = "duckdb_adbc_init";
  options.options = {{"path", path}};
  RunSql(options, statements);
}

std::string CreateSql(const std::string& folder) {
  return "CREATE TABLE IF NOT EXISTS " + TableOfFolder(folder) +
         " (id bigint PRIMARY KEY, price decimal(18, 2), day date, at timestamptz, name "
         "varchar(80))";
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
  RunPostgres(statements);
}

BrokenInput Broken(std::string name, std::string columns, std::string values,
                   std::vector<std::string> says) {
  const auto write = [columns, values](const std::string& folder) {
    RunPostgres({"CREATE TABLE " + TableOfFolder(folder) + " (" + columns + ")",
                 "INSERT INTO " + TableOfFolder(folder) + " VALUES " + values});
  };
  return {.name = std::move(name), .write = write, .says = std::move(says)};
}

}  // namespace

SOURCE_FIXTURE(adbc) {
  return {.options =
              [](const std::string& folder, int64_t rows) {
                if (rows == 0) RunPostgres({CreateSql(folder)});
                const std::string types = rows < 0 ? "" : "types: {price: \"decimal(18, 2)\"}\n";
                return "cursor_column: id\n" + types + "table: " + TableOfFolder(folder) + "\n" +
                       PostgresYaml();
              },
          .write = WriteRows,
          .broken = {Broken("a timestamp before all dates", "id bigint PRIMARY KEY, at timestamp",
                            "(1, '2026-01-01'), (2, '0044-03-15 BC')",
                            {"where id = 2", "column at", "years 1 to 9999", "mend it"})},
          .server = "CALVE_TEST_POSTGRES"};
}

/// Needs a server that has never been at hand: an address such as host:1521/SERVICE, whose user
/// calve has the password secret and may make tables.
SOURCE_FIXTURE(oracle) {
  const auto run = [](const std::vector<std::string>& statements) {
    adbc::OracleOptions options;
    options.driver = LibraryOf("oracle");
    options.url = std::getenv("CALVE_TEST_ORACLE");
    options.username = "calve";
    options.password = "secret";
    adbc::Address address = options.DatabaseAddress();
    address.library = options.driver;
    const OwnedContext context(7);
    auto database = adbc::Database::Open(*context, address);
    ASSERT_TRUE(database.ok()) << database.error().message;
    auto connection = adbc::Connection::Open(*context, *database);
    ASSERT_TRUE(connection.ok()) << connection.error().message;
    for (const std::string& sql : statements) {
      const Status done = (*connection)->Run(*context, sql);
      EXPECT_TRUE(done.ok()) << sql.substr(0, 500) << ": " << done.error().message;
    }
  };
  const auto create = [](const std::string& folder) {
    return "CREATE TABLE IF NOT EXISTS " + TableOfFolder(folder) +
           " (\"id\" NUMBER(18) PRIMARY KEY, \"price\" NUMBER(18, 2), \"day\" DATE, \"at\" "
           "TIMESTAMP(6) WITH TIME ZONE, \"name\" VARCHAR2(80))";
  };
  return {
      .options =
          [=](const std::string& folder, int64_t rows) {
            if (rows == 0) run({create(folder)});
            std::string table = TableOfFolder(folder);
            std::transform(table.begin(), table.end(), table.begin(), ::toupper);
            return "cursor_column: id\ntypes: {day: date}\ntable: " + table +
                   "\nurl: " + std::string(std::getenv("CALVE_TEST_ORACLE")) +
                   "\nusername: calve\npassword: secret\ndriver: " + LibraryOf("oracle") + "\n";
          },
      .write =
          [=](const std::string& folder, int64_t first, int64_t rows) {
            std::vector<std::string> statements = {create(folder)};
            for (int64_t n = first; n < first + rows; ++n) {
              const ContractRow row = ContractRowAt(n);
              statements.push_back("INSERT INTO " + TableOfFolder(folder) + " VALUES (" +
                                   std::to_string(row.id) + ", " + row.PriceText() + ", DATE '" +
                                   row.DayText() + "', TIMESTAMP '" + row.AtText().substr(0, 10) +
                                   " " + row.AtText().substr(11, 15) + " +00:00', " +
                                   (row.name.has_value() ? "'" + *row.name + "'" : "NULL") + ")");
            }
            run(statements);
          },
      .broken = {{.name = "a timestamp before all dates",
                  .write =
                      [=](const std::string& folder) {
                        run({"CREATE TABLE " + TableOfFolder(folder) +
                                 " (\"id\" NUMBER(9) PRIMARY KEY, \"at\" TIMESTAMP)",
                             "INSERT INTO " + TableOfFolder(folder) +
                                 " VALUES (2, TO_DATE('0044-03-15 BC', 'YYYY-MM-DD BC'))"});
                      },
                  .says = {"column at", "years 1 to 9999"}}},
      .server = "CALVE_TEST_ORACLE"};
}

namespace {

class AdbcSourceTest : public SourceTest {
 protected:
  void SetUp() override {
    SourceTest::SetUp();
    table_ = TableOfFolder(folder_.path());
    database_ = folder_.path() + "/shop.duckdb";
  }
  void NeedPostgres() {
    if (PostgresUrl().empty()) GTEST_SKIP() << "needs tests/services/with postgres.sh";
  }
  Result<Rows> Postgres(const std::string& options) {
    return ReadRows("adbc", options + "\n" + PostgresYaml());
  }
  Result<Rows> Duckdb(const std::string& options, const PlanOptions& plan = {}) {
    return ReadRows("adbc", options + "\n" + DuckdbYaml(database_), plan);
  }
  /// Read on from where the last call of this ended.
  Result<Rows> ReadOn(const std::string& yaml) {
    CALVE_ASSIGN_OR_RETURN(const config::Node node,
                           config::ParseYaml(yaml + "\nincremental: true\n", "job.yaml"));
    CALVE_ASSIGN_OR_RETURN(const auto source,
                           registry_.Find("adbc")->make(node, {.project_folder = folder_.path()}));
    const PlanOptions plan{.since = position_};
    CALVE_ASSIGN_OR_RETURN(const ReadPlan planned, source->Plan(*context_, plan));
    CALVE_ASSIGN_OR_RETURN(Rows rows, ReadAll(*source, plan));
    position_ = planned.position;
    return rows;
  }
  void WriteSqlite(const std::vector<std::string>& statements) {
    auto database = io::SqliteDatabase::Open(folder_.path() + "/shop.db", {});
    ASSERT_TRUE(database.ok()) << database.error().message;
    for (const std::string& sql : statements) {
      const Status done = database->Execute(sql.c_str());
      EXPECT_TRUE(done.ok()) << sql << ": " << done.error().message;
    }
  }
  std::string SqliteYaml() {
    return "driver: " + LibraryOf("sqlite") + "\nurl: " + folder_.path() + "/shop.db\n";
  }
  std::string table_;
  std::string database_;
  std::optional<Position> position_;
};

TEST_F(AdbcSourceTest, TypesOfPostgresqlComeExactly) {
  NeedPostgres();
  if (IsSkipped()) return;
  RunPostgres({"CREATE TABLE " + table_ +
                   " (a smallint, b int, c bigint, d real, e double precision, f decimal(38, 10), "
                   "g date, h time(6), i timestamp, j timestamptz, k varchar(20), l bytea, m bool, "
                   "n interval, o int[])",
               "INSERT INTO " + table_ +
                   " VALUES (-32768, -2147483648, 9223372036854775807, 0.1, 0.1, "
                   "-1234567890123456789012345678.0123456789, '0001-01-01', '23:59:59.999999', "
                   "'9999-12-31 23:59:59.999999', '2026-01-01 01:00:00+01', 'Zoë 🧊', '\\x00ff10', "
                   "true, '1 year 2 mons 3 days 04:05:06.5', '{1,NULL,3}'), (NULL, NULL, NULL, "
                   "NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)"});
  const auto rows = Postgres("table: " + table_);
  ASSERT_TRUE(rows.ok()) << rows.error().message;
  EXPECT_EQ(rows->schema,
            "a: int, b: int, c: long, d: float, e: double, f: string, g: date, h: time, i: "
            "timestamp, j: timestamptz, k: string, l: binary, m: boolean, n: string, o: "
            "list<int>");
  EXPECT_THAT(rows->notes, ElementsAre(HasSubstr("column f is decimal")));
  EXPECT_THAT(
      rows->rows,
      ElementsAre(
          "{\"a\": -32768, \"b\": -2147483648, \"c\": 9223372036854775807, \"d\": 0.1, \"e\": 0.1, "
          "\"f\": \"-1234567890123456789012345678.0123456789\", \"g\": \"0001-01-01\", \"h\": "
          "\"23:59:59.999999\", \"i\": \"9999-12-31T23:59:59.999999\", \"j\": "
          "\"2026-01-01T00:00:00+00:00\", \"k\": \"Zoë 🧊\", \"l\": \"AP8Q\", \"m\": true, \"n\": "
          "\"P1Y2M3DT4H5M6.5S\", \"o\": [1, null, 3]}",
          "{\"a\": null, \"b\": null, \"c\": null, \"d\": null, \"e\": null, \"f\": null, \"g\": "
          "null, \"h\": null, \"i\": null, \"j\": null, \"k\": null, \"l\": null, \"m\": null, "
          "\"n\": null, \"o\": null}"));
  const auto said = Postgres("table: " + table_ + "\nnumeric: decimal(38, 10)\ncolumns: [f]");
  ASSERT_TRUE(said.ok()) << said.error().message;
  EXPECT_EQ(said->schema, "f: decimal(38, 10)");
  EXPECT_THAT(said->rows,
              ElementsAre("{\"f\": -1234567890123456789012345678.0123456789}", "{\"f\": null}"));
}

TEST_F(AdbcSourceTest, TypesOfDuckdbComeExactly) {
  RunDuckdb(database_,
            {"CREATE TABLE t (a tinyint, b usmallint, c uinteger, d ubigint, e hugeint, f "
             "decimal(38, 9), g timestamp_ns, h timestamp_s, i uuid, j interval, k varchar[], l "
             "struct(x integer, y varchar), m map(varchar, integer), n enum ('a', 'b'), o time)",
             "INSERT INTO t VALUES (-128, 65535, 4294967295, 18446744073709551615, 7, "
             "-12345678901234567890123456789.123456789, '2026-01-01 00:00:00.123456789', "
             "'2026-01-01 00:00:01', '00112233-4455-6677-8899-aabbccddeeff', INTERVAL 14 MONTHS, "
             "['x', NULL], {x: 1, y: 'y'}, MAP {'k': 1}, 'b', '23:59:59.999999')"});
  const auto rows = Duckdb("table: t\ntypes: {e: \"decimal(38, 0)\"}");
  ASSERT_TRUE(rows.ok()) << rows.error().message;
  EXPECT_EQ(rows->schema,
            "a: int, b: int, c: long, d: decimal(20, 0), e: decimal(38, 0), f: decimal(38, 9), g: "
            "timestamp_ns, h: timestamp, i: string, j: string, k: list<string>, l: struct<x: int, "
            "y: string>, m: map<string, int>, n: string, o: time");
  ASSERT_EQ(rows->rows.size(), 1U);
  for (const char* part :
       {"\"a\": -128", "\"b\": 65535", "\"c\": 4294967295", "\"d\": 18446744073709551615",
        "\"e\": 7", "\"f\": -12345678901234567890123456789.123456789",
        "\"g\": \"2026-01-01T00:00:00.123456789\"", "\"h\": \"2026-01-01T00:00:01\"",
        "\"i\": \"00112233-4455-6677-8899-aabbccddeeff\"", "\"j\": \"P1Y2M\"",
        "\"k\": [\"x\", null]", "\"l\": {\"x\": 1, \"y\": \"y\"}", "\"n\": \"b\"",
        "\"o\": \"23:59:59.999999\""})
    EXPECT_THAT(rows->rows[0], HasSubstr(part));
  // What a table cannot hold in microseconds is held back, never rounded.
  const auto micros = Duckdb("table: t\ncolumns: [a, g]\ntypes: {g: timestamp}");
  ASSERT_TRUE(micros.ok()) << micros.error().message;
  EXPECT_EQ(micros->schema, "a: int, g: timestamp");
  EXPECT_THAT(micros->rejects, ElementsAre(HasSubstr("column g: '2026-01-01")));
  const auto uuids = Duckdb("table: t\ncolumns: [i]\ntypes: {i: uuid}");
  ASSERT_TRUE(uuids.ok()) << uuids.error().message;
  EXPECT_EQ(uuids->schema, "i: uuid");
}

TEST_F(AdbcSourceTest, AFileOfSqliteIsReadAndTextsAsTheyAreSaid) {
  WriteSqlite({"CREATE TABLE orders (id integer PRIMARY KEY, price text, day text, name text)",
               "INSERT INTO orders VALUES (1, '12.50', '2026-01-01', 'Zoë'), (2, '1.234', NULL, "
               "NULL), (3, '7', '2026-02-30', 'x')"});
  const auto plain = ReadRows("adbc", "table: orders\n" + SqliteYaml());
  ASSERT_TRUE(plain.ok()) << plain.error().message;
  EXPECT_EQ(plain->schema, "id: long, price: string, day: string, name: string");
  EXPECT_EQ(plain->rows.size(), 3U);
  const auto said = ReadRows(
      "adbc",
      "table: orders\ncolumns: [id, price, day]\ntypes: {price: \"decimal(9, 2)\", day: date}\n" +
          SqliteYaml());
  ASSERT_TRUE(said.ok()) << said.error().message;
  EXPECT_EQ(said->schema, "id: long, price: decimal(9, 2), day: date");
  EXPECT_THAT(said->rows, ElementsAre("{\"id\": 1, \"price\": 12.50, \"day\": \"2026-01-01\"}"));
  EXPECT_THAT(said->rejects, ElementsAre(HasSubstr("id = 2: column price: '1.234'"),
                                         HasSubstr("id = 3: column day: '2026-02-30'")));
}

TEST_F(AdbcSourceTest, ATextThatIsNoUtf8IsHeldBack) {
  WriteSqlite({"CREATE TABLE t (id integer PRIMARY KEY, name text)",
               "INSERT INTO t VALUES (1, 'good'), (2, CAST(X'ff27' AS TEXT))"});
  const auto rows = ReadRows("adbc", "table: t\n" + SqliteYaml());
  ASSERT_TRUE(rows.ok()) << rows.error().message;
  EXPECT_THAT(rows->rows, ElementsAre(HasSubstr("good")));
  EXPECT_THAT(rows->rejects, ElementsAre(HasSubstr("UTF-8")));
}

TEST_F(AdbcSourceTest, TablesColumnsConditionsAndSchemas) {
  RunDuckdb(
      database_,
      {"CREATE TABLE orders (id int PRIMARY KEY, a int)", "CREATE TABLE orders_old (id int, a int)",
       "CREATE SCHEMA other", "CREATE TABLE other.orders (id int, a int)",
       "INSERT INTO orders VALUES (1, 10), (2, 20)", "INSERT INTO orders_old VALUES (3, 30)",
       "INSERT INTO other.orders VALUES (4, 40)"});
  const auto some = Duckdb("tables: [\"main.orders*\"]\ncolumns: [a]\nwhere: id <> 1");
  ASSERT_TRUE(some.ok()) << some.error().message;
  EXPECT_THAT(some->rows, UnorderedElementsAre("{\"a\": 20}", "{\"a\": 30}"));
  const auto named = Duckdb("table: orders\nschema: other");
  ASSERT_TRUE(named.ok()) << named.error().message;
  EXPECT_THAT(named->rows, ElementsAre("{\"id\": 4, \"a\": 40}"));
  const auto query = Duckdb("query: SELECT count(*) AS n FROM other.orders -- all\n");
  ASSERT_TRUE(query.ok()) << query.error().message;
  EXPECT_THAT(query->rows, ElementsAre("{\"n\": 1}"));
  const auto missing = Duckdb("table: main.order");
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().kind, ErrorKind::kNotFound);
  EXPECT_THAT(missing.error().message, HasSubstr("did you mean 'orders'"));
}

TEST_F(AdbcSourceTest, ItReadsOnByATimestampAndLooksBack) {
  NeedPostgres();
  if (IsSkipped()) return;
  for (const char* type : {"timestamp", "timestamptz"}) {
    position_.reset();
    const std::string table = table_ + type;
    const std::string yaml = "table: " + table + "\ncursor_column: at\nlook_back: 1h\n" +
                             PostgresYaml() + "session: [\"SET TIME ZONE 'Asia/Tokyo'\"]";
    RunPostgres({"SET TIME ZONE 'UTC'",
                 "CREATE TABLE " + table + " (id int, at " + type + " NOT NULL)",
                 "INSERT INTO " + table +
                     " VALUES (1, '2026-01-01 10:00:00'), (2, '2026-01-01 11:30:00.5')"});
    auto rows = ReadOn(yaml);
    ASSERT_TRUE(rows.ok()) << rows.error().message;
    EXPECT_EQ(rows->rows.size(), 2U);
    // One that came late, one that is new, and one that is older than the stretch.
    RunPostgres({"SET TIME ZONE 'UTC'",
                 "INSERT INTO " + table +
                     " VALUES (3, '2026-01-01 11:00:00'), (4, '2026-01-01 12:00:00'), (5, "
                     "'2026-01-01 09:00:00')"});
    rows = ReadOn(yaml);
    ASSERT_TRUE(rows.ok()) << rows.error().message;
    EXPECT_THAT(rows->rows, UnorderedElementsAre(HasSubstr("\"id\": 3"), HasSubstr("\"id\": 4")));
    rows = ReadOn(yaml);
    ASSERT_TRUE(rows.ok()) << rows.error().message;
    EXPECT_THAT(rows->rows, testing::IsEmpty());
  }
}

TEST_F(AdbcSourceTest, ItReadsOnByATextThatNobodyVetted) {
  const std::string yaml = "table: t\ncursor_column: at\n" + SqliteYaml();
  WriteSqlite({"CREATE TABLE t (id integer, at text)",
               "INSERT INTO t VALUES (1, 'a'), (2, 'b'' OR 1=1 --')"});
  auto rows = ReadOn(yaml);
  ASSERT_TRUE(rows.ok()) << rows.error().message;
  EXPECT_EQ(rows->rows.size(), 2U);
  WriteSqlite({"INSERT INTO t VALUES (3, 'c'), (4, 'b'' OR 1=1 --'), (5, 'a')"});
  rows = ReadOn(yaml);
  ASSERT_TRUE(rows.ok()) << rows.error().message;
  EXPECT_THAT(rows->rows, UnorderedElementsAre(HasSubstr("\"id\": 3"), HasSubstr("\"id\": 4")));
}

TEST_F(AdbcSourceTest, ChunksHoldEveryRowOnce) {
  RunDuckdb(database_, {"CREATE TABLE t AS SELECT CASE WHEN range = 7 THEN NULL ELSE range END AS "
                        "id, range AS n FROM range(100000)",
                        "INSERT INTO t VALUES (4611686018427387904, -1)"});
  const std::string yaml = "table: t\nchunk_column: id\n" + DuckdbYaml(database_);
  const auto node = config::ParseYaml(yaml, "job.yaml");
  ASSERT_TRUE(node.ok());
  const auto source = registry_.Find("adbc")->make(*node, {});
  ASSERT_TRUE(source.ok()) << source.error().message;
  const auto plan = (*source)->Plan(*context_, {.parallelism = 2});
  ASSERT_TRUE(plan.ok()) << plan.error().message;
  EXPECT_GE(plan->splits.size(), 4U);
  auto rows = ReadAll(**source);
  ASSERT_TRUE(rows.ok()) << rows.error().message;
  std::sort(rows->rows.begin(), rows->rows.end());
  EXPECT_EQ(std::unique(rows->rows.begin(), rows->rows.end()), rows->rows.end());
  EXPECT_EQ(rows->rows.size(), 100'001U);
  RunDuckdb(database_, {"CREATE TABLE u (id varchar)", "INSERT INTO u VALUES ('1')"});
  const auto refused = Duckdb("table: u\nchunk_column: id");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().kind, ErrorKind::kConfig);
  EXPECT_THAT(refused.error().message, HasSubstr("expected a column of whole numbers"));
}

TEST_F(AdbcSourceTest, ErrorsNameTheDriverAndWhatToDo) {
  const auto error_of = [&](const std::string& yaml) {
    const auto rows = ReadRows("adbc", "table: t\n" + yaml);
    EXPECT_FALSE(rows.ok());
    return rows.ok() ? Error{} : rows.error();
  };
  Error error = error_of("driver: nobody_has_this");
  EXPECT_EQ(error.kind, ErrorKind::kConfig);
  EXPECT_THAT(error.message, HasSubstr("cannot load the ADBC driver nobody_has_this"));
  EXPECT_THAT(error.message, HasSubstr("pip install adbc_driver_nobody_has_this"));
  error = error_of("driver: ./not_there.so");
  EXPECT_EQ(error.kind, ErrorKind::kConfig);
  EXPECT_THAT(error.message, HasSubstr("not_there.so"));
  WriteText(folder_.path() + "/text.so", "this is no library");
  error = error_of("driver: ./text.so");
  EXPECT_EQ(error.kind, ErrorKind::kConfig);
  EXPECT_THAT(error.message, HasSubstr("path of its library"));
  error = error_of("driver: " + LibraryOf("sqlite") + "\nentrypoint: NoSuchInit");
  EXPECT_EQ(error.kind, ErrorKind::kConfig);
  EXPECT_THAT(error.message, HasSubstr("set entrypoint as the driver's manual has it"));
  error = error_of("driver: libz.so.1");
  EXPECT_EQ(error.kind, ErrorKind::kConfig);
  error = error_of("driver: " + LibraryOf("sqlite") + "\nurl: /nowhere/shop.db");
  EXPECT_THAT(error.message, HasSubstr("cannot connect to the database of the ADBC driver"));
  error = error_of("driver: " + LibraryOf("sqlite") + "\noptions: {no.such.option: hidden-word}");
  EXPECT_THAT(error.message, HasSubstr("no.such.option"));
  EXPECT_THAT(error.message, Not(HasSubstr("hidden-word")));
}

TEST_F(AdbcSourceTest, ARefusedLoginIsToldWithoutThePassword) {
  NeedPostgres();
  if (IsSkipped()) return;
  std::string url = PostgresUrl();
  const size_t at = url.rfind('@');
  const size_t colon = url.find(':', url.find("://") + 3);
  url.replace(colon + 1, at - colon - 1, "wrong-word");
  const std::string driver = "\ndriver: " + LibraryOf("postgresql");
  const auto refused = ReadRows("adbc", "table: t\nurl: " + url + driver);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().kind, ErrorKind::kRefused) << refused.error().message;
  EXPECT_THAT(refused.error().message, HasSubstr("check username and password"));
  const auto broken = ReadRows("adbc", "table: t\nurl: \"postgresql://a:wrong-word@[b\"" + driver);
  ASSERT_FALSE(broken.ok());
  for (const auto& error : {refused.error(), broken.error()})
    EXPECT_THAT(error.message, Not(HasSubstr("wrong-word")));
  const auto nobody = ReadRows("adbc", "table: t\nurl: postgresql://a:b@127.0.0.1:1/shop" + driver);
  ASSERT_FALSE(nobody.ok());
  EXPECT_EQ(nobody.error().kind, ErrorKind::kTransient) << nobody.error().message;
  EXPECT_THAT(nobody.error().message, HasSubstr("see that the database runs"));
  const auto where = Postgres("query: SELECT nothing FROM nowhere");
  ASSERT_FALSE(where.ok());
  EXPECT_EQ(where.error().kind, ErrorKind::kNotFound) << where.error().message;
  EXPECT_THAT(where.error().message, HasSubstr("42P01"));
}

TEST_F(AdbcSourceTest, AStopEndsALongQuery) {
  NeedPostgres();
  if (IsSkipped()) return;
  const auto node =
      config::ParseYaml("query: SELECT 1 AS a FROM pg_sleep(60)\n" + PostgresYaml(), "job.yaml");
  ASSERT_TRUE(node.ok());
  const auto source = registry_.Find("adbc")->make(*node, {});
  ASSERT_TRUE(source.ok());
  std::stop_source stop;
  const Context stoppable = context_->WithStop(stop.get_token());
  std::jthread later([&] {
    // The query runs once the server shows it.
    RunPostgres(
        {"DO $$ BEGIN WHILE NOT EXISTS (SELECT FROM pg_stat_activity WHERE query LIKE "
         "'%pg_sleep(60)%' AND state = 'active' AND pid <> pg_backend_pid()) LOOP PERFORM "
         "pg_stat_clear_snapshot(); END LOOP; END $$"});
    stop.request_stop();
  });
  const auto plan = (*source)->Plan(stoppable, {});
  ASSERT_FALSE(plan.ok());
  EXPECT_EQ(plan.error().kind, ErrorKind::kStopped) << plan.error().message;
}

TEST_F(AdbcSourceTest, ADriverIsFoundByTheNameOfItsPackage) {
  const std::string package = folder_.path() + "/lib/python3.11/site-packages/adbc_driver_sqlite";
  std::filesystem::create_directories(package);
  std::filesystem::create_symlink(LibraryOf("sqlite"), package + "/libadbc_driver_sqlite.so");
  ASSERT_EQ(setenv("VIRTUAL_ENV", folder_.path().c_str(), 1), 0);
  for (const char* name : {"sqlite", "adbc_driver_sqlite", "adbc-driver-sqlite"})
    EXPECT_EQ(adbc::FindDriver(name, ""), package + "/libadbc_driver_sqlite.so");
  WriteSqlite({"CREATE TABLE t (id integer)", "INSERT INTO t VALUES (1)"});
  const auto rows =
      ReadRows("adbc", "table: t\ndriver: sqlite\nurl: " + folder_.path() + "/shop.db");
  ASSERT_EQ(unsetenv("VIRTUAL_ENV"), 0);
  ASSERT_TRUE(rows.ok()) << rows.error().message;
  EXPECT_THAT(rows->rows, ElementsAre("{\"id\": 1}"));
  EXPECT_EQ(adbc::FindDriver("drivers/x.so", "/p"), "/p/drivers/x.so");
  EXPECT_EQ(adbc::FindDriver("/drivers/x.so", "/p"), "/drivers/x.so");
}

TEST_F(AdbcSourceTest, OracleIsAskedByItsDriver) {
  const auto refused = ReadRows("oracle",
                                "host: 127.0.0.1\nport: 1\ndatabase: SHOP\nusername: "
                                "reader\npassword: hidden-word\ntable: T\ndriver: " +
                                    LibraryOf("oracle"));
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().kind, ErrorKind::kTransient) << refused.error().message;
  EXPECT_THAT(refused.error().message, HasSubstr("cannot connect to 127.0.0.1:1"));
  EXPECT_THAT(refused.error().message, Not(HasSubstr("hidden-word")));
  const auto no_service = ReadRows("oracle", "host: db\ntable: T");
  ASSERT_FALSE(no_service.ok());
  EXPECT_THAT(no_service.error().message, HasSubstr("database is missing"));
}

TEST(AdbcDialectTest, DatabasesAreAskedInTheirOwnWords) {
  const adbc::Dialect plain = adbc::Dialect::Of("PostgreSQL");
  EXPECT_EQ(plain.QuoteName("a\"b"), "\"a\"\"b\"");
  EXPECT_EQ(plain.QuoteText("a'b\\c"), "'a''b\\c'");
  EXPECT_EQ(plain.Literal(Comparison::kNumber, "-1.5"), "-1.5");
  EXPECT_EQ(plain.Literal(Comparison::kNumber, "1; DROP"), "'1; DROP'");
  EXPECT_EQ(plain.Literal(Comparison::kNumber, "1--1"), "'1--1'");
  EXPECT_EQ(plain.Literal(Comparison::kTimestamp, "2026-01-01T10:00:00.5"),
            "TIMESTAMP '2026-01-01 10:00:00.5'");
  EXPECT_EQ(adbc::Dialect::Of("Snowflake").QuoteText("a\\"), "'a\\\\'");
  EXPECT_EQ(adbc::Dialect::Of("BigQuery").QuoteName("a"), "`a`");
  const adbc::Dialect oracle = adbc::Dialect::Of("Oracle Database");
  EXPECT_EQ(oracle.from_nothing, " FROM dual");
  EXPECT_EQ(oracle.Literal(Comparison::kTimestampTz, "2026-01-01T10:00:00+00:00"),
            "TIMESTAMP '2026-01-01 10:00:00+00:00'");
}

}  // namespace
}  // namespace calve::source

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

#include "base/text.h"
#include "columnar/row_text.h"
#include "io/sqlite.h"
#include "source/fixture_for_test.h"
#include "source/odbc/connection.h"
#include "source/odbc/odbc_options.h"
#include "source/odbc/wide_text.h"
#include "source/source_for_test.h"

namespace calve::source {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// A server's address, scheme://user:password@host:port/database, in the words of ODBC.
odbc::OdbcOptions ServerOptions(const char* variable, const std::string& driver) {
  const char* url = std::getenv(variable);
  odbc::OdbcOptions options;
  if (url == nullptr) return options;
  std::string rest(url);
  rest = rest.substr(rest.find("://") + 3);
  const auto take = [&](char end) {
    const size_t at = rest.find(end);
    const std::string part = rest.substr(0, at);
    rest = at == std::string::npos ? "" : rest.substr(at + 1);
    return part;
  };
  options.driver = driver;
  options.username = take(':');
  options.password = take('@');
  options.host = take(':');
  options.port = ParseInteger(take('/')).value_or(0);
  options.database = take('?');
  options.session = {driver.starts_with("Maria") ? "SET time_zone = '+00:00'"
                                                 : "SET TIME ZONE 'UTC'"};
  return options;
}

odbc::OdbcOptions Postgres() { return ServerOptions("CALVE_TEST_POSTGRES", "PostgreSQL Unicode"); }
odbc::OdbcOptions Mariadb() { return ServerOptions("CALVE_TEST_MARIADB", "MariaDB Unicode"); }

std::string Yaml(const odbc::OdbcOptions& options) {
  return "driver: " + options.driver + "\nhost: " + options.host +
         "\nport: " + std::to_string(options.port.value_or(0)) + "\ndatabase: " + options.database +
         "\nusername: " + options.username + "\npassword: " + options.password + "\nsession: [\"" +
         options.session.front() + "\"]\n";
}

/// Run statements on a database.
void RunSql(const odbc::OdbcOptions& options, const std::vector<std::string>& statements) {
  const OwnedContext context(7);
  auto connection = odbc::Connection::Open(*context, options.ServerAddress());
  ASSERT_TRUE(connection.ok()) << connection.error().message;
  for (const std::string& sql : statements) {
    auto done = (*connection)->Query(*context, sql, 0);
    EXPECT_TRUE(done.ok()) << sql.substr(0, 500) << ": " << done.error().message;
  }
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
  RunSql(Postgres(), statements);
}

BrokenInput Broken(std::string name, std::string columns, std::string values,
                   std::vector<std::string> says) {
  const auto write = [columns, values](const std::string& folder) {
    RunSql(Postgres(), {"CREATE TABLE " + TableOfFolder(folder) + " (" + columns + ")",
                        "INSERT INTO " + TableOfFolder(folder) + " VALUES " + values});
  };
  return {.name = std::move(name), .write = write, .says = std::move(says)};
}

}  // namespace

SOURCE_FIXTURE(odbc) {
  return {
      .options =
          [](const std::string& folder, int64_t rows) {
            if (rows == 0) RunSql(Postgres(), {CreateSql(folder)});
            return "cursor_column: id\ntypes: {at: timestamptz}\ntable: " + TableOfFolder(folder) +
                   "\n" + Yaml(Postgres());
          },
      .write = WriteRows,
      .broken = {Broken("a date before all dates", "id bigint PRIMARY KEY, at timestamp",
                        "(1, '2026-01-01'), (2, '0044-03-15 BC')",
                        {"where id = 2", "column at", "is no timestamp of a table", "mend it"})},
      .server = "CALVE_TEST_POSTGRES"};
}

/// Needs a server that has never been at hand: mssql://user:password@host:port/database, whose user
/// may make tables.
SOURCE_FIXTURE(mssql) {
  const auto server = [] {
    odbc::MssqlOptions options;
    static_cast<odbc::OdbcOptions&>(options) = ServerOptions("CALVE_TEST_MSSQL", "FreeTDS");
    options.session.clear();
    return options;
  };
  const auto create = [](const std::string& folder) {
    const std::string table = TableOfFolder(folder);
    return "IF OBJECT_ID('" + table + "') IS NULL CREATE TABLE " + table +
           " (id bigint PRIMARY KEY, price decimal(18, 2), day date, at datetimeoffset(6), name "
           "nvarchar(80))";
  };
  return {.options =
              [=](const std::string& folder, int64_t rows) {
                const odbc::MssqlOptions options = server();
                if (rows == 0) RunSql(options.Filled(), {create(folder)});
                return "cursor_column: id\ntable: " + TableOfFolder(folder) +
                       "\nhost: " + options.host +
                       "\nport: " + std::to_string(options.port.value_or(0)) +
                       "\ndatabase: " + options.database + "\nusername: " + options.username +
                       "\npassword: " + options.password + "\n";
              },
          .write =
              [=](const std::string& folder, int64_t first, int64_t rows) {
                std::vector<std::string> statements = {create(folder)};
                for (int64_t n = first; n < first + rows; ++n) {
                  const ContractRow row = ContractRowAt(n);
                  statements.push_back("INSERT INTO " + TableOfFolder(folder) + " VALUES (" +
                                       std::to_string(row.id) + ", " + row.PriceText() + ", '" +
                                       row.DayText() + "', '" + row.AtText() + "', " +
                                       (row.name.has_value() ? "N'" + *row.name + "'" : "NULL") +
                                       ")");
                }
                RunSql(server().Filled(), statements);
              },
          .broken = {{.name = "a timestamp finer than a table's",
                      .write =
                          [=](const std::string& folder) {
                            RunSql(server().Filled(),
                                   {"CREATE TABLE " + TableOfFolder(folder) +
                                        " (id bigint PRIMARY KEY, at datetime2(7))",
                                    "INSERT INTO " + TableOfFolder(folder) +
                                        " VALUES (2, '2026-01-01 00:00:00.1234567')"});
                          },
                      .says = {"where id = 2", "column at", "finer than microseconds"}}},
          .server = "CALVE_TEST_MSSQL"};
}

namespace {

class OdbcSourceTest : public SourceTest {
 protected:
  void Begin(const odbc::OdbcOptions& options) {
    if (options.driver.empty()) GTEST_SKIP() << "needs tests/services/with postgres.sh mariadb.sh";
    options_ = options;
    table_ = TableOfFolder(folder_.path());
  }
  Result<Rows> Odbc(const std::string& options) {
    return ReadRows("odbc", options + "\n" + Yaml(options_));
  }
  /// Read on from where the last call of this ended.
  Result<Rows> ReadOn(const std::string& options) {
    const std::string yaml = options + "\nincremental: true\n" + Yaml(options_);
    CALVE_ASSIGN_OR_RETURN(const config::Node node, config::ParseYaml(yaml, "job.yaml"));
    CALVE_ASSIGN_OR_RETURN(const auto source, registry_.Find("odbc")->make(node, {}));
    const PlanOptions plan{.since = position_};
    CALVE_ASSIGN_OR_RETURN(const ReadPlan planned, source->Plan(*context_, plan));
    CALVE_ASSIGN_OR_RETURN(Rows rows, ReadAll(*source, plan));
    position_ = planned.position;
    return rows;
  }
  odbc::OdbcOptions options_;
  std::string table_;
  std::optional<Position> position_;
};

TEST_F(OdbcSourceTest, TypesOfPostgresqlComeExactly) {
  Begin(Postgres());
  if (IsSkipped()) return;
  RunSql(options_,
         {"CREATE TABLE " + table_ +
              " (a smallint, b int, c bigint, d real, e double precision, f decimal(38, 10), g "
              "date, h time(6), i timestamp, j uuid, k varchar(20), l bytea, m char(4))",
          "INSERT INTO " + table_ +
              " VALUES (-32768, -2147483648, 9223372036854775807, 0.1, 0.1, "
              "-1234567890123456789012345678.0123456789, '0001-01-01', '23:59:59.999999', "
              "'9999-12-31 23:59:59.999999', '00112233-4455-6677-8899-aabbccddeeff', 'Zoë 🧊', "
              "'\\x00ff10', 'ab'), (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, "
              "NULL, NULL, NULL)"});
  const auto rows = Odbc("table: " + table_);
  ASSERT_TRUE(rows.ok()) << rows.error().message;
  EXPECT_EQ(rows->schema,
            "a: int, b: int, c: long, d: float, e: double, f: decimal(38, 10), g: date, h: time, "
            "i: timestamp, j: uuid, k: string, l: binary, m: string");
  EXPECT_THAT(
      rows->rows,
      ElementsAre(
          "{\"a\": -32768, \"b\": -2147483648, \"c\": 9223372036854775807, \"d\": 0.1, \"e\": 0.1, "
          "\"f\": -1234567890123456789012345678.0123456789, \"g\": \"0001-01-01\", \"h\": "
          "\"23:59:59.999999\", \"i\": \"9999-12-31T23:59:59.999999\", \"j\": "
          "\"00112233-4455-6677-8899-aabbccddeeff\", \"k\": \"Zoë 🧊\", \"l\": \"AP8Q\", \"m\": "
          "\"ab  \"}",
          "{\"a\": null, \"b\": null, \"c\": null, \"d\": null, \"e\": null, \"f\": null, \"g\": "
          "null, \"h\": null, \"i\": null, \"j\": null, \"k\": null, \"l\": null, \"m\": null}"));
}

TEST_F(OdbcSourceTest, TypesOfMariadbComeExactly) {
  Begin(Mariadb());
  if (IsSkipped()) return;
  RunSql(options_,
         {"CREATE TABLE " + table_ +
              " (a tinyint, b int unsigned, c bigint unsigned, d float, e double, f decimal(38, "
              "10), g date, h time(6), i datetime(6), j varchar(20) CHARACTER SET utf8mb4, k "
              "varbinary(9), l mediumtext CHARACTER SET utf8mb4)",
          "INSERT INTO " + table_ +
              " VALUES (-128, 4294967295, 18446744073709551615, 0.5, 0.1, "
              "-1234567890123456789012345678.0123456789, '1000-01-01', '23:59:59.999999', "
              "'9999-12-31 23:59:59.999999', 'Zoë', X'00ff10', REPEAT('Zoë ', 50000))"});
  const auto rows = Odbc("table: " + table_);
  ASSERT_TRUE(rows.ok()) << rows.error().message;
  EXPECT_EQ(rows->schema,
            "a: int, b: long, c: decimal(20, 0), d: float, e: double, f: decimal(38, 10), g: date, "
            "h: time, i: timestamp, j: string, k: binary, l: string");
  ASSERT_EQ(rows->rows.size(), 1U);
  EXPECT_THAT(rows->rows[0],
              HasSubstr("{\"a\": -128, \"b\": 4294967295, \"c\": 18446744073709551615, \"d\": 0.5, "
                        "\"e\": 0.1, \"f\": -1234567890123456789012345678.0123456789, \"g\": "
                        "\"1000-01-01\", \"h\": \"23:59:59.999999\", \"i\": "
                        "\"9999-12-31T23:59:59.999999\", \"j\": \"Zoë\", \"k\": \"AP8Q\", \"l\": "
                        "\"Zoë Zoë"));
  EXPECT_GT(rows->rows[0].size(), 250'000U);
}

TEST_F(OdbcSourceTest, AFileOfSqliteIsReadByItsDriver) {
  const std::string path = folder_.path() + "/shop.db";
  {
    auto database = io::SqliteDatabase::Open(path, {});
    ASSERT_TRUE(database.ok()) << database.error().message;
    ASSERT_TRUE(
        database->Execute("CREATE TABLE orders (id integer PRIMARY KEY, name varchar(20))").ok());
    ASSERT_TRUE(database->Execute("INSERT INTO orders VALUES (1, 'Zoë'), (2, NULL)").ok());
  }
  const auto rows = ReadRows("odbc", "driver: SQLite3\ndatabase: " + path +
                                         "\nquery: SELECT name, id FROM orders ORDER BY id");
  ASSERT_TRUE(rows.ok()) << rows.error().message;
  EXPECT_EQ(rows->schema, "name: string, id: int");
  EXPECT_THAT(rows->rows,
              ElementsAre("{\"name\": \"Zoë\", \"id\": 1}", "{\"name\": null, \"id\": 2}"));
  const auto by_string = ReadRows(
      "odbc", "connection_string: \"Driver={SQLite3};Database=" + path + "\"\ntable: orders");
  ASSERT_TRUE(by_string.ok()) << by_string.error().message;
  EXPECT_EQ(by_string->rows.size(), 2U);
  WriteText(folder_.path() + "/odbc.ini", "[shop]\nDriver=SQLite3\nDatabase=" + path + "\n");
  ASSERT_EQ(setenv("ODBCINI", (folder_.path() + "/odbc.ini").c_str(), 1), 0);
  const auto by_name = ReadRows("odbc", "dsn: shop\ntable: orders\nwhere: id = 2");
  ASSERT_TRUE(by_name.ok()) << by_name.error().message;
  EXPECT_EQ(by_name->rows.size(), 1U);
}

TEST_F(OdbcSourceTest, ALongTextComesWholeAndNoneIsCut) {
  Begin(Postgres());
  if (IsSkipped()) return;
  RunSql(options_, {"CREATE TABLE " + table_ + " (id int, long text, short varchar)",
                    "INSERT INTO " + table_ + " VALUES (1, repeat('Zoë ', 50000), 'x')"});
  const auto rows = Odbc("table: " + table_);
  ASSERT_TRUE(rows.ok()) << rows.error().message;
  ASSERT_EQ(rows->rows.size(), 1U);
  EXPECT_GT(rows->rows[0].size(), 250'000U);
  // The driver says 255 characters of a varchar without a length.
  RunSql(options_, {"UPDATE " + table_ + " SET short = repeat('x', 3000)"});
  const auto cut = Odbc("table: " + table_ + "\ncolumns: [id, short]");
  ASSERT_FALSE(cut.ok());
  EXPECT_THAT(cut.error().message, HasSubstr("column short: a value of 6000 bytes is longer"));
  const auto told =
      Odbc("table: " + table_ + "\ncolumns: [id, short]\nkeys: {UnknownSizes: \"2\"}");
  ASSERT_TRUE(told.ok()) << told.error().message;
  EXPECT_GT(told->rows[0].size(), 3000U);
}

TEST_F(OdbcSourceTest, TablesColumnsConditionsAndSchemas) {
  Begin(Postgres());
  if (IsSkipped()) return;
  const std::string other = table_ + "_other";
  RunSql(options_, {"CREATE SCHEMA s" + table_, "CREATE TABLE " + table_ + " (id int, a int)",
                    "CREATE TABLE " + other + " (id int, a int)",
                    "CREATE TABLE s" + table_ + "." + table_ + " (id int, a int)",
                    "INSERT INTO " + table_ + " VALUES (1, 10), (2, 20)",
                    "INSERT INTO " + other + " VALUES (3, 30)",
                    "INSERT INTO s" + table_ + "." + table_ + " VALUES (4, 40)"});
  const auto some = Odbc("tables: [\"public." + table_ + "*\"]\ncolumns: [a]\nwhere: id <> 1");
  ASSERT_TRUE(some.ok()) << some.error().message;
  EXPECT_THAT(some->rows, ElementsAre("{\"a\": 20}", "{\"a\": 30}"));
  const auto several = Odbc("table: " + table_);
  ASSERT_FALSE(several.ok());
  EXPECT_THAT(several.error().message, HasSubstr("is several tables"));
  const auto named = Odbc("table: " + table_ + "\nschema: s" + table_);
  ASSERT_TRUE(named.ok()) << named.error().message;
  EXPECT_THAT(named->rows, ElementsAre("{\"id\": 4, \"a\": 40}"));
  const auto missing = Odbc("table: " + other.substr(0, other.size() - 1));
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().kind, ErrorKind::kNotFound);
  EXPECT_THAT(missing.error().message, HasSubstr("did you mean '" + other + "'"));
}

TEST_F(OdbcSourceTest, ItReadsOnByATimestampAndLooksBack) {
  Begin(Postgres());
  if (IsSkipped()) return;
  const std::string options = "table: " + table_ + "\ncursor_column: at\nlook_back: 1h";
  RunSql(options_, {"CREATE TABLE " + table_ + " (id int, at timestamp NOT NULL)",
                    "INSERT INTO " + table_ +
                        " VALUES (1, '2026-01-01 10:00:00'), (2, '2026-01-01 11:30:00.5')"});
  auto rows = ReadOn(options);
  ASSERT_TRUE(rows.ok()) << rows.error().message;
  EXPECT_EQ(rows->rows.size(), 2U);
  // One that came late, one that is new, and one that is older than the stretch.
  RunSql(options_, {"INSERT INTO " + table_ +
                    " VALUES (3, '2026-01-01 11:00:00'), (4, '2026-01-01 12:00:00'), (5, "
                    "'2026-01-01 09:00:00')"});
  rows = ReadOn(options);
  ASSERT_TRUE(rows.ok()) << rows.error().message;
  EXPECT_THAT(rows->rows,
              testing::UnorderedElementsAre(HasSubstr("\"id\": 3"), HasSubstr("\"id\": 4")));
  rows = ReadOn(options);
  ASSERT_TRUE(rows.ok()) << rows.error().message;
  EXPECT_THAT(rows->rows, testing::IsEmpty());
  const auto by_text = ReadOn("table: " + table_ + "\ncursor_column: att");
  ASSERT_FALSE(by_text.ok());
}

TEST_F(OdbcSourceTest, WideDecimalsAndTypesAreAsSaid) {
  Begin(Postgres());
  if (IsSkipped()) return;
  RunSql(options_, {"CREATE TABLE " + table_ + " (a decimal(50, 10), b varchar(9))",
                    "INSERT INTO " + table_ + " VALUES (12.5, '7'), (1e30, '8')"});
  const auto plain = Odbc("table: " + table_);
  ASSERT_TRUE(plain.ok()) << plain.error().message;
  EXPECT_EQ(plain->schema, "a: string, b: string");
  EXPECT_THAT(plain->notes, ElementsAre(HasSubstr("column a is decimal with more than 38")));
  const auto said = Odbc("table: " + table_ + "\nnumeric: decimal(20, 4)\ntypes: {b: long}");
  ASSERT_TRUE(said.ok()) << said.error().message;
  EXPECT_EQ(said->schema, "a: decimal(20, 4), b: long");
  EXPECT_THAT(said->rows, ElementsAre("{\"a\": 12.5000, \"b\": 7}"));
  EXPECT_THAT(said->rejects, ElementsAre(HasSubstr("more digits than decimal(20, 4) holds")));
}

TEST_F(OdbcSourceTest, ChunksHoldEveryRowOnce) {
  Begin(Postgres());
  if (IsSkipped()) return;
  RunSql(options_, {"CREATE TABLE " + table_ + " (id bigint, n int)",
                    "INSERT INTO " + table_ +
                        " SELECT CASE WHEN n = 7 THEN NULL ELSE n END, n FROM generate_series(1, "
                        "50000) AS s (n)",
                    "INSERT INTO " + table_ + " VALUES (4611686018427387904, -1)"});
  const std::string yaml = "table: " + table_ + "\nchunk_column: id\n" + Yaml(options_);
  const auto node = config::ParseYaml(yaml, "job.yaml");
  ASSERT_TRUE(node.ok());
  const auto source = registry_.Find("odbc")->make(*node, {});
  ASSERT_TRUE(source.ok()) << source.error().message;
  const auto plan = (*source)->Plan(*context_, {.parallelism = 2});
  ASSERT_TRUE(plan.ok()) << plan.error().message;
  EXPECT_GE(plan->splits.size(), 4U);
  auto rows = ReadAll(**source);
  ASSERT_TRUE(rows.ok()) << rows.error().message;
  std::sort(rows->rows.begin(), rows->rows.end());
  EXPECT_EQ(std::unique(rows->rows.begin(), rows->rows.end()), rows->rows.end());
  EXPECT_EQ(rows->rows.size(), 50'001U);
  const auto whole = Odbc("table: " + table_ + "\nchunk_column: m");
  ASSERT_FALSE(whole.ok());
  EXPECT_THAT(whole.error().message,
              HasSubstr("chunk_column: public." + table_ + " has no column 'm'"));
}

TEST_F(OdbcSourceTest, SqlServerIsAskedByFreeTds) {
  const auto refused = ReadRows("mssql",
                                "host: 127.0.0.1\nport: 1\ndatabase: shop\nusername: "
                                "reader\npassword: hidden-word\ntable: orders");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().kind, ErrorKind::kTransient) << refused.error().message;
  EXPECT_THAT(refused.error().message, HasSubstr("cannot connect to FreeTDS on 127.0.0.1"));
  EXPECT_THAT(refused.error().message, testing::Not(HasSubstr("hidden-word")));
}

TEST_F(OdbcSourceTest, ErrorsNameTheStateAndWhatToDo) {
  Begin(Postgres());
  if (IsSkipped()) return;
  const auto query = Odbc("query: SELECT nothing FROM nowhere");
  ASSERT_FALSE(query.ok());
  EXPECT_THAT(query.error().message, HasSubstr("(SQLSTATE 42"));
  const auto where = [&] {
    RunSql(options_, {"CREATE TABLE " + table_ + " (id int)"});
    return Odbc("table: " + table_ + "\nwhere: nothing = 1");
  }();
  ASSERT_FALSE(where.ok());
  EXPECT_EQ(where.error().kind, ErrorKind::kConfig);
  EXPECT_THAT(where.error().message, HasSubstr("mend table, columns, where or query"));
  options_.password = "wrong";
  const auto refused = Odbc("table: " + table_);
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(refused.error().message, HasSubstr("cannot connect to PostgreSQL Unicode on 127."));
  EXPECT_THAT(refused.error().message, testing::Not(HasSubstr("wrong;")));
  options_.driver = "No Such Driver";
  const auto missing = Odbc("table: " + table_);
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().kind, ErrorKind::kConfig);
  EXPECT_THAT(missing.error().message, HasSubstr("odbcinst -q -d lists the drivers"));
}

TEST_F(OdbcSourceTest, AStatementThatTakesTooLongIsEnded) {
  Begin(Postgres());
  if (IsSkipped()) return;
  const auto slow = Odbc("query: \"SELECT 1 AS a FROM pg_sleep(30)\"\nstatement_timeout: 1s");
  ASSERT_FALSE(slow.ok());
}

TEST(OdbcOptionsTest, ValuesOfAConnectionStringAreQuoted) {
  odbc::OdbcOptions options;
  options.driver = "Some Driver";
  options.host = "db";
  options.password = "a}b;c";
  options.keys = {{"Encrypt", "yes"}};
  EXPECT_EQ(options.ServerAddress().connection_string,
            "Driver={Some Driver};Server=db;PWD={a}}b;c};Encrypt=yes;");
  EXPECT_EQ(options.ServerAddress().shown, "Some Driver on db");
}

TEST(OdbcOptionsTest, SqlServerIsToldInTheWordsOfItsDriver) {
  odbc::MssqlOptions options;
  options.host = "db";
  options.database = "shop";
  options.username = "reader";
  EXPECT_EQ(options.Filled().ServerAddress().connection_string,
            "Driver={FreeTDS};Server=db;Port=1433;Database=shop;UID=reader;ClientCharset=UTF-8;"
            "Encryption=require;TDS_Version=7.4;");
  options.driver = "ODBC Driver 18 for SQL Server";
  options.encrypt = odbc::Encrypt::kNo;
  EXPECT_EQ(options.Filled().ServerAddress().connection_string,
            "Driver={ODBC Driver 18 for SQL Server};Server={db,1433};Database=shop;UID=reader;"
            "Encrypt=no;");
}

TEST(OdbcTextTest, SignsBeyondTheFirstPlaneAreKept) {
  std::string text;
  odbc::AppendUtf8(odbc::ToUtf16("a🧊ß"), &text);
  EXPECT_EQ(text, "a🧊ß");
  // Half of a pair is no UTF-8 either, so that a check finds it.
  text.clear();
  odbc::AppendUtf8(std::u16string(1, char16_t{0xD83E}), &text);
  EXPECT_FALSE(IsValidUtf8(text));
}

}  // namespace
}  // namespace calve::source

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "io/sqlite.h"
#include "source/fixture_for_test.h"
#include "source/source_for_test.h"

namespace calve::source {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

void RunSql(const std::string& folder, const std::string& sql) {
  auto database = io::SqliteDatabase::Open(folder + "/t.db");
  ASSERT_TRUE(database.ok()) << database.error().message;
  const Status done = database->Execute(sql.c_str());
  ASSERT_TRUE(done.ok()) << done.error().message;
}

constexpr std::string_view kCreate =
    "CREATE TABLE IF NOT EXISTS t (id INTEGER PRIMARY KEY, price DECIMAL(18, 2), day DATE, at "
    "TIMESTAMPTZ, name VARCHAR(80));";

void WriteRows(const std::string& folder, int64_t first, int64_t rows) {
  std::string sql = "BEGIN;" + std::string(kCreate);
  for (int64_t n = first; n < first + rows; ++n) {
    const ContractRow row = ContractRowAt(n);
    sql += "INSERT INTO t VALUES (" + std::to_string(row.id) + ", " + row.PriceText() + ", '" +
           row.DayText() + "', '" + row.AtText() + "', " +
           (row.name.has_value() ? "'" + *row.name + "'" : "NULL") + ");";
  }
  RunSql(folder, sql + "COMMIT;");
}

BrokenInput Broken(std::string name, std::string column, std::string value,
                   std::vector<std::string> says) {
  const auto write = [column, value](const std::string& folder) {
    RunSql(folder, "CREATE TABLE t (id INTEGER PRIMARY KEY, " + column +
                       "); INSERT INTO t VALUES (7, " + value + ");");
  };
  says.insert(says.begin(), "t where id = 7");
  return {.name = std::move(name), .write = write, .says = std::move(says)};
}

}  // namespace

SOURCE_FIXTURE(sqlite) {
  return {.options =
              [](const std::string& folder, int64_t rows) {
                if (rows == 0) RunSql(folder, std::string(kCreate));
                return "cursor_column: id\ntable: t\npath: " + folder + "/t.db";
              },
          .write = WriteRows,
          .broken = {
              Broken("a text in an integer", "a INTEGER", "'many'",
                     {"column a", "a text is no long", "by types"}),
              Broken("a day that is none", "a DATE", "'2026-02-30'", {"column a", "'2026-02-30'"}),
              Broken("too many digits", "a DECIMAL(5, 2)", "1.125", {"column a", "'1.125'"}),
              Broken("bytes in a text", "a TEXT", "CAST(x'ff' AS TEXT)", {"column a", "UTF-8"}),
              Broken("an integer beyond a double", "a BLOB", "9007199254740993",
                     {"column a", "an integer is no binary"})}};
}

namespace {

class SqliteSourceTest : public SourceTest {
 protected:
  Result<Rows> Sqlite(const std::string& options, const PlanOptions& plan = {}) {
    return ReadRows("sqlite", options + "\npath: t.db", plan);
  }
};

TEST_F(SqliteSourceTest, DeclaredTypesAreKept) {
  RunSql(folder_.path(),
         "CREATE TABLE t (a BOOLEAN, b DOUBLE PRECISION, c TIME, d DATETIME, e BLOB, f UUID, g, h "
         "NUMERIC, i DECIMAL(38, 10));"
         "INSERT INTO t VALUES (1, 2, '10:00:00.5', '2026-01-01 10:00:00.25', x'00ff', "
         "'00112233-4455-6677-8899-aabbccddeeff', 5, 2.5, '1234567890123456789012345678.5');"
         "INSERT INTO t VALUES ('false', 0.1, NULL, '2026-01-01T10:00', x'', NULL, 6, 7, 1);");
  const auto rows = Sqlite("table: T");
  ASSERT_TRUE(rows.ok()) << rows.error().message;
  EXPECT_EQ(rows->schema,
            "a: boolean, b: double, c: time, d: timestamp, e: binary, f: uuid, g: long, h: double, "
            "i: decimal(38, 10)");
  EXPECT_THAT(rows->rows[0],
              HasSubstr("{\"a\": true, \"b\": 2, \"c\": \"10:00:00.5\", \"d\": "
                        "\"2026-01-01T10:00:00.25\", \"e\": \"AP8=\", \"f\": "
                        "\"00112233-4455-6677-8899-aabbccddeeff\", \"g\": 5, \"h\": 2.5"));
  EXPECT_THAT(rows->notes, ElementsAre(HasSubstr("column g was declared without an exact type"),
                                       HasSubstr("column h was declared")));
}

TEST_F(SqliteSourceTest, ADecimalThatWasStoredAsADoubleIsToldApartFromOneThatFits) {
  RunSql(folder_.path(),
         "CREATE TABLE t (a DECIMAL(38, 10)); INSERT INTO t VALUES (0.1), (1e20), (1.0 / 3);");
  const auto rows = Sqlite("table: t");
  ASSERT_TRUE(rows.ok()) << rows.error().message;
  EXPECT_THAT(rows->rows,
              ElementsAre("{\"a\": 0.1000000000}", "{\"a\": 100000000000000000000.0000000000}"));
  EXPECT_THAT(rows->rejects, ElementsAre(HasSubstr("'0.3333333333333333'")));
}

TEST_F(SqliteSourceTest, TypesSayOtherwise) {
  RunSql(
      folder_.path(),
      "CREATE TABLE t (a TEXT, b TEXT); INSERT INTO t VALUES ('12.50', '2026-01-01T00:00:00Z');");
  const auto rows = Sqlite("table: t\ntypes: {a: \"decimal(9, 2)\", b: timestamptz}");
  ASSERT_TRUE(rows.ok()) << rows.error().message;
  EXPECT_EQ(rows->schema, "a: decimal(9, 2), b: timestamptz");
  EXPECT_THAT(rows->rows, ElementsAre("{\"a\": 12.50, \"b\": \"2026-01-01T00:00:00+00:00\"}"));
  const auto unknown = Sqlite("table: t\ntypes: {ab: long}");
  ASSERT_FALSE(unknown.ok());
  EXPECT_THAT(unknown.error().message, HasSubstr("no column 'ab'"));
}

TEST_F(SqliteSourceTest, EqualAndLateTimesComeOnceEach) {
  const std::string options = "table: t\ncursor_column: at\nlook_back: 1h\nincremental: true";
  std::optional<Position> position;
  const auto read = [&]() -> std::string {
    const auto node = config::ParseYaml(options + "\npath: t.db", "job.yaml");
    const auto source =
        registry_.Find("sqlite")->make(*node, {.files = &files_, .project_folder = folder_.path()});
    const PlanOptions plan{.since = position};
    const auto planned = (*source)->Plan(*context_, plan);
    if (!planned.ok()) return planned.error().message;
    const auto rows = ReadAll(**source, plan);
    if (!rows.ok()) return rows.error().message;
    position = planned->position;
    std::string names;
    for (const std::string& row : rows->rows) names += row.substr(row.size() - 3, 1);
    return names;
  };
  RunSql(
      folder_.path(),
      "CREATE TABLE t (at DATETIME, what TEXT); INSERT INTO t VALUES ('2026-01-01 10:00:00', 'a'), "
      "('2026-01-01 11:00:00', 'b');");
  EXPECT_EQ(read(), "ab");
  EXPECT_EQ(read(), "");
  RunSql(folder_.path(),
         "INSERT INTO t VALUES ('2026-01-01 11:00:00', 'c'), ('2026-01-01 10:30:00', 'd'), "
         "('2026-01-01 09:00:00', 'e');");
  EXPECT_EQ(read(), "cd");
  RunSql(folder_.path(),
         "INSERT INTO t VALUES ('2026-01-01 13:00:00', 'f'), ('2026-01-01 11:00:00', 'g');");
  EXPECT_EQ(read(), "gf");
  EXPECT_EQ(read(), "");
}

TEST_F(SqliteSourceTest, AFileThatIsNoDatabaseIsNamed) {
  WriteText(folder_.At("t.db"), "this is no database, and long enough to have had a header in it");
  const auto rows = Sqlite("table: t");
  ASSERT_FALSE(rows.ok());
  EXPECT_EQ(rows.error().kind, ErrorKind::kData);
  EXPECT_THAT(rows.error().message, HasSubstr("t.db is no whole SQLite database"));
}

TEST_F(SqliteSourceTest, AQueryThatRunsForLongIsStopped) {
  RunSql(folder_.path(), "CREATE TABLE t (a INTEGER);");
  std::stop_source stop;
  const Context stoppable = context_->WithStop(stop.get_token());
  const auto node = config::ParseYaml(
      "query: \"WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x FROM n "
      "WHERE x "
      "< 0\"\ntypes: {x: long}\npath: t.db",
      "job.yaml");
  const auto source =
      registry_.Find("sqlite")->make(*node, {.files = &files_, .project_folder = folder_.path()});
  ASSERT_TRUE(source.ok());
  std::jthread later([&] { stop.request_stop(); });
  const auto plan = (*source)->Plan(stoppable, {});
  ASSERT_FALSE(plan.ok());
  EXPECT_EQ(plan.error().kind, ErrorKind::kStopped) << plan.error().message;
}

}  // namespace
}  // namespace calve::source

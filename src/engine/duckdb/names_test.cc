#include <gmock/gmock.h>

#include "engine/duckdb/sql_text.h"
#include "engine/duckdb/testing.h"

namespace calve::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class NamesTest : public EngineTest {
 protected:
  std::vector<std::string> Echo(const std::string& sql) {
    return Rows(sql, {.resolver = &resolver_});
  }
  std::string Fail(const std::string& sql) { return ErrorOf(sql, {.resolver = &resolver_}); }
  EchoResolver resolver_;
};

TEST_F(NamesTest, TablesAreFoundByTheirWholeName) {
  EXPECT_THAT(Echo("SELECT name FROM t"), ElementsAre("t"));
  EXPECT_THAT(Echo("SELECT name FROM sales.daily"), ElementsAre("sales.daily"));
  EXPECT_THAT(Echo("SELECT name FROM lake.sales.daily"), ElementsAre("lake.sales.daily"));
  EXPECT_THAT(Echo("SELECT name FROM a.b.c.t"), ElementsAre("a.b.c.t"));
  EXPECT_THAT(Echo("SELECT name FROM a.b.c.d.e.t x WHERE x.n = 1"), ElementsAre("a.b.c.d.e.t"));
  EXPECT_THAT(Echo(R"(SELECT name FROM "my ns"."the ""table""")"),
              ElementsAre(R"(my ns.the "table")"));
  EXPECT_THAT(Echo("FROM sales.daily SELECT name"), ElementsAre("sales.daily"));
}

TEST_F(NamesTest, RefsAndSnapshotsFollowAnAt) {
  EXPECT_THAT(Echo("SELECT name FROM daily@audit_1"), ElementsAre("daily@audit_1"));
  EXPECT_THAT(Echo("SELECT name FROM sales.daily@audit_1"), ElementsAre("sales.daily@audit_1"));
  EXPECT_THAT(Echo("SELECT name FROM sales.daily@8744736658442914487"),
              ElementsAre("sales.daily@8744736658442914487"));
  EXPECT_THAT(Echo(R"(SELECT name FROM sales."daily"@"branch-2")"),
              ElementsAre("sales.daily@branch-2"));
  EXPECT_THAT(Echo("SELECT name FROM a.b.c.t@v1 AS x"), ElementsAre("a.b.c.t@v1"));
}

TEST_F(NamesTest, TimeTravelTakesConstantExpressions) {
  EXPECT_THAT(Echo("SELECT name FROM sales.daily AT (VERSION => 42)"),
              ElementsAre("sales.daily@42"));
  EXPECT_THAT(Echo("SELECT name FROM sales.daily at (version => 'audit_1')"),
              ElementsAre("sales.daily@audit_1"));
  EXPECT_THAT(
      Echo("SELECT name FROM sales.daily AT (TIMESTAMP => TIMESTAMP '2026-11-21 08:15:00')"),
      ElementsAre("sales.daily as of 2026-11-21T08:15:00.000Z"));
  EXPECT_THAT(Echo("SELECT d.name FROM daily AT (TIMESTAMP => DATE '2026-11-21' + INTERVAL 1 HOUR) "
                   "d WHERE n = 1"),
              ElementsAre("daily as of 2026-11-21T01:00:00.000Z"));
  EXPECT_THAT(Echo("SELECT name FROM daily AT (TIMESTAMP => '2026-11-21 08:15:00+02')"),
              ElementsAre("daily as of 2026-11-21T06:15:00.000Z"));
  EXPECT_THAT(Fail("SELECT name FROM daily AT (TIMESTAMP => 'soon')"),
              HasSubstr("daily AT (TIMESTAMP => 'soon')"));
}

TEST_F(NamesTest, PlacesAreRead) {
  EXPECT_THAT(Echo("SELECT name FROM iceberg('file:///lake/sales/daily')"),
              ElementsAre("iceberg('file:///lake/sales/daily')"));
  EXPECT_THAT(Echo("SELECT x.name FROM iceberg('/lake/t') AS x"),
              ElementsAre("iceberg('/lake/t')"));
}

TEST_F(NamesTest, NamesAreFoundWhereverATableMayStand) {
  EXPECT_THAT(Echo("WITH x AS (SELECT * FROM a.b.c.t@main) SELECT name FROM x"),
              ElementsAre("a.b.c.t@main"));
  EXPECT_THAT(Echo("SELECT (SELECT name FROM a.b.c.t LIMIT 1)"), ElementsAre("a.b.c.t"));
  EXPECT_THAT(Echo("SELECT l.name || ' ' || r.name FROM a.t@b1 l JOIN a.t@b2 r ON l.n = r.n"),
              ElementsAre("a.t@b1 a.t@b2"));
  EXPECT_THAT(Echo("SELECT l.name || ' ' || r.name FROM a.b.c.l, a.b.c.r"),
              ElementsAre("a.b.c.l a.b.c.r"));
  EXPECT_THAT(Echo("SELECT l.name || ' ' || r.name FROM (a.b.c.l JOIN a.b.c.r USING (n))"),
              ElementsAre("a.b.c.l a.b.c.r"));
  EXPECT_THAT(Echo("SELECT name FROM t WHERE name IN (SELECT name FROM t)"), ElementsAre("t"));
  EXPECT_THAT(Echo("SELECT name FROM a.t@x UNION ALL SELECT name FROM a.b.c.u ORDER BY 1"),
              ElementsAre("a.b.c.u", "a.t@x"));
}

TEST_F(NamesTest, TheLastPartIsTheAlias) {
  EXPECT_THAT(Echo("SELECT daily.name FROM sales.daily@audit_1"),
              ElementsAre("sales.daily@audit_1"));
  EXPECT_THAT(Echo("SELECT t.n, t.* FROM a.b.c.t"), ElementsAre("1|a.b.c.t|1"));
}

TEST_F(NamesTest, ColumnsMayBeQualifiedByTheWholeName) {
  EXPECT_THAT(
      Echo("SELECT sales.daily.name, Sales.Daily.n FROM sales.daily WHERE sales.daily.n = 1"),
      ElementsAre("sales.daily|1"));
  EXPECT_THAT(Echo("SELECT sales.daily.* FROM sales.daily@b ORDER BY sales.daily.n"),
              ElementsAre("sales.daily@b|1"));
  EXPECT_THAT(
      Echo("SELECT a.b.c.l.n + a.b.c.r.n FROM a.b.c.l JOIN a.b.c.r ON a.b.c.l.n = a.b.c.r.n"),
      ElementsAre("2"));
  EXPECT_THAT(Fail("SELECT sales.daily.nonsense FROM sales.daily"),
              HasSubstr("SQL line 1, column "));
}

TEST_F(NamesTest, CommonTableExpressionsShadowTables) {
  EXPECT_THAT(Echo("WITH daily AS (SELECT 'mine' AS name) SELECT name FROM daily"),
              ElementsAre("mine"));
  EXPECT_THAT(Echo("WITH daily AS (SELECT 'mine' AS name) SELECT name FROM sales.daily"),
              ElementsAre("sales.daily"));
  EXPECT_THAT(Echo("WITH daily AS (SELECT 'mine' AS name) SELECT name FROM daily@b"),
              ElementsAre("daily@b"));
}

TEST_F(NamesTest, OtherUsesOfTheSameSignsStayAsTheyAre) {
  EXPECT_THAT(Echo("SELECT @(-5), @ (-6)"), ElementsAre("5|6"));
  EXPECT_THAT(Echo("SELECT 'a@b', \"a@b\" FROM (SELECT 1 AS \"a@b\")"), ElementsAre("a@b|1"));
  EXPECT_THAT(Echo("SELECT [1,2] @> [1]"), ElementsAre("true"));
  EXPECT_THAT(Echo("SELECT s.a.b.c.d FROM (SELECT {a: {b: {c: {d: 7}}}} AS s)"), ElementsAre("7"));
  EXPECT_THAT(Echo("SELECT extract(year FROM s.a.b.c.d) FROM (SELECT {a: {b: {c: {d: DATE "
                   "'2026-01-01'}}}} AS s)"),
              ElementsAre("2026"));
  EXPECT_THAT(Echo("SELECT 1 -- a.b.c.t@x"), ElementsAre("1"));
  EXPECT_THAT(Echo("SELECT TIMESTAMP '2026-01-01 00:00:00' AT TIME ZONE 'UTC' IS NOT NULL"),
              ElementsAre("true"));
}

TEST_F(NamesTest, AnUnknownTableIsSaidAsTheResolverSaysIt) {
  EXPECT_EQ(Fail("SELECT 1 FROM missing"),
            "not_found: there is no table 'missing'; did you mean 'mission'?");
}

TEST_F(NamesTest, WithoutAResolverThereAreNoTables) {
  EXPECT_THAT(ErrorOf("SELECT 1 FROM sales.daily"), HasSubstr("daily"));
  EXPECT_THAT(ErrorOf("SELECT 1 FROM iceberg('/lake/t')"), HasSubstr("may read no tables"));
}

TEST_F(NamesTest, PlacesInErrorsAreThoseOfThePersonsText) {
  EXPECT_THAT(Fail("SELECT name,\n  nonsense FROM a.b.c.t"), HasSubstr("SQL line 2, column 3: "));
  EXPECT_THAT(Fail("SELECT name FROM a.b.c.t@v1 WHERE nonsense = 1"),
              HasSubstr("SQL line 1, column 35: "));
  EXPECT_THAT(Fail("SELECT name FROM a.b.c.t@v1 WHRE n = 1"), HasSubstr("SQL line 1, column 34: "));
  EXPECT_THAT(Fail("SELECT 'é', nonsense FROM t"), HasSubstr("SQL line 1, column 13: "));
}

TEST(SqlText, AnEditKeepsTheRestByteForByte) {
  const SqlText text("SELECT *\nFROM a.t@\"b \"\"1\" -- é\nWHERE x");
  EXPECT_EQ(text.rewritten(), "SELECT *\nFROM \"a.t@\"\"b \"\"\"\"1\"\"\" -- é\nWHERE x");
  EXPECT_EQ(text.PlaceOf(text.rewritten().rfind('x')), "line 3, column 7");
}

}  // namespace
}  // namespace calve::engine

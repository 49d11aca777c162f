#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdlib>
#include <map>
#include <thread>

#include "base/text.h"
#include "columnar/row_text.h"
#include "source/fixture_for_test.h"
#include "source/mysql/column_types.h"
#include "source/mysql/connection.h"
#include "source/mysql/mysql_options.h"
#include "source/source_for_test.h"

namespace calve::source {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string ServerUrl() {
  const char* url = std::getenv("CALVE_TEST_MARIADB");
  return url == nullptr ? "" : url;
}

/// The server's address by which another user logs in.
std::string UrlOf(const std::string& user) {
  std::string url = ServerUrl();
  return url.replace(url.find("calve:secret"), 12, user + ":x");
}

std::unique_ptr<mysql::Connection> Connect() {
  mysql::MysqlOptions options;
  options.url = ServerUrl();
  const OwnedContext context(7);
  auto connection = mysql::Connection::Open(*context, options.ServerAddress("").value());
  EXPECT_TRUE(connection.ok()) << connection.error().message;
  return std::move(connection).value();
}

/// Run statements on the server that the test run started, and give the rows of the last one.
std::vector<mysql::Connection::Row> RunSql(const std::vector<std::string>& statements) {
  const OwnedContext context(7);
  const auto connection = Connect();
  std::vector<mysql::Connection::Row> rows;
  for (const std::string& sql : statements) {
    auto done = connection->Query(*context, sql);
    EXPECT_TRUE(done.ok()) << sql.substr(0, 500) << ": " << done.error().message;
    if (done.ok()) rows = *std::move(done);
  }
  return rows;
}

std::string CreateSql(const std::string& folder) {
  return "CREATE TABLE IF NOT EXISTS " + TableOfFolder(folder) +
         " (id bigint PRIMARY KEY, price decimal(18, 2), day date, at timestamp(6) NULL, name "
         "text)";
}

void WriteRows(const std::string& folder, int64_t first, int64_t rows) {
  std::vector<std::string> statements = {"SET time_zone = '+00:00'", CreateSql(folder)};
  for (int64_t begin = first; begin < first + rows; begin += 5000) {
    std::string values;
    for (int64_t n = begin; n < std::min(first + rows, begin + 5000); ++n) {
      const ContractRow row = ContractRowAt(n);
      std::string at = row.AtText();
      at.replace(10, 1, " ");
      at.pop_back();
      values += std::string(values.empty() ? "(" : ", (") + std::to_string(row.id) + ", " +
                row.PriceText() + ", '" + row.DayText() + "', '" + at + "', " +
                (row.name.has_value() ? "'" + *row.name + "'" : "NULL") + ")";
    }
    statements.push_back("INSERT INTO " + TableOfFolder(folder) + " VALUES " + values);
  }
  RunSql(statements);
}

BrokenInput Broken(std::string name, std::string columns, std::string values,
                   std::vector<std::string> says) {
  const auto write = [columns, values](const std::string& folder) {
    RunSql({"SET sql_mode = 'ALLOW_INVALID_DATES'",
            "CREATE TABLE " + TableOfFolder(folder) + " (" + columns + ")",
            "INSERT INTO " + TableOfFolder(folder) + " VALUES " + values});
  };
  return {.name = std::move(name), .write = write, .says = std::move(says)};
}

}  // namespace

SOURCE_FIXTURE(mysql) {
  return {
      .options =
          [](const std::string& folder, int64_t rows) {
            if (rows == 0) RunSql({CreateSql(folder)});
            return "cursor_column: id\ntable: " + TableOfFolder(folder) + "\nurl: " + ServerUrl();
          },
      .write = WriteRows,
      .broken = {Broken("a date of zeros", "id int PRIMARY KEY, day date",
                        "(1, '2026-01-01'), (2, '0000-00-00')",
                        {"test.t", "where id = 2", "column day", "'0000-00-00' is no date",
                         "zero_dates: as_null"}),
                 Broken("a month of zero", "id int, at datetime(3)", "(1, '2026-00-10 10:00:00.5')",
                        {"row 1", "column at", "'2026-00-10 10:00:00.500000' is no timestamp"}),
                 Broken("a day that no calendar has", "id int, day date", "(1, '2026-02-30')",
                        {"row 1", "column day", "'2026-02-30' is no date", "mend it"}),
                 Broken("a time beyond a day", "id int, spent time", "(1, '-30:00:01')",
                        {"row 1", "column spent", "'-30:00:01' is no time of a day",
                         "time: microseconds"})},
      .server = "CALVE_TEST_MARIADB"};
}

namespace {

class MysqlSourceTest : public SourceTest {
 protected:
  void SetUp() override {
    SourceTest::SetUp();
    if (ServerUrl().empty()) GTEST_SKIP() << "needs tests/services/with mariadb.sh --";
    table_ = TableOfFolder(folder_.path());
  }
  Result<std::unique_ptr<Source>> Make(const std::string& options,
                                       const std::string& url = ServerUrl()) {
    CALVE_ASSIGN_OR_RETURN(const config::Node node,
                           config::ParseYaml(options + "\nurl: " + url, "job.yaml"));
    return registry_.Find("mysql")->make(node, {.files = &files_});
  }
  Result<Rows> Mysql(const std::string& options, const std::string& url = ServerUrl()) {
    CALVE_ASSIGN_OR_RETURN(const auto source, Make(options, url));
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
  /// All rows of a plan, by several readers.
  int64_t CountRows(Source& source, const ReadPlan& plan) {
    std::atomic<int64_t> rows = 0;
    std::vector<std::jthread> threads;
    for (const Split& split : plan.splits) {
      threads.emplace_back([&, split] {
        const auto reader = source.Open(*context_, plan, split);
        ASSERT_TRUE(reader.ok()) << reader.error().message;
        while (true) {
          const auto batch = (*reader)->Next(*context_);
          ASSERT_TRUE(batch.ok()) << batch.error().message;
          if (!batch->has_value()) return;
          rows += (*batch)->rows->num_rows();
        }
      });
    }
    threads.clear();
    return rows;
  }
  std::string table_;
  std::optional<Position> position_;
};

TEST_F(MysqlSourceTest, EveryTypeComesAsTheServerPrintsIt) {
  struct Column {
    std::string type;
    std::string values;   ///< Of n in 1 to 400.
    std::string printed;  ///< As calve prints values of the type it becomes.
    std::string becomes;
  };
  const std::string text = "CAST($ AS CHAR)";
  const std::string iso =
      "TRIM(TRAILING '.' FROM TRIM(TRAILING '0' FROM DATE_FORMAT($, '%Y-%m-%dT%H:%i:%s.%f')))";
  const std::vector<Column> columns = {
      {"boolean", "n % 2", text, "int"},
      {"tinyint", "n % 256 - 128", text, "int"},
      {"tinyint unsigned", "n % 256", text, "int"},
      {"smallint", "n * 163 % 65536 - 32768", text, "int"},
      {"smallint unsigned", "n * 163", text, "int"},
      {"mediumint", "n * 41943 - 8388608", text, "int"},
      {"mediumint unsigned", "n * 41943", text, "int"},
      {"int", "n * 10737418 - 2147483648", text, "int"},
      {"int unsigned", "n * 10737418", text, "long"},
      {"bigint", "(n - 200) * 46116860184273879", text, "long"},
      {"bigint unsigned", "18446744073709551615 - n", text, "decimal(20, 0)"},
      {"bigint unsigned zerofill", "n", "CAST($ + 0 AS CHAR)", "decimal(20, 0)"},
      {"decimal(5, 2)", "(n - 200) / 7", text, "decimal(5, 2)"},
      {"decimal(5, 2) unsigned", "n / 7", text, "decimal(5, 2)"},
      {"decimal(18, 6)", "(n - 200) * 1234567.123457", text, "decimal(18, 6)"},
      {"decimal(38, 0)", "(n - 200) * 12345678901234567890123456789012345", text, "decimal(38, 0)"},
      {"decimal(38, 38)", "n / 1000000000000000000.0 / 99999999999999999999", text,
       "decimal(38, 38)"},
      {"decimal(65, 30)", "n / 3", text, "string"},
      {"date", "DATE '1000-01-01' + INTERVAL n * 8000 DAY", text, "date"},
      {"datetime", "TIMESTAMP '1000-01-01 00:00:00' + INTERVAL n * 7001 HOUR", iso, "timestamp"},
      {"datetime(3)", "TIMESTAMP '1700-01-01 00:00:00' + INTERVAL n * 30012345.678 SECOND", iso,
       "timestamp"},
      {"datetime(6)", "TIMESTAMP '1700-01-01 00:00:00' + INTERVAL n * 30012345.678901 SECOND", iso,
       "timestamp"},
      {"timestamp(6) NULL", "TIMESTAMP '1971-01-01 00:00:00' + INTERVAL n * 3001234.678901 SECOND",
       "CONCAT(" + iso + ", '+00:00')", "timestamptz"},
      {"time", "SEC_TO_TIME(n * 215)", text, "time"},
      {"time(6)", "SEC_TO_TIME(n * 215.123456)",
       "TRIM(TRAILING '.' FROM TRIM(TRAILING '0' FROM CAST($ AS CHAR)))", "time"},
      {"year", "1901 + n % 255", text, "int"},
      {"char(6)", "CONCAT(n, '  ')", "$", "string"},
      {"varchar(40)", "CONCAT(REPEAT(CHAR(n + 160 USING ucs2), n % 9), '\\\\\"''  ')", "$",
       "string"},
      {"varchar(40) CHARACTER SET latin1", "CONCAT('Zo', CHAR(192 + n % 60 USING latin1))",
       "CONVERT($ USING utf8mb4)", "string"},
      {"varchar(40) CHARACTER SET utf16", "CONCAT(n, 'Ω')", "CONVERT($ USING utf8mb4)", "string"},
      {"text CHARACTER SET cp1251", "CONCAT(n, 'Привет')", "CONVERT($ USING utf8mb4)", "string"},
      {"tinytext", "n", "$", "string"},
      {"mediumtext", "REPEAT(n, 5)", "$", "string"},
      {"longtext", "REPEAT(n, 700)", "$", "string"},
      {"enum('sad', 'so so')", "n % 2 + 1", "CAST($ AS CHAR)", "string"},
      {"set('a', 'b', 'c')", "n % 8", "CAST($ AS CHAR)", "string"},
      {"json", "JSON_OBJECT('n', n, 'a', JSON_ARRAY(1, 'ü'))", "$", "string"},
      {"uuid",
       "CONCAT(SUBSTR(MD5(n), 1, 8), '-', SUBSTR(MD5(n), 9, 4), '-4', SUBSTR(MD5(n), 14, 3), '-8', "
       "SUBSTR(MD5(n), 18, 3), '-', SUBSTR(MD5(n), 21, 12))",
       "CAST($ AS CHAR)", "uuid"},
      {"inet6", "CONCAT('::', HEX(n))", "CAST($ AS CHAR)", "string"},
      {"bit(1)", "n % 2", "IF($ IS NULL, NULL, IF($, 'true', 'false'))", "boolean"},
      {"bit(20)", "n * 2621", "CAST($ + 0 AS CHAR)", "long"},
      {"bit(64)", "18446744073709551615 - n", "CAST($ + 0 AS CHAR)", "decimal(20, 0)"},
      {"binary(6)", "UNHEX(SUBSTR(MD5(n), 1, 8))", "TO_BASE64($)", "binary"},
      {"varbinary(20)", "UNHEX(SUBSTR(MD5(n), 1, n % 16 * 2))", "TO_BASE64($)", "binary"},
      {"blob", "UNHEX(MD5(n))", "TO_BASE64($)", "binary"},
      {"longblob", "REPEAT(UNHEX(MD5(n)), 2)", "TO_BASE64($)", "binary"},
      {"point", "POINT(n, -n / 4)", "TO_BASE64($)", "binary"},
      {"double", "n / 8", "CAST($ AS CHAR)", "double"},
      {"float", "n / 8", "CAST($ AS CHAR)", "float"},
  };
  std::string create;
  std::string values;
  std::string prints;
  for (size_t i = 0; i < columns.size(); ++i) {
    const std::string name = "c" + std::to_string(i);
    create += (i == 0 ? "" : ", ") + name + " " + columns[i].type;
    values += (i == 0 ? "" : ", ") + ("IF(n % 10 = 0, NULL, " + columns[i].values) + ")";
    std::string printed = columns[i].printed;
    for (size_t at = printed.find('$'); at != std::string::npos; at = printed.find('$', at + 1))
      printed.replace(at, 1, name);
    prints += (i == 0 ? "" : ", ") +
              ("MD5(GROUP_CONCAT(COALESCE(" + printed + ", 'NULL') ORDER BY n SEPARATOR '|'))");
  }
  const std::vector<std::string> session = {
      "SET time_zone = '+00:00', group_concat_max_len = 10000000"};
  RunSql({session[0], "CREATE TABLE " + table_ + " (n int PRIMARY KEY, " + create + ")",
          "INSERT INTO " + table_ +
              " WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s "
              "WHERE n < 400) SELECT n, " +
              values + " FROM s"});
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
      EXPECT_THAT((*batch)->rejects, IsEmpty());
      for (int64_t row = 0; row < (*batch)->rows->num_rows(); ++row) {
        const int64_t n = *ParseInteger(columnar::CellText(*(*batch)->rows->column(0), row));
        for (int i = 1; i < (*batch)->rows->num_columns(); ++i)
          printed[n].push_back(columnar::CellText(*(*batch)->rows->column(i), row));
      }
    }
  }
  ASSERT_EQ(printed.size(), 400U);
  // The server adds up what we have read, and what it holds, by the same words.
  const auto held = RunSql({session[0], "SELECT " + prints + " FROM " + table_});
  for (size_t i = 0; i < columns.size(); ++i) {
    std::string joined;
    for (const auto& [n, row] : printed) joined += (joined.empty() ? "" : "|") + row[i];
    const auto sum = RunSql({"SELECT MD5(" + mysql::QuoteText(joined) + ")"});
    EXPECT_EQ(sum[0][0], held.front()[i]) << columns[i].type << ": " << printed[1][i] << ", "
                                          << printed[2][i] << ", " << printed[399][i];
    const auto type =
        columnar::ToIcebergType(*plan->schema->field(static_cast<int>(i) + 1)->type(), 3);
    ASSERT_TRUE(type.ok()) << columns[i].type;
    EXPECT_EQ(type->ToString(), columns[i].becomes) << columns[i].type;
  }
}

TEST_F(MysqlSourceTest, FloatsKeepEveryBit) {
  RunSql(
      {"CREATE TABLE " + table_ + " (a float, b double)",
       "INSERT INTO " + table_ + " VALUES (16777217.1, 0.1), (3.4e38, 5e-324), (-0.0, 1.7e308)"});
  const auto rows = Mysql("table: " + table_);
  ASSERT_TRUE(rows.ok()) << rows.error().message;
  EXPECT_EQ(rows->schema, "a: float, b: double");
  EXPECT_THAT(rows->rows, ElementsAre("{\"a\": 16777218, \"b\": 0.1}",
                                      "{\"a\": 3.4e+38, \"b\": 5e-324}", testing::_));
}

TEST_F(MysqlSourceTest, PoliciesDecideWhatHasNoExactCounterpart) {
  RunSql({"SET sql_mode = ''",
          "CREATE TABLE " + table_ +
              " (id int PRIMARY KEY, wide decimal(50, 10), yes boolean, day date, spent time(3))",
          "INSERT INTO " + table_ +
              " VALUES (1, 12.5, true, '0000-00-00', '-838:59:59'), (2, 1e30, 2, '2026-00-01', "
              "'10:00:00.25')"});
  const auto plain = Mysql("table: " + table_ + "\nzero_dates: as_null\ntime: string");
  ASSERT_TRUE(plain.ok()) << plain.error().message;
  EXPECT_EQ(plain->schema, "id: int, wide: string, yes: int, day: date, spent: string");
  EXPECT_THAT(
      plain->rows,
      ElementsAre("{\"id\": 1, \"wide\": \"12.5000000000\", \"yes\": 1, \"day\": null, \"spent\": "
                  "\"-838:59:59.000\"}",
                  HasSubstr("\"yes\": 2, \"day\": null, \"spent\": \"10:00:00.250\"")));
  EXPECT_THAT(plain->notes, ElementsAre(HasSubstr("column wide is decimal with more than 38")));
  const auto other = Mysql("table: " + table_ +
                           "\ncolumns: [id, wide, yes, spent]\nnumeric: decimal(20, 4)\ntinyint1: "
                           "boolean\ntime: microseconds");
  ASSERT_TRUE(other.ok()) << other.error().message;
  EXPECT_EQ(other->schema, "id: int, wide: decimal(20, 4), yes: boolean, spent: long");
  EXPECT_THAT(other->rows, ElementsAre("{\"id\": 1, \"wide\": 12.5000, \"yes\": true, \"spent\": "
                                       "-3020399000000}"));
  EXPECT_THAT(other->rejects, ElementsAre(HasSubstr("where id = 2: column wide: "
                                                    "'1000000000000000000000000000000.0000000000' "
                                                    "has more digits than decimal(20, 4) holds")));
}

TEST_F(MysqlSourceTest, EqualAndLateValuesComeOnceEach) {
  RunSql(
      {"CREATE TABLE " + table_ + " (at datetime(6), what text)",
       "INSERT INTO " + table_ + " VALUES ('2026-01-01 10:00', 'a'), ('2026-01-01 11:00', 'b')"});
  const std::string options =
      "table: " + table_ + "\ncursor_column: at\nlook_back: 1h\ncolumns: [what, at]";
  const auto names = [](const Result<Rows>& rows) {
    EXPECT_TRUE(rows.ok()) << rows.error().message;
    std::string names;
    for (const std::string& row : rows.ok() ? rows->rows : std::vector<std::string>())
      names += row.substr(10, 1);
    std::sort(names.begin(), names.end());
    return names;
  };
  EXPECT_EQ(names(ReadOn(options)), "ab");
  EXPECT_EQ(names(ReadOn(options)), "");
  // The same value as the greatest; one within the hour; one before it; one that is there twice.
  RunSql({"INSERT INTO " + table_ +
          " VALUES ('2026-01-01 11:00', 'c'), ('2026-01-01 10:30', 'd'), "
          "('2026-01-01 09:00', 'e'), ('2026-01-01 11:00', 'b')"});
  EXPECT_EQ(names(ReadOn(options)), "bcd");
  EXPECT_EQ(names(ReadOn(options)), "");
  RunSql(
      {"INSERT INTO " + table_ + " VALUES ('2026-01-01 12:30', 'f'), ('2026-01-01 11:00', 'g')"});
  EXPECT_EQ(names(ReadOn(options)), "fg");
  RunSql({"ALTER TABLE " + table_ + " ADD more int DEFAULT 7",
          "INSERT INTO " + table_ + " VALUES ('2026-01-01 12:30', 'h', 8)"});
  EXPECT_EQ(names(ReadOn(options)), "h");
  // A longer look back does not bring back what was not remembered.
  EXPECT_EQ(
      names(ReadOn("table: " + table_ + "\ncursor_column: at\nlook_back: 1d\ncolumns: [what, at]")),
      "");
}

TEST_F(MysqlSourceTest, AnIncrementalJobGoesByColumnsOfEveryOrder) {
  for (const auto& [type, first, second, back] : std::vector<std::array<std::string, 4>>{
           {"bigint unsigned", "18446744073709551600", "18446744073709551610", "5"},
           {"decimal(60, 2)", "1e50", "2e50", "1"},
           {"float", "1.1", "1.2", "0"},
           {"double", "0.1", "0.2", "1"},
           {"year", "2025", "2026", "1"},
           {"date", "'2026-01-01'", "'2026-01-02'", "1d"},
           {"timestamp NULL", "'2026-01-01 10:00'", "'2026-01-01 11:00'", "1h"},
           {"varchar(20)", "'o''\\\\a'", "'Zoë'", ""},
           {"varchar(20) CHARACTER SET latin1 COLLATE latin1_bin", "'a'", "'zoë'", ""}}) {
    position_.reset();
    RunSql({"DROP TABLE IF EXISTS " + table_, "CREATE TABLE " + table_ + " (k " + type + ")",
            "INSERT INTO " + table_ + " VALUES (" + first + ")"});
    const std::string options =
        "table: " + table_ + "\ncursor_column: k" + (back.empty() ? "" : "\nlook_back: " + back);
    for (const size_t expected : {1, 0}) {
      const auto rows = ReadOn(options);
      ASSERT_TRUE(rows.ok()) << type << ": " << rows.error().message;
      EXPECT_EQ(rows->rows.size(), expected) << type;
    }
    RunSql({"INSERT INTO " + table_ + " VALUES (" + second + "), (" + first + ")"});
    const auto rows = ReadOn(options);
    ASSERT_TRUE(rows.ok()) << type << ": " << rows.error().message;
    EXPECT_EQ(rows->rows.size(), 2U) << type;
  }
  RunSql({"DROP TABLE " + table_, "CREATE TABLE " + table_ + " (k enum('a'))"});
  EXPECT_THAT(ReadOn("table: " + table_ + "\ncursor_column: k").error().message,
              HasSubstr("cannot be a cursor_column"));
}

TEST_F(MysqlSourceTest, AllReadersSeeTheMomentOfThePlan) {
  RunSql({"CREATE TABLE " + table_ + " (id bigint PRIMARY KEY, pad varchar(1000)) ",
          "INSERT INTO " + table_ + " SELECT seq * 5, REPEAT('x', 900) FROM seq_1_to_80000",
          // Keys that lie far apart from the others.
          "INSERT INTO " + table_ + " VALUES (-9000000000000000000, ''), (9000000000000000000, '')",
          "ANALYZE TABLE " + table_});
  RunSql({"CREATE OR REPLACE USER " + table_ + "@'127.0.0.1' IDENTIFIED BY 'x'",
          "GRANT SELECT ON " + table_ + " TO " + table_ + "@'127.0.0.1'"});
  std::atomic<bool> done = false;
  std::jthread writer([&] {
    const auto connection = Connect();
    for (int64_t n = 1; !done; ++n) {
      EXPECT_TRUE(connection
                      ->Query(*context_, "INSERT INTO " + table_ + " VALUES (" +
                                             std::to_string(n * 5 + 1) + ", 'y'), (" +
                                             std::to_string(1000000 - n) + ", 'y')")
                      .ok());
    }
  });
  for (const std::string locking : {"none", "brief"}) {
    const auto source = Make("locking: " + locking + "\ntable: " + table_,
                             locking == "none" ? UrlOf(table_) : ServerUrl());
    ASSERT_TRUE(source.ok()) << source.error().message;
    const auto plan = (*source)->Plan(*context_, {.parallelism = 3});
    ASSERT_TRUE(plan.ok()) << plan.error().message;
    EXPECT_GT(plan->splits.size(), 2U);
    EXPECT_LT(plan->splits.size(), 40U);  // As the server estimates rows.
    // Both rows of a statement are there, or none.
    const int64_t rows = CountRows(**source, *plan);
    EXPECT_GE(rows, 80'002);
    EXPECT_EQ(rows % 2, 0);
    EXPECT_EQ(CountRows(**source, *plan), rows);
  }
  done = true;
}

TEST_F(MysqlSourceTest, TablesByPatternAreReadAsOneAndQueriesWithTheirTypes) {
  RunSql({"CREATE TABLE " + table_ + "_p_1 (id int, at date)",
          "INSERT INTO " + table_ + "_p_1 VALUES (1, '2026-01-01')",
          "CREATE TABLE " + table_ + "_p_2 (id int, more text) ENGINE = MyISAM",
          "INSERT INTO " + table_ + "_p_2 VALUES (2, 'x')",
          "CREATE VIEW " + table_ + "_p_3 AS SELECT id + 2 AS id FROM " + table_ + "_p_1"});
  const auto rows = Mysql("tables: [" + table_ + "_p_1, test." + table_ + "_p*2]");
  ASSERT_TRUE(rows.ok()) << rows.error().message;
  EXPECT_EQ(rows->schema, "id: int, at: date, more: string");
  EXPECT_EQ(rows->rows.back(), "{\"id\": 2, \"at\": null, \"more\": \"x\"}");
  EXPECT_THAT(rows->notes, ElementsAre(HasSubstr("is kept by MyISAM")));
  const auto view = Mysql("table: " + table_ + "_p_3");
  ASSERT_TRUE(view.ok()) << view.error().message;
  EXPECT_THAT(view->rows, ElementsAre("{\"id\": 3}"));
  const auto query = Mysql(
      "query: \"SELECT seq AS id, CAST(seq / 4 AS DECIMAL(9, 2)) AS x, 'a' AS y FROM seq_1_to_3 -- "
      "all\"\nwhere: id > 2\ncolumns: [y, x]");
  ASSERT_TRUE(query.ok()) << query.error().message;
  EXPECT_EQ(query->schema, "y: string, x: decimal(9, 2)");
  EXPECT_THAT(query->rows, ElementsAre("{\"y\": \"a\", \"x\": 0.75}"));
  EXPECT_THAT(Mysql("query: SELECT 1 AS a, 2 AS a").error().message,
              HasSubstr("several columns called 'a'"));
  EXPECT_THAT(Mysql("query: DO 1").error().message, HasSubstr("a query is a SELECT"));
}

TEST_F(MysqlSourceTest, WhatIsMissingOrForbiddenIsSaidWithWhatToDo) {
  RunSql({"CREATE TABLE " + table_ + " (id int, amount int)",
          "CREATE OR REPLACE USER " + table_ + "@'127.0.0.1' IDENTIFIED BY 'x'",
          "GRANT SELECT (amount) ON " + table_ + " TO " + table_ + "@'127.0.0.1'",
          "INSERT INTO " + table_ + " VALUES (1, 2)"});
  const auto column = Mysql("columns: [amuont]\ntable: " + table_);
  EXPECT_EQ(column.error().kind, ErrorKind::kConfig);
  EXPECT_THAT(column.error().message, HasSubstr("did you mean 'amount'?"));
  const auto condition = Mysql("where: amuont > 1\ntable: " + table_);
  ASSERT_FALSE(condition.ok());
  EXPECT_EQ(condition.error().kind, ErrorKind::kConfig);
  EXPECT_THAT(condition.error().message, HasSubstr("mend columns, where or query"));
  EXPECT_EQ(Mysql("table: nowhere.orders").error().kind, ErrorKind::kNotFound);
  const auto forbidden = Make("table: " + table_, UrlOf(table_));
  const Status refused = (*forbidden)->Check(*context_);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().kind, ErrorKind::kRefused) << refused.error().message;
  EXPECT_THAT(refused.error().message, HasSubstr("needs the right to SELECT"));
  // A right to one column is enough to read it.
  const auto allowed = Mysql("columns: [amount]\ntable: " + table_, UrlOf(table_));
  ASSERT_TRUE(allowed.ok()) << allowed.error().message;
  EXPECT_THAT(allowed->rows, ElementsAre("{\"amount\": 2}"));
  const Status stranger = (*Make("table: t", UrlOf("nobody")))->Check(*context_);
  EXPECT_EQ(stranger.error().kind, ErrorKind::kRefused);
  EXPECT_THAT(stranger.error().message, HasSubstr("nobody@127.0.0.1"));
  EXPECT_THAT(stranger.error().message, testing::Not(HasSubstr(":x")));
  const Status tls = (*Make("ssl_mode: required\ntable: " + table_))->Check(*context_);
  EXPECT_EQ(tls.error().kind, ErrorKind::kRefused);
  EXPECT_THAT(tls.error().message, HasSubstr("offers no TLS"));
}

TEST_F(MysqlSourceTest, AStoppedReadEndsTheQueryOnTheServer) {
  const auto source = Make("query: SELECT seq, SLEEP(0.001) AS s FROM seq_1_to_10000000");
  ASSERT_TRUE(source.ok());
  const auto plan = (*source)->Plan(*context_, {.batch_rows_max = 10});
  ASSERT_TRUE(plan.ok()) << plan.error().message;
  std::stop_source stop;
  const Context stoppable = context_->WithStop(stop.get_token());
  auto reader = (*source)->Open(stoppable, *plan, plan->splits.front());
  ASSERT_TRUE(reader.ok()) << reader.error().message;
  ASSERT_TRUE((*reader)->Next(stoppable).ok());
  // The server gives nothing for a long time: the stop ends the wait.
  std::jthread stopper([&] { stop.request_stop(); });
  Status ended;
  while (ended.ok()) ended = (*reader)->Next(stoppable).status();
  EXPECT_EQ(ended.error().kind, ErrorKind::kStopped);
  reader->reset();
  for (int i = 0; i < 200; ++i) {
    const auto running = RunSql({"DO SLEEP(0.02)",
                                 "SELECT COUNT(*) FROM information_schema.processlist WHERE info "
                                 "LIKE '%seq_1_to_10000000%' "
                                 "AND id <> CONNECTION_ID()"});
    if (running[0][0] == "0") return;
  }
  FAIL() << "the query goes on";
}

TEST_F(MysqlSourceTest, AConnectionThatIsLostInTheMiddleFailsTheRead) {
  RunSql({"CREATE TABLE " + table_ + " AS SELECT seq, MD5(seq) AS t FROM seq_1_to_200000"});
  const auto source = Make("table: " + table_);
  ASSERT_TRUE(source.ok());
  const auto plan = (*source)->Plan(*context_, {.batch_rows_max = 10, .parallelism = 1});
  ASSERT_TRUE(plan.ok()) << plan.error().message;
  auto reader = (*source)->Open(*context_, *plan, plan->splits.front());
  ASSERT_TRUE((*reader)->Next(*context_).ok());
  const auto running =
      RunSql({"SELECT id FROM information_schema.processlist WHERE info LIKE "
              "'SELECT `seq`%" +
              table_ + "%' AND id <> CONNECTION_ID()"});
  ASSERT_EQ(running.size(), 1U);
  RunSql({"KILL " + *running[0][0]});
  Status ended;
  while (ended.ok()) {
    const auto batch = (*reader)->Next(*context_);
    ended = batch.status();
    ASSERT_TRUE(!batch.ok() || batch->has_value()) << "it ended as if all were read";
  }
  EXPECT_EQ(ended.error().kind, ErrorKind::kTransient) << ended.error().message;
  EXPECT_THAT(ended.error().message, HasSubstr("test." + table_));
  reader->reset();
  // The moment is lost with the connection: another reader must not see a later one.
  const auto again = (*source)->Open(*context_, *plan, plan->splits.front());
  ASSERT_FALSE(again.ok());
  EXPECT_THAT(again.error().message, HasSubstr("the moment that was read"));
}

TEST(MysqlUrl, IsReadInAllItsParts) {
  mysql::MysqlOptions options;
  options.url = "mariadb://a%40b:p%3Aw%2F@[::1]:3307/shop";
  const auto address = options.ServerAddress("");
  ASSERT_TRUE(address.ok()) << address.error().message;
  EXPECT_EQ(address->Shown(), "a@b@::1:3307");
  EXPECT_EQ(address->password, "p:w/");
  EXPECT_EQ(address->database, "shop");
  for (const std::string wrong :
       {"shop", "postgresql://a@b/c", "mysql://a:secret@b:0/c", "mysql://secret@/c",
        "mysql://a:secret%@b/c", "mysql://a:secret@b/c?d=e"}) {
    options.url = wrong;
    const auto refused = options.ServerAddress("");
    ASSERT_FALSE(refused.ok()) << wrong;
    EXPECT_EQ(refused.error().kind, ErrorKind::kConfig);
    EXPECT_THAT(refused.error().message, testing::Not(HasSubstr("secret")));
  }
}

}  // namespace
}  // namespace calve::source

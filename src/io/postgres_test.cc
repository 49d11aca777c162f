#include "io/postgres.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

namespace calve::io {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using Row = PostgresDatabase::Row;

/// On the PostgreSQL that the test run started.
class PostgresTest : public testing::Test {
 protected:
  void SetUp() override {
    if (std::getenv("CALVE_TEST_POSTGRES") == nullptr)
      GTEST_SKIP() << "needs tests/services/with postgres.sh --";
    uri_ = std::getenv("CALVE_TEST_POSTGRES");
  }
  PostgresDatabase Open(const PostgresOptions& options = {}) {
    auto opened = PostgresDatabase::Open(context(), uri_, options);
    EXPECT_TRUE(opened.ok()) << opened.status().error().message;
    return std::move(*opened);
  }
  const Context& context() { return *context_; }
  /// End a connection as a server does that goes away.
  void Terminate(PostgresDatabase& database) {
    const auto pid = database.Query(context(), "SELECT pg_backend_pid()");
    ASSERT_TRUE(pid.ok());
    PostgresDatabase other = Open();
    ASSERT_TRUE(
        other
            .Query(context(), "SELECT pg_terminate_backend($1::int, 10000)", {(*pid)[0][0].value()})
            .ok());
  }

  OwnedContext context_{7};
  std::string uri_;
};

TEST_F(PostgresTest, RowsAndChangesComeBack) {
  PostgresDatabase database = Open();
  ASSERT_TRUE(database.Change(context(), "CREATE TEMP TABLE t (a text PRIMARY KEY, b text)").ok());
  EXPECT_EQ(*database.Change(context(), "INSERT INTO t VALUES ($1, NULL), ($2, 'ü''')", {"x", "y"}),
            2);
  const auto rows = database.Query(context(), "SELECT a, b FROM t ORDER BY a");
  ASSERT_TRUE(rows.ok());
  EXPECT_THAT(*rows, ElementsAre(Row{"x", std::nullopt}, Row{"y", "ü'"}));
  const auto again = database.Change(context(), "INSERT INTO t VALUES ('x', 'z')");
  EXPECT_EQ(again.error().kind, ErrorKind::kAlreadyExists);
  EXPECT_EQ(database.Query(context(), "SELECT nothing").error().kind, ErrorKind::kBug);
}

TEST_F(PostgresTest, WhatCannotBeReachedIsSaidWithoutThePassword) {
  std::string wrong = uri_;
  wrong.replace(wrong.find(":secret@"), 8, ":s3cr3t@");
  const auto refused = PostgresDatabase::Open(context(), wrong);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().kind, ErrorKind::kRefused);
  EXPECT_THAT(refused.error().message, HasSubstr("calve@127.0.0.1"));
  EXPECT_THAT(refused.error().message, Not(HasSubstr("s3cr3t")));
  const auto nobody =
      PostgresDatabase::Open(context(), "postgresql://calve:s3cr3t@127.0.0.1:1/postgres");
  EXPECT_EQ(nobody.error().kind, ErrorKind::kTransient);
  for (const char* none : {"", "lake", "mysql://host/db", "postgresql://a:s3cr3t@[host/db"}) {
    const auto no_uri = PostgresDatabase::Open(context(), none);
    EXPECT_EQ(no_uri.error().kind, ErrorKind::kConfig) << none;
    EXPECT_THAT(no_uri.error().message, Not(HasSubstr("s3cr3t")));
  }
}

TEST_F(PostgresTest, AServerThatWentAwayIsSeenBeforeAnythingIsSent) {
  PostgresDatabase database = Open();
  EXPECT_FALSE(database.IsLost());
  ASSERT_TRUE(database.Change(context(), "BEGIN").ok());
  Terminate(database);
  EXPECT_EQ(database.Change(context(), "COMMIT").error().kind, ErrorKind::kTransient);
  EXPECT_TRUE(database.IsLost());
  EXPECT_EQ(database.Query(context(), "SELECT 1").error().kind, ErrorKind::kTransient);
}

TEST_F(PostgresTest, ACommitThatIsNotAnsweredIsUnknown) {
  PostgresDatabase database = Open({.timeout = std::chrono::milliseconds(300)});
  for (const char* sql :
       {"CREATE FUNCTION pg_temp.wait() RETURNS trigger LANGUAGE plpgsql AS "
        "'BEGIN PERFORM pg_sleep(60); RETURN NULL; END'",
        "CREATE TEMP TABLE t (a text)",
        "CREATE CONSTRAINT TRIGGER late AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED "
        "FOR EACH ROW EXECUTE FUNCTION pg_temp.wait()",
        "BEGIN", "INSERT INTO t VALUES ('x')"}) {
    const auto changed = database.Change(context(), sql);
    ASSERT_TRUE(changed.ok()) << sql << ": " << changed.error().message;
  }
  const auto committed = database.Change(context(), "COMMIT");
  ASSERT_FALSE(committed.ok());
  EXPECT_EQ(committed.error().kind, ErrorKind::kUnknownOutcome);
  EXPECT_THAT(committed.error().message, HasSubstr("did not say whether"));
  EXPECT_TRUE(database.IsLost());
}

TEST_F(PostgresTest, AServerThatDoesNotAnswerIsNotWaitedForLonger) {
  PostgresDatabase database = Open({.timeout = std::chrono::milliseconds(200)});
  const auto late = database.Query(context(), "SELECT pg_sleep(60)");
  ASSERT_FALSE(late.ok());
  EXPECT_EQ(late.error().kind, ErrorKind::kTransient);
  EXPECT_TRUE(database.IsLost());
}

TEST_F(PostgresTest, ACopyGivesEachRowAndThenTheConnectionGoesOn) {
  PostgresDatabase database = Open();
  const auto columns = database.Describe(context(), "SELECT 1::int8 AS n, 2.5::numeric(9, 2) AS x");
  ASSERT_TRUE(columns.ok());
  ASSERT_EQ(columns->size(), 2U);
  EXPECT_EQ((*columns)[0].name, "n");
  EXPECT_EQ((*columns)[0].type, 20U);
  EXPECT_EQ((*columns)[1].modifier, ((9 << 16) | 2) + 4);
  ASSERT_TRUE(database.BeginCopy(context(), "COPY (SELECT generate_series(1, 3)) TO STDOUT").ok());
  std::string copied;
  while (true) {
    const auto row = database.NextCopied(context());
    ASSERT_TRUE(row.ok()) << row.error().message;
    if (!row->has_value()) break;
    copied += **row;
  }
  EXPECT_EQ(copied, "1\n2\n3\n");
  EXPECT_TRUE(database.Query(context(), "SELECT 1").ok());
}

TEST_F(PostgresTest, ACopyThatFailsInItsMiddleSaysWhy) {
  PostgresDatabase database = Open();
  ASSERT_TRUE(
      database
          .BeginCopy(context(),
                     "COPY (SELECT 1 / (5000 - n) FROM generate_series(1, 9000) n) TO STDOUT")
          .ok());
  Status ended;
  while (ended.ok()) {
    const auto row = database.NextCopied(context());
    ASSERT_TRUE(!row.ok() || row->has_value()) << "it ended as if all were there";
    ended = row.status();
  }
  EXPECT_THAT(ended.error().message, HasSubstr("division by zero"));
  EXPECT_EQ(database.sql_state(), "22012");
}

TEST_F(PostgresTest, ARunThatIsStoppedDoesNotWait) {
  PostgresDatabase database = Open();
  std::stop_source stop;
  stop.request_stop();
  const auto stopped = database.Query(context().WithStop(stop.get_token()), "SELECT pg_sleep(60)");
  ASSERT_FALSE(stopped.ok());
  EXPECT_EQ(stopped.error().kind, ErrorKind::kStopped);
}

TEST_F(PostgresTest, CopiesGoInWhole) {
  PostgresDatabase database = Open();
  ASSERT_TRUE(database.Change(context(), "CREATE TEMP TABLE t (a int CHECK (a > 0), b text)").ok());
  std::string many;
  for (int i = 1; i <= 200'000; ++i) many += std::to_string(i) + "\t" + std::string(40, 'x') + "\n";
  const auto copied = database.CopyIn(context(), "COPY t FROM STDIN", many);
  ASSERT_TRUE(copied.ok()) << copied.status().error().message;
  EXPECT_EQ(*copied, 200'000);
  EXPECT_EQ(*database.CopyIn(context(), "COPY t FROM STDIN", ""), 0);
  // Data that the server refuses in the middle of the copy, and statements that are none.
  const auto refused = database.CopyIn(context(), "COPY t FROM STDIN", many + "0\tx\n");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().kind, ErrorKind::kRefused);
  EXPECT_THAT(refused.error().message, HasSubstr("violates check constraint"));
  EXPECT_EQ(database.CopyIn(context(), "SELECT 1", "").error().kind, ErrorKind::kBug);
  const auto sums = database.Query(context(), "SELECT count(*), sum(a) FROM t");
  ASSERT_TRUE(sums.ok());
  EXPECT_THAT(*sums, ElementsAre(Row{"200000", "20000100000"}));
  const auto bytes = database.QueryBinary(context(), "SELECT 258::int, NULL::int");
  ASSERT_TRUE(bytes.ok());
  EXPECT_THAT(*bytes, ElementsAre(Row{std::string("\0\0\1\2", 4), std::nullopt}));
}

}  // namespace
}  // namespace calve::io

#include "catalog/sql/pointer_database.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <latch>
#include <set>
#include <thread>

#include "io/test_folder.h"

namespace calve::catalog {
namespace {

/// On SQLite, and on the PostgreSQL that the test run has started.
class PointerDatabaseTest : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    auto opened = GetParam() == "sqlite"
                      ? OpenSqlitePointers(folder_.At("pointers.db"))
                      : OpenPostgresPointers(context(), std::getenv("CALVE_TEST_POSTGRES"));
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    database_ = std::move(*opened);
    Must("DROP TABLE IF EXISTS notes");
    Must("CREATE TABLE notes (note VARCHAR(50) PRIMARY KEY)");
  }
  void TearDown() override { Must("DROP TABLE IF EXISTS notes"); }

  const Context& context() { return *context_; }

  void Must(const std::string& sql) {
    const Status done = database_->Write(
        context(), [&](PointerSession& session) { return session.Change(sql, {}).status(); });
    ASSERT_TRUE(done.ok()) << done.error().message;
  }

  static Status Insert(PointerSession& session, const std::string& note) {
    return session.Change("INSERT INTO notes VALUES ($1)", {note}).status();
  }

  std::set<std::string> Notes() {
    std::set<std::string> notes;
    const Status read = database_->Read(context(), [&](PointerSession& session) -> Status {
      CALVE_ASSIGN_OR_RETURN(const auto rows, session.Query("SELECT note FROM notes", {}));
      for (const auto& row : rows) notes.insert(row[0].value_or(""));
      return Status::Ok();
    });
    EXPECT_TRUE(read.ok());
    return notes;
  }

  io::TestFolder folder_;
  OwnedContext context_{3};
  std::unique_ptr<PointerDatabase> database_;
};

TEST_P(PointerDatabaseTest, OfWorkThatIsCommittedTogetherWhatFailsLeavesNothingAndHarmsNoOther) {
  constexpr int kWriters = 8;
  constexpr int kRounds = 20;
  std::set<std::string> expected;
  for (int writer = 0; writer < kWriters; ++writer) {
    for (int round = 0; round < kRounds; ++round) {
      if ((writer + round) % 3 != 0)
        expected.insert(std::to_string(writer) + "-" + std::to_string(round));
    }
  }
  std::atomic<int> wrong = 0;
  {
    std::latch begin(kWriters);
    std::vector<std::jthread> threads;
    for (int writer = 0; writer < kWriters; ++writer) {
      threads.emplace_back([&, writer] {
        OwnedContext own(static_cast<uint64_t>(writer) + 10);
        begin.arrive_and_wait();
        for (int round = 0; round < kRounds; ++round) {
          const bool fails = (writer + round) % 3 == 0;
          const Status done = database_->Write(*own, [&](PointerSession& session) -> Status {
            CALVE_RETURN_IF_ERROR(
                Insert(session, std::to_string(writer) + "-" + std::to_string(round)));
            return fails ? Status(ConflictError("as wanted")) : Status::Ok();
          });
          const bool as_wanted =
              fails ? !done.ok() && done.error().kind == ErrorKind::kConflict : done.ok();
          if (!as_wanted) ++wrong;
        }
      });
    }
  }
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(Notes(), expected);
}

TEST_P(PointerDatabaseTest, AKeyThatIsTakenFailsItsOwnWorkOnly) {
  ASSERT_TRUE(
      database_->Write(context(), [](PointerSession& s) { return Insert(s, "taken"); }).ok());
  const Status again = database_->Write(context(), [](PointerSession& session) -> Status {
    CALVE_RETURN_IF_ERROR(Insert(session, "beside"));
    return Insert(session, "taken");
  });
  EXPECT_EQ(again.error().kind, ErrorKind::kAlreadyExists);
  EXPECT_EQ(Notes(), std::set<std::string>{"taken"});
}

TEST_P(PointerDatabaseTest, AReaderSeesWhatIsCommittedWhileAnotherWrites) {
  ASSERT_TRUE(
      database_->Write(context(), [](PointerSession& s) { return Insert(s, "before"); }).ok());
  std::set<std::string> meanwhile;
  ASSERT_TRUE(database_
                  ->Write(context(),
                          [&](PointerSession& session) -> Status {
                            CALVE_RETURN_IF_ERROR(Insert(session, "during"));
                            meanwhile = Notes();
                            return Status::Ok();
                          })
                  .ok());
  EXPECT_EQ(meanwhile, std::set<std::string>{"before"});
  EXPECT_EQ(Notes(), (std::set<std::string>{"before", "during"}));
}

std::vector<std::string> Databases() {
  if (std::getenv("CALVE_TEST_POSTGRES") == nullptr) return {"sqlite"};
  return {"sqlite", "postgresql"};
}

INSTANTIATE_TEST_SUITE_P(Databases, PointerDatabaseTest, testing::ValuesIn(Databases()),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace calve::catalog

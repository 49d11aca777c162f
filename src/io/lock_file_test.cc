#include "io/lock_file.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/test_folder.h"

namespace calve::io {
namespace {

bool IsThere(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

TEST(LockFileTest, OfTwoOneHoldsItUntilItLetsGo) {
  TestFolder folder;
  const std::string path = folder.At("run.lock");
  EXPECT_FALSE(IsHeld(path));
  {
    const auto first = LockFile::Acquire(path);
    ASSERT_TRUE(first.ok());
    EXPECT_TRUE(IsHeld(path));
    EXPECT_EQ(LockFile::Acquire(path).error().kind, ErrorKind::kAlreadyExists);
    EXPECT_EQ(RemoveLock(path).error().kind, ErrorKind::kAlreadyExists);
  }
  EXPECT_FALSE(IsThere(path));
  EXPECT_TRUE(LockFile::Acquire(path).ok());
}

TEST(LockFileTest, ADeadProcessHoldsNothingAndItsFileCanGo) {
  TestFolder folder;
  const std::string path = folder.At("run.lock");
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const auto lock = LockFile::Acquire(path);
    ::_exit(lock.ok() ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_EQ(status, 0);
  EXPECT_TRUE(IsThere(path));
  EXPECT_FALSE(IsHeld(path));
  EXPECT_TRUE(RemoveLock(path).ok());
  EXPECT_FALSE(IsThere(path));
  EXPECT_TRUE(RemoveLock(path).ok());
}

TEST(LockFileTest, WhereNoFileCanBeTheReasonIsSaid) {
  TestFolder folder;
  const auto lock = LockFile::Acquire(folder.At("nowhere/run.lock"));
  ASSERT_FALSE(lock.ok());
  EXPECT_NE(lock.error().message.find("run.lock"), std::string::npos);
}

}  // namespace
}  // namespace calve::io

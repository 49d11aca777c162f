#include "io/scratch_file.h"

#include <gtest/gtest.h>

#include <string>

namespace calve::io {
namespace {

TEST(ScratchFileTest, GivesBackWhatWasSetAsideUntilItIsDiscarded) {
  ScratchFile scratch;
  const std::string first(100'000, 'a');
  ASSERT_EQ(*scratch.Append(first), 0);
  ASSERT_EQ(*scratch.Append("bcd"), 100'000);
  std::string read(3, ' ');
  ASSERT_TRUE(scratch.ReadAt(100'000, read).ok());
  EXPECT_EQ(read, "bcd");
  scratch.Discard(0, 100'000);
  ASSERT_EQ(*scratch.Append("e"), 100'003);
  ASSERT_TRUE(scratch.ReadAt(100'001, read).ok());
  EXPECT_EQ(read, "cde");
  EXPECT_EQ(scratch.ReadAt(100'002, read).error().kind, ErrorKind::kBug);
}

}  // namespace
}  // namespace calve::io

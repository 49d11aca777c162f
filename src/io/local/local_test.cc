// What a local disk promises beyond the contract of all storage.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <fstream>

#include "io/file_system_set.h"
#include "io/local/durable.h"
#include "io/system_call.h"
#include "io/test_folder.h"

namespace calve::io {
namespace {

using testing::HasSubstr;

class Local : public testing::Test {
 protected:
  size_t EntriesIn(const std::string& folder) {
    size_t count = 0;
    for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder)) ++count;
    return count;
  }

  TestFolder folder_;
  OwnedContext context_;
  FileSystemSet set_;
};

TEST_F(Local, EveryWayOfNamingWritesTheFileAndNothingElse) {
  for (const Naming naming :
       {Naming::kUnnamedThenLink, Naming::kNamedThenLink, Naming::kNamedThenRename}) {
    TestFolder folder;
    auto file = OpenDurable(*context_, "f", folder.At("f"), naming);
    ASSERT_TRUE(file.ok());
    ASSERT_TRUE((*file)->Write("bytes").ok());
    ASSERT_TRUE((*file)->Close().ok());
    EXPECT_EQ(EntriesIn(folder.path()), 1U);
    EXPECT_EQ(set_.ReadFile(*context_, folder.At("f")).value(), "bytes");
  }
}

TEST_F(Local, AnUnfinishedFileHasNoNameThatACrashCouldLeave) {
  auto file = set_.OpenOutput(*context_, folder_.At("f"));
  ASSERT_TRUE(file.ok());
  ASSERT_TRUE((*file)->Write(std::string(1 << 20, 'x')).ok());
  EXPECT_EQ(EntriesIn(folder_.path()), 0U);
}

TEST_F(Local, ALostRaceLeavesTheWinnerAndNothingElse) {
  for (const Naming naming : {Naming::kUnnamedThenLink, Naming::kNamedThenLink}) {
    TestFolder folder;
    auto file = OpenDurable(*context_, "f", folder.At("f"), naming);
    ASSERT_TRUE(file.ok());
    std::ofstream(folder.At("f")) << "winner";
    auto closed = (*file)->Close();
    ASSERT_FALSE(closed.ok());
    EXPECT_EQ(closed.error().kind, ErrorKind::kAlreadyExists);
    file->reset();
    EXPECT_EQ(EntriesIn(folder.path()), 1U);
    EXPECT_EQ(set_.ReadFile(*context_, folder.At("f")).value(), "winner");
  }
}

TEST_F(Local, FilesGetTheRightsThatTheUserAsksFor) {
  const mode_t before = ::umask(022);
  ASSERT_TRUE(set_.WriteFile(*context_, folder_.At("f"), "x").ok());
  ASSERT_TRUE(
      set_.WriteFile(*context_, folder_.At("g"), "x", {.overwrite = OverwritePolicy::kReplace})
          .ok());
  ::umask(before);
  for (const std::string name : {"f", "g"}) {
    struct stat found{};
    ASSERT_EQ(::stat(folder_.At(name).c_str(), &found), 0);
    EXPECT_EQ(found.st_mode & 0777, 0644U) << name;
  }
}

TEST_F(Local, EverythingThatIsNoPlainFileIsRefusedWithoutWaiting) {
  ASSERT_EQ(::mkfifo(folder_.At("pipe").c_str(), 0600), 0);
  for (const std::string& path : {folder_.At("pipe"), std::string("/dev/zero"), folder_.path()}) {
    auto opened = set_.OpenInput(*context_, path);
    ASSERT_FALSE(opened.ok()) << path;
    EXPECT_EQ(opened.error().kind, ErrorKind::kRefused);
    EXPECT_THAT(opened.error().message, HasSubstr(path));
  }
}

TEST_F(Local, AFileInPlaceOfAFolderIsRefusedByName) {
  std::ofstream(folder_.At("f")) << "x";
  for (const Status& failed : {set_.EnsureFolder(*context_, folder_.At("f")).status(),
                               set_.WriteFile(*context_, folder_.At("f/g"), "x").status(),
                               set_.DeleteEmptyFolder(*context_, folder_.At("f"))}) {
    ASSERT_FALSE(failed.ok());
    EXPECT_EQ(failed.error().kind, ErrorKind::kRefused);
    EXPECT_THAT(failed.error().message, HasSubstr(folder_.At("f")));
  }
  EXPECT_EQ(set_.OpenInput(*context_, folder_.At("f/g")).error().kind, ErrorKind::kNotFound);
  EXPECT_TRUE(set_.Delete(*context_, folder_.At("f/g")).ok());
}

TEST_F(Local, DeleteNeverTakesAFolder) {
  ASSERT_TRUE(set_.EnsureFolder(*context_, folder_.At("d")).ok());
  EXPECT_EQ(set_.Delete(*context_, folder_.At("d")).error().kind, ErrorKind::kRefused);
  EXPECT_TRUE(set_.Exists(*context_, folder_.At("d")).value());
}

TEST_F(Local, AFolderWithoutRightsIsRefusedNotSkipped) {
  auto written = set_.WriteFile(*context_, "/proc/1/calve-test", "x");  // closed to root, too
  ASSERT_FALSE(written.ok());
  EXPECT_THAT(written.error().message, HasSubstr("/proc/1/calve-test"));
}

TEST_F(Local, RecursiveListingsFollowNoLinkedFolders) {
  ASSERT_TRUE(set_.WriteFile(*context_, folder_.At("a/f"), "x").ok());
  std::filesystem::create_directory_symlink(folder_.path(), folder_.At("a/circle"));
  std::filesystem::create_symlink(folder_.At("a/f"), folder_.At("a/g"));
  std::filesystem::create_symlink("nowhere", folder_.At("a/broken"));
  std::vector<std::string> names;
  const auto listed = set_.ListAll(*context_, folder_.path(), {.recursive = true});
  ASSERT_TRUE(listed.ok());
  for (const FileInfo& info : *listed) {
    names.push_back(info.uri.substr(folder_.path().size()));
  }
  EXPECT_EQ(names, (std::vector<std::string>{"/a/f", "/a/g"}));
}

TEST_F(Local, RelativePathsAreTakenFromTheWorkingFolder) {
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(folder_.path());
  auto written = set_.WriteFile(*context_, "a/b.txt", "x");
  auto plain = set_.WriteFile(*context_, "c:d.txt", "y");
  auto listed = set_.ListAll(*context_, "a");
  std::filesystem::current_path(before);
  ASSERT_TRUE(written.ok()) << written.error().message;
  ASSERT_TRUE(plain.ok()) << plain.error().message;
  ASSERT_EQ(listed->size(), 1U);
  EXPECT_EQ(listed->front().uri, "a/b.txt");
  EXPECT_EQ(set_.ReadFile(*context_, folder_.At("a/b.txt")).value(), "x");
}

TEST_F(Local, SystemErrorsSayWhatToDo) {
  const struct {
    int number;
    ErrorKind kind;
    std::string part;
  } cases[] = {{ENOENT, ErrorKind::kNotFound, "No such file"},
               {EEXIST, ErrorKind::kAlreadyExists, "already"},
               {ENOSPC, ErrorKind::kRefused, "the disk is full"},
               {EDQUOT, ErrorKind::kRefused, "quota"},
               {EACCES, ErrorKind::kRefused, "Permission denied"},
               {EROFS, ErrorKind::kRefused, "read-only"},
               {EMFILE, ErrorKind::kRefused, "ulimit"},
               {EISDIR, ErrorKind::kRefused, "folder"},
               {ENAMETOOLONG, ErrorKind::kConfig, "too long"},
               {ESTALE, ErrorKind::kTransient, "Stale"},
               {EIO, ErrorKind::kRefused, "error"}};
  for (const auto& each : cases) {
    const Error error = SystemError(each.number, "write to", "/x/y");
    EXPECT_EQ(error.kind, each.kind) << error.message;
    EXPECT_THAT(error.message, HasSubstr("cannot write to \"/x/y\": "));
    EXPECT_THAT(error.message, HasSubstr(each.part));
  }
}

TEST_F(Local, AFullDiskIsSaidAndLeavesNothing) {
  if (!std::filesystem::exists("/dev/full")) GTEST_SKIP() << "this machine has no /dev/full";
  Descriptor full(::open("/dev/full", O_WRONLY));
  errno = 0;
  EXPECT_FALSE(WriteFully(full.get(), "x"));
  EXPECT_EQ(SystemError(errno, "write to", "f").kind, ErrorKind::kRefused);
  // A file larger than this process may write fails in the same way, half-way through.
  struct rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  const auto handler = ::signal(SIGXFSZ, SIG_IGN);
  const struct rlimit small{100'000, before.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &small);
  auto written = set_.WriteFile(*context_, folder_.At("f"), std::string(1 << 20, 'x'));
  ::setrlimit(RLIMIT_FSIZE, &before);
  ::signal(SIGXFSZ, handler);
  ASSERT_FALSE(written.ok());
  EXPECT_EQ(written.error().kind, ErrorKind::kRefused);
  EXPECT_EQ(EntriesIn(folder_.path()), 0U);
}

}  // namespace
}  // namespace calve::io

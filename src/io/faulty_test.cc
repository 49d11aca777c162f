#include "io/faulty.h"

#include <gtest/gtest.h>

#include "io/memory.h"

namespace calve::io {
namespace {

constexpr auto kFile = "memory://m/f";

class Faulty : public testing::Test {
 protected:
  FaultyFileSystem With(FaultOptions options) { return {memory_, std::move(options)}; }
  FaultyFileSystem At(int64_t n, FaultEffect effect) {
    return With({.decide = FaultyFileSystem::AtCall(n, effect)});
  }
  bool There(const std::string& uri) { return memory_->Exists(*context_, uri).value(); }

  OwnedContext context_;
  std::shared_ptr<MemoryFileSystem> memory_ = std::make_shared<MemoryFileSystem>();
};

TEST_F(Faulty, WithoutFaultsItIsTheOtherFileSystem) {
  auto files = With({});
  ASSERT_TRUE(files.WriteFile(*context_, kFile, "bytes").ok());
  EXPECT_EQ(files.ReadFile(*context_, kFile).value(), "bytes");
  EXPECT_EQ(files.ListAll(*context_, "memory://m")->size(), 1U);
  EXPECT_EQ(files.calls(), 6);  // start, write, close, open, read, list
}

TEST_F(Faulty, EveryCallCanFailBeforeItActs) {
  const std::function<Status(FileSystem&)> calls[] = {
      [&](FileSystem& f) { return f.WriteFile(*context_, kFile, "x").status(); },
      [&](FileSystem& f) { return f.CreateIfAbsent(*context_, kFile, "x"); },
      [&](FileSystem& f) { return f.Delete(*context_, kFile); },
      [&](FileSystem& f) { return f.DeleteEmptyFolder(*context_, "memory://m/d"); },
      [&](FileSystem& f) { return f.Stat(*context_, kFile).status(); },
      [&](FileSystem& f) { return f.OpenInput(*context_, kFile).status(); },
      [&](FileSystem& f) { return f.ListAll(*context_, "memory://m").status(); },
      [&](FileSystem& f) { return f.EnsureFolder(*context_, "memory://m/d").status(); }};
  for (const auto& call : calls) {
    auto files = At(1, FaultEffect::kFailBefore);
    const Status failed = call(files);
    ASSERT_FALSE(failed.ok());
    EXPECT_EQ(failed.error().kind, ErrorKind::kTransient);
    EXPECT_FALSE(There(kFile));
    auto refused = At(1, FaultEffect::kRefuse);
    EXPECT_EQ(call(refused).error().kind, ErrorKind::kRefused);
  }
}

TEST_F(Faulty, AHiddenSuccessIsAnUnknownOutcome) {
  auto closing = At(3, FaultEffect::kFailAfter);
  auto written = closing.WriteFile(*context_, kFile, "x");
  ASSERT_FALSE(written.ok());
  EXPECT_EQ(written.error().kind, ErrorKind::kUnknownOutcome);
  EXPECT_TRUE(There(kFile));
  auto creating = At(1, FaultEffect::kFailAfter);
  EXPECT_EQ(creating.CreateIfAbsent(*context_, "memory://m/g", "x").error().kind,
            ErrorKind::kUnknownOutcome);
  EXPECT_TRUE(There("memory://m/g"));
}

TEST_F(Faulty, AShortReadLooksLikeACutFile) {
  ASSERT_TRUE(memory_->WriteFile(*context_, kFile, "0123456789").ok());
  auto files = At(2, FaultEffect::kShortRead);
  auto read = files.ReadFile(*context_, kFile);
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.error().kind, ErrorKind::kData);
}

TEST_F(Faulty, TheDiskFillsUp) {
  auto files = With({.disk_bytes_max = 10});
  ASSERT_TRUE(files.WriteFile(*context_, kFile, "0123456").ok());
  auto second = files.WriteFile(*context_, "memory://m/g", "0123456");
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().kind, ErrorKind::kRefused);
  EXPECT_FALSE(There("memory://m/g"));
  EXPECT_TRUE(files.WriteFile(*context_, "memory://m/h", "012").ok());
}

TEST_F(Faulty, ADelayEndsWithTheRun) {
  std::stop_source stop;
  stop.request_stop();
  auto files = With({.decide = FaultyFileSystem::AtCall(1, FaultEffect::kDelay),
                     .delay = std::chrono::milliseconds(3'600'000)});
  EXPECT_EQ(files.Stat(context_->WithStop(stop.get_token()), kFile).error().kind,
            ErrorKind::kStopped);
}

TEST_F(Faulty, OneSeedGivesTheSameFaultsAgain) {
  const auto run = [&](uint64_t seed) {
    auto files = With({.decide = FaultyFileSystem::Randomly(seed, 30, FaultEffect::kFailBefore)});
    std::string outcome;
    for (int i = 0; i < 50; ++i) outcome += files.Delete(*context_, kFile).ok() ? '.' : 'x';
    return outcome;
  };
  EXPECT_EQ(run(7), run(7));
  EXPECT_NE(run(7), run(8));
  EXPECT_NE(run(7).find('x'), std::string::npos);
}

TEST_F(Faulty, ACrashKeepsWhatWasClosedAndEndsWhatWasOpen) {
  auto files = With({.unsynced = true});
  ASSERT_TRUE(files.WriteFile(*context_, kFile, "x").ok());
  auto open = files.OpenOutput(*context_, "memory://m/open");
  ASSERT_TRUE(open.ok());
  ASSERT_TRUE((*open)->Write("x").ok());
  ASSERT_TRUE(files.Crash(*context_).ok());
  EXPECT_EQ((*open)->Write("x").error().kind, ErrorKind::kRefused);
  EXPECT_EQ((*open)->Close().error().kind, ErrorKind::kRefused);
  EXPECT_TRUE(There(kFile));
  EXPECT_FALSE(There("memory://m/open"));
  EXPECT_TRUE(files.WriteFile(*context_, "memory://m/after", "x").ok());
}

TEST_F(Faulty, ACrashMayUndoWhatNothingConfirmed) {
  int vanished = 0;
  int came_back = 0;
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    memory_ = std::make_shared<MemoryFileSystem>();
    ASSERT_TRUE(memory_->WriteFile(*context_, "memory://m/deleted", "old").ok());
    auto files = With({.seed = seed,
                       .decide = FaultyFileSystem::AtCall(2, FaultEffect::kFailAfter),
                       .unsynced = true});
    ASSERT_TRUE(files.Delete(*context_, "memory://m/deleted").ok());
    ASSERT_FALSE(files.CreateIfAbsent(*context_, kFile, "doubtful").ok());
    ASSERT_TRUE(files.Crash(*context_).ok());
    vanished += !There(kFile);
    came_back += There("memory://m/deleted");
  }
  EXPECT_GT(vanished, 5);
  EXPECT_LT(vanished, 35);
  EXPECT_GT(came_back, 5);
  EXPECT_LT(came_back, 35);
}

TEST_F(Faulty, ADeletionIsConfirmedByALaterChangeToItsFolder) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    memory_ = std::make_shared<MemoryFileSystem>();
    ASSERT_TRUE(memory_->WriteFile(*context_, kFile, "old").ok());
    auto files = With({.seed = seed, .unsynced = true});
    ASSERT_TRUE(files.Delete(*context_, kFile).ok());
    ASSERT_TRUE(files.WriteFile(*context_, "memory://m/g", "x").ok());
    ASSERT_TRUE(files.Crash(*context_).ok());
    EXPECT_FALSE(There(kFile));
  }
}

}  // namespace
}  // namespace calve::io

// What every writable storage promises, run over each that can be had here: local paths, file:
// addresses, memory, and S3 when CALVE_TEST_S3_ENDPOINT names a service.

#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <random>
#include <thread>

#include "base/text.h"
#include "io/file_system_set.h"
#include "io/test_folder.h"
#include "io/uri.h"

namespace calve::io {
namespace {

std::string FromEnvironment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::vector<std::string> PlacesToTest() {
  std::vector<std::string> places{"plain", "file1", "file3", "memory"};
  if (!FromEnvironment("CALVE_TEST_S3_ENDPOINT").empty())
    places.insert(places.end(), {"s3", "s3a"});
  if (!FromEnvironment("CALVE_TEST_GCS_ENDPOINT").empty()) places.push_back("gs");
  if (!FromEnvironment("CALVE_TEST_AZURE_AUTHORITY").empty()) places.push_back("abfss");
  return places;
}

/// How to reach the services that the test run names.
Properties TestProperties() {
  Properties properties = TestS3Properties();
  properties["gcs.service.host"] = FromEnvironment("CALVE_TEST_GCS_ENDPOINT");
  properties["gcs.no-auth"] = "true";
  properties["gcs.project-id"] = "test";
  properties["adls.account-name"] = FromEnvironment("CALVE_TEST_AZURE_ACCOUNT");
  properties["adls.account-key"] = FromEnvironment("CALVE_TEST_AZURE_KEY");
  properties["adls.blob-storage-authority"] = FromEnvironment("CALVE_TEST_AZURE_AUTHORITY");
  properties["adls.blob-storage-scheme"] = "http";
  return properties;
}

/// Ends what an S3 test may have started, as main does.
class Clouds : public testing::Environment {
 public:
  void TearDown() override { ShutdownCloud(); }
};
[[maybe_unused]] testing::Environment* const kClouds =
    testing::AddGlobalTestEnvironment(new Clouds);

class Contract : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    const std::string unique = NewUuidString(*OwnedContext(std::random_device{}()).get().random);
    const std::string place = GetParam();
    if (place == "plain") root_ = folder_.path();
    if (place == "file1") root_ = "file:" + folder_.path();
    if (place == "file3") root_ = "file://" + folder_.path();
    if (place == "memory") root_ = "memory://" + unique;
    if (root_.empty()) {
      set_.SetProperties("", TestProperties());
      root_ = place + "://calve-io-test/" + unique;
      auto made = set_.EnsureFolder(*context_, place + "://calve-io-test");
      ASSERT_TRUE(made.ok()) << made.error().message;
    }
  }

  std::string At(const std::string& name) const { return root_ + "/" + name; }
  bool one_wins() { return set_.CapabilitiesFor(root_).value().atomic_create; }
  bool has_folders() { return set_.CapabilitiesFor(root_).value().folders; }

  void Put(const std::string& name, std::string_view bytes) {
    auto written = set_.WriteFile(*context_, At(name), bytes);
    ASSERT_TRUE(written.ok()) << written.error().message;
    ASSERT_EQ(written->value(), static_cast<int64_t>(bytes.size()));
  }

  std::string Get(const std::string& name) {
    auto bytes = set_.ReadFile(*context_, At(name));
    return bytes.ok() ? *bytes : "error: " + bytes.error().message;
  }

  std::vector<std::string> Names(const std::string& folder, bool recursive) {
    auto all = set_.ListAll(*context_, folder, {.recursive = recursive});
    if (!all.ok()) return {"error: " + all.error().message};
    std::vector<std::string> names;
    for (const FileInfo& info : *all) {
      EXPECT_TRUE(info.uri.starts_with(folder)) << info.uri;
      names.push_back(
          info.uri.substr(folder.size()) +
          (info.kind == FileKind::kFolder ? "/" : ":" + std::to_string(info.size.value())));
    }
    return names;
  }

  TestFolder folder_;
  OwnedContext context_;
  FileSystemSet set_;
  std::string root_;
};

INSTANTIATE_TEST_SUITE_P(Places, Contract, testing::ValuesIn(PlacesToTest()),
                         [](const auto& place) { return place.param; });

TEST_P(Contract, WrittenBytesAreReadBack) {
  Put("a/b/c.bin", "hello world");
  EXPECT_EQ(Get("a/b/c.bin"), "hello world");
  auto info = set_.Stat(*context_, At("a/b/c.bin"));
  ASSERT_TRUE(info.ok());
  EXPECT_EQ(info->uri, At("a/b/c.bin"));
  EXPECT_EQ(info->kind, FileKind::kFile);
  EXPECT_EQ(info->size, ByteCount(11));
  EXPECT_TRUE(info->modified.has_value());
}

TEST_P(Contract, AnEmptyFileIsAFile) {
  Put("empty", "");
  EXPECT_EQ(Get("empty"), "");
  EXPECT_EQ(set_.Stat(*context_, At("empty"))->size, ByteCount(0));
  auto file = set_.OpenInput(*context_, At("empty"));
  ASSERT_TRUE(file.ok());
  char byte;
  EXPECT_EQ((*file)->ReadInto(0, {&byte, 1}).value(), 0U);
}

TEST_P(Contract, NamesAreKeptByteForByte) {
  for (const std::string name :
       {"x=1/y%20z.parquet", "a b/c+d.txt", "ä/日本.csv", "p=%2F/q&r#s?t.bin", "t~il*de'(1)!.x",
        "semi;colon,comma@at$", "a%zz"}) {
    SCOPED_TRACE(name);
    Put("names/" + name, name);
    EXPECT_EQ(Get("names/" + name), name);
    EXPECT_TRUE(set_.Exists(*context_, At("names/" + name)).value());
  }
  // Encoded and decoded forms are two names.
  EXPECT_FALSE(set_.Exists(*context_, At("names/x=1/y z.parquet")).value());
  const auto names = Names(At("names/x=1"), true);
  EXPECT_EQ(names, std::vector<std::string>{"/y%20z.parquet:17"});
}

TEST_P(Contract, ReadsAnywhereAndShortOnlyAtTheEnd) {
  Put("f", "0123456789");
  auto file = set_.OpenInput(*context_, At("f"), {.size = ByteCount(10)});
  ASSERT_TRUE(file.ok());
  EXPECT_EQ((*file)->size(), ByteCount(10));
  EXPECT_EQ((*file)->ReadAt(3, 4).value(), "3456");
  EXPECT_EQ((*file)->ReadAt(10, 0).value(), "");
  EXPECT_EQ((*file)->ReadAt(8, 3).error().kind, ErrorKind::kData);
  EXPECT_EQ((*file)->ReadAt(-1, 3).error().kind, ErrorKind::kData);
  std::string out(5, '.');
  EXPECT_EQ((*file)->ReadInto(8, out).value(), 2U);
  EXPECT_EQ(out, "89...");
  EXPECT_EQ((*file)->ReadInto(11, out).value(), 0U);
  EXPECT_EQ((*file)->ReadAll(ByteCount(9)).error().kind, ErrorKind::kData);
}

TEST_P(Contract, ManyThreadsReadOneFile) {
  std::string bytes;
  for (int i = 0; i < 20'000; ++i) bytes += std::to_string(i) + ",";
  Put("f", bytes);
  auto file = set_.OpenInput(*context_, At("f"));
  ASSERT_TRUE(file.ok());
  std::vector<std::jthread> threads;
  std::array<bool, 8> same{};
  for (size_t t = 0; t < same.size(); ++t) {
    threads.emplace_back([&, t] {
      same[t] = true;
      for (size_t at = t; at + 1000 < bytes.size(); at += 17'001) {
        auto got = (*file)->ReadAt(static_cast<int64_t>(at), 1000);
        same[t] = same[t] && got.ok() && *got == bytes.substr(at, 1000);
      }
    });
  }
  threads.clear();
  for (const bool each : same) EXPECT_TRUE(each);
}

TEST_P(Contract, AFileIsSeenOnlyAfterClose) {
  auto file = set_.OpenOutput(*context_, At("late"));
  ASSERT_TRUE(file.ok());
  ASSERT_TRUE((*file)->Write(std::string(300'000, 'x')).ok());
  EXPECT_FALSE(set_.Exists(*context_, At("late")).value());
  EXPECT_EQ((*file)->position(), ByteCount(300'000));
  EXPECT_EQ((*file)->Close().value(), ByteCount(300'000));
  EXPECT_TRUE(set_.Exists(*context_, At("late")).value());
}

TEST_P(Contract, AnAbortedOrDroppedFileLeavesNothing) {
  for (const bool abort : {true, false}) {
    auto file = set_.OpenOutput(*context_, At("gone/f"));
    ASSERT_TRUE(file.ok());
    ASSERT_TRUE((*file)->Write(std::string(1 << 20, 'x')).ok());
    if (abort) (*file)->Abort();
    file->reset();
  }
  const auto names = Names(root_, true);
  EXPECT_TRUE(names.empty()) << testing::PrintToString(names);
}

TEST_P(Contract, LargeFilesOfManySmallAndBigWritesAreWhole) {
  std::string expected;
  auto file = set_.OpenOutput(*context_, At("large"));
  ASSERT_TRUE(file.ok());
  for (int i = 0; i < 40; ++i) {
    const std::string piece(static_cast<size_t>(i % 3 == 0 ? 700'000 : 1 + i * 37),
                            static_cast<char>('a' + i % 26));
    ASSERT_TRUE((*file)->Write(piece).ok());
    expected += piece;
  }
  const std::string tail(9 << 20, 'z');
  ASSERT_TRUE((*file)->Write(tail).ok());
  expected += tail;
  ASSERT_TRUE((*file)->Close().ok());
  EXPECT_TRUE(set_.ReadFile(*context_, At("large")).value() == expected);
}

TEST_P(Contract, AWriterNeverReplacesUnlessAskedTo) {
  Put("f", "first");
  auto second = set_.WriteFile(*context_, At("f"), "second");
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().kind, ErrorKind::kAlreadyExists);
  EXPECT_EQ(Get("f"), "first");
  ASSERT_TRUE(
      set_.WriteFile(*context_, At("f"), "third", {.overwrite = OverwritePolicy::kReplace}).ok());
  EXPECT_EQ(Get("f"), "third");
}

TEST_P(Contract, OfTwoWritersOfOneNameTheSecondToCloseFails) {
  if (!one_wins()) GTEST_SKIP() << "as its capabilities say";
  auto one = set_.OpenOutput(*context_, At("f"));
  auto two = set_.OpenOutput(*context_, At("f"));
  ASSERT_TRUE(one.ok() && two.ok());
  ASSERT_TRUE((*one)->Write("one").ok());
  ASSERT_TRUE((*two)->Write("two").ok());
  ASSERT_TRUE((*two)->Close().ok());
  auto closed = (*one)->Close();
  ASSERT_FALSE(closed.ok());
  EXPECT_EQ(closed.error().kind, ErrorKind::kAlreadyExists);
  EXPECT_EQ(Get("f"), "two");
}

TEST_P(Contract, CreateIfAbsentLetsExactlyOneOfManyWin) {
  if (!one_wins()) {
    const Status refused = set_.CreateIfAbsent(*context_, At("v1"), "x");
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().kind, ErrorKind::kRefused);
    return;
  }
  for (int round = 0; round < 5; ++round) {
    const std::string name = "v" + std::to_string(round) + ".metadata.json";
    std::array<Status, 8> outcomes;
    {
      std::vector<std::jthread> threads;
      for (size_t t = 0; t < outcomes.size(); ++t) {
        threads.emplace_back([&, t] {
          outcomes[t] = set_.CreateIfAbsent(*context_, At(name), "writer " + std::to_string(t));
        });
      }
    }
    int winners = 0;
    std::string winner;
    for (size_t t = 0; t < outcomes.size(); ++t) {
      if (outcomes[t].ok()) {
        ++winners;
        winner = "writer " + std::to_string(t);
      } else {
        EXPECT_EQ(outcomes[t].error().kind, ErrorKind::kAlreadyExists)
            << outcomes[t].error().message;
      }
    }
    EXPECT_EQ(winners, 1);
    EXPECT_EQ(Get(name), winner);
  }
}

TEST_P(Contract, ListingGivesFilesAndFoldersOfOneLevel) {
  Put("t/a", "1");
  Put("t/b/c", "22");
  Put("t/b/d/e", "333");
  Put("tt/x", "4444");  // a neighbour that starts alike
  EXPECT_EQ(Names(At("t"), false), (std::vector<std::string>{"/a:1", "/b/"}));
  EXPECT_EQ(Names(At("t"), true), (std::vector<std::string>{"/a:1", "/b/c:2", "/b/d/e:3"}));
  EXPECT_EQ(Names(At("t/"), true), (std::vector<std::string>{"a:1", "b/c:2", "b/d/e:3"}));
  EXPECT_EQ(set_.Stat(*context_, At("t/b"))->kind, FileKind::kFolder);
}

TEST_P(Contract, TwoSlashesMakeAnotherObjectWhereThereAreNoFolders) {
  if (GetParam() != "memory") GTEST_SKIP() << "a folder's path, or a store that cleans its keys";
  Put("t//x", "two");
  Put("t/x", "one!");
  EXPECT_EQ(Names(At("t"), true), (std::vector<std::string>{"//x:3", "/x:4"}));
  EXPECT_EQ(Get("t//x"), "two");
}

TEST_P(Contract, ListingComesInPagesAndEndsWhenTold) {
  if (GetParam() == "s3a") GTEST_SKIP() << "another name of s3";
  const bool local = root_.ends_with(folder_.path());
  if (local) {
    ASSERT_TRUE(set_.EnsureFolder(*context_, At("many")).ok());
  }
  for (int i = 0; i < 1205; ++i) {
    const std::string name = "many/" + std::to_string(i);
    if (local) {
      std::ofstream(folder_.At(name)) << "x";  // without waiting for the disk each time
    } else {
      Put(name, "x");
    }
  }
  EXPECT_EQ(Names(At("many"), true).size(), 1205U);
  EXPECT_EQ(Names(At("many"), false).size(), 1205U);
  int pages = 0;
  auto listed = set_.List(*context_, At("many"), {}, [&](auto page) -> Result<bool> {
    ++pages;
    EXPECT_LE(page.size(), 1000U);
    return false;
  });
  EXPECT_TRUE(listed.ok());
  EXPECT_EQ(pages, 1);
  auto failed = set_.List(*context_, At("many"), {},
                          [](auto) -> Result<bool> { return DataError("enough"); });
  EXPECT_EQ(failed.error().message, "enough");
}

TEST_P(Contract, AMissingFolderIsNotFoundOrEmpty) {
  auto all = set_.ListAll(*context_, At("nowhere"));
  if (has_folders()) {
    ASSERT_FALSE(all.ok());
    EXPECT_EQ(all.error().kind, ErrorKind::kNotFound);
  } else {
    ASSERT_TRUE(all.ok());
    EXPECT_TRUE(all->empty());
  }
}

TEST_P(Contract, WhatIsNotThereIsNotFoundAndNamed) {
  auto opened = set_.OpenInput(*context_, At("nothing"));
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().kind, ErrorKind::kNotFound);
  EXPECT_NE(opened.error().message.find("nothing"), std::string::npos);
  EXPECT_EQ(set_.Stat(*context_, At("nothing")).error().kind, ErrorKind::kNotFound);
  EXPECT_FALSE(set_.Exists(*context_, At("nothing")).value());
  EXPECT_EQ(set_.ReadFile(*context_, At("nothing")).error().kind, ErrorKind::kNotFound);
}

TEST_P(Contract, DeletingIsDoneOnceAndAgainIsOk) {
  Put("d/f", "x");
  Put("d/g", "x");
  EXPECT_TRUE(set_.Delete(*context_, At("d/f")).ok());
  EXPECT_TRUE(set_.Delete(*context_, At("d/f")).ok());
  EXPECT_EQ(Names(At("d"), true), std::vector<std::string>{"/g:1"});
}

TEST_P(Contract, DeleteAllDeletesEachAndOnlyThese) {
  std::vector<std::string> doomed;
  for (int i = 0; i < 25; ++i) {
    Put("d/" + std::to_string(i) + " %2F&<x>.bin", "x");
    doomed.push_back(At("d/" + std::to_string(i) + " %2F&<x>.bin"));
  }
  Put("d/kept", "x");
  doomed.push_back(At("d/never-was"));
  Status deleted = set_.DeleteAll(*context_, doomed);
  EXPECT_TRUE(deleted.ok()) << deleted.error().message;
  EXPECT_EQ(Names(At("d"), true), std::vector<std::string>{"/kept:1"});
}

TEST_P(Contract, DeletingTheLastFileLeavesNoMarkerBehind) {
  Put("d/e/f", "x");
  ASSERT_TRUE(set_.Delete(*context_, At("d/e/f")).ok());
  EXPECT_TRUE(Names(At("d"), true).empty());
}

TEST_P(Contract, FoldersAreDeletedOnlyWhenEmpty) {
  Put("d/f", "x");
  EXPECT_EQ(set_.DeleteEmptyFolder(*context_, At("d")).error().kind, ErrorKind::kRefused);
  ASSERT_TRUE(set_.Delete(*context_, At("d/f")).ok());
  EXPECT_TRUE(set_.DeleteEmptyFolder(*context_, At("d")).ok());
  EXPECT_TRUE(set_.DeleteEmptyFolder(*context_, At("d")).ok());
  EXPECT_FALSE(set_.Exists(*context_, At("d")).value());
}

TEST_P(Contract, EnsureFolderSaysWhetherItMadeOne) {
  auto first = set_.EnsureFolder(*context_, At("x/y/z"));
  ASSERT_TRUE(first.ok()) << first.error().message;
  EXPECT_EQ(*first, has_folders() ? Made::kNow : Made::kBefore);
  EXPECT_EQ(set_.EnsureFolder(*context_, At("x/y/z")).value(), Made::kBefore);
  if (has_folders()) {
    EXPECT_EQ(set_.Stat(*context_, At("x/y"))->kind, FileKind::kFolder);
  }
  Put("x/y/z/f", "1");
  EXPECT_EQ(Get("x/y/z/f"), "1");
}

TEST_P(Contract, AFolderCannotBeOpenedAsAFile) {
  Put("d/f", "x");
  EXPECT_FALSE(set_.OpenInput(*context_, At("d")).ok());
  EXPECT_FALSE(set_.WriteFile(*context_, At("d/"), "x").ok());
}

TEST_P(Contract, OpenReadersKeepTheFileThatTheyOpened) {
  Put("f", "version one");
  auto file = set_.OpenInput(*context_, At("f"));
  ASSERT_TRUE(file.ok());
  ASSERT_TRUE(
      set_.WriteFile(*context_, At("f"), "VERSION TWO", {.overwrite = OverwritePolicy::kReplace})
          .ok());
  auto read = (*file)->ReadAll();  // never a mixture: the old bytes, or an error that says so
  if (read.ok()) {
    EXPECT_EQ(*read, "version one");
  } else {
    EXPECT_EQ(read.error().kind, ErrorKind::kData) << read.error().message;
  }
}

TEST_P(Contract, AStoppedRunReadsAndWritesNothingMore) {
  Put("f", "x");
  std::stop_source stop;
  const Context context = context_->WithStop(stop.get_token());
  auto input = set_.OpenInput(context, At("f"));
  auto output = set_.OpenOutput(context, At("g"));
  ASSERT_TRUE(input.ok() && output.ok());
  stop.request_stop();
  EXPECT_EQ((*input)->ReadAll().error().kind, ErrorKind::kStopped);
  EXPECT_EQ((*output)->Write("x").error().kind, ErrorKind::kStopped);
}

TEST_P(Contract, ClosingTwiceIsABug) {
  auto file = set_.OpenOutput(*context_, At("f"));
  ASSERT_TRUE(file.ok());
  ASSERT_TRUE((*file)->Close().ok());
  EXPECT_EQ((*file)->Close().error().kind, ErrorKind::kBug);
  EXPECT_EQ((*file)->Write("x").error().kind, ErrorKind::kBug);
  EXPECT_EQ(Get("f"), "");
}

}  // namespace
}  // namespace calve::io

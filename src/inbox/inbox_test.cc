#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

#include "base/random.h"
#include "inbox/crc32c.h"
#include "inbox/reader.h"
#include "inbox/writer.h"
#include "io/test_folder.h"

namespace calve::inbox {
namespace {

Record RecordOf(const std::string& key, const std::string& body = "{}") {
  return {.arrived = Timestamp(Duration(1'790'000'000'000'001)),
          .key = key,
          .headers = {{"topic", "orders/create"}, {"provider", "shopify"}},
          .body = body};
}

std::vector<Record> ReadAll(const std::string& folder, int64_t from = 0) {
  std::vector<Record> records;
  Reader reader(folder, from);
  while (true) {
    const Result<std::optional<Record>> next = reader.Next();
    EXPECT_TRUE(next.ok()) << next.status().error().message;
    if (!next.ok() || !next->has_value()) return records;
    records.push_back(**next);
  }
}

std::vector<std::string> KeysOf(const std::vector<Record>& records) {
  std::vector<std::string> keys;
  for (const Record& record : records) keys.push_back(record.key);
  return keys;
}

void AppendOne(Writer& writer, const std::string& key, const std::string& body = "{}") {
  const Result<int64_t> offset = writer.Append({RecordOf(key, body)});
  ASSERT_TRUE(offset.ok()) << offset.status().error().message;
}

std::string Bytes(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void Overwrite(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

TEST(Crc32c, IsThatOfItsStandard) {
  EXPECT_EQ(Crc32c("123456789"), 0xE3069283U);
  EXPECT_EQ(Crc32c(std::string(32, '\0')), 0x8A9136AAU);
  EXPECT_EQ(Crc32c(std::string(32, '\xff')), 0x62A8AB43U);
}

TEST(Inbox, GivesBackWhatItWasGiven) {
  const io::TestFolder folder;
  auto writer = Writer::Open(folder.At("t"));
  ASSERT_TRUE(writer.ok()) << writer.status().error().message;
  EXPECT_EQ(*(*writer)->Append({RecordOf("a", std::string("\0\n\xff", 3)), RecordOf("b")}), 0);
  EXPECT_EQ(*(*writer)->Append({RecordOf("", "")}), 2);
  Record first = RecordOf("a", std::string("\0\n\xff", 3));
  const std::vector<Record> records = ReadAll(folder.At("t"));
  ASSERT_EQ(records.size(), 3U);
  EXPECT_EQ(records[0], first);
  EXPECT_EQ(records[2].offset, 2);
  EXPECT_EQ(records[2].key, "");
  EXPECT_EQ(records[2].body, "");
  EXPECT_EQ(ReadAll(folder.At("t"), 2).size(), 1U);
}

TEST(Inbox, ATopicThatNobodyWroteIsEmpty) {
  const io::TestFolder folder;
  EXPECT_TRUE(ReadAll(folder.At("t")).empty());
  EXPECT_EQ(Reader(folder.At("t"), 0).Measure()->end, 0);
}

TEST(Inbox, AReaderGoesOnWithWhatComesLater) {
  const io::TestFolder folder;
  auto writer = Writer::Open(folder.At("t"), {.segment_bytes_max = ByteCount(200)});
  ASSERT_TRUE(writer.ok());
  Reader reader(folder.At("t"), 0);
  for (int i = 0; i < 20; ++i) {
    EXPECT_FALSE(reader.Next()->has_value());
    AppendOne(**writer, std::to_string(i));
    EXPECT_EQ((**reader.Next()).key, std::to_string(i));
  }
}

TEST(Inbox, OneProcessWritesATopic) {
  const io::TestFolder folder;
  const auto writer = Writer::Open(folder.At("t"));
  ASSERT_TRUE(writer.ok());
  const auto second = Writer::Open(folder.At("t"));
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().kind, ErrorKind::kAlreadyExists);
}

TEST(Inbox, SegmentsAreTrimmedWhole) {
  const io::TestFolder folder;
  auto writer = Writer::Open(folder.At("t"), {.segment_bytes_max = ByteCount(200)});
  ASSERT_TRUE(writer.ok());
  for (int i = 0; i < 30; ++i) AppendOne(**writer, std::to_string(i));
  const size_t before = ListSegments(folder.At("t"))->size();
  EXPECT_GT(before, 4U);
  ASSERT_TRUE((*writer)->Trim(17).ok());
  const int64_t first = (*writer)->first_offset();
  EXPECT_GT(first, 10);
  EXPECT_LE(first, 17);
  EXPECT_EQ(Reader(folder.At("t"), 0).Measure()->first, first);
  EXPECT_EQ(ReadAll(folder.At("t"), 17).size(), 13U);
  const auto gone = Reader(folder.At("t"), 3).Next();
  ASSERT_FALSE(gone.ok());
  EXPECT_EQ(gone.error().kind, ErrorKind::kNotFound);
  EXPECT_THAT(gone.error().message, testing::HasSubstr("has offset " + std::to_string(first)));
  ASSERT_TRUE((*writer)->Trim(1'000'000).ok());
  EXPECT_EQ(ListSegments(folder.At("t"))->size(), 1U);
  writer->reset();
  auto again = Writer::Open(folder.At("t"));
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(*(*again)->Append({RecordOf("x")}), 30);
}

/// A record that a crash cut anywhere was never acknowledged: it goes, the ones before stay.
TEST(Inbox, ATailThatIsCutAnywhereIsRemoved) {
  const io::TestFolder folder;
  const std::string path = SegmentPath(folder.At("t"), 0);
  {
    auto writer = Writer::Open(folder.At("t"));
    ASSERT_TRUE(writer.ok());
    AppendOne(**writer, "a");
    AppendOne(**writer, "b");
  }
  const std::string two = Bytes(path);
  {
    auto writer = Writer::Open(folder.At("t"));
    AppendOne(**writer, "torn", "{\"torn\": true}");
  }
  const std::string three = Bytes(path);
  for (size_t length = two.size(); length < three.size(); ++length) {
    for (const bool with_zeros : {false, true}) {
      std::string torn = three.substr(0, length);
      if (with_zeros) torn.resize(three.size(), '\0');
      Overwrite(path, torn);
      std::filesystem::remove(folder.At("t/synced"));
      EXPECT_EQ(ReadAll(folder.At("t")).size(), 2U) << length;
      auto writer = Writer::Open(folder.At("t"));
      ASSERT_TRUE(writer.ok()) << length << ": " << writer.status().error().message;
      EXPECT_EQ(Bytes(path), two) << length;
      EXPECT_EQ(*(*writer)->Append({RecordOf("c")}), 2);
      EXPECT_THAT(KeysOf(ReadAll(folder.At("t"))), testing::ElementsAre("a", "b", "c"));
    }
  }
}

TEST(Inbox, AHeadThatIsCutIsWrittenAgain) {
  for (size_t length = 0; length < kSegmentHead.size(); ++length) {
    const io::TestFolder folder;
    std::filesystem::create_directory(folder.At("t"));
    Overwrite(SegmentPath(folder.At("t"), 0), std::string(kSegmentHead.substr(0, length)));
    auto writer = Writer::Open(folder.At("t"));
    ASSERT_TRUE(writer.ok()) << writer.status().error().message;
    AppendOne(**writer, "a");
    EXPECT_EQ(ReadAll(folder.At("t")).size(), 1U);
  }
}

/// Whatever byte of a record that was on disk is flipped, nothing behind it is lost silently.
TEST(Inbox, ABrokenRecordIsNamed) {
  const io::TestFolder folder;
  const std::string path = SegmentPath(folder.At("t"), 0);
  size_t begin = 0;
  size_t end = 0;
  {
    auto writer = Writer::Open(folder.At("t"));
    ASSERT_TRUE(writer.ok());
    AppendOne(**writer, "a");
    begin = Bytes(path).size();
    AppendOne(**writer, "b");
    end = Bytes(path).size();
    AppendOne(**writer, "c");
  }
  const std::string good = Bytes(path);
  const std::string mark = Bytes(folder.At("t/synced"));
  for (size_t at = begin; at < end; ++at) {
    for (const bool has_mark : {true, false}) {
      std::string bad = good;
      bad[at] = static_cast<char>(bad[at] ^ 4);
      Overwrite(path, bad);
      std::filesystem::remove(folder.At("t/synced"));
      if (has_mark) Overwrite(folder.At("t/synced"), mark);
      const auto writer = Writer::Open(folder.At("t"));
      ASSERT_FALSE(writer.ok()) << at;
      EXPECT_EQ(writer.error().kind, ErrorKind::kData);
      EXPECT_THAT(writer.error().message, testing::HasSubstr(path + ": the record of offset 1"));
      EXPECT_EQ(Bytes(path), bad);
    }
  }
  Overwrite(folder.At("t/synced"), mark);
  Reader reader(folder.At("t"), 0);
  EXPECT_TRUE(reader.Next()->has_value());
  const auto broken = reader.Next();
  ASSERT_FALSE(broken.ok());
  EXPECT_THAT(broken.error().message, testing::HasSubstr("offset 1"));
}

TEST(Inbox, ManyThreadsAppendEachOnce) {
  constexpr int kThreads = 8;
  constexpr int kEach = 200;
  const io::TestFolder folder;
  auto writer = Writer::Open(folder.At("t"), {.segment_bytes_max = ByteCount(20'000)});
  ASSERT_TRUE(writer.ok());
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < kEach; ++i)
          AppendOne(**writer, std::to_string(t) + "-" + std::to_string(i));
      });
    }
  }
  EXPECT_EQ((*writer)->waiting(), ByteCount(0));
  const std::vector<Record> records = ReadAll(folder.At("t"));
  ASSERT_EQ(records.size(), static_cast<size_t>(kThreads * kEach));
  std::map<std::string, int> next;
  for (const Record& record : records) {
    const std::string thread = record.key.substr(0, record.key.find('-'));
    EXPECT_EQ(record.key, thread + "-" + std::to_string(next[thread]++));
  }
}

/// Appends until it is killed, and tells each offset that was acknowledged.
[[noreturn]] void AppendForever(const std::string& folder, int tell) {
  auto writer = Writer::Open(folder, {.segment_bytes_max = ByteCount(5'000)});
  if (!writer.ok()) ::_exit(1);
  for (;;) {
    const Result<int64_t> offset =
        (*writer)->Append({RecordOf("k" + std::to_string((*writer)->end_offset()))});
    if (!offset.ok() || ::write(tell, &*offset, sizeof *offset) != sizeof *offset) ::_exit(1);
  }
}

TEST(Inbox, WhatWasAcknowledgedIsThereAfterAKill) {
  constexpr int kKills = 20;
  const io::TestFolder folder;
  Random random(7);
  int64_t acknowledged = -1;
  for (int kill = 0; kill < kKills; ++kill) {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    const pid_t child = ::fork();
    if (child == 0) AppendForever(folder.At("t"), ends[1]);
    ::close(ends[1]);
    const uint64_t so_many = 1 + random.Below(60);
    int64_t offset = -1;
    for (uint64_t i = 0; i < so_many; ++i) {
      ASSERT_EQ(::read(ends[0], &offset, sizeof offset), static_cast<ssize_t>(sizeof offset));
      EXPECT_GT(offset, acknowledged);
      acknowledged = offset;
    }
    ::kill(child, SIGKILL);
    int how = 0;
    ::waitpid(child, &how, 0);
    while (::read(ends[0], &offset, sizeof offset) == static_cast<ssize_t>(sizeof offset))
      acknowledged = offset;
    ::close(ends[0]);
    const std::vector<Record> records = ReadAll(folder.At("t"));
    ASSERT_GT(static_cast<int64_t>(records.size()), acknowledged);
    for (size_t i = 0; i < records.size(); ++i) {
      ASSERT_EQ(records[i].offset, static_cast<int64_t>(i));
      ASSERT_EQ(records[i].key, "k" + std::to_string(i));
    }
  }
}

/// Files of this process may not grow while it lives; a write beyond is cut short, then refused, as
/// on a full disk.
class SizeLimit {
 public:
  explicit SizeLimit(rlim_t bytes) {
    std::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~SizeLimit() { ::setrlimit(RLIMIT_FSIZE, &before_); }

 private:
  rlimit before_{};
};

TEST(Inbox, WhatTheDiskDoesNotTakeIsRefusedAndLeavesNoTrace) {
  const io::TestFolder folder;
  auto writer = Writer::Open(folder.At("t"));
  ASSERT_TRUE(writer.ok());
  AppendOne(**writer, "a");
  const std::string before = Bytes(SegmentPath(folder.At("t"), 0));
  {
    const SizeLimit limit(before.size() + 50);
    const Result<int64_t> refused = (*writer)->Append({RecordOf("b", std::string(1000, 'x'))});
    ASSERT_FALSE(refused.ok());
    EXPECT_THAT(refused.error().message, testing::HasSubstr(folder.At("t")));
  }
  EXPECT_EQ(Bytes(SegmentPath(folder.At("t"), 0)), before);
  AppendOne(**writer, "c");
  EXPECT_THAT(KeysOf(ReadAll(folder.At("t"))), testing::ElementsAre("a", "c"));
}

}  // namespace
}  // namespace calve::inbox

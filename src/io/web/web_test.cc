#include <memory>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/compression.h"
#include "io/file_system_set.h"
#include "io/test_server.h"

namespace calve::io {
namespace {

using testing::HasSubstr;

std::string Digits(size_t from, size_t count) {
  std::string digits;
  for (size_t i = from; i < from + count; ++i) digits += static_cast<char>('0' + i % 10);
  return digits;
}

class Web : public testing::Test {
 protected:
  static void SetUpTestSuite() { server_ = std::make_unique<TestServer>(); }
  static void TearDownTestSuite() { server_.reset(); }

  std::string At(const std::string& path) { return server_->At(path); }

  static std::unique_ptr<TestServer> server_;
  OwnedContext context_;
  FileSystemSet set_;
};

std::unique_ptr<TestServer> Web::server_;

TEST_F(Web, RangesAreReadWhereTheServerGivesThem) {
  auto file = set_.OpenInput(*context_, At("/file/plain"));
  ASSERT_TRUE(file.ok()) << file.error().message;
  EXPECT_EQ((*file)->size(), ByteCount(100'000));
  EXPECT_EQ((*file)->ReadAt(3, 5).value(), "34567");
  EXPECT_EQ((*file)->ReadAt(65'530, 20).value(),
            Digits(65'530, 20));  // across what opening fetched
  EXPECT_EQ((*file)->ReadAt(99'990, 10).value(), Digits(0, 10));
  EXPECT_TRUE((*file)->ReadAll().value() == Digits(0, 100'000));
}

TEST_F(Web, AServerWithoutRangesIsReadWhole) {
  auto file = set_.OpenInput(*context_, At("/file/norange"));
  ASSERT_TRUE(file.ok()) << file.error().message;
  EXPECT_EQ((*file)->size(), ByteCount(100'000));
  EXPECT_EQ((*file)->ReadAt(70'003, 5).value(), "34567");
}

TEST_F(Web, AnEmptyFileIsRead) {
  auto file = set_.OpenInput(*context_, At("/big/0"));
  ASSERT_TRUE(file.ok()) << file.error().message;
  EXPECT_EQ((*file)->ReadAll().value(), "");
}

TEST_F(Web, AFileThatChangesIsNeverMixed) {
  auto file = set_.OpenInput(*context_, At("/file/changing"));
  ASSERT_TRUE(file.ok());
  auto read = (*file)->ReadAt(80'000, 10);
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.error().kind, ErrorKind::kData);
  EXPECT_THAT(read.error().message, HasSubstr("replaced"));
}

TEST_F(Web, AServerThatSendsTooLittleIsFoundOut) {
  auto file = set_.OpenInput(*context_, At("/file/lying"));
  ASSERT_TRUE(file.ok());
  auto read = (*file)->ReadAt(80'000, 10);
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.error().kind, ErrorKind::kData);
}

TEST_F(Web, StatTellsSizeTimeAndTag) {
  auto info = set_.Stat(*context_, At("/file/plain"));
  ASSERT_TRUE(info.ok());
  EXPECT_EQ(info->size, ByteCount(100'000));
  EXPECT_EQ(info->etag, "\"7\"");
  EXPECT_EQ(info->modified, Timestamp(std::chrono::seconds(1795248900)));
  EXPECT_EQ(set_.Stat(*context_, At("/file/nohead"))->size, ByteCount(100'000));
}

TEST_F(Web, WhatIsMissingOrForbiddenIsSaid) {
  EXPECT_EQ(set_.OpenInput(*context_, At("/status/404")).error().kind, ErrorKind::kNotFound);
  EXPECT_FALSE(set_.Exists(*context_, At("/status/404")).value());
  auto forbidden = set_.OpenInput(*context_, At("/status/403?token=hunter2"));
  ASSERT_FALSE(forbidden.ok());
  EXPECT_EQ(forbidden.error().kind, ErrorKind::kRefused);
  EXPECT_THAT(forbidden.error().message, HasSubstr("/status/403"));
  EXPECT_THAT(forbidden.error().message, testing::Not(HasSubstr("hunter2")));
}

TEST_F(Web, NothingIsEverWritten) {
  const std::string uri = At("/file/plain");
  for (const Status& refused :
       {set_.WriteFile(*context_, uri, "x").status(), set_.CreateIfAbsent(*context_, uri, "x"),
        set_.Delete(*context_, uri), set_.DeleteEmptyFolder(*context_, uri),
        set_.EnsureFolder(*context_, uri).status(), set_.ListAll(*context_, uri).status()}) {
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().kind, ErrorKind::kRefused);
  }
  EXPECT_FALSE(set_.CapabilitiesFor(uri)->write);
}

TEST_F(Web, StreamsComeOverTheWeb) {
  auto file = set_.OpenInput(*context_, At("/file/plain"));
  ASSERT_TRUE(file.ok());
  auto stream = OpenStream(*std::move(file), {.buffer_bytes = ByteCount(30'000)});
  ASSERT_TRUE(stream.ok());
  std::string all;
  std::string buffer(7'000, '\0');
  for (size_t got = 1; got != 0;) {
    got = (*stream)->Read(buffer).value();
    all.append(buffer, 0, got);
  }
  EXPECT_TRUE(all == Digits(0, 100'000));
}

}  // namespace
}  // namespace calve::io

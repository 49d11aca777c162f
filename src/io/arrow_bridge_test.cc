#include "io/arrow_bridge.h"

#include <arrow/buffer.h>
#include <gtest/gtest.h>

#include "io/faulty.h"
#include "io/memory.h"

namespace calve::io {
namespace {

constexpr auto kFile = "memory://m/f";

class ArrowBridge : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(memory_->WriteFile(*context_, kFile, "0123456789").ok()); }

  OwnedContext context_;
  std::shared_ptr<MemoryFileSystem> memory_ = std::make_shared<MemoryFileSystem>();
};

TEST_F(ArrowBridge, FilesAreReadAnywhereAndInOrder) {
  auto file = ToArrow(memory_->OpenInput(*context_, kFile).value());
  EXPECT_EQ(file->GetSize().ValueOrDie(), 10);
  EXPECT_EQ(file->ReadAt(2, 3).ValueOrDie()->ToString(), "234");
  EXPECT_EQ(file->ReadAt(8, 100).ValueOrDie()->ToString(), "89");
  EXPECT_EQ(file->ReadAt(50, 1).ValueOrDie()->size(), 0);
  EXPECT_EQ(file->Read(4).ValueOrDie()->ToString(), "0123");
  EXPECT_EQ(file->Tell().ValueOrDie(), 4);
  ASSERT_TRUE(file->Seek(9).ok());
  EXPECT_EQ(file->Read(4).ValueOrDie()->ToString(), "9");
  EXPECT_FALSE(file->ReadAt(-1, 3).ok());
  EXPECT_FALSE(file->Seek(-1).ok());
  ASSERT_TRUE(file->Close().ok());
  EXPECT_FALSE(file->ReadAt(0, 1).ok());
}

TEST_F(ArrowBridge, AHugeReadTakesNoMoreThanTheFile) {
  auto file = ToArrow(memory_->OpenInput(*context_, kFile).value());
  EXPECT_EQ(file->ReadAt(0, int64_t{1} << 60).ValueOrDie()->size(), 10);
  EXPECT_EQ(file->Read(int64_t{1} << 60).ValueOrDie()->size(), 10);
}

TEST_F(ArrowBridge, StreamsFillEachRead) {
  auto stream =
      OpenStream(memory_->OpenInput(*context_, kFile).value(), {.buffer_bytes = ByteCount(3)});
  ASSERT_TRUE(stream.ok());
  auto arrow_stream = ToArrow(*std::move(stream));
  EXPECT_EQ(arrow_stream->Read(8).ValueOrDie()->ToString(), "01234567");
  EXPECT_EQ(arrow_stream->Tell().ValueOrDie(), 8);
  EXPECT_EQ(arrow_stream->Read(8).ValueOrDie()->ToString(), "89");
  EXPECT_EQ(arrow_stream->Read(8).ValueOrDie()->size(), 0);
}

TEST_F(ArrowBridge, ClosingTheArrowSideMakesNothingVisible) {
  auto file = memory_->OpenOutput(*context_, "memory://m/g").value();
  auto stream = ToArrow(*file);
  ASSERT_TRUE(stream->Write("abc", 3).ok());
  EXPECT_EQ(stream->Tell().ValueOrDie(), 3);
  ASSERT_TRUE(stream->Close().ok());
  EXPECT_FALSE(stream->Write("d", 1).ok());
  EXPECT_FALSE(memory_->Exists(*context_, "memory://m/g").value());
  EXPECT_EQ(file->Close().value(), ByteCount(3));
  EXPECT_TRUE(memory_->Exists(*context_, "memory://m/g").value());
}

TEST_F(ArrowBridge, ErrorsComeThroughArrowWhole) {
  FaultyFileSystem faulty(memory_, {.decide = FaultyFileSystem::AtCall(2, FaultEffect::kRefuse)});
  auto file = ToArrow(faulty.OpenInput(*context_, kFile).value());
  const arrow::Status failed = file->ReadAt(0, 5).status();
  ASSERT_FALSE(failed.ok());
  const std::optional<Error> error = ErrorOf(failed);
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->kind, ErrorKind::kRefused);
  EXPECT_EQ(error->message, failed.message());
  EXPECT_FALSE(ErrorOf(arrow::Status::IOError("its own")).has_value());
  EXPECT_FALSE(ErrorOf(arrow::Status::OK()).has_value());
}

}  // namespace
}  // namespace calve::io

#include "io/compression.h"

#include <bzlib.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <lzma.h>
#include <zlib.h>

#include "base/text.h"
#include "io/memory.h"

namespace calve::io {
namespace {

using testing::HasSubstr;

std::string Bytes(uint64_t value, int width) {
  std::string bytes;
  for (int i = 0; i < width; ++i) bytes += static_cast<char>(value >> (8 * i) & 255);
  return bytes;
}

std::string Bzip2(std::string_view text) {
  std::string out(text.size() + 1000, '\0');
  auto size = static_cast<unsigned int>(out.size());
  EXPECT_EQ(BZ2_bzBuffToBuffCompress(out.data(), &size, const_cast<char*>(text.data()),
                                     static_cast<unsigned int>(text.size()), 1, 0, 0),
            BZ_OK);
  return out.substr(0, size);
}

std::string Xz(std::string_view text) {
  std::string out(text.size() + 1000, '\0');
  size_t size = 0;
  EXPECT_EQ(lzma_easy_buffer_encode(1, LZMA_CHECK_CRC32, nullptr,
                                    reinterpret_cast<const uint8_t*>(text.data()), text.size(),
                                    reinterpret_cast<uint8_t*>(out.data()), &size, out.size()),
            LZMA_OK);
  return out.substr(0, size);
}

struct ZipFile {
  std::string name;
  std::string text;
  bool deflate = true;
  uint16_t flags = 0;
  uint16_t method = 8;
  bool zip64 = false;
};

/// An archive as APPNOTE.TXT has it; the bare deflate data is gzip's without its frame.
std::string Zip(const std::vector<ZipFile>& files) {
  std::string archive;
  std::string directory;
  for (const ZipFile& file : files) {
    const std::string gzip = Compress(Compression::kGzip, file.text).value();
    const std::string data = file.deflate ? gzip.substr(10, gzip.size() - 18) : file.text;
    const uint64_t crc =
        crc32_z(0, reinterpret_cast<const Bytef*>(file.text.data()), file.text.size());
    const uint16_t method = file.deflate ? file.method : 0;
    std::string extra;
    if (file.zip64)
      extra = Bytes(1, 2) + Bytes(24, 2) + Bytes(file.text.size(), 8) + Bytes(data.size(), 8) +
              Bytes(archive.size(), 8);
    const auto narrow = [&](uint64_t value) { return Bytes(file.zip64 ? 0xffffffff : value, 4); };
    directory += "PK\x01\x02" + Bytes(20, 2) + Bytes(20, 2) + Bytes(file.flags, 2) +
                 Bytes(method, 2) + Bytes(0, 4) + Bytes(crc, 4) + narrow(data.size()) +
                 narrow(file.text.size()) + Bytes(file.name.size(), 2) + Bytes(extra.size(), 2) +
                 Bytes(0, 2) + Bytes(0, 2) + Bytes(0, 2) + Bytes(0, 4) + narrow(archive.size()) +
                 file.name + extra;
    archive += "PK\x03\x04" + Bytes(20, 2) + Bytes(file.flags, 2) + Bytes(method, 2) + Bytes(0, 4) +
               Bytes(crc, 4) + Bytes(data.size(), 4) + Bytes(file.text.size(), 4) +
               Bytes(file.name.size(), 2) + Bytes(3, 2) + file.name + "xxx" + data;
  }
  const size_t start = archive.size();
  return archive + directory + "PK\x05\x06" + Bytes(0, 4) + Bytes(files.size(), 2) +
         Bytes(files.size(), 2) + Bytes(directory.size(), 4) + Bytes(start, 4) + Bytes(7, 2) +
         "comment";
}

std::string Pack(Compression compression, std::string_view text) {
  switch (compression) {
    case Compression::kBzip2:
      return Bzip2(text);
    case Compression::kXz:
      return Xz(text);
    case Compression::kZip:
      return Zip(
          {{"folder/", ""}, {"folder/data.csv", std::string(text)}, {"__MACOSX/data.csv", "note"}});
    default:
      return Compress(compression, text).value();
  }
}

class Streams : public testing::TestWithParam<Compression> {
 protected:
  Result<std::unique_ptr<InputStream>> Open(const std::string& name, std::string_view bytes,
                                            StreamOptions options = {}) {
    auto written = files_.WriteFile(*context_, "memory://m/" + name, bytes,
                                    {.overwrite = OverwritePolicy::kReplace});
    EXPECT_TRUE(written.ok());
    CALVE_ASSIGN_OR_RETURN(auto file, files_.OpenInput(*context_, "memory://m/" + name));
    return OpenStream(std::move(file), options);
  }

  Result<std::string> Read(const std::string& name, std::string_view bytes,
                           StreamOptions options = {}, size_t piece = 7919) {
    CALVE_ASSIGN_OR_RETURN(auto stream, Open(name, bytes, options));
    std::string all;
    std::string buffer(piece, '\0');
    while (true) {
      CALVE_ASSIGN_OR_RETURN(const size_t got, stream->Read(buffer));
      if (got == 0) return all;
      all.append(buffer, 0, got);
    }
  }

  std::string Text(size_t bytes) {
    std::string text;
    while (text.size() < bytes) text += std::to_string(context_->random->Next()) + ",one,two\n";
    return text;
  }

  OwnedContext context_;
  MemoryFileSystem files_;
};

INSTANTIATE_TEST_SUITE_P(Formats, Streams,
                         testing::Values(Compression::kNone, Compression::kGzip, Compression::kZstd,
                                         Compression::kBzip2, Compression::kXz, Compression::kZip),
                         [](const auto& format) { return std::string(ToString(format.param)); });

TEST_P(Streams, TextComesBackWholeInAnyPieces) {
  for (const size_t size : {size_t{0}, size_t{1}, size_t{1000}, size_t{3'000'000}}) {
    const std::string text = size == 0 ? "" : Text(size);
    const std::string packed = Pack(GetParam(), text);
    for (const size_t piece : {size_t{1}, size_t{4096}, size_t{10'000'000}}) {
      if (piece == 1 && size > 10'000) continue;
      for (const int64_t buffer : {1, 100, 4 << 20}) {
        if (buffer == 1 && size > 10'000) continue;
        auto read = Read("f", packed, {.buffer_bytes = ByteCount(buffer)}, piece);
        ASSERT_TRUE(read.ok()) << read.error().message;
        EXPECT_TRUE(*read == text) << size << " in pieces of " << piece << ", buffer " << buffer;
      }
    }
  }
}

TEST_P(Streams, ACutFileIsNeverTakenForAWholeOne) {
  if (GetParam() == Compression::kNone) GTEST_SKIP() << "plain bytes can't tell";
  const std::string packed = Pack(GetParam(), Text(2000));
  for (size_t length = 1; length < packed.size(); ++length) {
    if (GetParam() == Compression::kZip && length + 8 > packed.size()) break;  // in the comment
    auto read = Read("f", packed.substr(0, length), {.compression = GetParam()});
    ASSERT_FALSE(read.ok()) << length << " of " << packed.size();
    EXPECT_EQ(read.error().kind, ErrorKind::kData) << read.error().message;
    EXPECT_THAT(read.error().message, HasSubstr("memory://m/f"));
  }
}

TEST_P(Streams, ADamagedFileIsNeverTakenForAWholeOne) {
  if (GetParam() == Compression::kNone) GTEST_SKIP() << "plain bytes can't tell";
  const std::string text = Text(2000);
  const std::string packed = Pack(GetParam(), text);
  for (size_t at = 0; at < packed.size(); ++at) {
    std::string damaged = packed;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x10);
    auto read = Read("f", damaged, {.compression = GetParam()});
    // What is left is bits that carry no data (times, comments, names).
    if (read.ok()) {
      EXPECT_TRUE(*read == text) << "byte " << at;
    }
  }
}

TEST_P(Streams, MembersThatFollowEachOtherReadAsOne) {
  if (GetParam() == Compression::kZip) GTEST_SKIP() << "an archive is no member";
  const std::string one = Text(100'000);
  const std::string packed = Pack(GetParam(), one) + Pack(GetParam(), "") + Pack(GetParam(), "two");
  for (const int64_t buffer : {1000, 4 << 20}) {
    EXPECT_TRUE(Read("f", packed, {.buffer_bytes = ByteCount(buffer)}).value() == one + "two");
  }
}

TEST_P(Streams, WhatFollowsTheEndIsNotIgnored) {
  if (GetParam() == Compression::kZip || GetParam() == Compression::kNone)
    GTEST_SKIP() << "needs a member";
  auto read = Read("f", Pack(GetParam(), "text") + "rubbish");
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.error().kind, ErrorKind::kData);
}

TEST_P(Streams, ABombIsRefusedInBoundedMemory) {
  if (GetParam() == Compression::kNone) GTEST_SKIP() << "plain bytes do not grow";
  const std::string bomb = Pack(GetParam(), std::string(80 << 20, '\0'));
  auto large = Read("f", bomb, {.output_bytes_max = ByteCount(1 << 20)});
  ASSERT_FALSE(large.ok());
  EXPECT_EQ(large.error().kind, ErrorKind::kRefused);
  EXPECT_THAT(large.error().message, HasSubstr("limit"));
  auto steep = Read("f", bomb, {.ratio_max = 500}, 1 << 20);
  ASSERT_FALSE(steep.ok());
  EXPECT_EQ(steep.error().kind, ErrorKind::kRefused);
  EXPECT_THAT(steep.error().message, HasSubstr("500 times"));
}

TEST_P(Streams, NamesAndFirstBytesAgree) {
  if (GetParam() == Compression::kNone) GTEST_SKIP() << "it has neither";
  const std::string packed = Pack(GetParam(), "text");
  EXPECT_EQ(CompressionOfBytes(packed.substr(0, 16)), GetParam());
  EXPECT_EQ(ParseCompression(ToString(GetParam())).value(), GetParam());
  auto unpacked = Decompress(GetParam() == Compression::kZip ? Compression::kNone : GetParam(),
                             packed, ByteCount(1000));
  EXPECT_TRUE(unpacked.ok());
  if (GetParam() != Compression::kZip) {
    EXPECT_EQ(*unpacked, "text");
    EXPECT_EQ(Decompress(GetParam(), packed, ByteCount(3)).error().kind, ErrorKind::kRefused);
    EXPECT_EQ(
        Decompress(GetParam(), packed.substr(0, packed.size() - 1), ByteCount(1000)).error().kind,
        ErrorKind::kData);
  }
}

using StreamNames = Streams;
INSTANTIATE_TEST_SUITE_P(Any, StreamNames, testing::Values(Compression::kNone));

TEST_P(StreamNames, EndingsSayTheCompression) {
  EXPECT_EQ(CompressionOfName("s3://b/a.CSV.GZ"), Compression::kGzip);
  EXPECT_EQ(CompressionOfName("a.zst"), Compression::kZstd);
  EXPECT_EQ(CompressionOfName("a.bz2"), Compression::kBzip2);
  EXPECT_EQ(CompressionOfName("a.xz"), Compression::kXz);
  EXPECT_EQ(CompressionOfName("a.zip"), Compression::kZip);
  EXPECT_EQ(CompressionOfName("a.csv"), Compression::kNone);
  EXPECT_EQ(CompressionOfName("gz"), Compression::kNone);
  EXPECT_THAT(ParseCompression("gzp").error().message, HasSubstr("gzip"));
}

TEST_P(StreamNames, TheBytesDecideAndABrokenPromiseIsSaid) {
  EXPECT_EQ(Read("plain.csv", Pack(Compression::kGzip, "text")).value(), "text");
  auto promised = Read("x.csv.gz", "a,b,c\n");
  ASSERT_FALSE(promised.ok());
  EXPECT_EQ(promised.error().kind, ErrorKind::kData);
  EXPECT_THAT(promised.error().message, HasSubstr("expected gzip"));
  EXPECT_EQ(Read("x.csv.gz", "a,b\n", {.compression = Compression::kNone}).value(), "a,b\n");
  EXPECT_EQ(Read("x.txt", "BZhello").value(), "BZhello");
  EXPECT_THAT(Read("x.gz", "").error().message, HasSubstr("empty"));
}

TEST_P(StreamNames, PaddingAfterGzipIsSkipped) {
  EXPECT_EQ(Read("f", Pack(Compression::kGzip, "text") + std::string(10'000, '\0')).value(),
            "text");
  EXPECT_FALSE(Read("f", Pack(Compression::kGzip, "text") + std::string(10, '\0') + "x").ok());
}

TEST_P(StreamNames, ZipArchivesMustHoldOneReadableFile) {
  EXPECT_EQ(Read("f.zip", Zip({{"a", "stored", false}})).value(), "stored");
  EXPECT_EQ(Read("f.zip", Zip({{.name = "a", .text = "large one", .zip64 = true}})).value(),
            "large one");
  EXPECT_THAT(Read("f.zip", Zip({{"a", "1"}, {"b", "2"}})).error().message,
              HasSubstr("found \"a\" and \"b\""));
  EXPECT_THAT(Read("f.zip", Zip({{"d/", ""}})).error().message, HasSubstr("found none"));
  EXPECT_THAT(Read("f.zip", Zip({{.name = "a", .text = "1", .flags = 1}})).error().message,
              HasSubstr("encrypted"));
  EXPECT_THAT(Read("f.zip", Zip({{.name = "a", .text = "1", .method = 12}})).error().message,
              HasSubstr("method 12"));
}

TEST_P(StreamNames, HostileArchivesAreRefused) {
  const std::string good = Zip({{"a", "text"}});
  for (int seed = 0; seed < 3000; ++seed) {
    std::string bad = good;
    for (int changes = 0; changes < 3; ++changes) {
      bad[context_->random->Below(bad.size())] = static_cast<char>(context_->random->Next());
    }
    auto read = Read("f", bad, {.compression = Compression::kZip});
    if (read.ok()) {
      EXPECT_EQ(*read, "text");
    }
  }
}

}  // namespace
}  // namespace calve::io

#include "avro/codec.h"

#include <gtest/gtest.h>

#include <random>

namespace calve::avro {
namespace {

constexpr CodecName kCodecs[] = {CodecName::kNull, CodecName::kDeflate, CodecName::kSnappy,
                                 CodecName::kZstandard};

std::string SomeBytes(uint64_t seed, size_t size) {
  std::mt19937_64 random(seed);
  std::string bytes;
  while (bytes.size() < size) {
    bytes.append(random() % 20, static_cast<char>('a' + random() % 3));
    bytes.push_back(static_cast<char>(random()));
  }
  bytes.resize(size);
  return bytes;
}

TEST(CodecTest, BlocksOfAnySizeComeBack) {
  for (CodecName name : kCodecs) {
    const std::unique_ptr<Codec> codec = Codec::Make(name);
    for (size_t size : {0, 1, 2, 100, 1000, 70'000, 3'000'000}) {
      const std::string block = SomeBytes(size, size);
      const std::string packed(codec->Compress(block).value());
      const Result<std::string_view> unpacked = codec->Decompress(packed, block.size());
      ASSERT_TRUE(unpacked.ok()) << ToString(name) << " " << size;
      EXPECT_EQ(*unpacked, block);
      if (name != CodecName::kNull && size >= 1000) {
        EXPECT_LT(packed.size(), size);
      }
    }
  }
}

TEST(CodecTest, BlocksAboveTheLimitAreRefused) {
  for (CodecName name : kCodecs) {
    const std::unique_ptr<Codec> codec = Codec::Make(name);
    const std::string bomb(50'000'000, 'x');
    const std::string packed(codec->Compress(bomb).value());
    for (size_t limit : {0, 1, 1'000'000, 49'999'999}) {
      const Result<std::string_view> unpacked = codec->Decompress(packed, limit);
      ASSERT_FALSE(unpacked.ok()) << ToString(name) << " " << limit;
      EXPECT_NE(unpacked.error().message.find("larger one"), std::string::npos)
          << unpacked.error().message;
    }
    EXPECT_TRUE(codec->Decompress(packed, bomb.size()).ok());
  }
}

TEST(CodecTest, TruncatedBlocksAreRefused) {
  const std::string block = SomeBytes(3, 2000);
  for (CodecName name : kCodecs) {
    if (name == CodecName::kNull) continue;
    const std::unique_ptr<Codec> codec = Codec::Make(name);
    const std::string packed(codec->Compress(block).value());
    for (size_t size = 0; size < packed.size(); ++size) {
      EXPECT_FALSE(codec->Decompress(std::string_view(packed).substr(0, size), 1 << 20).ok())
          << ToString(name) << " cut at " << size;
    }
    EXPECT_TRUE(codec->Decompress(packed, 1 << 20).ok());
  }
}

TEST(CodecTest, DamagedBlocksNeverCrash) {
  const std::string block = SomeBytes(4, 500);
  std::mt19937_64 random(5);
  for (CodecName name : kCodecs) {
    const std::unique_ptr<Codec> codec = Codec::Make(name);
    const std::string packed(codec->Compress(block).value());
    for (int round = 0; round < 2000; ++round) {
      std::string damaged = packed;
      damaged[random() % damaged.size()] = static_cast<char>(random());
      const Result<std::string_view> unpacked = codec->Decompress(damaged, 1 << 20);
      // Snappy alone carries a checksum.
      if (name == CodecName::kSnappy && damaged != packed) {
        EXPECT_TRUE(!unpacked.ok() || *unpacked == block);
      }
    }
  }
}

TEST(CodecTest, SnappyEndsWithTheBigEndianChecksum) {
  const std::unique_ptr<Codec> codec = Codec::Make(CodecName::kSnappy);
  const std::string packed(codec->Compress("123456789").value());
  // CRC-32's check value.
  EXPECT_EQ(packed.substr(packed.size() - 4), "\xcb\xf4\x39\x26");
}

TEST(CodecTest, DeflateTakesTheRestOfACutZlibStream) {
  const std::unique_ptr<Codec> codec = Codec::Make(CodecName::kDeflate);
  const std::string packed(codec->Compress("hello").value());
  EXPECT_EQ(codec->Decompress(packed + "abc", 100).value(), "hello");
  EXPECT_FALSE(codec->Decompress(packed + "abcde", 100).ok());
}

TEST(CodecTest, ZstandardTakesSeveralFrames) {
  const std::unique_ptr<Codec> codec = Codec::Make(CodecName::kZstandard, 9);
  const std::string first(codec->Compress("hello ").value());
  const std::string second(codec->Compress("world").value());
  EXPECT_EQ(codec->Decompress(first + second, 100).value(), "hello world");
}

TEST(CodecTest, OtherCodecsAreRefusedByName) {
  for (CodecName name : kCodecs) EXPECT_EQ(ParseCodecName(ToString(name)).value(), name);
  for (const char* name : {"bzip2", "xz", "", "Deflate"}) {
    const Result<CodecName> parsed = ParseCodecName(name);
    ASSERT_FALSE(parsed.ok());
    EXPECT_EQ(parsed.error().kind, ErrorKind::kData);
    EXPECT_NE(parsed.error().message.find("deflate, snappy or zstandard"), std::string::npos);
  }
}

}  // namespace
}  // namespace calve::avro

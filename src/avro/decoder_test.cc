#include "avro/decoder.h"

#include <gtest/gtest.h>

#include <limits>
#include <random>

#include "avro/encoder.h"

namespace calve::avro {
namespace {

using namespace std::string_view_literals;

std::string EncodedLong(int64_t value) {
  std::string bytes;
  Encoder(&bytes).WriteLong(value);
  return bytes;
}

TEST(DecoderTest, NumbersAreZigZagVarints) {
  const std::pair<int64_t, std::string_view> kExamples[] = {{0, "\0"sv},
                                                            {-1, "\1"sv},
                                                            {1, "\2"sv},
                                                            {-2, "\3"sv},
                                                            {2, "\4"sv},
                                                            {-64, "\x7f"sv},
                                                            {64, "\x80\1"sv},
                                                            {8192, "\x80\x80\1"sv},
                                                            {-8193, "\x81\x80\1"sv}};
  for (const auto& [value, bytes] : kExamples) {
    EXPECT_EQ(EncodedLong(value), bytes);
    Decoder decoder(bytes);
    EXPECT_EQ(decoder.ReadLong(), value);
    EXPECT_TRUE(decoder.Finish().ok());
  }
}

TEST(DecoderTest, ExtremesComeBack) {
  for (int64_t value : {std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max(),
                        int64_t{INT32_MIN} - 1, int64_t{INT32_MAX} + 1}) {
    const std::string bytes = EncodedLong(value);
    Decoder decoder(bytes);
    EXPECT_EQ(decoder.ReadLong(), value);
    EXPECT_TRUE(decoder.Finish().ok());
    Decoder as_int(bytes);
    as_int.ReadInt();
    EXPECT_FALSE(as_int.ok());
  }
}

TEST(DecoderTest, IdsOfTheUnsignedRangeKeepTheirBits) {
  // 9876543210123456789 as a writer has it whose numbers know no bounds.
  Decoder decoder("\xaa\xc4\xa3\x83\x96\xee\xc3\x90\x92\x02");
  EXPECT_EQ(static_cast<uint64_t>(decoder.ReadLong()), 9876543210123456789U);
  EXPECT_TRUE(decoder.Finish().ok());
}

TEST(DecoderTest, TextIsLengthAndBytes) {
  std::string bytes;
  Encoder(&bytes).WriteString("foo");
  EXPECT_EQ(bytes, "\6foo"sv);
  Decoder decoder(bytes);
  EXPECT_EQ(decoder.ReadString(), "foo");
}

TEST(DecoderTest, ScalarsComeBack) {
  std::string bytes;
  Encoder encoder(&bytes);
  encoder.WriteBool(true);
  encoder.WriteFloat(1.5F);
  encoder.WriteDouble(-0.1);
  encoder.WriteFixed("abc");
  encoder.WriteIndex(3);
  EXPECT_EQ(bytes.size(), 1U + 4 + 8 + 3 + 1);
  Decoder decoder(bytes);
  EXPECT_TRUE(decoder.ReadBool());
  EXPECT_EQ(decoder.ReadFloat(), 1.5F);
  EXPECT_EQ(decoder.ReadDouble(), -0.1);
  EXPECT_EQ(decoder.ReadFixed(3), "abc");
  EXPECT_EQ(decoder.ReadIndex(4), 3U);
  EXPECT_TRUE(decoder.Finish().ok());
}

TEST(DecoderTest, TheFirstFaultSticks) {
  Decoder decoder("\x02\x07"sv);
  EXPECT_EQ(decoder.ReadLong(), 1);
  decoder.ReadBool();
  EXPECT_FALSE(decoder.ok());
  decoder.ReadDouble();
  EXPECT_EQ(decoder.ReadLong(), 0);
  EXPECT_EQ(decoder.ReadBytes(), "");
  EXPECT_EQ(decoder.ReadBlockCount(1), 0U);
  EXPECT_NE(decoder.status().error().message.find("neither 0 nor 1"), std::string::npos);
  EXPECT_EQ(decoder.status().error().kind, ErrorKind::kData);
}

TEST(DecoderTest, FaultsOfEveryKindAreFound) {
  const auto fails = [](std::string_view bytes, auto&& read) {
    Decoder decoder(bytes);
    read(decoder);
    return !decoder.ok();
  };
  EXPECT_TRUE(fails("", [](Decoder& d) { d.ReadLong(); }));
  EXPECT_TRUE(fails("\x80", [](Decoder& d) { d.ReadLong(); }));
  EXPECT_TRUE(
      fails("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\1", [](Decoder& d) { d.ReadLong(); }));
  EXPECT_TRUE(fails("\xff\xff\xff\xff\xff\xff\xff\xff\xff\4", [](Decoder& d) { d.ReadLong(); }));
  EXPECT_FALSE(fails("\xff\xff\xff\xff\xff\xff\xff\xff\xff\1", [](Decoder& d) { d.ReadLong(); }));
  EXPECT_TRUE(fails("\1", [](Decoder& d) { d.ReadBytes(); }));
  EXPECT_TRUE(fails("\6fo", [](Decoder& d) { d.ReadBytes(); }));
  EXPECT_TRUE(fails("abc", [](Decoder& d) { d.ReadFloat(); }));
  EXPECT_TRUE(fails("abcdefg", [](Decoder& d) { d.ReadDouble(); }));
  EXPECT_TRUE(fails("ab", [](Decoder& d) { d.ReadFixed(3); }));
  EXPECT_TRUE(fails("\4", [](Decoder& d) { d.ReadIndex(2); }));
  EXPECT_TRUE(fails("\1", [](Decoder& d) { d.ReadIndex(2); }));
  EXPECT_TRUE(fails("\x0a\0\0"sv, [](Decoder& d) { d.ReadBlockCount(1); }));
  EXPECT_TRUE(fails("\1\x7f", [](Decoder& d) { d.ReadBlockCount(1); }));
  const std::string least = EncodedLong(std::numeric_limits<int64_t>::min()) + '\0';
  EXPECT_TRUE(fails(least, [](Decoder& d) { d.ReadBlockCount(1); }));
  EXPECT_TRUE(fails(EncodedLong(1'000'001), [](Decoder& d) { d.ReadBlockCount(0); }));
}

TEST(DecoderTest, ItemsThatTakeNoBytesAreBounded) {
  std::string bytes;
  for (int i = 0; i < 3; ++i) bytes += EncodedLong(400'000);
  bytes += '\0';
  Decoder decoder(bytes);
  uint64_t items = 0;
  decoder.ForEachItem(0, [&] { ++items; });
  EXPECT_FALSE(decoder.ok());
  EXPECT_EQ(items, 800'000U);
}

TEST(DecoderTest, BlocksThatTellTheirSizeAreReadAndSkipped) {
  // The specification's array [3, 27], once plain, once as a block that tells its size.
  const std::string_view kPlain = "\x04\x06\x36\x00"sv;
  const std::string_view kSized = "\x03\x04\x06\x36\x00"sv;
  const Result<Schema> schema = Schema::Parse(R"({"type":"array","items":"long"})");
  const std::string_view kLying = "\x03\x02\x06\x36\x00"sv;
  for (std::string_view bytes : {kPlain, kSized, kLying}) {
    std::vector<int64_t> items;
    Decoder decoder(bytes);
    decoder.ForEachItem(1, [&] { items.push_back(decoder.ReadLong()); });
    EXPECT_EQ(items, (std::vector<int64_t>{3, 27}));
    EXPECT_TRUE(decoder.Finish().ok());
    Decoder skipper(bytes);
    Skip(schema->root(), skipper);
    EXPECT_TRUE(skipper.Finish().ok());
  }
}

TEST(DecoderTest, SkippingVarintsStopsBehindTheLast) {
  std::mt19937_64 random(7);
  for (int round = 0; round < 2000; ++round) {
    std::vector<size_t> ends{0};
    std::string bytes;
    const size_t count = random() % 40;
    for (size_t i = 0; i < count; ++i) {
      Encoder(&bytes).WriteLong(static_cast<int64_t>(random() >> (random() % 64)));
      ends.push_back(bytes.size());
    }
    const size_t skipped = count == 0 ? 0 : random() % (count + 1);
    Decoder decoder(bytes);
    decoder.SkipVarints(skipped);
    ASSERT_TRUE(decoder.ok());
    ASSERT_EQ(decoder.offset(), ends[skipped]);
    Decoder beyond(bytes);
    beyond.SkipVarints(count + 1);
    ASSERT_FALSE(beyond.ok());
  }
}

TEST(DecoderTest, EndlessNestingIsAFault) {
  const Result<Schema> schema = Schema::Parse(
      R"({"type":"record","name":"r","fields":[{"name":"next","type":["null","r"]}]})");
  std::string bytes(2'000'000, '\2');
  bytes += '\0';
  Decoder decoder(bytes);
  Skip(schema->root(), decoder);
  EXPECT_NE(decoder.status().error().message.find("nested too deeply"), std::string::npos);

  const Result<Schema> list = Schema::Parse(
      R"({"type":"record","name":"r","fields":[{"name":"a","type":{"type":"array","items":
         {"type":"array","items":{"type":"array","items":"r"}}}}]})");
  Decoder deep(bytes);
  Skip(list->root(), deep);
  EXPECT_FALSE(deep.ok());
}

TEST(DecoderTest, BytesLeftAfterTheLastRecordAreAFault) {
  Decoder decoder("\2\2");
  decoder.ReadLong();
  EXPECT_TRUE(decoder.status().ok());
  EXPECT_FALSE(decoder.Finish().ok());
}

}  // namespace
}  // namespace calve::avro

#include "iceberg/deletion_vector.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

#include "iceberg/bytes.h"

namespace calve::iceberg {
namespace {

std::string Bytes(std::string_view hex) { return FromHex(hex).value(); }

PositionSet SetOf(std::initializer_list<int64_t> positions) {
  PositionSet set;
  for (int64_t position : positions) EXPECT_TRUE(set.Add(position));
  return set;
}

std::vector<int64_t> ListOf(const PositionSet& set) {
  std::vector<int64_t> positions;
  set.ForEach([&](int64_t position) { positions.push_back(position); });
  return positions;
}

constexpr int64_t kBitmap = int64_t{1} << 32;
constexpr int64_t kContainer = 1 << 16;

/// The vectors that Iceberg Java's own tests keep, and the positions that they stand for.
struct JavaVector {
  std::string_view hex;
  PositionSet positions;
};

std::vector<JavaVector> JavaVectors() {
  std::vector<JavaVector> vectors;
  vectors.push_back({"0000000cd1d339640000000000000000bf18480c", PositionSet()});
  vectors.push_back(
      {"0000002ad1d33964010000000000000000000000"
       "3a3000000100000000000400100000000100030005000700"
       "0900b3fb20be",
       SetOf({1, 3, 5, 7, 9})});
  vectors.push_back(
      {"00000030d1d33964010000000000000000000000"
       "3a30000002000000000001000080010018000000"
       "1c0000006400650063006400"
       "15eb1c7c",
       SetOf({100, 101, 2147483747, 2147483748})});
  return vectors;
}

TEST(DeletionVectorTest, JavasVectorsAreReadAndWrittenAlike) {
  for (const JavaVector& vector : JavaVectors()) {
    const Result<PositionSet> read = DecodeDeletionVector(Bytes(vector.hex));
    ASSERT_TRUE(read.ok()) << read.error().message;
    EXPECT_EQ(ListOf(*read), ListOf(vector.positions));
    EXPECT_EQ(ToHex(EncodeDeletionVector(vector.positions)), vector.hex);
    EXPECT_EQ(ToHex(EncodeDeletionVector(*read)), vector.hex);
  }
}

TEST(DeletionVectorTest, AllKindsOfContainersAreWrittenAsJavaDoes) {
  // Two bitmaps, each with an array, a container of runs and one full but for its ends.
  const std::string packed =
      "00000056d1d339640200000000000000000000003b30020006000001000100e6030200fdff05000700"
      "01000100e60301000100fdff010000003b30020006000001000100e9010200fdff0a00140001000a00"
      "e90101000100fdffc89be397";
  const Result<PositionSet> read = DecodeDeletionVector(Bytes(packed));
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(ToHex(EncodeDeletionVector(*read)), packed);
  PositionSet built = SetOf({5, 7, kBitmap + 10, kBitmap + 20});
  built.AddRange(kContainer + 1, kContainer + 1000);
  built.AddRange(2 * kContainer + 1, 3 * kContainer - 1);
  built.AddRange(kBitmap + kContainer + 10, kBitmap + kContainer + 500);
  built.AddRange(kBitmap + 2 * kContainer + 1, kBitmap + 3 * kContainer - 1);
  EXPECT_EQ(*read, built);
  EXPECT_EQ(ToHex(EncodeDeletionVector(built)), packed);
}

TEST(DeletionVectorTest, GapsBetweenBitmapsAreFilledAsJavaDoes) {
  const std::string bytes = SetOf({2 * kBitmap + 7}).Serialize();
  const std::string empty = "3a30000000000000";
  EXPECT_EQ(ToHex(bytes),
            "0300000000000000"
            "00000000" +
                empty + "01000000" + empty +
                "020000003a300000010000000000000010000000"
                "0700");
  EXPECT_EQ(ListOf(PositionSet::Deserialize(bytes).value()),
            (std::vector<int64_t>{2 * kBitmap + 7}));
  const PositionSet far = SetOf({1, PositionSet::kPositionMax});
  EXPECT_LT(far.Serialize().size(), 100U);
  EXPECT_EQ(PositionSet::Deserialize(far.Serialize()).value(), far);
}

TEST(DeletionVectorTest, SetsBehaveAsSets) {
  std::mt19937_64 random(11);
  for (int round = 0; round < 30; ++round) {
    PositionSet set;
    PositionSet other;
    std::set<int64_t> expected;
    for (int i = 0; i < 300; ++i) {
      const auto position = static_cast<int64_t>(random() >> (random() % 2 == 0 ? 40 : 30));
      (random() % 2 == 0 ? set : other).Add(position);
      expected.insert(position);
    }
    const auto first = static_cast<int64_t>(random() >> 31);
    set.AddRange(first, first + 700);
    for (int64_t position = first; position < first + 700; ++position) expected.insert(position);
    PositionSet copy = set;
    copy.Union(other);
    set.Union(other);
    EXPECT_EQ(copy, set);
    EXPECT_EQ(set.Cardinality(), static_cast<int64_t>(expected.size()));
    EXPECT_EQ(ListOf(set), std::vector<int64_t>(expected.begin(), expected.end()));
    EXPECT_TRUE(set.Contains(*expected.begin()));
    EXPECT_FALSE(set.Contains(*expected.rbegin() + 1));
    std::vector<int64_t> some;
    set.ForEachIn(first - 5, first + 650, [&](int64_t position) { some.push_back(position); });
    EXPECT_EQ(some, std::vector<int64_t>(expected.lower_bound(first - 5),
                                         expected.lower_bound(first + 650)));
    EXPECT_EQ(DecodeDeletionVector(EncodeDeletionVector(set)).value(), set);
  }
}

TEST(DeletionVectorTest, RangesCrossBitmaps) {
  PositionSet set;
  set.AddRange(kBitmap - 2, kBitmap + 2);
  set.AddRange(7, 7);
  set.AddRange(9, 3);
  EXPECT_EQ(ListOf(set), (std::vector<int64_t>{kBitmap - 2, kBitmap - 1, kBitmap, kBitmap + 1}));
}

TEST(DeletionVectorTest, ImpossiblePositionsAreLeftOut) {
  PositionSet set;
  EXPECT_FALSE(set.Add(-1));
  EXPECT_FALSE(set.Add(INT64_MAX));
  EXPECT_TRUE(set.Add(PositionSet::kPositionMax));
  EXPECT_FALSE(set.Contains(-1));
  EXPECT_EQ(ListOf(set), (std::vector<int64_t>{PositionSet::kPositionMax}));
}

TEST(DeletionVectorTest, AVectorCutOrDamagedAnywhereIsAnError) {
  for (const JavaVector& vector : JavaVectors()) {
    const std::string blob = EncodeDeletionVector(vector.positions);
    for (size_t size = 0; size < blob.size(); ++size) {
      EXPECT_FALSE(DecodeDeletionVector(blob.substr(0, size)).ok()) << size;
    }
    EXPECT_FALSE(DecodeDeletionVector(blob + "x").ok());
    for (size_t at = 0; at < std::min<size_t>(blob.size(), 200); ++at) {
      for (int bit = 0; bit < 8; ++bit) {
        std::string damaged = blob;
        damaged[at] = static_cast<char>(damaged[at] ^ (1 << bit));
        EXPECT_FALSE(DecodeDeletionVector(damaged).ok()) << at;
      }
    }
  }
}

TEST(DeletionVectorTest, PositionsThatLieAboutThemselvesAreRefused) {
  PositionSet mixed =
      SetOf({5, 7, 9, kContainer + 3, 5 * kContainer, 6 * kContainer, 7 * kContainer});
  for (int64_t i = 0; i < 10'000; ++i) mixed.Add(3 * kContainer + 5 * i);
  mixed.AddRange(2 * kContainer, 2 * kContainer + 40);
  const std::string bytes = mixed.Serialize();
  int refused = 0;
  for (size_t at = 0; at < std::min<size_t>(bytes.size(), 400); ++at) {
    for (int bit : {0, 3, 7}) {
      std::string damaged = bytes;
      damaged[at] = static_cast<char>(damaged[at] ^ (1 << bit));
      const Result<PositionSet> read = PositionSet::Deserialize(damaged);
      if (!read.ok()) {
        ++refused;
        continue;
      }
      // What is read is a sound set: as many positions as it says, in order.
      const std::vector<int64_t> positions = ListOf(*read);
      EXPECT_EQ(static_cast<int64_t>(positions.size()), read->Cardinality());
      EXPECT_TRUE(std::is_sorted(positions.begin(), positions.end()));
      EXPECT_EQ(PositionSet::Deserialize(read->Serialize()).value(), *read);
    }
  }
  EXPECT_GT(refused, 200);
  for (size_t size = 0; size < bytes.size(); size += 7) {
    EXPECT_FALSE(PositionSet::Deserialize(bytes.substr(0, size)).ok());
  }
}

TEST(DeletionVectorTest, HostileBitmapsAreRefused) {
  const auto refused = [](std::string_view bitmap_hex) {
    return !PositionSet::Deserialize(Bytes("010000000000000000000000" + std::string(bitmap_hex)))
                .ok();
  };
  EXPECT_FALSE(
      refused("3a30000001000000"
              "00000100"
              "10000000"
              "05000700"));
  EXPECT_TRUE(
      refused("3a30000001000000"
              "00000100"
              "10000000"
              "07000500"));
  EXPECT_TRUE(
      refused("3a30000001000000"
              "00000100"
              "10000000"
              "05000500"));
  EXPECT_TRUE(
      refused("3930000001000000"
              "00000100"
              "10000000"
              "05000700"));
  EXPECT_TRUE(refused("3a300000ffffffff"));
  EXPECT_TRUE(
      refused("3b300000"
              "01"
              "00000100"
              "0100"
              "05000100"
              "00"));
  EXPECT_FALSE(
      refused("3b300000"
              "01"
              "00000100"
              "0100"
              "05000100"));
  EXPECT_TRUE(
      refused("3b300000"
              "01"
              "00000200"
              "0100"
              "05000100"));
  EXPECT_TRUE(
      refused("3b300000"
              "01"
              "00000100"
              "0100"
              "ffff0100"));
  EXPECT_TRUE(
      refused("3b300000"
              "01"
              "00000300"
              "0200"
              "05000100"
              "06000100"));
  EXPECT_TRUE(
      refused("3b300000"
              "01"
              "00000000"
              "0000"));
  EXPECT_FALSE(PositionSet::Deserialize(Bytes("ffffffffffffffff")).ok());
  EXPECT_FALSE(PositionSet::Deserialize(Bytes("0100000000000000ffffffff3a30000000000000")).ok());
  EXPECT_FALSE(PositionSet::Deserialize(Bytes("0200000000000000"
                                              "010000003a30000000000000"
                                              "010000003a30000000000000"))
                   .ok());
}

}  // namespace
}  // namespace calve::iceberg

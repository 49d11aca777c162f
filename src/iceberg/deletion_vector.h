#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace calve::iceberg {

/// A set of row positions in one file, compressed (64-bit roaring bitmaps). Threads: any may read
/// at once.
class PositionSet {
 public:
  /// The highest position that other implementations take.
  static constexpr int64_t kPositionMax = (int64_t{0x7ffffffe} << 32) | 0x80000000;

  PositionSet();
  PositionSet(const PositionSet& other);
  PositionSet(PositionSet&& other) noexcept;
  PositionSet& operator=(PositionSet other) noexcept;
  ~PositionSet();

  /// Add a position. No row can be outside 0 ... kPositionMax: such a one is left out, and false
  /// returned.
  bool Add(int64_t position);
  /// Add first ... end - 1.
  void AddRange(int64_t first, int64_t end);
  /// Add all positions of another set.
  void Union(const PositionSet& other);

  bool Contains(int64_t position) const;
  int64_t Cardinality() const;
  bool empty() const { return Cardinality() == 0; }

  /// Copy the smallest positions that are at least `from` to `out`, in order, and return how many
  /// there were room for.
  size_t CopyFrom(int64_t from, std::span<int64_t> out) const;

  /// Call visit(position) for the positions in first ... end - 1, in order.
  template <typename Visit>
  void ForEachIn(int64_t first, int64_t end, Visit&& visit) const {
    std::array<int64_t, 256> positions;
    while (first < end) {
      const size_t count = CopyFrom(first, positions);
      for (size_t i = 0; i < count; ++i) {
        if (positions[i] >= end) return;
        visit(positions[i]);
      }
      if (count < positions.size()) return;
      first = positions.back() + 1;
    }
  }
  /// Call visit(position) for all positions, in order.
  template <typename Visit>
  void ForEach(Visit&& visit) const {
    ForEachIn(0, INT64_MAX, visit);
  }

  bool operator==(const PositionSet& other) const;

  /// Write the portable 64-bit format, little-endian: the same bytes as Iceberg Java writes for the
  /// same positions.
  std::string Serialize() const;
  /// Read the portable 64-bit format, which must be all of `bytes`. Fails with kData on anything
  /// that is not exactly that: nothing is trusted.
  static Result<PositionSet> Deserialize(std::string_view bytes);

 private:
  struct Free {
    void operator()(void* bitmap) const;
  };
  /// A roaring_bitmap_t, whose header stays in the .cc file.
  using Bitmap = std::unique_ptr<void, Free>;
  Bitmap& At(uint32_t key);

  std::map<uint32_t, Bitmap> bitmaps_;  ///< By the high 32 bits of the positions.
};

/// Write a deletion-vector-v1 blob: length, magic, positions, checksum (Puffin spec,
/// deletion-vector-v1).
std::string EncodeDeletionVector(const PositionSet& positions);
/// Read a deletion-vector-v1 blob, whole. Fails with kData: wrong length, magic, checksum or
/// positions.
Result<PositionSet> DecodeDeletionVector(std::string_view blob);

}  // namespace calve::iceberg

#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "avro/schema.h"
#include "base/result.h"

namespace calve::avro {

static_assert(std::endian::native == std::endian::little,
              "floats and doubles are copied as they lie");

/// Reads Avro's binary encoding from bytes that stay where they are.
///
/// Every read is checked against the end. The first fault sticks: from then on reads return zero or
/// nothing, counts are 0 so that loops end, and status() tells what and where. So a caller reads a
/// whole record and checks once. Views point into the bytes given. Threads: one.
class Decoder {
 public:
  explicit Decoder(std::string_view bytes)
      : begin_(bytes.data()), cursor_(bytes.data()), end_(bytes.data() + bytes.size()) {}

  bool ok() const { return fault_ == nullptr; }
  /// The first fault with its offset in the bytes, or Ok.
  Status status() const;
  /// As status(), and a fault when bytes are left: for the end of a block.
  Status Finish() const;
  size_t offset() const { return static_cast<size_t>(cursor_ - begin_); }
  size_t remaining() const { return static_cast<size_t>(end_ - cursor_); }
  bool at_end() const { return cursor_ == end_; }

  /// Read one byte that must be 0 or 1.
  bool ReadBool() {
    if (cursor_ == end_) [[unlikely]]
      return Fail(kTruncated), false;
    const char byte = *cursor_++;
    if (byte != 0 && byte != 1) [[unlikely]]
      return Fail("a boolean is neither 0 nor 1"), false;
    return byte == 1;
  }

  /// Read a zig-zag varint. Serves int too where 64 bits are wanted (promotion).
  ///
  /// Some writers take ids from the unsigned range: a value from 2^63 to 2^64 - 1, one bit wider
  /// than a long, keeps its bits as a cast to int64_t would.
  int64_t ReadLong() {
    if (cursor_ != end_ && static_cast<int8_t>(*cursor_) >= 0) [[likely]] {
      const auto raw = static_cast<uint8_t>(*cursor_++);
      return (raw >> 1) ^ -(raw & 1);
    }
    return ReadWideLong();
  }

  /// Read a zig-zag varint that must fit 32 bits.
  int32_t ReadInt() {
    const int64_t value = ReadLong();
    if (value != static_cast<int32_t>(value)) [[unlikely]] {
      return Fail("an int does not fit 32 bits"), 0;
    }
    return static_cast<int32_t>(value);
  }

  float ReadFloat() { return ReadRaw<float>(); }
  double ReadDouble() { return ReadRaw<double>(); }

  /// Read a length and as many bytes: Avro's bytes and string. UTF-8 is not checked.
  std::string_view ReadBytes() {
    const int64_t length = ReadLong();
    if (length < 0) [[unlikely]]
      return Fail("a length is negative"), std::string_view();
    return Take(static_cast<uint64_t>(length));
  }
  std::string_view ReadString() { return ReadBytes(); }

  /// Read exactly `length` bytes: Avro's fixed.
  std::string_view ReadFixed(size_t length) { return Take(length); }

  /// Read the index of a union's branch or an enum's symbol, which must be below `count`.
  size_t ReadIndex(size_t count) {
    const int64_t index = ReadLong();
    if (index < 0 || static_cast<uint64_t>(index) >= count) [[unlikely]] {
      return Fail("a union branch or enum symbol is out of range"), 0;
    }
    return static_cast<size_t>(index);
  }

  /// Read the count of the next block of an array or a map; 0 ends it.
  ///
  /// `item_bytes_min` is the least that one item takes (an array's element->bytes_min; a map's is
  /// one more): a count that cannot fit what is left is a fault, and items that take no bytes are
  /// counted against kZeroBytesItemsMax. A map's and an array's blocks are read alike.
  size_t ReadBlockCount(int64_t item_bytes_min) {
    int64_t count = ReadLong();
    if (count < 0) {
      ReadBlockSize();
      count = NegateCount(count);
    }
    return CheckCount(count, item_bytes_min);
  }

  /// Call `read_item()` for each item of an array or map, which reads it from this decoder.
  template <typename ReadItem>
  void ForEachItem(int64_t item_bytes_min, ReadItem&& read_item) {
    for (size_t count = ReadBlockCount(item_bytes_min); count != 0;
         count = ReadBlockCount(item_bytes_min)) {
      for (; count != 0 && ok(); --count) read_item();
    }
  }

  /// Pass over `count` varints without decoding them.
  void SkipVarints(uint64_t count);
  void SkipBytes() { ReadBytes(); }
  void SkipFixed(uint64_t length) { Take(length); }
  /// Pass over a whole array or map, item by item: a block's own size may be a lie.
  void SkipBlocks(const Node& container);

  /// Count one more level of nesting, or one value that takes no bytes; false, and a fault, when
  /// there are too many. Leave() ends a level.
  bool Enter() {
    if (++depth_ > kDepthMax) [[unlikely]]
      return Fail("values are nested too deeply"), false;
    return ok();
  }
  void Leave() { --depth_; }
  bool ChargeZeroBytes(uint64_t values) {
    zero_bytes_items_ += values;
    if (zero_bytes_items_ > kZeroBytesItemsMax) [[unlikely]] {
      return Fail("too many values that take no bytes"), false;
    }
    return true;
  }

  /// Record a fault found by the caller; `what` is a sentence's main clause that outlives the
  /// decoder.
  void Fail(const char* what);

  static constexpr int kDepthMax = 512;
  static constexpr uint64_t kZeroBytesItemsMax = 1'000'000;

 private:
  static constexpr const char* kTruncated = "the data ends inside a value";

  int64_t ReadWideLong();
  uint64_t ReadBlockSize();
  int64_t NegateCount(int64_t count);
  size_t CheckCount(int64_t count, int64_t item_bytes_min);

  std::string_view Take(uint64_t length) {
    if (length > remaining()) [[unlikely]]
      return Fail(kTruncated), std::string_view();
    const std::string_view bytes(cursor_, static_cast<size_t>(length));
    cursor_ += length;
    return bytes;
  }
  template <typename T>
  T ReadRaw() {
    T value{};
    const std::string_view bytes = Take(sizeof(T));
    if (bytes.size() == sizeof(T)) std::memcpy(&value, bytes.data(), sizeof(T));
    return value;
  }

  const char* begin_;
  const char* cursor_;
  const char* end_;
  const char* fault_ = nullptr;
  size_t fault_offset_ = 0;
  uint64_t zero_bytes_items_ = 0;
  int depth_ = 0;
};

/// Pass over one value of `node` without materialising it.
void Skip(const Node& node, Decoder& decoder);

}  // namespace calve::avro

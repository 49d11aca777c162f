#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace calve::avro {

/// Appends Avro's binary encoding to a string of the caller's, which outlives it. Threads: one.
///
/// Checks nothing: the caller writes what the schema says, in its order.
class Encoder {
 public:
  explicit Encoder(std::string* out) : out_(out) {}

  void WriteBool(bool value) { out_->push_back(value ? '\1' : '\0'); }

  /// Write a zig-zag varint; int and long are the same on the wire.
  void WriteLong(int64_t value) {
    uint64_t rest = (static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63);
    char bytes[10];
    size_t length = 0;
    for (; rest >= 0x80; rest >>= 7) bytes[length++] = static_cast<char>(rest | 0x80);
    bytes[length++] = static_cast<char>(rest);
    out_->append(bytes, length);
  }
  void WriteInt(int32_t value) { WriteLong(value); }
  void WriteFloat(float value) { WriteRaw(&value, sizeof(value)); }
  void WriteDouble(double value) { WriteRaw(&value, sizeof(value)); }

  /// Write a length and the bytes: Avro's bytes and string.
  void WriteBytes(std::string_view bytes) {
    WriteLong(static_cast<int64_t>(bytes.size()));
    out_->append(bytes);
  }
  void WriteString(std::string_view text) { WriteBytes(text); }
  /// Write the bytes alone: Avro's fixed.
  void WriteFixed(std::string_view bytes) { out_->append(bytes); }

  /// Write the branch of a union or the symbol of an enum.
  void WriteIndex(size_t index) { WriteLong(static_cast<int64_t>(index)); }

  /// Begin a block of `count` items of an array or map. An empty container is WriteEnd() alone.
  void WriteBlockCount(size_t count) { WriteLong(static_cast<int64_t>(count)); }
  /// End an array or map.
  void WriteEnd() { out_->push_back('\0'); }

  size_t size() const { return out_->size(); }

 private:
  void WriteRaw(const void* value, size_t size) {
    out_->append(static_cast<const char*>(value), size);
  }

  std::string* out_;
};

}  // namespace calve::avro

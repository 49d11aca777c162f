#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace calve::reader {

/// Take a base-128 varint off the front of `bytes`; nothing when they end first or it is longer
/// than 64 bits need.
std::optional<uint64_t> TakeVarint(std::string_view& bytes);

/// Walks over the fields of one protobuf message, in bytes that stay where they are.
///
/// A fault ends the walk, and ok() tells. Threads: one.
class ProtobufFields {
 public:
  explicit ProtobufFields(std::string_view message) : left_(message) {}

  /// Go to the next field; false at the end and at the first fault.
  bool Next();
  bool ok() const { return ok_; }

  /// Which field it is and how it is encoded: compare with Varint() and Bytes(), and pass over what
  /// is neither, as protobuf asks.
  uint64_t key() const { return key_; }
  static constexpr uint64_t Varint(uint64_t number) { return number << 3; }
  static constexpr uint64_t Bytes(uint64_t number) { return number << 3 | 2; }

  /// Of a Varint().
  uint64_t value() const { return value_; }
  /// Of Bytes(): a text, a message or packed numbers.
  std::string_view bytes() const { return bytes_; }

 private:
  bool TakeBytes(uint64_t count);

  std::string_view left_;
  std::string_view bytes_;
  uint64_t key_ = 0;
  uint64_t value_ = 0;
  bool ok_ = true;
};

}  // namespace calve::reader

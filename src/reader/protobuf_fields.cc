#include "reader/protobuf_fields.h"

namespace calve::reader {

std::optional<uint64_t> TakeVarint(std::string_view& bytes) {
  uint64_t value = 0;
  for (int shift = 0; shift < 64 && !bytes.empty(); shift += 7) {
    const auto byte = static_cast<uint8_t>(bytes.front());
    bytes.remove_prefix(1);
    value |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
  return std::nullopt;
}

bool ProtobufFields::TakeBytes(uint64_t count) {
  if (count > left_.size()) return false;
  bytes_ = left_.substr(0, count);
  left_.remove_prefix(count);
  return true;
}

bool ProtobufFields::Next() {
  if (!ok_ || left_.empty()) return false;
  ok_ = false;
  const std::optional<uint64_t> key = TakeVarint(left_);
  if (!key) return false;
  key_ = *key;
  switch (key_ & 7) {
    case 0:
    case 2: {
      const std::optional<uint64_t> value = TakeVarint(left_);
      if (!value) return false;
      value_ = *value;
      ok_ = (key_ & 7) == 0 || TakeBytes(value_);
      return ok_;
    }
    case 1:
      return ok_ = TakeBytes(8);
    case 5:
      return ok_ = TakeBytes(4);
    default:
      return false;
  }
}

}  // namespace calve::reader

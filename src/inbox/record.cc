#include "inbox/record.h"

#include <cstring>
#include <type_traits>

#include "inbox/crc32c.h"

namespace calve::inbox {
namespace {

constexpr size_t kRecordBytesMin = 8 + 8 + 8 + 4 + 2;

template <typename N>
void Put(N number, std::string& out) {
  char bytes[sizeof number];
  std::memcpy(bytes, &number, sizeof number);
  out.append(bytes, sizeof bytes);
}

template <typename Length>
void PutText(std::string_view text, std::string& out) {
  Put(static_cast<Length>(text.size()), out);
  out += text;
}

/// Takes numbers and texts off the front of some bytes.
class Taker {
 public:
  explicit Taker(std::string_view bytes) : bytes_(bytes) {}

  bool Take(size_t length, std::string& out) {
    if (length > bytes_.size()) return false;
    out.assign(bytes_.substr(0, length));
    bytes_.remove_prefix(length);
    return true;
  }
  template <typename N>
    requires std::is_integral_v<N>
  bool Take(N& number) {
    if (sizeof number > bytes_.size()) return false;
    std::memcpy(&number, bytes_.data(), sizeof number);
    bytes_.remove_prefix(sizeof number);
    return true;
  }
  template <typename Length>
  bool TakeText(std::string& out) {
    Length length = 0;
    return Take(length) && Take(length, out);
  }
  std::string_view rest() const { return bytes_; }

 private:
  std::string_view bytes_;
};

bool TakeHeaders(Taker& taker, Headers& headers) {
  uint16_t count = 0;
  if (!taker.Take(count)) return false;
  for (; count > 0; --count) {
    auto& [name, value] = headers.emplace_back();
    if (!taker.TakeText<uint16_t>(name) || !taker.TakeText<uint32_t>(value)) return false;
  }
  return true;
}

}  // namespace

void Encode(const Record& record, int64_t synced_bytes, std::string& out) {
  const size_t begin = out.size();
  out.append(kFrameBytes, '\0');
  Put(record.offset, out);
  Put(synced_bytes, out);
  Put(int64_t{record.arrived.time_since_epoch().count()}, out);
  PutText<uint32_t>(record.key, out);
  Put(static_cast<uint16_t>(record.headers.size()), out);
  for (const auto& [name, value] : record.headers) {
    PutText<uint16_t>(name, out);
    PutText<uint32_t>(value, out);
  }
  out += record.body;
  const std::string_view whole = std::string_view(out).substr(begin + kFrameBytes);
  const auto length = static_cast<uint32_t>(whole.size());
  const uint32_t checksum = Crc32c(whole);
  std::memcpy(out.data() + begin, &length, sizeof length);
  std::memcpy(out.data() + begin + sizeof length, &checksum, sizeof checksum);
}

std::optional<size_t> LengthOf(std::string_view bytes) {
  uint32_t length = 0;
  if (bytes.size() < sizeof length) return std::nullopt;
  std::memcpy(&length, bytes.data(), sizeof length);
  if (length < kRecordBytesMin || length > kRecordBytesMax) return std::nullopt;
  return kFrameBytes + length;
}

std::optional<Decoded> Decode(std::string_view bytes) {
  const std::optional<size_t> length = LengthOf(bytes);
  if (!length.has_value() || *length > bytes.size()) return std::nullopt;
  const std::string_view whole = bytes.substr(kFrameBytes, *length - kFrameBytes);
  uint32_t checksum = 0;
  std::memcpy(&checksum, bytes.data() + sizeof(uint32_t), sizeof checksum);
  if (Crc32c(whole) != checksum) return std::nullopt;
  Decoded decoded{.length = *length};
  Taker taker(whole);
  int64_t arrived = 0;
  if (!taker.Take(decoded.record.offset) || !taker.Take(decoded.synced_bytes) ||
      !taker.Take(arrived) || !taker.TakeText<uint32_t>(decoded.record.key) ||
      !TakeHeaders(taker, decoded.record.headers))
    return std::nullopt;
  decoded.record.arrived = Timestamp(Duration(arrived));
  decoded.record.body = taker.rest();
  return decoded;
}

}  // namespace calve::inbox

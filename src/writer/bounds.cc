#include "writer/bounds.h"

#include <cstdint>

#include "base/text.h"

namespace calve::writer {
namespace {

constexpr uint32_t kLastCodePoint = 0x10FFFF;
constexpr uint32_t kFirstSurrogate = 0xD800;
constexpr uint32_t kAfterSurrogates = 0xE000;

bool IsContinuation(char c) { return (static_cast<uint8_t>(c) & 0xC0) == 0x80; }

/// Where code point number `count` begins; the end when there are fewer.
size_t OffsetOf(std::string_view text, int count) {
  size_t offset = 0;
  for (; offset < text.size(); ++offset) {
    if (!IsContinuation(text[offset]) && count-- == 0) break;
  }
  return offset;
}

/// The code point of one valid UTF-8 sequence.
uint32_t Decode(std::string_view sequence) {
  const auto lead = static_cast<uint8_t>(sequence[0]);
  uint32_t point = sequence.size() == 1 ? lead : lead & (0x7FU >> sequence.size());
  for (size_t i = 1; i < sequence.size(); ++i) point = (point << 6) | (static_cast<uint8_t>(sequence[i]) & 0x3FU);
  return point;
}

void Encode(uint32_t point, std::string& out) {
  const auto byte = [&](uint32_t bits) { out.push_back(static_cast<char>(bits)); };
  if (point < 0x80) {
    byte(point);
  } else if (point < 0x800) {
    byte(0xC0 | (point >> 6));
    byte(0x80 | (point & 0x3F));
  } else if (point < 0x10000) {
    byte(0xE0 | (point >> 12));
    byte(0x80 | ((point >> 6) & 0x3F));
    byte(0x80 | (point & 0x3F));
  } else {
    byte(0xF0 | (point >> 18));
    byte(0x80 | ((point >> 12) & 0x3F));
    byte(0x80 | ((point >> 6) & 0x3F));
    byte(0x80 | (point & 0x3F));
  }
}

}  // namespace

std::string TruncateStringDown(std::string_view text, int length) { return std::string(text.substr(0, OffsetOf(text, length))); }

std::optional<std::string> TruncateStringUp(std::string_view text, int length) {
  std::string_view head = text.substr(0, OffsetOf(text, length));
  if (head.size() == text.size()) return std::string(text);
  if (!IsValidUtf8(text)) return std::nullopt;
  while (!head.empty()) {
    size_t last = head.size() - 1;
    while (IsContinuation(head[last])) --last;
    const uint32_t point = Decode(head.substr(last));
    head = head.substr(0, last);
    if (point == kLastCodePoint) continue;
    std::string raised(head);
    Encode(point + 1 == kFirstSurrogate ? kAfterSurrogates : point + 1, raised);
    return raised;
  }
  return std::nullopt;
}

std::string TruncateBytesDown(std::string_view bytes, int length) {
  return std::string(bytes.substr(0, static_cast<size_t>(length)));
}

std::optional<std::string> TruncateBytesUp(std::string_view bytes, int length) {
  std::string head = TruncateBytesDown(bytes, length);
  if (head.size() == bytes.size()) return head;
  while (!head.empty()) {
    const auto last = static_cast<uint8_t>(head.back());
    head.pop_back();
    if (last == 0xFF) continue;
    head.push_back(static_cast<char>(last + 1));
    return head;
  }
  return std::nullopt;
}

}  // namespace calve::writer

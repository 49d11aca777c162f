#include "base/random.h"

#include <cassert>

namespace calve {

Random Random::FromEntropy() {
  std::random_device device;
  return Random((static_cast<uint64_t>(device()) << 32) | device());
}

uint64_t Random::Next() {
  std::lock_guard lock(mutex_);
  return engine_();
}

uint64_t Random::Below(uint64_t bound) {
  assert(bound > 0);
  std::lock_guard lock(mutex_);
  return std::uniform_int_distribution<uint64_t>(0, bound - 1)(engine_);
}

std::array<uint8_t, 16> NewUuid(Random& random) {
  std::array<uint8_t, 16> uuid;
  const uint64_t words[2] = {random.Next(), random.Next()};
  for (size_t i = 0; i < 16; ++i) uuid[i] = static_cast<uint8_t>(words[i / 8] >> (8 * (i % 8)));
  uuid[6] = static_cast<uint8_t>((uuid[6] & 0x0F) | 0x40);
  uuid[8] = static_cast<uint8_t>((uuid[8] & 0x3F) | 0x80);
  return uuid;
}

std::string FormatUuid(const std::array<uint8_t, 16>& uuid) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string text;
  text.reserve(36);
  for (size_t i = 0; i < 16; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += kHex[uuid[i] >> 4];
    text += kHex[uuid[i] & 15];
  }
  return text;
}

std::string NewUuidString(Random& random) { return FormatUuid(NewUuid(random)); }

std::string NewRunId(Timestamp now, Random& random) {
  static constexpr char kAlphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  std::string id(26, '0');
  auto ms = static_cast<uint64_t>(MillisSinceEpoch(now));
  for (size_t i = 10; i-- > 0; ms >>= 5) id[i] = kAlphabet[ms & 31];
  for (size_t i = 10; i < 26; ++i) id[i] = kAlphabet[random.Below(32)];
  return id;
}

}  // namespace calve

#include <bit>
#include <cmath>
#include <cstring>

#include "iceberg/calendar.h"
#include "iceberg/decimal.h"
#include "iceberg/partition.h"

namespace calve::iceberg {
namespace {

uint32_t Scramble(uint32_t block) {
  block *= 0xcc9e2d51U;
  block = std::rotl(block, 15);
  return block * 0x1b873593U;
}

/// Murmur3, x86, 32 bits, seed 0.
int32_t Murmur3(std::string_view bytes) {
  uint32_t hash = 0;
  size_t offset = 0;
  for (; offset + 4 <= bytes.size(); offset += 4) {
    uint32_t block = 0;
    std::memcpy(&block, bytes.data() + offset, sizeof(block));
    hash = std::rotl(hash ^ Scramble(block), 13) * 5 + 0xe6546b64U;
  }
  uint32_t tail = 0;
  for (size_t i = bytes.size(); i > offset; --i)
    tail = tail << 8 | static_cast<uint8_t>(bytes[i - 1]);
  hash ^= Scramble(tail);
  hash ^= static_cast<uint32_t>(bytes.size());
  hash = (hash ^ hash >> 16) * 0x85ebca6bU;
  hash = (hash ^ hash >> 13) * 0xc2b2ae35U;
  return static_cast<int32_t>(hash ^ hash >> 16);
}

template <typename T>
int32_t HashScalar(T value) {
  char bytes[sizeof(T)];
  std::memcpy(bytes, &value, sizeof(T));
  return Murmur3({bytes, sizeof(T)});
}

int32_t HashDouble(double value) {
  if (std::isnan(value)) return HashScalar(uint64_t{0x7ff8000000000000});
  return HashScalar(value == 0 ? 0.0 : value);
}

}  // namespace

int32_t BucketHash(const Type& type, const Value& value) {
  // An int hashes as the long it may become, a boolean as an int that stays one.
  if (const auto* x = value.get_if<bool>()) return HashScalar(int64_t{*x ? 1 : 0});
  if (const auto* x = value.get_if<int32_t>()) return HashScalar(int64_t{*x});
  if (const auto* x = value.get_if<int64_t>()) {
    const bool nanos =
        type.kind() == TypeKind::kTimestampNs || type.kind() == TypeKind::kTimestampTzNs;
    return HashScalar(nanos ? FloorDiv(*x, kNanosPerSecond / kMicrosPerSecond) : *x);
  }
  if (const auto* x = value.get_if<float>()) return HashDouble(double{*x});
  if (const auto* x = value.get_if<double>()) return HashDouble(*x);
  if (const auto* x = value.get_if<Decimal>()) return Murmur3(DecimalToBytes(*x));
  if (const auto* x = value.get_if<Uuid>()) {
    return Murmur3({reinterpret_cast<const char*>(x->data()), x->size()});
  }
  if (const auto* x = value.get_if<std::string>()) return Murmur3(*x);
  return 0;
}

}  // namespace calve::iceberg

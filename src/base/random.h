#pragma once

#include <array>
#include <cstdint>
#include <mutex>
#include <random>
#include <string>

#include "base/time.h"

namespace calve {

/// Randomness, passed in so that a seed replays a run. Threads: any.
class Random {
 public:
  explicit Random(uint64_t seed) : engine_(seed), seed_(seed) {}

  /// Seed from the machine's own entropy. Only main and tests call it.
  static Random FromEntropy();
  Random(Random&& other) noexcept : engine_(other.engine_), seed_(other.seed_) {}

  uint64_t Next();
  /// A number in [0, bound); bound must be positive.
  uint64_t Below(uint64_t bound);
  uint64_t seed() const { return seed_; }

 private:
  std::mutex mutex_;
  std::mt19937_64 engine_;
  uint64_t seed_;
};

/// Make a random version 4 UUID, as 16 bytes, big-endian as RFC 4122 prints them.
std::array<uint8_t, 16> NewUuid(Random& random);
/// Print 16 bytes as 8-4-4-4-12 lower-case hex digits.
std::string FormatUuid(const std::array<uint8_t, 16>& uuid);
/// Make a UUID and print it.
std::string NewUuidString(Random& random);
/// Make an id of a run: 26 characters of Crockford base 32 that sort by time (a ULID).
std::string NewRunId(Timestamp now, Random& random);

}  // namespace calve

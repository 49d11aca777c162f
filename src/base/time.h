#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace calve {

/// A moment in UTC, microseconds since 1970-01-01T00:00:00Z.
using Timestamp = std::chrono::time_point<std::chrono::system_clock, std::chrono::microseconds>;
using Duration = std::chrono::microseconds;

inline int64_t MillisSinceEpoch(Timestamp t) {
  return std::chrono::floor<std::chrono::milliseconds>(t.time_since_epoch()).count();
}
inline Timestamp TimestampFromMillis(int64_t ms) {
  return Timestamp(std::chrono::milliseconds(ms));
}

/// Print as RFC 3339 with milliseconds: 2026-11-21T08:15:00.123Z.
std::string FormatTimestamp(Timestamp t);

/// The time, passed in so that a test can replay it. Threads: any.
class Clock {
 public:
  virtual ~Clock() = default;
  /// The wall clock, for records that people read.
  virtual Timestamp Now() = 0;
  /// A clock that never goes back, for measuring; its zero means nothing.
  virtual Duration Monotonic() = 0;
};

/// The machine's own clock. Only main and tests make one.
class SystemClock : public Clock {
 public:
  Timestamp Now() override;
  Duration Monotonic() override;
};

/// A clock that moves only when told to, for tests.
class ManualClock : public Clock {
 public:
  explicit ManualClock(Timestamp start) : now_(start) {}
  Timestamp Now() override { return now_; }
  Duration Monotonic() override { return now_.time_since_epoch(); }
  void Advance(Duration d) { now_ += d; }

 private:
  Timestamp now_;
};

}  // namespace calve

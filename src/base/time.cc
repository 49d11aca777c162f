#include "base/time.h"

#include <fmt/format.h>

namespace calve {

std::string FormatTimestamp(Timestamp t) {
  const auto day = std::chrono::floor<std::chrono::days>(t);
  const std::chrono::year_month_day ymd(day);
  const auto ms = std::chrono::floor<std::chrono::milliseconds>(t - day).count();
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(ymd.year()),
                     static_cast<unsigned>(ymd.month()), static_cast<unsigned>(ymd.day()),
                     ms / 3'600'000, ms / 60'000 % 60, ms / 1'000 % 60, ms % 1'000);
}

Timestamp SystemClock::Now() {
  return std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
}

Duration SystemClock::Monotonic() {
  return std::chrono::floor<std::chrono::microseconds>(
      std::chrono::steady_clock::now().time_since_epoch());
}

}  // namespace calve

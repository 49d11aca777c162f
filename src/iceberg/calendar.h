#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace calve::iceberg {

/// The proleptic Gregorian calendar over the whole range of Iceberg's dates, which std::chrono's
/// years don't reach.
struct CivilDate {
  int64_t year = 1970;
  int month = 1;
  int day = 1;
  bool operator==(const CivilDate&) const = default;
};

/// Convert days since 1970-01-01.
CivilDate CivilFromDays(int64_t days);
/// Convert to days since 1970-01-01; the date must exist.
int64_t DaysFromCivil(const CivilDate& date);

/// Divide rounding towards minus infinity; `divisor` must be positive.
constexpr int64_t FloorDiv(int64_t value, int64_t divisor) {
  const int64_t quotient = value / divisor;
  return value % divisor < 0 ? quotient - 1 : quotient;
}

/// What FloorDiv leaves: from 0 to `divisor` - 1.
constexpr int64_t FloorMod(int64_t value, int64_t divisor) {
  const int64_t remainder = value % divisor;
  return remainder < 0 ? remainder + divisor : remainder;
}

inline constexpr int64_t kMicrosPerSecond = 1'000'000;
inline constexpr int64_t kNanosPerSecond = 1'000'000'000;
inline constexpr int64_t kSecondsPerDay = 86'400;

/// Print 2026-11-21; years outside 0000 to 9999 have a sign, as ISO 8601 and Java have it.
std::string FormatDate(int64_t days);
/// Print 08:15:00 or 08:15:00.25 from ticks since midnight; zeros at the end of the fraction are
/// left out.
std::string FormatTimeOfDay(int64_t ticks, int64_t ticks_per_second);
/// Print 2026-11-21T08:15:00.25 from ticks since 1970.
std::string FormatDateTime(int64_t ticks, int64_t ticks_per_second);

/// Read a date as FormatDate prints it; nothing when it is malformed, does not exist, or leaves 32
/// bits.
std::optional<int32_t> ParseDate(std::string_view text);
/// Read HH:MM, HH:MM:SS or with a fraction; nothing when digits beyond the tick would be lost.
std::optional<int64_t> ParseTimeOfDay(std::string_view text, int64_t ticks_per_second);

struct ParsedDateTime {
  int64_t ticks = 0;      ///< Since 1970; UTC when there was an offset.
  bool has_zone = false;  ///< Whether the text ended in Z or an offset.
};
/// Read date and time joined by T or a space, with Z or +HH:MM or neither; nothing when malformed
/// or out of 64 bits.
std::optional<ParsedDateTime> ParseDateTime(std::string_view text, int64_t ticks_per_second);

}  // namespace calve::iceberg

#include "iceberg/calendar.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <limits>

namespace calve::iceberg {
namespace {

constexpr int64_t kDaysPerEra = 146'097;   // 400 years
constexpr int64_t kDaysToEpoch = 719'468;  // from 0000-03-01 to 1970-01-01

bool IsLeap(int64_t year) { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0); }

int DaysInMonth(int64_t year, int month) {
  constexpr std::array<int, 12> kDays = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month == 2 && IsLeap(year) ? 29 : kDays[static_cast<size_t>(month - 1)];
}

/// Take exactly `count` digits off the front.
std::optional<int> TakeDigits(std::string_view& text, size_t count) {
  if (text.size() < count) return std::nullopt;
  int value = 0;
  for (const char c : text.substr(0, count)) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  text.remove_prefix(count);
  return value;
}

bool TakeChar(std::string_view& text, char c) {
  if (!text.starts_with(c)) return false;
  text.remove_prefix(1);
  return true;
}

std::optional<int64_t> TakeYear(std::string_view& text) {
  const bool sign = text.starts_with('-') || text.starts_with('+');
  const bool negative = text.starts_with('-');
  if (sign) text.remove_prefix(1);
  size_t digits = 0;
  while (digits < text.size() && text[digits] >= '0' && text[digits] <= '9') ++digits;
  if (digits < 4 || digits > 9 || (digits > 4 && !sign)) return std::nullopt;
  const auto year = TakeDigits(text, digits);
  if (!year) return std::nullopt;
  return negative ? -*year : *year;
}

/// Take a fraction's digits (after the point) as ticks.
std::optional<int64_t> TakeFraction(std::string_view& text, int64_t ticks_per_second) {
  int64_t ticks = 0;
  int64_t unit = ticks_per_second;
  size_t count = 0;
  while (!text.empty() && text[0] >= '0' && text[0] <= '9') {
    const int digit = text[0] - '0';
    unit /= 10;
    if (unit == 0 && digit != 0) return std::nullopt;
    ticks += digit * unit;
    text.remove_prefix(1);
    ++count;
  }
  if (count == 0) return std::nullopt;
  return ticks;
}

std::optional<int64_t> TakeTimeOfDay(std::string_view& text, int64_t ticks_per_second) {
  const auto hour = TakeDigits(text, 2);
  if (!hour || *hour > 23 || !TakeChar(text, ':')) return std::nullopt;
  const auto minute = TakeDigits(text, 2);
  if (!minute || *minute > 59) return std::nullopt;
  int64_t ticks = (*hour * 3600 + *minute * 60) * ticks_per_second;
  if (!TakeChar(text, ':')) return ticks;
  const auto second = TakeDigits(text, 2);
  if (!second || *second > 59) return std::nullopt;
  ticks += *second * ticks_per_second;
  if (!TakeChar(text, '.')) return ticks;
  const auto fraction = TakeFraction(text, ticks_per_second);
  if (!fraction) return std::nullopt;
  return ticks + *fraction;
}

std::optional<int32_t> TakeDate(std::string_view& text) {
  const auto year = TakeYear(text);
  if (!year || !TakeChar(text, '-')) return std::nullopt;
  const auto month = TakeDigits(text, 2);
  if (!month || *month < 1 || *month > 12 || !TakeChar(text, '-')) return std::nullopt;
  const auto day = TakeDigits(text, 2);
  if (!day || *day < 1 || *day > DaysInMonth(*year, *month)) return std::nullopt;
  const int64_t days = DaysFromCivil({.year = *year, .month = *month, .day = *day});
  if (days < std::numeric_limits<int32_t>::min() || days > std::numeric_limits<int32_t>::max()) {
    return std::nullopt;
  }
  return static_cast<int32_t>(days);
}

/// Take Z, +HH, +HHMM or +HH:MM as seconds east of UTC.
std::optional<int64_t> TakeOffset(std::string_view& text) {
  if (TakeChar(text, 'Z') || TakeChar(text, 'z')) return 0;
  const bool negative = text.starts_with('-');
  if (!negative && !text.starts_with('+')) return std::nullopt;
  text.remove_prefix(1);
  const auto hours = TakeDigits(text, 2);
  if (!hours || *hours > 18) return std::nullopt;
  int minutes = 0;
  if (!text.empty()) {
    TakeChar(text, ':');
    const auto taken = TakeDigits(text, 2);
    if (!taken || *taken > 59) return std::nullopt;
    minutes = *taken;
  }
  const int64_t seconds = *hours * 3600 + minutes * 60;
  return negative ? -seconds : seconds;
}

}  // namespace

CivilDate CivilFromDays(int64_t days) {
  const int64_t shifted = days + kDaysToEpoch;
  const int64_t era = FloorDiv(shifted, kDaysPerEra);
  const int64_t day_of_era = shifted - era * kDaysPerEra;
  const int64_t year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const int64_t day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const int64_t march_month = (5 * day_of_year + 2) / 153;
  const int month = static_cast<int>(march_month < 10 ? march_month + 3 : march_month - 9);
  return {.year = year_of_era + era * 400 + (month <= 2 ? 1 : 0),
          .month = month,
          .day = static_cast<int>(day_of_year - (153 * march_month + 2) / 5 + 1)};
}

int64_t DaysFromCivil(const CivilDate& date) {
  const int64_t year = date.month <= 2 ? date.year - 1 : date.year;
  const int64_t era = FloorDiv(year, 400);
  const int64_t year_of_era = year - era * 400;
  const int64_t march_month = date.month > 2 ? date.month - 3 : date.month + 9;
  const int64_t day_of_year = (153 * march_month + 2) / 5 + date.day - 1;
  const int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * kDaysPerEra + day_of_era - kDaysToEpoch;
}

std::string FormatDate(int64_t days) {
  const CivilDate date = CivilFromDays(days);
  if (date.year < 0) return fmt::format("-{:04}-{:02}-{:02}", -date.year, date.month, date.day);
  const std::string_view sign = date.year > 9999 ? "+" : "";
  return fmt::format("{}{:04}-{:02}-{:02}", sign, date.year, date.month, date.day);
}

std::string FormatTimeOfDay(int64_t ticks, int64_t ticks_per_second) {
  const int64_t seconds = FloorDiv(ticks, ticks_per_second);
  int64_t fraction = ticks - seconds * ticks_per_second;
  std::string text =
      fmt::format("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
  if (fraction == 0) return text;
  std::string digits = fmt::format("{}", ticks_per_second + fraction).substr(1);
  while (digits.back() == '0') digits.pop_back();
  return text + "." + digits;
}

std::string FormatDateTime(int64_t ticks, int64_t ticks_per_second) {
  const int64_t ticks_per_day = kSecondsPerDay * ticks_per_second;
  const int64_t days = FloorDiv(ticks, ticks_per_day);
  return FormatDate(days) + "T" + FormatTimeOfDay(FloorMod(ticks, ticks_per_day), ticks_per_second);
}

std::optional<int32_t> ParseDate(std::string_view text) {
  const auto days = TakeDate(text);
  return text.empty() ? days : std::nullopt;
}

std::optional<int64_t> ParseTimeOfDay(std::string_view text, int64_t ticks_per_second) {
  const auto ticks = TakeTimeOfDay(text, ticks_per_second);
  return text.empty() ? ticks : std::nullopt;
}

std::optional<ParsedDateTime> ParseDateTime(std::string_view text, int64_t ticks_per_second) {
  const auto days = TakeDate(text);
  if (!days || (!TakeChar(text, 'T') && !TakeChar(text, ' '))) return std::nullopt;
  const auto time = TakeTimeOfDay(text, ticks_per_second);
  if (!time) return std::nullopt;
  ParsedDateTime parsed;
  int64_t offset = 0;
  if (!text.empty()) {
    TakeChar(text, ' ');
    const auto taken = TakeOffset(text);
    if (!taken || !text.empty()) return std::nullopt;
    parsed.has_zone = true;
    offset = *taken;
  }
  // The day before carries the sign, so that the sum stays in range near the smallest moment.
  const int64_t ticks_per_day = kSecondsPerDay * ticks_per_second;
  const int64_t in_day = *time - offset * ticks_per_second;
  int64_t base = 0;
  const int64_t whole_days = *days < 0 ? int64_t{*days} + 1 : *days;
  const int64_t rest = *days < 0 ? in_day - ticks_per_day : in_day;
  if (__builtin_mul_overflow(whole_days, ticks_per_day, &base) ||
      __builtin_add_overflow(base, rest, &parsed.ticks)) {
    return std::nullopt;
  }
  return parsed;
}

}  // namespace calve::iceberg

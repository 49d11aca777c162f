#include "columnar/text_value.h"

#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <limits>

#include "base/text.h"
#include "iceberg/bytes.h"

namespace calve::columnar {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

/// Reads a text from left to right; every Take moves on only when it fits.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : at_(text.data()), end_(text.data() + text.size()) {}

  bool done() const { return at_ == end_; }
  char peek() const { return done() ? '\0' : *at_; }
  bool Take(char c) {
    if (done() || *at_ != c) return false;
    ++at_;
    return true;
  }
  /// Exactly `count` digits.
  bool TakeDigits(int count, int* number) {
    if (end_ - at_ < count) return false;
    int value = 0;
    for (int i = 0; i < count; ++i) {
      if (!IsDigit(at_[i])) return false;
      value = value * 10 + (at_[i] - '0');
    }
    at_ += count;
    *number = value;
    return true;
  }
  /// One to `most` digits.
  bool TakeUpTo(int most, int* number) {
    int count = 0;
    while (count < most && at_ + count < end_ && IsDigit(at_[count])) ++count;
    return count > 0 && TakeDigits(count, number);
  }
  /// A fraction's digits as units of 1/per_second; finer digits must be zeros.
  bool TakeFraction(int64_t per_second, int64_t* units) {
    int64_t unit = per_second;
    int64_t value = 0;
    int count = 0;
    for (; !done() && IsDigit(*at_); ++at_, ++count) {
      unit /= 10;
      if (unit == 0 && *at_ != '0') return false;
      value += unit * (*at_ - '0');
    }
    *units = value;
    return count > 0;
  }
  std::string_view rest() const { return {at_, static_cast<size_t>(end_ - at_)}; }
  void Skip(size_t count) { at_ += count; }

 private:
  const char* at_;
  const char* end_;
};

struct Moment {
  int year = 1970;
  int month = 1;
  int day = 1;
  int hour = 0;
  int minute = 0;
  int second = 0;
  int64_t fraction = 0;
  std::optional<int> zone_minutes;
  std::optional<bool> afternoon;
};

std::optional<int32_t> DaysOf(const Moment& m) {
  const std::chrono::year_month_day date(std::chrono::year(m.year),
                                         std::chrono::month(static_cast<unsigned>(m.month)),
                                         std::chrono::day(static_cast<unsigned>(m.day)));
  if (!date.ok() || m.year < 1 || m.year > 9999) return std::nullopt;
  return static_cast<int32_t>(std::chrono::sys_days(date).time_since_epoch().count());
}

bool TakeIsoDate(Cursor& cursor, Moment* m) {
  return cursor.TakeDigits(4, &m->year) && cursor.Take('-') && cursor.TakeDigits(2, &m->month) &&
         cursor.Take('-') && cursor.TakeDigits(2, &m->day);
}

bool TakeIsoTime(Cursor& cursor, int64_t per_second, Moment* m) {
  if (!cursor.TakeDigits(2, &m->hour) || !cursor.Take(':') || !cursor.TakeDigits(2, &m->minute))
    return false;
  if (cursor.Take(':')) {
    if (!cursor.TakeDigits(2, &m->second)) return false;
    if (cursor.Take('.') && !cursor.TakeFraction(per_second, &m->fraction)) return false;
  }
  return m->hour < 24 && m->minute < 60 && m->second < 60;
}

/// `Z`, `+01:00`, `+0100`, `+01`; `UTC` and ` UTC` as databases print them.
bool TakeZone(Cursor& cursor, Moment* m) {
  if (cursor.Take('Z') || cursor.Take('z')) {
    m->zone_minutes = 0;
    return true;
  }
  if (cursor.rest() == "UTC" || cursor.rest() == " UTC") {
    cursor.Skip(cursor.rest().size());
    m->zone_minutes = 0;
    return true;
  }
  const bool west = cursor.peek() == '-';
  if (!cursor.Take('+') && !cursor.Take('-')) return false;
  int hours = 0;
  int minutes = 0;
  if (!cursor.TakeDigits(2, &hours)) return false;
  if (cursor.Take(':') || IsDigit(cursor.peek())) {
    if (!cursor.TakeDigits(2, &minutes)) return false;
  }
  if (hours > 18 || minutes > 59) return false;
  m->zone_minutes = (west ? -1 : 1) * (hours * 60 + minutes);
  return true;
}

bool TakeMonthName(Cursor& cursor, int* month) {
  static constexpr std::array<std::string_view, 12> kNames = {
      "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"};
  const std::string start = ToLower(cursor.rest().substr(0, 3));
  for (size_t i = 0; i < kNames.size(); ++i) {
    if (start != kNames[i]) continue;
    cursor.Skip(3);
    *month = static_cast<int>(i) + 1;
    return true;
  }
  return false;
}

bool TakeAfternoon(Cursor& cursor, Moment* m) {
  const std::string half = ToLower(cursor.rest().substr(0, 2));
  if (half != "am" && half != "pm") return false;
  m->afternoon = half == "pm";
  cursor.Skip(2);
  return true;
}

bool TakeDirective(Cursor& cursor, char directive, int64_t per_second, Moment* m) {
  switch (directive) {
    case 'Y':
      return cursor.TakeDigits(4, &m->year);
    case 'y': {
      if (!cursor.TakeDigits(2, &m->year)) return false;
      m->year += m->year < 69 ? 2000 : 1900;  // As POSIX strptime.
      return true;
    }
    case 'm':
      return cursor.TakeUpTo(2, &m->month);
    case 'd':
    case 'e':
      return cursor.TakeUpTo(2, &m->day);
    case 'b':
      return TakeMonthName(cursor, &m->month);
    case 'H':
    case 'I':
      return cursor.TakeUpTo(2, &m->hour);
    case 'M':
      return cursor.TakeDigits(2, &m->minute);
    case 'S':
      return cursor.TakeDigits(2, &m->second);
    case 'f':
      return cursor.TakeFraction(per_second, &m->fraction);
    case 'p':
      return TakeAfternoon(cursor, m);
    case 'z':
      return TakeZone(cursor, m);
    default:
      return cursor.Take(directive);  // %% and what is no directive.
  }
}

/// What is wrong with one format, or "". `needed` are groups of directives, one of each of which
/// must be there.
std::string FormatFault(std::string_view format, std::initializer_list<std::string_view> needed) {
  constexpr std::string_view kKnown = "YymdebHIMSfpz%";
  std::string used;
  for (size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%') continue;
    if (++i == format.size()) return "ends in a lone %; write %% for the character";
    if (kKnown.find(format[i]) == std::string_view::npos)
      return std::string("has %") + format[i] +
             ", which is not known; known are %Y %y %m %d %e %b %H %I %M %S %f %p %z %%";
    used += format[i];
  }
  for (const std::string_view group : needed) {
    if (used.find_first_of(group) == std::string::npos)
      return "says nothing of the " +
             std::string(group == "Yy"   ? "year; add %Y or %y"
                         : group == "mb" ? "month; add %m or %b"
                         : group == "de" ? "day; add %d"
                                         : "hour; add %H, or take it as one of date_formats");
  }
  if (used.find('I') != std::string::npos && used.find('p') == std::string::npos)
    return "has %I without %p; add %p, or write %H for hours to 23";
  return "";
}

bool Matches(std::string_view text, std::string_view format, int64_t per_second, Moment* m) {
  Cursor cursor(text);
  for (size_t i = 0; i < format.size(); ++i) {
    const bool directive = format[i] == '%' && i + 1 < format.size();
    const bool taken =
        directive ? TakeDirective(cursor, format[++i], per_second, m) : cursor.Take(format[i]);
    if (!taken) return false;
  }
  if (m->afternoon.has_value()) {
    if (m->hour < 1 || m->hour > 12) return false;
    m->hour = m->hour % 12 + (*m->afternoon ? 12 : 0);
  }
  return cursor.done() && m->hour < 24 && m->minute < 60 && m->second < 60;
}

/// Digits of a number with the thousands separators taken out; nothing when they stand in the wrong
/// places.
bool Ungroup(std::string_view text, const TextFormats& formats, std::string* plain) {
  const size_t point = std::min(text.find(formats.decimal), text.size());
  const std::string_view whole = text.substr(0, point);
  const size_t sign = !whole.empty() && (whole[0] == '-' || whole[0] == '+') ? 1 : 0;
  plain->assign(whole.substr(0, sign));
  const std::vector<std::string> groups = Split(whole.substr(sign), formats.thousands);
  for (size_t i = 0; i < groups.size(); ++i) {
    const bool right_size =
        i == 0 ? !groups[i].empty() && groups[i].size() <= 3 : groups[i].size() == 3;
    if (groups.size() > 1 && !right_size) return false;
    *plain += groups[i];
  }
  *plain += text.substr(point);
  return true;
}

}  // namespace

Status CheckFormats(const TextFormats& formats) {
  for (const std::string& format : formats.date_formats) {
    const std::string fault = FormatFault(format, {"Yy", "mb", "de"});
    if (!fault.empty()) return ConfigError("the date format '" + format + "' " + fault);
  }
  for (const std::string& format : formats.timestamp_formats) {
    const std::string fault = FormatFault(format, {"Yy", "mb", "de", "HI"});
    if (!fault.empty()) return ConfigError("the timestamp format '" + format + "' " + fault);
  }
  return Status::Ok();
}

std::optional<int64_t> ReadInteger(std::string_view text, const TextFormats& formats) {
  std::string plain;
  if (formats.thousands != 0 && text.find(formats.thousands) != std::string_view::npos) {
    if (!Ungroup(text, formats, &plain)) return std::nullopt;
    text = plain;
  }
  if (text.starts_with('+') && text.size() > 1 && IsDigit(text[1])) text.remove_prefix(1);
  return ParseInteger(text);
}

std::optional<iceberg::Int128> ReadDecimal(std::string_view text, int precision, int scale,
                                           const TextFormats& formats) {
  std::string plain;
  if (formats.thousands != 0 && text.find(formats.thousands) != std::string_view::npos) {
    if (!Ungroup(text, formats, &plain)) return std::nullopt;
    text = plain;
  }
  const char* at = text.data();
  const char* end = at + text.size();
  const bool negative = at != end && *at == '-';
  if (at != end && (*at == '-' || *at == '+')) ++at;
  iceberg::Int128 value = 0;
  int digits = 0;     // Without leading zeros.
  int fraction = -1;  // Digits after the point; -1 before it.
  bool any = false;
  for (; at != end; ++at) {
    if (*at == formats.decimal && fraction < 0) {
      fraction = 0;
      continue;
    }
    if (!IsDigit(*at)) return std::nullopt;
    any = true;
    if (fraction >= scale) {
      if (*at != '0') return std::nullopt;
      ++fraction;
      continue;
    }
    if (fraction >= 0) ++fraction;
    if (digits > 0 || *at != '0') ++digits;
    if (digits > 38) return std::nullopt;
    value = value * 10 + (*at - '0');
  }
  if (!any) return std::nullopt;
  for (int i = std::max(fraction, 0); i < scale; ++i) {
    value *= 10;
    if (digits > 0) ++digits;
    if (digits > 38) return std::nullopt;
  }
  if (digits > precision) return std::nullopt;
  return negative ? -value : value;
}

namespace {

/// A number as significant digits and the power of ten of the last of them.
struct Scientific {
  std::string digits;
  int64_t exponent = 0;
  bool operator==(const Scientific&) const = default;
};

Scientific SplitNumber(std::string_view text) {
  Scientific number;
  const size_t e = std::min(text.find_first_of("eE"), text.size());
  bool behind_point = false;
  for (const char c : text.substr(0, e)) {
    if (c == '.') behind_point = true;
    if (!IsDigit(c)) continue;
    if (behind_point) --number.exponent;
    if (c != '0' || !number.digits.empty()) number.digits += c;
  }
  if (e < text.size()) {
    std::string_view power = text.substr(e + 1);
    if (power.starts_with('+')) power.remove_prefix(1);
    number.exponent += ParseInteger(power).value_or(0);
  }
  while (number.digits.ends_with('0')) {
    number.digits.pop_back();
    ++number.exponent;
  }
  if (number.digits.empty()) number.exponent = 0;
  return number;
}

/// Whether a finite double prints as the number of `text`, which is written with a point.
bool PrintsAs(double value, std::string_view text) {
  // Up to 15 digits come back from a double always, but from the smallest ones.
  if (text.size() <= 15 && text.find_first_of("eE") == std::string_view::npos) return true;
  std::array<char, 32> printed;
  const auto end = std::to_chars(printed.data(), printed.data() + printed.size(), value).ptr;
  return SplitNumber(text) ==
         SplitNumber({printed.data(), static_cast<size_t>(end - printed.data())});
}

/// The text of a number with a point and without groups; nothing when its groups are wrong.
std::optional<std::string_view> WithPoint(std::string_view text, const TextFormats& formats,
                                          std::string* plain) {
  const bool grouped =
      formats.thousands != 0 && text.find(formats.thousands) != std::string_view::npos;
  if (!grouped && formats.decimal == '.') return text;
  if (grouped && !Ungroup(text, formats, plain)) return std::nullopt;
  if (!grouped) *plain = text;
  if (formats.decimal != '.') {
    if (plain->find('.') != std::string::npos) return std::nullopt;
    for (char& c : *plain) c = c == formats.decimal ? '.' : c;
  }
  return *plain;
}

}  // namespace

bool IsExactDouble(std::string_view text, const TextFormats& formats) {
  const std::optional<double> value = ReadDouble(text, formats);
  if (!value.has_value()) return false;
  if (!std::isfinite(*value)) return true;
  std::string plain;
  return PrintsAs(*value, *WithPoint(text, formats, &plain));
}

std::optional<double> ReadDouble(std::string_view text, const TextFormats& formats) {
  std::string plain;
  const std::optional<std::string_view> pointed = WithPoint(text, formats, &plain);
  if (!pointed.has_value()) return std::nullopt;
  text = *pointed;
  if (text.starts_with('+')) text.remove_prefix(1);
  const std::string lower = text.size() <= 9 ? ToLower(text) : std::string();
  if (lower == "nan") return std::numeric_limits<double>::quiet_NaN();
  if (lower == "inf" || lower == "infinity") return std::numeric_limits<double>::infinity();
  if (lower == "-inf" || lower == "-infinity") return -std::numeric_limits<double>::infinity();
  if (text.empty() || (!IsDigit(text[0]) && text[0] != '-' && text[0] != '.')) return std::nullopt;
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  const bool whole = text.find_first_of(".eE") == std::string_view::npos;
  if (whole && !PrintsAs(value, text)) return std::nullopt;
  return value;
}

std::optional<bool> ReadBoolean(std::string_view text) {
  if (text == "true" || text == "TRUE" || text == "True") return true;
  if (text == "false" || text == "FALSE" || text == "False") return false;
  return std::nullopt;
}

std::optional<int32_t> ReadDate(std::string_view text, const TextFormats& formats) {
  if (formats.date_formats.empty()) {
    Moment m;
    Cursor cursor(text);
    if (!TakeIsoDate(cursor, &m) || !cursor.done()) return std::nullopt;
    return DaysOf(m);
  }
  for (const std::string& format : formats.date_formats) {
    Moment m;
    if (Matches(text, format, 1'000'000, &m)) return DaysOf(m);
  }
  return std::nullopt;
}

std::optional<int64_t> ReadTime(std::string_view text, int64_t per_second) {
  Moment m;
  Cursor cursor(text);
  if (!TakeIsoTime(cursor, per_second, &m) || !cursor.done()) return std::nullopt;
  return ((m.hour * 60 + m.minute) * int64_t{60} + m.second) * per_second + m.fraction;
}

namespace {

std::optional<Moment> ReadMoment(std::string_view text, int64_t per_second,
                                 const TextFormats& formats) {
  if (formats.timestamp_formats.empty()) {
    Moment m;
    Cursor cursor(text);
    if (!TakeIsoDate(cursor, &m)) return std::nullopt;
    if (!cursor.Take('T') && !cursor.Take(' ') && !cursor.Take('t')) return std::nullopt;
    if (!TakeIsoTime(cursor, per_second, &m)) return std::nullopt;
    if (!cursor.done() && !TakeZone(cursor, &m)) return std::nullopt;
    return cursor.done() ? std::optional<Moment>(m) : std::nullopt;
  }
  for (const std::string& format : formats.timestamp_formats) {
    Moment m;
    if (Matches(text, format, per_second, &m)) return m;
  }
  return std::nullopt;
}

}  // namespace

std::optional<int64_t> ReadTimestamp(std::string_view text, bool zoned, int64_t per_second,
                                     const TextFormats& formats) {
  std::optional<Moment> m = ReadMoment(text, per_second, formats);
  if (!m.has_value()) return std::nullopt;
  if (zoned && !m->zone_minutes.has_value()) m->zone_minutes = formats.zone_minutes;
  if (zoned != m->zone_minutes.has_value()) return std::nullopt;
  const std::optional<int32_t> days = DaysOf(*m);
  if (!days.has_value()) return std::nullopt;
  const int64_t minutes =
      int64_t{*days} * 1440 + m->hour * 60 + m->minute - m->zone_minutes.value_or(0);
  int64_t units = 0;
  // Nanoseconds reach only from 1677 to 2262.
  if (__builtin_mul_overflow(minutes * 60 + m->second, per_second, &units)) return std::nullopt;
  if (__builtin_add_overflow(units, m->fraction, &units)) return std::nullopt;
  return units;
}

std::optional<std::string> ReadBytes(std::string_view text) { return iceberg::FromBase64(text); }

std::optional<iceberg::Uuid> ReadUuid(std::string_view text) {
  if (text.size() != 36) return std::nullopt;
  iceberg::Uuid uuid{};
  size_t nibble = 0;
  for (size_t i = 0; i < 36; ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash) {
      if (text[i] != '-') return std::nullopt;
      continue;
    }
    const char c = text[i];
    int digit = -1;
    if (IsDigit(c)) digit = c - '0';
    if (c >= 'a' && c <= 'f') digit = c - 'a' + 10;
    if (c >= 'A' && c <= 'F') digit = c - 'A' + 10;
    if (digit < 0) return std::nullopt;
    uuid[nibble / 2] =
        static_cast<uint8_t>(uuid[nibble / 2] | (nibble % 2 == 0 ? digit << 4 : digit));
    ++nibble;
  }
  return uuid;
}

}  // namespace calve::columnar

#include "iceberg/decimal.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdint>

#include "base/text.h"

namespace calve::iceberg {
namespace {

__extension__ typedef unsigned __int128 UnsignedInt128;

constexpr int kDigitsMax = 38;  // 10^38 - 1 fits in 127 bits.

UnsignedInt128 Magnitude(Int128 value) {
  return value < 0 ? ~static_cast<UnsignedInt128>(value) + 1 : static_cast<UnsignedInt128>(value);
}

UnsignedInt128 PowerOfTen(int exponent) {
  UnsignedInt128 power = 1;
  for (int i = 0; i < exponent; ++i) power *= 10;
  return power;
}

/// A decimal as it was written: digits without leading zeros, times ten to the exponent.
struct Written {
  bool negative = false;
  std::string digits;
  int64_t exponent = 0;
};

std::optional<Written> Read(std::string_view text) {
  Written written;
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) {
    written.negative = text[0] == '-';
    text.remove_prefix(1);
  }
  const size_t e = text.find_first_of("eE");
  std::string_view mantissa = text.substr(0, e);
  if (e != std::string_view::npos) {
    std::string_view exponent = text.substr(e + 1);
    if (exponent.starts_with('+') && exponent.size() > 1 && exponent[1] != '-')
      exponent.remove_prefix(1);
    int32_t parsed = 0;
    const auto [end, error] =
        std::from_chars(exponent.data(), exponent.data() + exponent.size(), parsed);
    if (error != std::errc() || end != exponent.data() + exponent.size()) return std::nullopt;
    written.exponent = parsed;
  }
  bool point = false;
  bool any = false;
  for (const char c : mantissa) {
    if (c == '.' && !point) {
      point = true;
    } else if (c >= '0' && c <= '9') {
      any = true;
      if (c != '0' || !written.digits.empty()) written.digits += c;
      if (point) --written.exponent;
    } else {
      return std::nullopt;
    }
  }
  if (!any) return std::nullopt;
  return written;
}

}  // namespace

std::string DecimalToText(Decimal decimal, int scale) {
  UnsignedInt128 rest = Magnitude(decimal.unscaled);
  std::string digits;
  while (rest > 0 || digits.size() < static_cast<size_t>(scale) + 1) {
    digits += static_cast<char>('0' + static_cast<int>(rest % 10));
    rest /= 10;
    if (digits.size() == static_cast<size_t>(scale)) digits += '.';
  }
  if (digits.back() == '.') digits += '0';
  if (decimal.unscaled < 0) digits += '-';
  std::reverse(digits.begin(), digits.end());
  return digits;
}

Result<Decimal> ParseDecimal(std::string_view text, int precision, int scale) {
  std::optional<Written> written = Read(text);
  if (!written) return DataError(fmt::format("expected a decimal number, found {}", Quote(text)));
  int64_t shift = written->exponent + scale;
  std::string& digits = written->digits;
  while (shift < 0 && !digits.empty() && digits.back() == '0') {
    digits.pop_back();
    ++shift;
  }
  if (!digits.empty() && shift < 0) {
    return DataError(fmt::format("expected at most {} digits after the decimal point, found {}",
                                 scale, Quote(text)));
  }
  if (!digits.empty() && static_cast<int64_t>(digits.size()) + shift > precision) {
    return DataError(fmt::format("expected a number that fits decimal({}, {}), found {}", precision,
                                 scale, Quote(text)));
  }
  UnsignedInt128 magnitude = 0;
  for (const char c : digits) magnitude = magnitude * 10 + static_cast<unsigned>(c - '0');
  if (!digits.empty()) magnitude *= PowerOfTen(static_cast<int>(shift));
  const auto value = static_cast<Int128>(magnitude);
  return Decimal{written->negative ? -value : value};
}

bool FitsPrecision(Decimal decimal, int precision) {
  if (precision > kDigitsMax) return true;
  return Magnitude(decimal.unscaled) < PowerOfTen(precision);
}

std::string DecimalToBytes(Decimal decimal) {
  std::string bytes = DecimalToFixedBytes(decimal, sizeof(Int128));
  size_t skip = 0;
  while (skip + 1 < bytes.size()) {
    const bool next_negative = (static_cast<uint8_t>(bytes[skip + 1]) & 0x80) != 0;
    const bool padding = next_negative ? bytes[skip] == '\xff' : bytes[skip] == '\0';
    if (!padding) break;
    ++skip;
  }
  return bytes.substr(skip);
}

std::string DecimalToFixedBytes(Decimal decimal, size_t width) {
  std::string bytes(width, decimal.unscaled < 0 ? '\xff' : '\0');
  auto rest = static_cast<UnsignedInt128>(decimal.unscaled);
  for (size_t i = 0; i < std::min(width, sizeof(Int128)); ++i) {
    bytes[width - 1 - i] = static_cast<char>(static_cast<uint8_t>(rest & 0xff));
    rest >>= 8;
  }
  return bytes;
}

std::optional<Decimal> DecimalFromBytes(std::string_view bytes) {
  if (bytes.empty()) return std::nullopt;
  const bool negative = (static_cast<uint8_t>(bytes[0]) & 0x80) != 0;
  const char padding = negative ? '\xff' : '\0';
  while (bytes.size() > sizeof(Int128)) {
    const bool next_negative = (static_cast<uint8_t>(bytes[1]) & 0x80) != 0;
    if (bytes[0] != padding || next_negative != negative) return std::nullopt;
    bytes.remove_prefix(1);
  }
  auto value = negative ? ~UnsignedInt128{0} : UnsignedInt128{0};
  for (const char c : bytes) value = (value << 8) | static_cast<uint8_t>(c);
  return Decimal{static_cast<Int128>(value)};
}

size_t DecimalWidth(int precision) {
  const UnsignedInt128 largest = PowerOfTen(std::min(precision, kDigitsMax)) - 1;
  size_t width = 1;
  while ((largest >> (8 * width - 1)) != 0) ++width;
  return width;
}

}  // namespace calve::iceberg

#include "source/postgresql/numeric.h"

#include <array>
#include <cstdint>

#include "source/postgresql/wire.h"

namespace calve::source::postgresql {
namespace {

// numeric_send: groups of four digits, the first worth 10000^weight.
constexpr uint16_t kPositive = 0x0000;
constexpr uint16_t kNegative = 0x4000;
constexpr uint16_t kPositiveInfinity = 0xD000;
constexpr uint16_t kNegativeInfinity = 0xF000;
constexpr int kGroup = 10'000;
constexpr int kGroupsMax = 10;  ///< 38 digits lie in no more.

struct Parts {
  int groups = 0;
  int weight = 0;
  uint16_t sign = 0;
  int digits_shown = 0;  ///< Behind the point.
  std::string_view digits;

  int Group(int index) const {
    return *ReadNumber<int16_t>(digits.substr(2 * static_cast<size_t>(index), 2));
  }
};

std::optional<Parts> Take(std::string_view value) {
  WireReader wire(value);
  const auto groups = wire.Number<int16_t>();
  const auto weight = wire.Number<int16_t>();
  const auto sign = wire.Number<uint16_t>();
  const auto shown = wire.Number<uint16_t>();
  if (!groups || !weight || !sign || !shown || *groups < 0 ||
      wire.rest().size() != 2 * static_cast<size_t>(*groups))
    return std::nullopt;
  return Parts{.groups = *groups,
               .weight = *weight,
               .sign = *sign,
               .digits_shown = *shown,
               .digits = wire.rest()};
}

constexpr std::array<Int128, 39> PowersOfTen() {
  std::array<Int128, 39> powers{};
  powers[0] = 1;
  for (size_t i = 1; i < powers.size(); ++i) powers[i] = powers[i - 1] * 10;
  return powers;
}
constexpr std::array<Int128, 39> kPowers = PowersOfTen();

/// Most values: of up to twelve digits, for which 64 bits do. Nothing when it is not such a one, which
/// does not say that it does not fit.
std::optional<int64_t> ReadSmall(std::string_view value, const DecimalSize& size) {
  if (value.size() < 8) return std::nullopt;
  const int groups = LoadNumber<int16_t>(value.data());
  const int weight = LoadNumber<int16_t>(value.data() + 2);
  const uint16_t sign = LoadNumber<uint16_t>(value.data() + 4);
  if (groups < 1 || groups > 3 || value.size() != 8 + 2 * static_cast<size_t>(groups) ||
      (sign != kPositive && sign != kNegative))
    return std::nullopt;
  const int shift = 4 * (weight - groups + 1) + size.scale;
  if (shift < -3 || shift > 6) return std::nullopt;
  int64_t unscaled = LoadNumber<int16_t>(value.data() + 8);
  if (groups > 1) unscaled = unscaled * kGroup + LoadNumber<int16_t>(value.data() + 10);
  if (groups > 2) unscaled = unscaled * kGroup + LoadNumber<int16_t>(value.data() + 12);
  constexpr std::array<int64_t, 7> kSmallPowers = {1, 10, 100, 1000, 10'000, 100'000, 1'000'000};
  const int64_t power = kSmallPowers[static_cast<size_t>(shift < 0 ? -shift : shift)];
  if (shift < 0 && unscaled % power != 0) return std::nullopt;
  unscaled = shift < 0 ? unscaled / power : unscaled * power;
  if (unscaled >= kPowers[static_cast<size_t>(size.precision)]) return std::nullopt;
  return sign == kNegative ? -unscaled : unscaled;
}

}  // namespace

std::optional<Int128> ReadNumeric(std::string_view value, const DecimalSize& size) {
  if (const auto small = ReadSmall(value, size); small.has_value()) return *small;
  const auto parts = Take(value);
  if (!parts.has_value() || (parts->sign != kPositive && parts->sign != kNegative))
    return std::nullopt;
  int groups = parts->groups;
  while (groups > 0 && parts->Group(groups - 1) == 0) --groups;
  if (groups == 0) return Int128{0};
  if (groups > kGroupsMax) return std::nullopt;
  // What the last group is to be shifted by: to the left, or to the right by digits that are zeros.
  const int shift = 4 * (parts->weight - groups + 1) + size.scale;
  if (shift < -3 || shift > 38) return std::nullopt;
  Int128 unscaled = 0;
  for (int i = 0; i < groups - 1; ++i) unscaled = unscaled * kGroup + parts->Group(i);
  int last = parts->Group(groups - 1);
  if (shift < 0) {
    const auto divisor = static_cast<int>(kPowers[static_cast<size_t>(-shift)]);
    if (last % divisor != 0) return std::nullopt;
    last /= divisor;
  }
  // At most 36 digits so far, and the last group.
  const Int128 factor = kPowers[static_cast<size_t>(shift < 0 ? 4 + shift : 4)];
  if (__builtin_mul_overflow(unscaled, factor, &unscaled) ||
      __builtin_add_overflow(unscaled, static_cast<Int128>(last), &unscaled))
    return std::nullopt;
  if (shift > 0 && __builtin_mul_overflow(unscaled, kPowers[static_cast<size_t>(shift)], &unscaled))
    return std::nullopt;
  if (unscaled >= kPowers[static_cast<size_t>(size.precision)]) return std::nullopt;
  return parts->sign == kNegative ? -unscaled : unscaled;
}

std::string PrintNumeric(std::string_view value) {
  const auto parts = Take(value);
  if (!parts.has_value()) return "no number";
  if (parts->sign == kPositiveInfinity) return "Infinity";
  if (parts->sign == kNegativeInfinity) return "-Infinity";
  if (parts->sign != kPositive && parts->sign != kNegative) return "NaN";
  const auto group = [&](int index) {
    const int digits = index >= 0 && index < parts->groups ? parts->Group(index) : 0;
    std::string text = std::to_string(digits);
    return std::string(4 - text.size(), '0') + text;
  };
  std::string whole;
  for (int i = 0; i <= parts->weight; ++i) whole += group(i);
  whole.erase(0, whole.find_first_not_of('0'));
  std::string text = (parts->sign == kNegative ? "-" : "") + (whole.empty() ? "0" : whole);
  if (parts->digits_shown == 0) return text;
  std::string fraction;
  for (int i = parts->weight + 1; static_cast<int>(fraction.size()) < parts->digits_shown; ++i)
    fraction += group(i);
  return text + "." + fraction.substr(0, static_cast<size_t>(parts->digits_shown));
}

}  // namespace calve::source::postgresql

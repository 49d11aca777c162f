#include "iceberg/value.h"

#include <fmt/format.h>

#include <bit>
#include <charconv>
#include <cmath>
#include <concepts>
#include <cstring>
#include <limits>

#include "base/random.h"
#include "base/text.h"
#include "iceberg/bytes.h"
#include "iceberg/calendar.h"
#include "iceberg/decimal.h"
#include "iceberg/type.h"

namespace calve::iceberg {
namespace {

template <std::floating_point T>
std::strong_ordering CompareFloats(T a, T b) {
  const bool a_nan = std::isnan(a);
  const bool b_nan = std::isnan(b);
  if (a_nan || b_nan) return a_nan <=> b_nan;
  return std::strong_order(a, b);
}

template <typename T>
std::string LittleEndian(T value) {
  std::string bytes(sizeof(T), '\0');
  std::memcpy(bytes.data(), &value, sizeof(T));
  return bytes;
}
static_assert(std::endian::native == std::endian::little);

template <typename T>
T FromLittleEndian(std::string_view bytes) {
  T value;
  std::memcpy(&value, bytes.data(), sizeof(T));
  return value;
}

Error WrongWidth(const Type& type, std::string_view bytes, std::string_view expected) {
  return DataError(fmt::format("expected {} bytes for a bound of type {}, found {}", expected,
                               type.ToString(), bytes.size()));
}

Error NotSupported(const Type& type) {
  return DataError(fmt::format("a value of type {} has no binary form", type.ToString()));
}

Error NotOfType(const Type& type, std::string_view text) {
  return DataError(
      fmt::format("expected a value of type {}, found {}", type.ToString(), Quote(text)));
}

/// A day as the first tick of it, for bounds written before a date became a timestamp.
Result<Value> DateAsTicks(const Type& type, int32_t days, int64_t ticks_per_second) {
  int64_t ticks = 0;
  if (__builtin_mul_overflow(int64_t{days}, kSecondsPerDay * ticks_per_second, &ticks)) {
    return DataError(
        fmt::format("the date {} is out of the range of {}", FormatDate(days), type.ToString()));
  }
  return Value(ticks);
}

template <typename T>
Result<Value> FixedWidth(const Type& type, std::string_view bytes) {
  if (bytes.size() != sizeof(T)) return WrongWidth(type, bytes, std::to_string(sizeof(T)));
  return Value(FromLittleEndian<T>(bytes));
}

int64_t TicksPerSecond(const Type& type) {
  const bool nanos =
      type.kind() == TypeKind::kTimestampNs || type.kind() == TypeKind::kTimestampTzNs;
  return nanos ? kNanosPerSecond : kMicrosPerSecond;
}

template <typename T>
Result<Value> ParseNumber(const Type& type, std::string_view text) {
  std::string_view digits = text;
  if (digits.starts_with('+') && digits.size() > 1 && digits[1] != '-') digits.remove_prefix(1);
  T number{};
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || end != digits.data() + digits.size()) return NotOfType(type, text);
  return Value(number);
}

Result<Value> ParseTimestamp(const Type& type, std::string_view text) {
  const bool with_zone =
      type.kind() == TypeKind::kTimestampTz || type.kind() == TypeKind::kTimestampTzNs;
  const auto parsed = ParseDateTime(text, TicksPerSecond(type));
  if (!parsed) return NotOfType(type, text);
  if (parsed->has_zone != with_zone) {
    return DataError(
        fmt::format("expected a value of type {} {} an offset such as Z or +02:00, found {}",
                    type.ToString(), with_zone ? "with" : "without", Quote(text)));
  }
  return Value(parsed->ticks);
}

Result<Value> ParseBoolean(const Type& type, std::string_view text) {
  const std::string lower = ToLower(text);
  if (lower == "true") return Value(true);
  if (lower == "false") return Value(false);
  return NotOfType(type, text);
}

template <typename T>
Result<Value> FromOptional(const Type& type, std::string_view text, std::optional<T> value) {
  if (!value) return NotOfType(type, text);
  return Value(std::move(*value));
}

}  // namespace

std::strong_ordering Compare(const Value& a, const Value& b) {
  if (const auto* x = a.get_if<float>()) return CompareFloats(*x, b.as<float>());
  if (const auto* x = a.get_if<double>()) return CompareFloats(*x, b.as<double>());
  if (const auto* x = a.get_if<bool>()) return *x <=> b.as<bool>();
  if (const auto* x = a.get_if<int32_t>()) return *x <=> b.as<int32_t>();
  if (const auto* x = a.get_if<int64_t>()) return *x <=> b.as<int64_t>();
  if (const auto* x = a.get_if<Decimal>()) return *x <=> b.as<Decimal>();
  if (const auto* x = a.get_if<Uuid>()) return *x <=> b.as<Uuid>();
  // char_traits<char> compares as unsigned bytes.
  return a.as<std::string>().compare(b.as<std::string>()) <=> 0;
}

bool HoldsValueOf(const Type& type, const Value& value) {
  switch (type.kind()) {
    case TypeKind::kBoolean:
      return value.get_if<bool>() != nullptr;
    case TypeKind::kInt:
    case TypeKind::kDate:
      return value.get_if<int32_t>() != nullptr;
    case TypeKind::kLong:
    case TypeKind::kTime:
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampTz:
    case TypeKind::kTimestampNs:
    case TypeKind::kTimestampTzNs:
      return value.get_if<int64_t>() != nullptr;
    case TypeKind::kFloat:
      return value.get_if<float>() != nullptr;
    case TypeKind::kDouble:
      return value.get_if<double>() != nullptr;
    case TypeKind::kDecimal: {
      const auto* decimal = value.get_if<Decimal>();
      return decimal != nullptr && FitsPrecision(*decimal, type.precision());
    }
    case TypeKind::kUuid:
      return value.get_if<Uuid>() != nullptr;
    case TypeKind::kFixed: {
      const auto* bytes = value.get_if<std::string>();
      return bytes != nullptr && static_cast<int64_t>(bytes->size()) == type.length();
    }
    case TypeKind::kString:
    case TypeKind::kBinary:
    case TypeKind::kGeometry:
    case TypeKind::kGeography:
      return value.get_if<std::string>() != nullptr;
    case TypeKind::kUnknown:
    case TypeKind::kVariant:
    case TypeKind::kStruct:
    case TypeKind::kList:
    case TypeKind::kMap:
      return false;
  }
  return false;
}

Result<std::string> ToBytes(const Type& type, const Value& value) {
  if (!type.is_primitive() || type.kind() == TypeKind::kUnknown) return NotSupported(type);
  if (const auto* x = value.get_if<bool>()) return std::string(1, *x ? '\1' : '\0');
  if (const auto* x = value.get_if<int32_t>()) return LittleEndian(*x);
  if (const auto* x = value.get_if<int64_t>()) return LittleEndian(*x);
  if (const auto* x = value.get_if<float>()) return LittleEndian(*x);
  if (const auto* x = value.get_if<double>()) return LittleEndian(*x);
  if (const auto* x = value.get_if<Decimal>()) return DecimalToBytes(*x);
  if (const auto* x = value.get_if<Uuid>()) return std::string(x->begin(), x->end());
  if (const auto* x = value.get_if<std::string>()) return *x;
  return BugError(fmt::format("a null of type {} has no binary form", type.ToString()));
}

Result<Value> FromBytes(const Type& type, std::string_view bytes) {
  switch (type.kind()) {
    case TypeKind::kBoolean:
      if (bytes.size() != 1) return WrongWidth(type, bytes, "1");
      return Value(bytes[0] != '\0');
    case TypeKind::kInt:
    case TypeKind::kDate:
      return FixedWidth<int32_t>(type, bytes);
    case TypeKind::kLong:
      if (bytes.size() == 4) return Value(int64_t{FromLittleEndian<int32_t>(bytes)});
      return FixedWidth<int64_t>(type, bytes);
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampNs:
      if (bytes.size() == 4) {
        return DateAsTicks(type, FromLittleEndian<int32_t>(bytes), TicksPerSecond(type));
      }
      return FixedWidth<int64_t>(type, bytes);
    case TypeKind::kTime:
    case TypeKind::kTimestampTz:
    case TypeKind::kTimestampTzNs:
      return FixedWidth<int64_t>(type, bytes);
    case TypeKind::kFloat:
      return FixedWidth<float>(type, bytes);
    case TypeKind::kDouble:
      if (bytes.size() == 4) return Value(double{FromLittleEndian<float>(bytes)});
      return FixedWidth<double>(type, bytes);
    case TypeKind::kDecimal: {
      const auto decimal = DecimalFromBytes(bytes);
      if (!decimal) return WrongWidth(type, bytes, "1 to 16");
      return Value(*decimal);
    }
    case TypeKind::kUuid: {
      Uuid uuid;
      if (bytes.size() != uuid.size()) return WrongWidth(type, bytes, "16");
      std::memcpy(uuid.data(), bytes.data(), uuid.size());
      return Value(uuid);
    }
    case TypeKind::kFixed:
      // Writers cut bounds of long values, so that fewer bytes are right too.
      if (static_cast<int64_t>(bytes.size()) > type.length()) {
        return WrongWidth(type, bytes, fmt::format("at most {}", type.length()));
      }
      return Value(std::string(bytes));
    case TypeKind::kString:
    case TypeKind::kBinary:
    case TypeKind::kGeometry:
    case TypeKind::kGeography:
      return Value(std::string(bytes));
    case TypeKind::kUnknown:
    case TypeKind::kVariant:
    case TypeKind::kStruct:
    case TypeKind::kList:
    case TypeKind::kMap:
      break;
  }
  return NotSupported(type);
}

std::string ToText(const Type& type, const Value& value) {
  if (value.is_null()) return "null";
  switch (type.kind()) {
    case TypeKind::kBoolean:
      return value.as<bool>() ? "true" : "false";
    case TypeKind::kInt:
      return fmt::format("{}", value.as<int32_t>());
    case TypeKind::kLong:
      return fmt::format("{}", value.as<int64_t>());
    case TypeKind::kFloat:
      return fmt::format("{}", value.as<float>());
    case TypeKind::kDouble:
      return fmt::format("{}", value.as<double>());
    case TypeKind::kDecimal:
      return DecimalToText(value.as<Decimal>(), type.scale());
    case TypeKind::kDate:
      return FormatDate(value.as<int32_t>());
    case TypeKind::kTime:
      return FormatTimeOfDay(value.as<int64_t>(), kMicrosPerSecond);
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampNs:
      return FormatDateTime(value.as<int64_t>(), TicksPerSecond(type));
    case TypeKind::kTimestampTz:
    case TypeKind::kTimestampTzNs:
      return FormatDateTime(value.as<int64_t>(), TicksPerSecond(type)) + "+00:00";
    case TypeKind::kString:
      return value.as<std::string>();
    case TypeKind::kUuid:
      return FormatUuid(value.as<Uuid>());
    case TypeKind::kFixed:
    case TypeKind::kBinary:
    case TypeKind::kGeometry:
    case TypeKind::kGeography:
      return ToBase64(value.as<std::string>());
    case TypeKind::kUnknown:
    case TypeKind::kVariant:
    case TypeKind::kStruct:
    case TypeKind::kList:
    case TypeKind::kMap:
      break;
  }
  return "null";
}

Result<Value> ParseText(const Type& type, std::string_view text) {
  switch (type.kind()) {
    case TypeKind::kBoolean:
      return ParseBoolean(type, text);
    case TypeKind::kInt:
      return ParseNumber<int32_t>(type, text);
    case TypeKind::kLong:
      return ParseNumber<int64_t>(type, text);
    case TypeKind::kFloat:
      return ParseNumber<float>(type, text);
    case TypeKind::kDouble:
      return ParseNumber<double>(type, text);
    case TypeKind::kDecimal: {
      CALVE_ASSIGN_OR_RETURN(const Decimal decimal,
                             ParseDecimal(text, type.precision(), type.scale()));
      return Value(decimal);
    }
    case TypeKind::kDate:
      return FromOptional(type, text, ParseDate(text));
    case TypeKind::kTime:
      return FromOptional(type, text, ParseTimeOfDay(text, kMicrosPerSecond));
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampTz:
    case TypeKind::kTimestampNs:
    case TypeKind::kTimestampTzNs:
      return ParseTimestamp(type, text);
    case TypeKind::kString:
      return Value(std::string(text));
    case TypeKind::kUuid:
      return FromOptional(type, text, ParseUuid(text));
    case TypeKind::kFixed:
    case TypeKind::kBinary: {
      std::optional<std::string> bytes = FromBase64(text);
      if (!bytes) return NotOfType(type, text);
      if (type.kind() == TypeKind::kFixed && static_cast<int64_t>(bytes->size()) != type.length()) {
        return WrongWidth(type, *bytes, std::to_string(type.length()));
      }
      return Value(std::move(*bytes));
    }
    case TypeKind::kGeometry:
    case TypeKind::kGeography:
    case TypeKind::kUnknown:
    case TypeKind::kVariant:
    case TypeKind::kStruct:
    case TypeKind::kList:
    case TypeKind::kMap:
      break;
  }
  return DataError(fmt::format("a value of type {} cannot be written as text", type.ToString()));
}

}  // namespace calve::iceberg

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <limits>

#include "base/text.h"
#include "iceberg/calendar.h"
#include "iceberg/partition.h"

namespace calve::iceberg {
namespace {

struct NamedKind {
  std::string_view name;
  Transform::Kind kind;
};

constexpr std::array<NamedKind, 6> kPlainTransforms = {{
    {"identity", Transform::Kind::kIdentity},
    {"year", Transform::Kind::kYear},
    {"month", Transform::Kind::kMonth},
    {"day", Transform::Kind::kDay},
    {"hour", Transform::Kind::kHour},
    {"void", Transform::Kind::kVoid},
}};

bool IsTimestamp(TypeKind kind) {
  return kind == TypeKind::kTimestamp || kind == TypeKind::kTimestampTz ||
         kind == TypeKind::kTimestampNs || kind == TypeKind::kTimestampTzNs;
}

bool TakesBucket(TypeKind kind) {
  switch (kind) {
    case TypeKind::kInt:
    case TypeKind::kLong:
    case TypeKind::kDecimal:
    case TypeKind::kDate:
    case TypeKind::kTime:
    case TypeKind::kString:
    case TypeKind::kUuid:
    case TypeKind::kFixed:
    case TypeKind::kBinary:
      return true;
    default:
      return IsTimestamp(kind);
  }
}

bool TakesTruncate(TypeKind kind) {
  return kind == TypeKind::kInt || kind == TypeKind::kLong || kind == TypeKind::kDecimal ||
         kind == TypeKind::kString || kind == TypeKind::kBinary;
}

bool TakesIdentity(const Type& type) {
  return type.is_primitive() && type.kind() != TypeKind::kGeometry &&
         type.kind() != TypeKind::kGeography;
}

bool Takes(Transform::Kind transform, const Type& source) {
  switch (transform) {
    case Transform::Kind::kIdentity:
      return TakesIdentity(source);
    case Transform::Kind::kBucket:
      return TakesBucket(source.kind());
    case Transform::Kind::kTruncate:
      return TakesTruncate(source.kind());
    case Transform::Kind::kYear:
    case Transform::Kind::kMonth:
    case Transform::Kind::kDay:
      return source.kind() == TypeKind::kDate || IsTimestamp(source.kind());
    case Transform::Kind::kHour:
      return IsTimestamp(source.kind());
    case Transform::Kind::kVoid:
      return true;
    case Transform::Kind::kUnknown:
      return false;
  }
  return false;
}

int64_t TicksPerSecond(const Type& type) {
  const bool nanos =
      type.kind() == TypeKind::kTimestampNs || type.kind() == TypeKind::kTimestampTzNs;
  return nanos ? kNanosPerSecond : kMicrosPerSecond;
}

/// Whole days since 1970 of a date or timestamp, rounded down.
int64_t Days(const Type& source, const Value& value) {
  if (const auto* days = value.get_if<int32_t>()) return *days;
  return FloorDiv(value.as<int64_t>(), kSecondsPerDay * TicksPerSecond(source));
}

int64_t Hours(const Type& source, const Value& value) {
  return FloorDiv(value.as<int64_t>(), 3600 * TicksPerSecond(source));
}

int64_t Years(int64_t days) { return CivilFromDays(days).year - 1970; }

int64_t Months(int64_t days) {
  const CivilDate date = CivilFromDays(days);
  return (date.year - 1970) * 12 + date.month - 1;
}

Value Int(int64_t value) { return Value(static_cast<int32_t>(value)); }

/// Round down to a multiple of `width`. Below the smallest number it wraps around, as Java's
/// writers do.
template <typename T, typename Unsigned>
T TruncateNumber(T value, T width) {
  const T remainder = value % width;
  const T positive = remainder < 0 ? remainder + width : remainder;
  return static_cast<T>(static_cast<Unsigned>(value) - static_cast<Unsigned>(positive));
}

__extension__ typedef unsigned __int128 UnsignedInt128;

/// The first `count` code points; bytes that continue a code point belong to it.
std::string FirstCodePoints(const std::string& text, int count) {
  int seen = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool starts = (static_cast<uint8_t>(text[i]) & 0xc0) != 0x80;
    if (starts && seen++ == count) return text.substr(0, i);
  }
  return text;
}

Value TruncateValue(const Type& source, const Value& value, int width) {
  if (const auto* x = value.get_if<int32_t>()) {
    return Value(TruncateNumber<int32_t, uint32_t>(*x, width));
  }
  if (const auto* x = value.get_if<int64_t>()) {
    return Value(TruncateNumber<int64_t, uint64_t>(*x, width));
  }
  if (const auto* x = value.get_if<Decimal>()) {
    return Value(Decimal{TruncateNumber<Int128, UnsignedInt128>(x->unscaled, width)});
  }
  const auto& text = value.as<std::string>();
  if (source.kind() == TypeKind::kString) return Value(FirstCodePoints(text, width));
  return Value(text.substr(0, static_cast<size_t>(width)));
}

std::string MonthText(int64_t months) {
  const int64_t year = 1970 + FloorDiv(months, 12);
  return fmt::format("{:04}-{:02}", year, months - FloorDiv(months, 12) * 12 + 1);
}

std::string HourText(int64_t hours) {
  const int64_t days = FloorDiv(hours, 24);
  return fmt::format("{}-{:02}", FormatDate(days), hours - days * 24);
}

Result<int> ParseParameter(std::string_view text, std::string_view digits) {
  int parameter = 0;
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), parameter);
  if (error != std::errc() || end != digits.data() + digits.size() || parameter < 1) {
    return DataError(fmt::format("expected a transform's parameter from 1 to 2147483647, found {}",
                                 Quote(text)));
  }
  return parameter;
}

}  // namespace

Result<Transform> Transform::Parse(std::string_view text) {
  const std::string lower = ToLower(Trim(text));
  if (lower.empty()) return DataError("expected the name of a partition transform, found \"\"");
  for (const NamedKind& plain : kPlainTransforms) {
    if (lower == plain.name) return Of(plain.kind);
  }
  const size_t open = lower.find('[');
  const std::string_view name = std::string_view(lower).substr(0, open);
  if (name == "bucket" || name == "truncate") {
    if (open == std::string::npos || lower.back() != ']') {
      return DataError(fmt::format("expected {}[N], found {}", name, Quote(text)));
    }
    const std::string_view digits =
        std::string_view(lower).substr(open + 1, lower.size() - open - 2);
    CALVE_ASSIGN_OR_RETURN(const int parameter, ParseParameter(text, digits));
    return name == "bucket" ? Bucket(parameter) : Truncate(parameter);
  }
  return Unknown(std::string(text));
}

Transform Transform::Unknown(std::string text) {
  Transform unknown(Kind::kUnknown, 0);
  unknown.unknown_name_ = std::move(text);
  return unknown;
}

std::string Transform::ToString() const {
  if (kind_ == Kind::kBucket) return fmt::format("bucket[{}]", parameter_);
  if (kind_ == Kind::kTruncate) return fmt::format("truncate[{}]", parameter_);
  for (const NamedKind& plain : kPlainTransforms) {
    if (kind_ == plain.kind) return std::string(plain.name);
  }
  return unknown_name_;
}

Result<Type> Transform::ResultType(const Type& source) const {
  if (kind_ == Kind::kUnknown) {
    return ConfigError(
        fmt::format("the partition transform {} is not known to this version; it cannot be "
                    "written",
                    Quote(unknown_name_)));
  }
  if (!Takes(kind_, source)) {
    return ConfigError(fmt::format("the transform {} does not take values of type {}", ToString(),
                                   source.ToString()));
  }
  switch (kind_) {
    case Kind::kIdentity:
    case Kind::kTruncate:
    case Kind::kVoid:
    case Kind::kUnknown:
      return source;
    case Kind::kBucket:
    case Kind::kYear:
    case Kind::kMonth:
    case Kind::kHour:
      return Type::Int();
    case Kind::kDay:
      return Type::Date();
  }
  return source;
}

Value Transform::Apply(const Type& source, const Value& value) const {
  if (value.is_null()) return value;
  switch (kind_) {
    case Kind::kIdentity:
      return value;
    case Kind::kBucket: {
      const auto hash = static_cast<uint32_t>(BucketHash(source, value)) & 0x7fffffffU;
      return Int(hash % static_cast<uint32_t>(parameter_));
    }
    case Kind::kTruncate:
      return TruncateValue(source, value, parameter_);
    case Kind::kYear:
      return Int(Years(Days(source, value)));
    case Kind::kMonth:
      return Int(Months(Days(source, value)));
    case Kind::kDay:
      return Int(Days(source, value));
    case Kind::kHour:
      return Int(Hours(source, value));
    case Kind::kVoid:
    case Kind::kUnknown:
      break;
  }
  return Value::Null();
}

std::string Transform::ToText(const Type& source, const Value& result) const {
  if (result.is_null()) return "null";
  switch (kind_) {
    case Kind::kYear:
      return fmt::format("{:04}", 1970 + int64_t{result.as<int32_t>()});
    case Kind::kMonth:
      return MonthText(result.as<int32_t>());
    case Kind::kDay:
      return FormatDate(result.as<int32_t>());
    case Kind::kHour:
      return HourText(result.as<int32_t>());
    case Kind::kBucket:
      return fmt::format("{}", result.as<int32_t>());
    case Kind::kIdentity:
    case Kind::kTruncate:
    case Kind::kVoid:
    case Kind::kUnknown:
      break;
  }
  return iceberg::ToText(source, result);
}

}  // namespace calve::iceberg

#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

#include "base/result.h"

namespace calve::iceberg {

class Type;

__extension__ typedef __int128 Int128;
using Uuid = std::array<uint8_t, 16>;

/// An unscaled decimal; its scale belongs to its type.
struct Decimal {
  Int128 unscaled = 0;
  bool operator==(const Decimal&) const = default;
  auto operator<=>(const Decimal&) const = default;
};

/// One value of a primitive type, or null. It is meaningful only beside its Type:
///
/// | type | alternative |
/// |---|---|
/// | boolean | bool |
/// | int, date (days since 1970-01-01) | int32_t |
/// | long, time (µs since midnight), timestamp and timestamptz (µs), timestamp_ns and
/// timestamptz_ns (ns) | int64_t | | float, double | float, double | | decimal | Decimal | |
/// string, binary, fixed, geometry (WKB) | std::string | | uuid | Uuid |
class Value {
 public:
  using Storage = std::variant<std::monostate, bool, int32_t, int64_t, float, double, Decimal,
                               std::string, Uuid>;

  Value() = default;
  template <typename T>
    requires(std::is_same_v<T, bool> || std::is_same_v<T, int32_t> || std::is_same_v<T, int64_t> ||
             std::is_same_v<T, float> || std::is_same_v<T, double> || std::is_same_v<T, Decimal> ||
             std::is_same_v<T, std::string> || std::is_same_v<T, Uuid>)
  explicit Value(T v) : storage_(std::move(v)) {}

  static Value Null() { return {}; }
  bool is_null() const { return std::holds_alternative<std::monostate>(storage_); }
  template <typename T>
  const T& as() const {
    return std::get<T>(storage_);
  }
  template <typename T>
  const T* get_if() const {
    return std::get_if<T>(&storage_);
  }
  const Storage& storage() const { return storage_; }
  bool operator==(const Value&) const = default;

 private:
  Storage storage_;
};

/// Order two non-null values of one type as the spec orders bounds: numbers by value (-0.0 before
/// 0.0, NaN last), strings and bytes by unsigned bytes, uuids by unsigned big-endian bytes. Both
/// must hold the same alternative.
std::strong_ordering Compare(const Value& a, const Value& b);

/// Whether a non-null value has the alternative, width and precision that the primitive `type` asks
/// for.
bool HoldsValueOf(const Type& type, const Value& value);

/// Encode as Appendix D's binary single value (manifest bounds). `value` must not be null.
Result<std::string> ToBytes(const Type& type, const Value& value);
/// Decode a binary single value. Fails with kData when the width is not the type's; an int's bytes
/// for a long, a float's for a double and a date's for a timestamp are accepted, since bounds
/// written before a promotion keep their width; so are fewer bytes for a fixed, since writers cut
/// long bounds.
Result<Value> FromBytes(const Type& type, std::string_view bytes);

/// Print for people and for partition paths: dates as 2026-11-21, timestamps in ISO 8601, decimals
/// with their scale, binary as base64, null as "null".
std::string ToText(const Type& type, const Value& value);

/// Read what a person or a configuration wrote. Fails with kData naming text and type.
Result<Value> ParseText(const Type& type, std::string_view text);

}  // namespace calve::iceberg

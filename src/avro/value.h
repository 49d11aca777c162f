#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "avro/decoder.h"
#include "avro/encoder.h"
#include "avro/schema.h"
#include "base/result.h"

namespace calve::avro {

struct Value;

template <typename T, typename Variant>
inline constexpr bool kIsAlternative = false;
template <typename T, typename... Alternatives>
inline constexpr bool kIsAlternative<T, std::variant<Alternatives...>> =
    (std::is_same_v<T, Alternatives> || ...);

struct BytesValue {
  std::string bytes;
  bool operator==(const BytesValue&) const = default;
};
struct SymbolValue {
  std::string symbol;
  bool operator==(const SymbolValue&) const = default;
};
struct FixedValue {
  std::string bytes;
  bool operator==(const FixedValue&) const = default;
};
/// The fields of a record in the order of its schema.
struct RecordValue {
  std::vector<Value> fields;
  bool operator==(const RecordValue& other) const;
};
struct ArrayValue {
  std::vector<Value> items;
  bool operator==(const ArrayValue& other) const;
};
/// The entries of a map in the order in which they were written; keys may repeat.
struct MapValue {
  std::vector<std::pair<std::string, Value>> entries;
  bool operator==(const MapValue& other) const;
};

/// Any Avro value, for code that cannot know its schema. The fast ways are Decoder and Projection.
///
/// A union's value is the value of its branch, with `branch` set. Equality is of values and kinds;
/// `branch` does not count, and NaN equals nothing.
struct Value {
  using Data =
      std::variant<std::monostate, bool, int32_t, int64_t, float, double, BytesValue, std::string,
                   RecordValue, SymbolValue, ArrayValue, MapValue, FixedValue>;

  Value() = default;
  template <typename T>
    requires kIsAlternative<std::remove_cvref_t<T>, Data>
  Value(T&& alternative)  // NOLINT(google-explicit-constructor)
      : data(std::in_place_type<std::remove_cvref_t<T>>, std::forward<T>(alternative)) {}

  /// The kind whose values it is one of: never kUnion.
  Kind kind() const;
  template <typename T>
  const T& get() const {
    return std::get<T>(data);
  }
  bool operator==(const Value& other) const { return data == other.data; }

  Data data;
  int32_t branch = -1;  ///< Of the union that held it; -1: the first that fits.
};

/// Read a value as its schema says, with no other schema in mind. Strings must be valid UTF-8.
Result<Value> ReadValue(const Node& node, Decoder& decoder);

/// Write a value as a schema says. Fails with kData, having written part of it, when it is no value
/// of `node`: another kind, a symbol that is not there, a fixed of another size, too few fields.
Status WriteValue(const Node& node, const Value& value, Encoder& encoder);

/// Make a value from JSON as field defaults have it (Avro spec, Complex Types: default): bytes and
/// fixed are strings of code points 0 to 255, a union's default is of any of its branches.
Result<Value> ValueFromJson(const Node& node, std::string_view json);

}  // namespace calve::avro

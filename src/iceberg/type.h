#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "iceberg/ids.h"
#include "iceberg/value.h"

namespace calve::iceberg {

enum class TypeKind {
  kBoolean,
  kInt,
  kLong,
  kFloat,
  kDouble,
  kDecimal,
  kDate,
  kTime,
  kTimestamp,
  kTimestampTz,
  kTimestampNs,
  kTimestampTzNs,
  kString,
  kUuid,
  kFixed,
  kBinary,
  kUnknown,
  kVariant,
  kGeometry,
  kGeography,
  kStruct,
  kList,
  kMap,
};

struct Field;

/// A type of the Iceberg spec. A cheap value: nested types share their immutable fields. Threads:
/// any.
///
/// A list has one field named `element`; a map has `key` (always required) and `value`.
class Type {
 public:
  Type() = default;  ///< unknown

  static Type Of(TypeKind kind);  ///< A primitive without parameters, or variant.
  static Type Boolean() { return Of(TypeKind::kBoolean); }
  static Type Int() { return Of(TypeKind::kInt); }
  static Type Long() { return Of(TypeKind::kLong); }
  static Type Float() { return Of(TypeKind::kFloat); }
  static Type Double() { return Of(TypeKind::kDouble); }
  static Type Date() { return Of(TypeKind::kDate); }
  static Type Time() { return Of(TypeKind::kTime); }
  static Type Timestamp() { return Of(TypeKind::kTimestamp); }
  static Type TimestampTz() { return Of(TypeKind::kTimestampTz); }
  static Type String() { return Of(TypeKind::kString); }
  static Type UuidType() { return Of(TypeKind::kUuid); }
  static Type Binary() { return Of(TypeKind::kBinary); }
  /// `precision` in [1, 38], `scale` in [0, precision].
  static Type Decimal(int precision, int scale);
  /// `length` in bytes.
  static Type Fixed(int64_t length);
  /// `crs` and, for geography, `algorithm`; empty means the spec's default.
  static Type Geometry(std::string crs);
  static Type Geography(std::string crs, std::string algorithm);
  static Type Struct(std::vector<Field> fields);
  static Type List(FieldId element_id, Type element, bool element_required);
  static Type Map(FieldId key_id, Type key, FieldId value_id, Type value, bool value_required);

  TypeKind kind() const { return kind_; }
  bool is_nested() const { return kind_ >= TypeKind::kStruct; }
  bool is_primitive() const { return !is_nested() && kind_ != TypeKind::kVariant; }
  int precision() const { return precision_; }
  int scale() const { return scale_; }
  int64_t length() const { return length_; }
  const std::string& crs() const { return crs_; }
  const std::string& algorithm() const { return algorithm_; }
  /// The fields of a struct, the element of a list, the key and value of a map; empty for others.
  const std::vector<Field>& fields() const;

  /// Print as the spec's JSON names do, nested types as struct<...>, list<...>, map<...>:
  /// decimal(9, 2), fixed[16].
  std::string ToString() const;
  /// Read a primitive's name as ToString prints it; also decimal(9,2), and SQL's usual names as
  /// aliases are refused here.
  static Result<Type> Parse(std::string_view text);

  /// Equal in structure, ids, names, requiredness, docs and defaults.
  bool operator==(const Type& other) const;

 private:
  TypeKind kind_ = TypeKind::kUnknown;
  int precision_ = 0;
  int scale_ = 0;
  int64_t length_ = 0;
  std::string crs_;
  std::string algorithm_;
  std::shared_ptr<const std::vector<Field>> fields_;
};

/// A field of a struct, or the element, key or value of a nested type.
struct Field {
  FieldId id;
  std::string name;
  Type type;
  bool required = false;
  std::optional<std::string> doc = std::nullopt;
  /// v3: what rows written before the field existed read as. Primitive types only; nothing means
  /// null.
  std::optional<Value> initial_default = std::nullopt;
  /// v3: what a writer puts when the caller gives no value.
  std::optional<Value> write_default = std::nullopt;

  bool operator==(const Field&) const = default;
};

/// Whether a column of type `from` may become `to` (spec, Schema evolution): int→long,
/// float→double, decimal(P,S)→decimal(P',S) with P' ≥ P, and in v3 unknown→any and date→timestamp,
/// timestamp_ns.
bool IsPromotion(const Type& from, const Type& to, int format_version);

}  // namespace calve::iceberg

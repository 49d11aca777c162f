#pragma once

#include <compare>
#include <optional>
#include <string_view>

#include "iceberg/expression.h"
#include "iceberg/schema.h"

// What the evaluators of filters share. For use within the room.

namespace calve::iceberg {

/// Rewrite so that no kNot is left: `not (a < 5 or b is null)` becomes `a >= 5 and b is not null`.
/// SQL's three-valued logic keeps the rows that match; `not (a > 5)` becomes `a <= 5 or a is NaN`,
/// which holds whether NaNs have an order or not.
Expression WithoutNot(const Expression& filter);
/// The same for proving that rows match: `not (a > 5)` becomes `a <= 5`.
Expression WithoutNotStrict(const Expression& filter);

/// A value or bound reduced to what ordering needs. `bytes` points to where it was read from.
struct Scalar {
  enum class Domain { kNumber, kReal, kBytes };
  Domain domain = Domain::kNumber;
  Int128 number = 0;
  double real = 0;
  std::string_view bytes;
};

/// Read a value of `type`; nothing when it is null, NaN, not of the type's alternative, or of a
/// type that is not ordered here (uuid, whose order differs between implementations; variant; geo;
/// nested).
std::optional<Scalar> ToScalar(const Type& type, const Value& value);
/// Read a bound as stored in a manifest, also one written before the column was promoted; nothing
/// as above or when its width is not one of the type's.
std::optional<Scalar> BoundToScalar(const Type& type, std::string_view bytes);
/// Order two scalars of one domain. -0.0 and 0.0 are equal, as in SQL.
std::weak_ordering operator<=>(const Scalar& a, const Scalar& b);
inline bool operator==(const Scalar& a, const Scalar& b) { return (a <=> b) == 0; }

/// Whether a single known value (not a bound) satisfies a leaf. What cannot be decided is true when
/// `unknown` is true.
bool ValueMatches(const Expression& leaf, const Type& type, const Value& value, bool unknown);

/// Whether a value is a NaN of float or double.
bool IsNan(const Value& value);

/// Whether every ancestor of a field is a struct, so that the field has one value a row.
bool IsOnePerRow(const Schema& schema, FieldId id);

}  // namespace calve::iceberg

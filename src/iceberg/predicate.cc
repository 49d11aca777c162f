#include "iceberg/predicate.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace calve::iceberg {
namespace {

using Op = Expression::Op;

Op Opposite(Op op) {
  switch (op) {
    case Op::kIsNull:
      return Op::kNotNull;
    case Op::kNotNull:
      return Op::kIsNull;
    case Op::kIsNan:
      return Op::kNotNan;
    case Op::kNotNan:
      return Op::kIsNan;
    case Op::kLess:
      return Op::kGreaterOrEqual;
    case Op::kLessOrEqual:
      return Op::kGreater;
    case Op::kGreater:
      return Op::kLessOrEqual;
    case Op::kGreaterOrEqual:
      return Op::kLess;
    case Op::kEqual:
      return Op::kNotEqual;
    case Op::kNotEqual:
      return Op::kEqual;
    case Op::kIn:
      return Op::kNotIn;
    case Op::kNotIn:
      return Op::kIn;
    case Op::kStartsWith:
      return Op::kNotStartsWith;
    case Op::kNotStartsWith:
      return Op::kStartsWith;
    case Op::kTrue:
      return Op::kFalse;
    case Op::kFalse:
      return Op::kTrue;
    case Op::kAnd:
      return Op::kOr;
    case Op::kOr:
      return Op::kAnd;
    case Op::kNot:
      break;
  }
  return op;
}

/// Where a NaN has no order (IEEE 754) it is not greater than anything, and so matches `not (x >
/// 5)`, though not `x <= 5`.
Expression NegatedComparison(const Expression& e, bool may) {
  Expression opposite = Expression::Compare(Opposite(e.op()), e.field(), e.values());
  if (!may || (e.op() != Op::kGreater && e.op() != Op::kGreaterOrEqual)) return opposite;
  return Expression::Or(std::move(opposite), Expression::Unary(Op::kIsNan, e.field()));
}

/// `may`: keep all rows that match by some order of NaNs; else only those that match by every
/// order.
Expression Rewrite(const Expression& e, bool negate, bool may) {
  switch (e.op()) {
    case Op::kNot:
      return Rewrite(e.left(), !negate, may);
    case Op::kTrue:
    case Op::kFalse:
      return (e.op() == Op::kTrue) != negate ? Expression::True() : Expression::False();
    case Op::kAnd:
    case Op::kOr: {
      Expression left = Rewrite(e.left(), negate, may);
      Expression right = Rewrite(e.right(), negate, may);
      return (e.op() == Op::kAnd) != negate ? Expression::And(std::move(left), std::move(right))
                                            : Expression::Or(std::move(left), std::move(right));
    }
    case Op::kIsNull:
    case Op::kNotNull:
    case Op::kIsNan:
    case Op::kNotNan:
      return negate ? Expression::Unary(Opposite(e.op()), e.field()) : e;
    case Op::kLess:
    case Op::kLessOrEqual:
    case Op::kGreater:
    case Op::kGreaterOrEqual:
    case Op::kEqual:
    case Op::kNotEqual:
    case Op::kIn:
    case Op::kNotIn:
    case Op::kStartsWith:
    case Op::kNotStartsWith:
      return negate ? NegatedComparison(e, may) : e;
  }
  return Expression::True();
}

std::optional<Scalar> Number(Int128 number) {
  return Scalar{.domain = Scalar::Domain::kNumber, .number = number, .bytes = {}};
}
std::optional<Scalar> Real(double real) {
  if (std::isnan(real)) return std::nullopt;
  return Scalar{.domain = Scalar::Domain::kReal, .real = real, .bytes = {}};
}
std::optional<Scalar> Bytes(std::string_view bytes) {
  return Scalar{.domain = Scalar::Domain::kBytes, .bytes = bytes};
}

template <typename T>
T LoadLittleEndian(std::string_view bytes) {
  T value;
  std::memcpy(&value, bytes.data(), sizeof(value));
  return value;
}

std::optional<Scalar> IntegerBound(TypeKind kind, std::string_view bytes) {
  if (bytes.size() == 8) return Number(LoadLittleEndian<int64_t>(bytes));
  if (bytes.size() != 4) return std::nullopt;
  const Int128 narrow = LoadLittleEndian<int32_t>(bytes);
  // A date column that became a timestamp keeps bounds in days.
  constexpr int64_t kMicrosPerDay = 86'400'000'000;
  if (kind == TypeKind::kTimestamp) return Number(narrow * kMicrosPerDay);
  if (kind == TypeKind::kTimestampNs) return Number(narrow * kMicrosPerDay * 1000);
  const bool plain = kind == TypeKind::kInt || kind == TypeKind::kDate || kind == TypeKind::kLong;
  return plain ? Number(narrow) : std::nullopt;
}

std::optional<Scalar> DecimalBound(std::string_view bytes) {
  if (bytes.empty() || bytes.size() > 16) return std::nullopt;
  Int128 number = static_cast<signed char>(bytes.front()) < 0 ? -1 : 0;
  for (const char byte : bytes) number = number * 256 + static_cast<unsigned char>(byte);
  return Number(number);
}

}  // namespace

Expression WithoutNot(const Expression& filter) { return Rewrite(filter, false, true); }

Expression WithoutNotStrict(const Expression& filter) { return Rewrite(filter, false, false); }

std::optional<Scalar> ToScalar(const Type& type, const Value& value) {
  switch (type.kind()) {
    case TypeKind::kBoolean:
      if (const bool* v = value.get_if<bool>()) return Number(*v ? 1 : 0);
      return std::nullopt;
    case TypeKind::kInt:
    case TypeKind::kDate:
      if (const int32_t* v = value.get_if<int32_t>()) return Number(*v);
      return std::nullopt;
    case TypeKind::kLong:
    case TypeKind::kTime:
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampTz:
    case TypeKind::kTimestampNs:
    case TypeKind::kTimestampTzNs:
      if (const int64_t* v = value.get_if<int64_t>()) return Number(*v);
      return std::nullopt;
    case TypeKind::kFloat:
      if (const float* v = value.get_if<float>()) return Real(*v);
      return std::nullopt;
    case TypeKind::kDouble:
      if (const double* v = value.get_if<double>()) return Real(*v);
      return std::nullopt;
    case TypeKind::kDecimal:
      if (const Decimal* v = value.get_if<Decimal>()) return Number(v->unscaled);
      return std::nullopt;
    case TypeKind::kString:
    case TypeKind::kBinary:
    case TypeKind::kFixed:
      if (const std::string* v = value.get_if<std::string>()) return Bytes(*v);
      return std::nullopt;
    case TypeKind::kUuid:
    case TypeKind::kUnknown:
    case TypeKind::kVariant:
    case TypeKind::kGeometry:
    case TypeKind::kGeography:
    case TypeKind::kStruct:
    case TypeKind::kList:
    case TypeKind::kMap:
      return std::nullopt;
  }
  return std::nullopt;
}

std::optional<Scalar> BoundToScalar(const Type& type, std::string_view bytes) {
  switch (type.kind()) {
    case TypeKind::kBoolean:
      if (bytes.size() != 1) return std::nullopt;
      return Number(bytes.front() != 0 ? 1 : 0);
    case TypeKind::kInt:
    case TypeKind::kDate:
    case TypeKind::kLong:
    case TypeKind::kTime:
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampTz:
    case TypeKind::kTimestampNs:
    case TypeKind::kTimestampTzNs:
      return IntegerBound(type.kind(), bytes);
    case TypeKind::kFloat:
    case TypeKind::kDouble:
      if (bytes.size() == 4) return Real(LoadLittleEndian<float>(bytes));
      if (bytes.size() == 8) return Real(LoadLittleEndian<double>(bytes));
      return std::nullopt;
    case TypeKind::kDecimal:
      return DecimalBound(bytes);
    case TypeKind::kString:
    case TypeKind::kBinary:
    case TypeKind::kFixed:
      return Bytes(bytes);
    case TypeKind::kUuid:
    case TypeKind::kUnknown:
    case TypeKind::kVariant:
    case TypeKind::kGeometry:
    case TypeKind::kGeography:
    case TypeKind::kStruct:
    case TypeKind::kList:
    case TypeKind::kMap:
      return std::nullopt;
  }
  return std::nullopt;
}

std::weak_ordering operator<=>(const Scalar& a, const Scalar& b) {
  switch (a.domain) {
    case Scalar::Domain::kNumber:
      return a.number <=> b.number;
    case Scalar::Domain::kReal:
      if (a.real < b.real) return std::weak_ordering::less;
      if (a.real > b.real) return std::weak_ordering::greater;
      return std::weak_ordering::equivalent;
    case Scalar::Domain::kBytes:
      return a.bytes.compare(b.bytes) <=> 0;
  }
  return std::weak_ordering::equivalent;
}

bool IsNan(const Value& value) {
  if (const float* v = value.get_if<float>()) return std::isnan(*v);
  if (const double* v = value.get_if<double>()) return std::isnan(*v);
  return false;
}

namespace {

/// Whether `value` equals one of the leaf's values; nothing when it cannot be told.
std::optional<bool> EqualsAny(const Expression& leaf, const Type& type, const Value& value) {
  const std::optional<Scalar> have = ToScalar(type, value);
  bool undecided = false;
  for (const Value& literal : leaf.values()) {
    if (type.kind() == TypeKind::kUuid && literal.get_if<Uuid>() != nullptr) {
      if (literal == value) return true;
      continue;
    }
    const std::optional<Scalar> want = ToScalar(type, literal);
    if (!have || !want) {
      undecided = undecided || !literal.is_null();
    } else if (*have == *want) {
      return true;
    }
  }
  if (undecided) return std::nullopt;
  return false;
}

}  // namespace

bool ValueMatches(const Expression& leaf, const Type& type, const Value& value, bool unknown) {
  const Op op = leaf.op();
  if (op == Op::kIsNull) return value.is_null();
  if (op == Op::kNotNull) return !value.is_null();
  if (op == Op::kIsNan) return IsNan(value);
  if (op == Op::kNotNan) return !IsNan(value);
  if (value.is_null()) return false;
  if (op == Op::kEqual || op == Op::kIn) return EqualsAny(leaf, type, value).value_or(unknown);
  if (op == Op::kNotEqual || op == Op::kNotIn) {
    const std::optional<bool> equal = EqualsAny(leaf, type, value);
    return equal ? !*equal : unknown;
  }
  const std::optional<Scalar> have = ToScalar(type, value);
  const std::optional<Scalar> want = ToScalar(type, leaf.values().front());
  if (!have || !want) return unknown;
  if (op == Op::kLess) return *have < *want;
  if (op == Op::kLessOrEqual) return *have <= *want;
  if (op == Op::kGreater) return *have > *want;
  if (op == Op::kGreaterOrEqual) return *have >= *want;
  if (have->domain != Scalar::Domain::kBytes) return unknown;
  return have->bytes.starts_with(want->bytes) == (op == Op::kStartsWith);
}

bool IsOnePerRow(const Schema& schema, FieldId id) {
  const std::vector<FieldId> path = schema.PathTo(id);
  if (path.empty()) return false;
  return std::all_of(path.begin(), path.end() - 1, [&](FieldId parent) {
    const Field* field = schema.FindById(parent);
    return field != nullptr && field->type.kind() == TypeKind::kStruct;
  });
}

}  // namespace calve::iceberg

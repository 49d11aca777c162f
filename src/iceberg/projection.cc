#include "iceberg/projection.h"

#include <limits>
#include <optional>

#include "iceberg/predicate.h"

namespace calve::iceberg {
namespace {

using Op = Expression::Op;
using Kind = Transform::Kind;

/// The neighbour of a whole-number value, `step` 1 or -1; nothing at the end of the range or for
/// other types.
std::optional<Value> Neighbour(const Value& value, int step) {
  if (const int32_t* v = value.get_if<int32_t>()) {
    const int32_t end =
        step > 0 ? std::numeric_limits<int32_t>::max() : std::numeric_limits<int32_t>::min();
    if (*v == end) return std::nullopt;
    return Value(*v + step);
  }
  if (const int64_t* v = value.get_if<int64_t>()) {
    const int64_t end =
        step > 0 ? std::numeric_limits<int64_t>::max() : std::numeric_limits<int64_t>::min();
    if (*v == end) return std::nullopt;
    return Value(*v + step);
  }
  if (const Decimal* v = value.get_if<Decimal>()) return Value(Decimal{v->unscaled + step});
  return std::nullopt;
}

size_t CodePoints(std::string_view text) {
  size_t count = 0;
  for (const char byte : text) count += (static_cast<unsigned char>(byte) & 0xC0) != 0x80 ? 1 : 0;
  return count;
}

/// The length of a prefix in the units that truncate counts.
size_t PrefixLength(const Type& source, const std::string& prefix) {
  return source.kind() == TypeKind::kString ? CodePoints(prefix) : prefix.size();
}

/// Whether every literal is of the source type, so that a transform can take it.
bool Usable(const Expression& leaf, const Type& source) {
  if (leaf.op() < Op::kLess) return true;
  if (leaf.values().empty()) return false;
  for (const Value& value : leaf.values()) {
    const bool uuid = source.kind() == TypeKind::kUuid && value.get_if<Uuid>() != nullptr;
    if (!uuid && !ToScalar(source, value)) return false;
  }
  return true;
}

std::vector<Value> ApplyAll(const Transform& transform, const Type& source,
                            const std::vector<Value>& values) {
  std::vector<Value> out;
  out.reserve(values.size());
  for (const Value& value : values) out.push_back(transform.Apply(source, value));
  return out;
}

/// Writers exist that rounded moments before 1970 towards it, one unit too late: let both
/// partitions match.
Expression AllowLatePartition(Op op, FieldId id, Value bound) {
  const int32_t* unit = bound.get_if<int32_t>();
  if (unit == nullptr || *unit >= 0) return Expression::Compare(op, id, {std::move(bound)});
  if (op == Op::kLessOrEqual) return Expression::Compare(op, id, {Value(*unit + 1)});
  if (op == Op::kEqual) return Expression::Compare(Op::kIn, id, {bound, Value(*unit + 1)});
  return Expression::Compare(op, id, {std::move(bound)});
}

/// Truncation goes down, and below the least whole number it wraps, as in Iceberg's own writers: the
/// partition of the values that wrap, far from all their neighbours; nothing when none do.
std::optional<Value> WrappedPartition(const Transform& transform, const Type& source) {
  const bool is_int = source.kind() == TypeKind::kInt;
  if (transform.kind() != Kind::kTruncate || (!is_int && source.kind() != TypeKind::kLong))
    return std::nullopt;
  const Value least = is_int ? Value(std::numeric_limits<int32_t>::min())
                             : Value(std::numeric_limits<int64_t>::min());
  Value partition = transform.Apply(source, least);
  if (Compare(partition, least) == 0) return std::nullopt;
  return partition;
}

/// The partitions from or up to the one of a value, where those of the least values wrap.
Expression BoundAroundWrap(Op op, FieldId id, const Value& value, Value unit, Value wrapped) {
  const bool value_wraps = Compare(unit, value) > 0;
  if (op == Op::kGreaterOrEqual)
    return value_wraps ? Expression::True() : Expression::Compare(op, id, {std::move(unit)});
  Expression least = Expression::Compare(Op::kEqual, id, {std::move(wrapped)});
  if (value_wraps) return least;
  return Expression::Or(Expression::Compare(op, id, {std::move(unit)}), std::move(least));
}

Expression OrderedInclusive(const Expression& leaf, const Type& source,
                            const PartitionField& field) {
  const Transform& transform = field.transform;
  const bool time = IsTimeTransform(transform);
  const std::optional<Value> wrapped = WrappedPartition(transform, source);
  const auto bound = [&](Op op, const Value& value) {
    Value unit = transform.Apply(source, value);
    if (wrapped.has_value() && op != Op::kEqual)
      return BoundAroundWrap(op, field.field_id, value, std::move(unit), *wrapped);
    return time ? AllowLatePartition(op, field.field_id, std::move(unit))
                : Expression::Compare(op, field.field_id, {std::move(unit)});
  };
  const Value& first = leaf.values().front();
  switch (leaf.op()) {
    case Op::kLess:
      return bound(Op::kLessOrEqual, Neighbour(first, -1).value_or(first));
    case Op::kLessOrEqual:
      return bound(Op::kLessOrEqual, first);
    case Op::kGreater:
      return bound(Op::kGreaterOrEqual, Neighbour(first, 1).value_or(first));
    case Op::kGreaterOrEqual:
      return bound(Op::kGreaterOrEqual, first);
    case Op::kEqual:
      return bound(Op::kEqual, first);
    case Op::kIn: {
      std::vector<Value> units = ApplyAll(transform, source, leaf.values());
      if (time) {
        const size_t count = units.size();
        for (size_t i = 0; i < count; ++i) {
          if (const int32_t* unit = units[i].get_if<int32_t>(); unit && *unit < 0)
            units.emplace_back(*unit + 1);
        }
      }
      return Expression::Compare(Op::kIn, field.field_id, std::move(units));
    }
    default:
      return Expression::True();
  }
}

Expression PrefixInclusive(const Expression& leaf, const Type& source,
                           const PartitionField& field) {
  const std::string* prefix = leaf.values().front().get_if<std::string>();
  if (prefix == nullptr) return Expression::True();
  const size_t length = PrefixLength(source, *prefix);
  const auto width = static_cast<size_t>(field.transform.parameter());
  const bool negative = leaf.op() == Op::kNotStartsWith;
  if (length < width) return Expression::Compare(leaf.op(), field.field_id, leaf.values());
  if (length == width) {
    return Expression::Compare(negative ? Op::kNotEqual : Op::kEqual, field.field_id,
                               leaf.values());
  }
  if (negative) return Expression::True();
  return Expression::Compare(Op::kEqual, field.field_id,
                             {field.transform.Apply(source, leaf.values().front())});
}

Expression OrderedStrict(const Expression& leaf, const Type& source, const PartitionField& field) {
  const std::optional<Value> wrapped = WrappedPartition(field.transform, source);
  const auto bound = [&](Op op, const Value& value) {
    Value unit = field.transform.Apply(source, value);
    if (wrapped.has_value() && op == Op::kLess && Compare(unit, value) > 0)
      return Expression::False();
    Expression whole = Expression::Compare(op, field.field_id, {std::move(unit)});
    if (!wrapped.has_value() || op != Op::kGreater) return whole;
    return Expression::And(std::move(whole),
                           Expression::Compare(Op::kNotEqual, field.field_id, {*wrapped}));
  };
  const Value& first = leaf.values().front();
  // A partition is wholly below a value when it is below the value's own partition. `<= v` is `< v
  // + 1` of whole numbers.
  switch (leaf.op()) {
    case Op::kLess:
      return bound(Op::kLess, first);
    case Op::kLessOrEqual:
      return bound(Op::kLess, Neighbour(first, 1).value_or(first));
    case Op::kGreater:
      return bound(Op::kGreater, first);
    case Op::kGreaterOrEqual:
      return bound(Op::kGreater, Neighbour(first, -1).value_or(first));
    case Op::kNotEqual:
    case Op::kNotIn:
      return Expression::Compare(Op::kNotIn, field.field_id,
                                 ApplyAll(field.transform, source, leaf.values()));
    default:
      return Expression::False();
  }
}

Expression PrefixStrict(const Expression& leaf, const Type& source, const PartitionField& field) {
  const std::string* prefix = leaf.values().front().get_if<std::string>();
  if (prefix == nullptr) return Expression::False();
  const auto width = static_cast<size_t>(field.transform.parameter());
  if (PrefixLength(source, *prefix) <= width) {
    return Expression::Compare(leaf.op(), field.field_id, leaf.values());
  }
  if (leaf.op() == Op::kStartsWith) return Expression::False();
  return Expression::Compare(Op::kNotEqual, field.field_id,
                             {field.transform.Apply(source, leaf.values().front())});
}

/// The leaf itself, on the partition field instead of the column.
Expression Same(const Expression& leaf, FieldId id) {
  if (leaf.op() < Op::kLess) return Expression::Unary(leaf.op(), id);
  return Expression::Compare(leaf.op(), id, leaf.values());
}

bool IsReal(const Type& type) {
  return type.kind() == TypeKind::kFloat || type.kind() == TypeKind::kDouble;
}
bool IsNanTest(Op op) { return op == Op::kIsNan || op == Op::kNotNan; }
bool IsPrefix(Op op) { return op == Op::kStartsWith || op == Op::kNotStartsWith; }
bool IsNullTest(Op op) { return op == Op::kIsNull || op == Op::kNotNull; }

}  // namespace

bool IsTimeTransform(const Transform& transform) {
  const Kind kind = transform.kind();
  return kind == Kind::kYear || kind == Kind::kMonth || kind == Kind::kDay || kind == Kind::kHour;
}

Expression ProjectInclusive(const Expression& leaf, const Type& source,
                            const PartitionField& field) {
  const Kind kind = field.transform.kind();
  if (IsNanTest(leaf.op()) && !IsReal(source)) {
    return leaf.op() == Op::kIsNan ? Expression::False() : Expression::True();
  }
  if (kind == Kind::kVoid || kind == Kind::kUnknown || !Usable(leaf, source))
    return Expression::True();
  if (kind == Kind::kIdentity || IsNullTest(leaf.op())) return Same(leaf, field.field_id);
  if (leaf.op() < Op::kLess) return Expression::True();
  if (kind == Kind::kBucket) {
    if (leaf.op() != Op::kEqual && leaf.op() != Op::kIn) return Expression::True();
    return Expression::Compare(Op::kIn, field.field_id,
                               ApplyAll(field.transform, source, leaf.values()));
  }
  if (!IsPrefix(leaf.op())) return OrderedInclusive(leaf, source, field);
  return kind == Kind::kTruncate ? PrefixInclusive(leaf, source, field) : Expression::True();
}

Expression ProjectStrict(const Expression& leaf, const Type& source, const PartitionField& field) {
  const Kind kind = field.transform.kind();
  if (kind == Kind::kVoid || kind == Kind::kUnknown || !Usable(leaf, source))
    return Expression::False();
  if (kind == Kind::kIdentity || IsNullTest(leaf.op())) return Same(leaf, field.field_id);
  if (leaf.op() < Op::kLess) return Expression::False();
  if (kind == Kind::kBucket) {
    if (leaf.op() != Op::kNotEqual && leaf.op() != Op::kNotIn) return Expression::False();
    return Expression::Compare(Op::kNotIn, field.field_id,
                               ApplyAll(field.transform, source, leaf.values()));
  }
  if (!IsPrefix(leaf.op())) return OrderedStrict(leaf, source, field);
  return kind == Kind::kTruncate ? PrefixStrict(leaf, source, field) : Expression::False();
}

}  // namespace calve::iceberg

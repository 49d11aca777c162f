#include "engine/duckdb/filters.h"

#include <duckdb/planner/expression/bound_between_expression.hpp>
#include <duckdb/planner/expression/bound_cast_expression.hpp>
#include <duckdb/planner/expression/bound_columnref_expression.hpp>
#include <duckdb/planner/expression/bound_comparison_expression.hpp>
#include <duckdb/planner/expression/bound_conjunction_expression.hpp>
#include <duckdb/planner/expression/bound_constant_expression.hpp>
#include <duckdb/planner/expression/bound_function_expression.hpp>
#include <duckdb/planner/expression/bound_operator_expression.hpp>

#include <cmath>
#include <optional>

#include "engine/duckdb/types.h"

namespace calve::engine {
namespace {

using duckdb::ExpressionType;
using iceberg::Expression;
using iceberg::Field;
using iceberg::TypeKind;
using iceberg::Value;
using Op = Expression::Op;

constexpr int64_t kMicrosPerDay = 86'400'000'000;

/// An expression and whether it is the filter itself (its negation is the filter's) or only follows
/// from it.
struct Translated {
  Expression expression;
  bool exact = false;
};

const Translated kUnknown{};

bool IsFloating(const Field& field) {
  return field.type.kind() == TypeKind::kFloat || field.type.kind() == TypeKind::kDouble;
}

bool IsNan(const Value& value) {
  if (const float* f = value.get_if<float>()) return std::isnan(*f);
  if (const double* d = value.get_if<double>()) return std::isnan(*d);
  return false;
}

std::optional<Op> OpOf(ExpressionType type) {
  switch (type) {
    case ExpressionType::COMPARE_EQUAL:
      return Op::kEqual;
    case ExpressionType::COMPARE_NOTEQUAL:
      return Op::kNotEqual;
    case ExpressionType::COMPARE_LESSTHAN:
      return Op::kLess;
    case ExpressionType::COMPARE_LESSTHANOREQUALTO:
      return Op::kLessOrEqual;
    case ExpressionType::COMPARE_GREATERTHAN:
      return Op::kGreater;
    case ExpressionType::COMPARE_GREATERTHANOREQUALTO:
      return Op::kGreaterOrEqual;
    default:
      return std::nullopt;
  }
}

Op Mirrored(Op op) {
  switch (op) {
    case Op::kLess:
      return Op::kGreater;
    case Op::kLessOrEqual:
      return Op::kGreaterOrEqual;
    case Op::kGreater:
      return Op::kLess;
    case Op::kGreaterOrEqual:
      return Op::kLessOrEqual;
    default:
      return op;
  }
}

int64_t FloorToDay(int64_t micros) {
  const int64_t days = micros / kMicrosPerDay;
  return micros % kMicrosPerDay < 0 ? days - 1 : days;
}

/// Compare a field with one of its own values. DuckDB puts NaN above all numbers, which bounds
/// don't show.
Translated Compare(Op op, const Field& field, Value value) {
  if (IsNan(value)) return kUnknown;
  Expression compared = Expression::Compare(op, field.id, {std::move(value)});
  const bool nan_matches = op == Op::kGreater || op == Op::kGreaterOrEqual || op == Op::kNotEqual;
  if (!IsFloating(field)) return {std::move(compared), true};
  if (!nan_matches) return {std::move(compared), false};
  return {Expression::Or(std::move(compared), Expression::Unary(Op::kIsNan, field.id)), false};
}

/// CAST(date AS TIMESTAMP) against a moment: the day is at its midnight.
Translated CompareDay(Op op, const Field& field, int64_t micros) {
  const int64_t day = FloorToDay(micros);
  const bool midnight = day * kMicrosPerDay == micros;
  const auto compare = [&](Op with) {
    return Translated{Expression::Compare(with, field.id, {Value(static_cast<int32_t>(day))}),
                      true};
  };
  switch (op) {
    case Op::kLess:
      return compare(midnight ? Op::kLess : Op::kLessOrEqual);
    case Op::kLessOrEqual:
      return compare(Op::kLessOrEqual);
    case Op::kGreater:
      return compare(Op::kGreater);
    case Op::kGreaterOrEqual:
      return compare(midnight ? Op::kGreaterOrEqual : Op::kGreater);
    case Op::kEqual:
      return midnight ? compare(Op::kEqual) : kUnknown;
    default:
      return kUnknown;
  }
}

/// CAST(timestamp AS DATE) against a day: a range of moments.
Translated CompareMoment(Op op, const Field& field, int64_t day) {
  const auto compare = [&](Op with, int64_t of_day) {
    return Expression::Compare(with, field.id, {Value(of_day * kMicrosPerDay)});
  };
  switch (op) {
    case Op::kLess:
      return {compare(Op::kLess, day), true};
    case Op::kLessOrEqual:
      return {compare(Op::kLess, day + 1), true};
    case Op::kGreater:
      return {compare(Op::kGreaterOrEqual, day + 1), true};
    case Op::kGreaterOrEqual:
      return {compare(Op::kGreaterOrEqual, day), true};
    case Op::kEqual:
      return {Expression::And(compare(Op::kGreaterOrEqual, day), compare(Op::kLess, day + 1)),
              true};
    default:
      return kUnknown;
  }
}

bool IsMoment(duckdb::LogicalTypeId id) {
  return id == duckdb::LogicalTypeId::TIMESTAMP || id == duckdb::LogicalTypeId::TIMESTAMP_TZ;
}

/// Types between which DuckDB's casts of columns keep every value.
bool IsExactNumber(duckdb::LogicalTypeId id) {
  return id == duckdb::LogicalTypeId::INTEGER || id == duckdb::LogicalTypeId::BIGINT ||
         id == duckdb::LogicalTypeId::HUGEINT || id == duckdb::LogicalTypeId::DECIMAL;
}

class Translator {
 public:
  explicit Translator(const FieldOfColumn& field_of) : field_of_(field_of) {}

  Translated Translate(const duckdb::Expression& e) const {
    switch (e.GetExpressionClass()) {
      case duckdb::ExpressionClass::BOUND_COMPARISON:
        return Comparison(e.Cast<duckdb::BoundComparisonExpression>());
      case duckdb::ExpressionClass::BOUND_CONJUNCTION:
        return Conjunction(e.Cast<duckdb::BoundConjunctionExpression>());
      case duckdb::ExpressionClass::BOUND_OPERATOR:
        return Operator(e.Cast<duckdb::BoundOperatorExpression>());
      case duckdb::ExpressionClass::BOUND_BETWEEN:
        return Between(e.Cast<duckdb::BoundBetweenExpression>());
      case duckdb::ExpressionClass::BOUND_FUNCTION:
        return Function(e.Cast<duckdb::BoundFunctionExpression>());
      case duckdb::ExpressionClass::BOUND_COLUMN_REF: {
        const Field* field = FieldOf(e);
        if (field == nullptr || field->type.kind() != TypeKind::kBoolean) return kUnknown;
        return Compare(Op::kEqual, *field, Value(true));
      }
      default:
        return kUnknown;
    }
  }

 private:
  const Field* FieldOf(const duckdb::Expression& e) const {
    if (e.GetExpressionClass() != duckdb::ExpressionClass::BOUND_COLUMN_REF) return nullptr;
    return field_of_(e.Cast<duckdb::BoundColumnRefExpression>());
  }

  static const duckdb::Value* ConstantOf(const duckdb::Expression& e) {
    if (e.GetExpressionClass() != duckdb::ExpressionClass::BOUND_CONSTANT) return nullptr;
    const auto& value = e.Cast<duckdb::BoundConstantExpression>().value;
    return value.IsNull() ? nullptr : &value;
  }

  /// Whether a cast between numbers cannot round: it has at least the digits after the point that
  /// its source has.
  static bool Widens(const duckdb::BoundCastExpression& cast) {
    const auto scale = [](const duckdb::LogicalType& type) {
      return type.id() == duckdb::LogicalTypeId::DECIMAL ? duckdb::DecimalType::GetScale(type) : 0;
    };
    return scale(cast.return_type) >= scale(cast.child->return_type);
  }

  Translated CompareWith(Op op, const duckdb::Expression& side,
                         const duckdb::Value& constant) const {
    if (const Field* field = FieldOf(side)) {
      auto value = FromDuckValue(field->type, constant);
      return value ? Compare(op, *field, std::move(*value)) : kUnknown;
    }
    if (side.GetExpressionClass() != duckdb::ExpressionClass::BOUND_CAST) return kUnknown;
    const auto& cast = side.Cast<duckdb::BoundCastExpression>();
    const Field* field = FieldOf(*cast.child);
    if (field == nullptr || cast.try_cast || constant.type() != cast.return_type) return kUnknown;
    const auto from = cast.child->return_type.id();
    const auto to = cast.return_type.id();
    if (IsExactNumber(from) && IsExactNumber(to) && Widens(cast)) {
      auto value = FromDuckValue(field->type, constant);
      return value ? Compare(op, *field, std::move(*value)) : kUnknown;
    }
    if (from == duckdb::LogicalTypeId::DATE && IsMoment(to)) {
      const auto micros = constant.GetValueUnsafe<duckdb::timestamp_t>();
      return duckdb::Value::IsFinite(micros) ? CompareDay(op, *field, micros.value) : kUnknown;
    }
    if (IsMoment(from) && to == duckdb::LogicalTypeId::DATE) {
      const auto day = constant.GetValueUnsafe<duckdb::date_t>();
      // Days whose microseconds fit, with one to spare.
      if (!duckdb::Value::IsFinite(day) || std::abs(static_cast<int64_t>(day.days)) > 100'000'000)
        return kUnknown;
      return CompareMoment(op, *field, day.days);
    }
    return kUnknown;
  }

  Translated Comparison(const duckdb::BoundComparisonExpression& e) const {
    const auto op = OpOf(e.type);
    if (!op) return kUnknown;
    if (const auto* constant = ConstantOf(*e.right)) return CompareWith(*op, *e.left, *constant);
    if (const auto* constant = ConstantOf(*e.left))
      return CompareWith(Mirrored(*op), *e.right, *constant);
    return kUnknown;
  }

  Translated Conjunction(const duckdb::BoundConjunctionExpression& e) const {
    const bool is_and = e.type == ExpressionType::CONJUNCTION_AND;
    Translated all{is_and ? Expression::True() : Expression::False(), true};
    for (const auto& child : e.children) {
      Translated one = Translate(*child);
      all.exact = all.exact && one.exact;
      all.expression = is_and
                           ? Expression::And(std::move(all.expression), std::move(one.expression))
                           : Expression::Or(std::move(all.expression), std::move(one.expression));
    }
    return all;
  }

  Translated Operator(const duckdb::BoundOperatorExpression& e) const {
    switch (e.type) {
      case ExpressionType::OPERATOR_NOT: {
        // `= false` says more of a file than `<> true`.
        const Field* field = FieldOf(*e.children[0]);
        if (field != nullptr && field->type.kind() == TypeKind::kBoolean)
          return Compare(Op::kEqual, *field, Value(false));
        Translated inner = Translate(*e.children[0]);
        return inner.exact ? Translated{Expression::Not(std::move(inner.expression)), true}
                           : kUnknown;
      }
      case ExpressionType::OPERATOR_IS_NULL:
      case ExpressionType::OPERATOR_IS_NOT_NULL: {
        const Field* field = FieldOf(*e.children[0]);
        if (field == nullptr || !field->type.is_primitive()) return kUnknown;
        return {
            Expression::Unary(
                e.type == ExpressionType::OPERATOR_IS_NULL ? Op::kIsNull : Op::kNotNull, field->id),
            true};
      }
      case ExpressionType::COMPARE_IN:
      case ExpressionType::COMPARE_NOT_IN:
        return In(e);
      default:
        return kUnknown;
    }
  }

  Translated In(const duckdb::BoundOperatorExpression& e) const {
    const Field* field = FieldOf(*e.children[0]);
    if (field == nullptr) return kUnknown;
    std::vector<Value> values;
    for (size_t i = 1; i < e.children.size(); ++i) {
      const auto* constant = ConstantOf(*e.children[i]);
      if (constant == nullptr) return kUnknown;
      auto value = FromDuckValue(field->type, *constant);
      if (!value || IsNan(*value)) return kUnknown;
      values.push_back(std::move(*value));
    }
    const bool is_in = e.type == ExpressionType::COMPARE_IN;
    if (values.empty() || (!is_in && IsFloating(*field))) return kUnknown;
    return {Expression::Compare(is_in ? Op::kIn : Op::kNotIn, field->id, std::move(values)),
            !IsFloating(*field)};
  }

  Translated Between(const duckdb::BoundBetweenExpression& e) const {
    const auto* lower = ConstantOf(*e.lower);
    const auto* upper = ConstantOf(*e.upper);
    Translated from = lower ? CompareWith(e.lower_inclusive ? Op::kGreaterOrEqual : Op::kGreater,
                                          *e.input, *lower)
                            : kUnknown;
    Translated to =
        upper ? CompareWith(e.upper_inclusive ? Op::kLessOrEqual : Op::kLess, *e.input, *upper)
              : kUnknown;
    return {Expression::And(std::move(from.expression), std::move(to.expression)),
            from.exact && to.exact};
  }

  Translated Function(const duckdb::BoundFunctionExpression& e) const {
    if (e.children.size() != 2) return kUnknown;
    const Field* field = FieldOf(*e.children[0]);
    const auto* constant = ConstantOf(*e.children[1]);
    if (field == nullptr || constant == nullptr || field->type.kind() != TypeKind::kString)
      return kUnknown;
    if (constant->type().id() != duckdb::LogicalTypeId::VARCHAR) return kUnknown;
    std::string text = duckdb::StringValue::Get(*constant);
    const std::string& name = e.function.name;
    const bool prefix = name == "prefix" || name == "starts_with" || name == "^@";
    if (!prefix && name != "~~") return kUnknown;
    if (!prefix) text = text.substr(0, text.find_first_of("%_"));
    if (text.empty()) return kUnknown;
    return {Expression::Compare(Op::kStartsWith, field->id, {Value(std::move(text))}), prefix};
  }

  const FieldOfColumn& field_of_;
};

}  // namespace

Expression ToIcebergFilter(const duckdb::Expression& filter, const FieldOfColumn& field_of) {
  return Translator(field_of).Translate(filter).expression;
}

}  // namespace calve::engine

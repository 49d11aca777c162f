#include "iceberg/expression.h"

#include <cassert>

#include "base/text.h"

namespace calve::iceberg {

struct Expression::Node {
  Op op = Op::kTrue;
  Expression left;
  Expression right;
  FieldId field;
  std::vector<Value> values;
};

Expression Expression::False() {
  static const auto kNode = [] {
    auto node = std::make_shared<Node>();
    node->op = Op::kFalse;
    return std::shared_ptr<const Node>(std::move(node));
  }();
  return Expression(kNode);
}

Expression Expression::And(Expression a, Expression b) {
  if (a.op() == Op::kFalse || b.op() == Op::kTrue) return a;
  if (b.op() == Op::kFalse || a.op() == Op::kTrue) return b;
  auto node = std::make_shared<Node>();
  node->op = Op::kAnd;
  node->left = std::move(a);
  node->right = std::move(b);
  return Expression(std::move(node));
}

Expression Expression::Or(Expression a, Expression b) {
  if (a.op() == Op::kTrue || b.op() == Op::kFalse) return a;
  if (b.op() == Op::kTrue || a.op() == Op::kFalse) return b;
  auto node = std::make_shared<Node>();
  node->op = Op::kOr;
  node->left = std::move(a);
  node->right = std::move(b);
  return Expression(std::move(node));
}

Expression Expression::Not(Expression a) {
  if (a.op() == Op::kTrue) return False();
  if (a.op() == Op::kFalse) return True();
  auto node = std::make_shared<Node>();
  node->op = Op::kNot;
  node->left = std::move(a);
  return Expression(std::move(node));
}

Expression Expression::Unary(Op op, FieldId field) {
  assert(op == Op::kIsNull || op == Op::kNotNull || op == Op::kIsNan || op == Op::kNotNan);
  auto node = std::make_shared<Node>();
  node->op = op;
  node->field = field;
  return Expression(std::move(node));
}

Expression Expression::Compare(Op op, FieldId field, std::vector<Value> values) {
  assert(op >= Op::kLess);
  assert(values.size() == 1 || op == Op::kIn || op == Op::kNotIn);
  auto node = std::make_shared<Node>();
  node->op = op;
  node->field = field;
  node->values = std::move(values);
  return Expression(std::move(node));
}

Expression::Op Expression::op() const { return node_ == nullptr ? Op::kTrue : node_->op; }

const Expression& Expression::left() const {
  assert(op() == Op::kAnd || op() == Op::kOr || op() == Op::kNot);
  return node_->left;
}

const Expression& Expression::right() const {
  assert(op() == Op::kAnd || op() == Op::kOr);
  return node_->right;
}

FieldId Expression::field() const {
  assert(op() >= Op::kIsNull);
  return node_->field;
}

const std::vector<Value>& Expression::values() const {
  assert(op() >= Op::kLess);
  return node_->values;
}

namespace {

using Op = Expression::Op;

std::string_view Symbol(Op op) {
  switch (op) {
    case Op::kLess:
      return "<";
    case Op::kLessOrEqual:
      return "<=";
    case Op::kGreater:
      return ">";
    case Op::kGreaterOrEqual:
      return ">=";
    case Op::kEqual:
      return "=";
    case Op::kNotEqual:
      return "!=";
    case Op::kIn:
      return "in";
    case Op::kNotIn:
      return "not in";
    case Op::kStartsWith:
      return "starts with";
    case Op::kNotStartsWith:
      return "does not start with";
    case Op::kIsNull:
      return "is null";
    case Op::kNotNull:
      return "is not null";
    case Op::kIsNan:
      return "is NaN";
    case Op::kNotNan:
      return "is not NaN";
    case Op::kTrue:
      return "true";
    case Op::kFalse:
      return "false";
    case Op::kAnd:
      return "and";
    case Op::kOr:
      return "or";
    case Op::kNot:
      return "not";
  }
  return "?";
}

std::string Literal(const Field* field, const Value& value) {
  if (field == nullptr) return "?";
  std::string text = ToText(field->type, value);
  const bool number = value.get_if<int64_t>() != nullptr || value.get_if<int32_t>() != nullptr ||
                      value.get_if<float>() != nullptr || value.get_if<double>() != nullptr ||
                      value.get_if<Decimal>() != nullptr;
  const bool bare =
      value.is_null() || value.get_if<bool>() != nullptr ||
      (number && text.find(':') == std::string::npos && text.find('-', 1) == std::string::npos);
  return bare ? text : "'" + text + "'";
}

std::string Leaf(const Expression& e, const Schema& schema) {
  const Field* field = schema.FindById(e.field());
  std::string text =
      schema.FullName(e.field()).value_or("field " + std::to_string(e.field().value()));
  text += " ";
  text += Symbol(e.op());
  if (e.op() < Op::kLess) return text;
  if (e.op() != Op::kIn && e.op() != Op::kNotIn)
    return text + " " + Literal(field, e.values().front());
  std::vector<std::string> literals;
  for (const Value& value : e.values()) literals.push_back(Literal(field, value));
  return text + " (" + Join(literals, ", ") + ")";
}

}  // namespace

std::string Expression::ToString(const Schema& schema) const {
  const auto operand = [&](const Expression& e) {
    const bool simple = e.op() == Op::kNot || e.op() >= Op::kIsNull || e.op() == op();
    return simple ? e.ToString(schema) : "(" + e.ToString(schema) + ")";
  };
  if (op() >= Op::kIsNull) return Leaf(*this, schema);
  if (op() == Op::kAnd || op() == Op::kOr) {
    return operand(left()) + " " + std::string(Symbol(op())) + " " + operand(right());
  }
  if (op() == Op::kNot) return "not (" + left().ToString(schema) + ")";
  return std::string(Symbol(op()));
}

}  // namespace calve::iceberg

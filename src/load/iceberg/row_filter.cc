#include "load/iceberg/row_filter.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "iceberg/value.h"

namespace calve::load {
namespace {

using config::Node;
using iceberg::Expression;
using iceberg::Field;
using Op = Expression::Op;

std::optional<Op> BoundOf(std::string_view key) {
  if (key == "min") return Op::kGreaterOrEqual;
  if (key == "max") return Op::kLessOrEqual;
  if (key == "below") return Op::kLess;
  return std::nullopt;
}

Result<Expression> Compare(Op op, const Field& field, const std::vector<const Node*>& nodes) {
  std::vector<iceberg::Value> values;
  for (const Node* node : nodes) {
    Result<iceberg::Value> value = iceberg::ParseText(field.type, node->text());
    if (!value.ok()) {
      return ConfigError(config::ToString(node->place()) + ": where: column '" + field.name +
                         "': " + value.error().message);
    }
    values.push_back(std::move(*value));
  }
  return Expression::Compare(op, field.id, std::move(values));
}

Result<Expression> OneOf(const Field& field, const Node& list) {
  std::vector<const Node*> values;
  bool null = false;
  for (const Node& item : list.items()) {
    if (item.is_null()) {
      null = true;
    } else {
      values.push_back(&item);
    }
  }
  Expression filter = Expression::False();
  if (!values.empty()) {
    CALVE_ASSIGN_OR_RETURN(filter, Compare(Op::kIn, field, values));
  }
  return null ? Expression::Or(std::move(filter), Expression::Unary(Op::kIsNull, field.id))
              : std::move(filter);
}

Result<Expression> Within(const Field& field, const Node& range) {
  Expression filter;
  for (const Node::Entry& bound : range.entries()) {
    CALVE_ASSIGN_OR_RETURN(Expression part, Compare(*BoundOf(bound.key), field, {&bound.value}));
    filter = Expression::And(std::move(filter), std::move(part));
  }
  return filter;
}

Result<Expression> ColumnIs(const Field& field, const Node& wanted) {
  if (wanted.is_null()) return Expression::Unary(Op::kIsNull, field.id);
  if (wanted.is_sequence()) return OneOf(field, wanted);
  if (wanted.is_mapping()) return Within(field, wanted);
  return Compare(Op::kEqual, field, {&wanted});
}

void CheckColumn(const Node& wanted, config::Faults& faults) {
  if (wanted.is_sequence() && wanted.items().empty())
    faults.Add(wanted.place(), "an empty list describes no row; name a value");
  for (const Node& item : wanted.items()) {
    if (!item.is_scalar()) faults.Add(item.place(), "a list of where holds single values");
  }
  for (const Node::Entry& entry : wanted.entries()) {
    if (!BoundOf(entry.key).has_value())
      faults.Add(entry.key_place, "'" + entry.key + "' is no bound; one of min, max, below");
    if (!entry.value.is_scalar() || entry.value.is_null())
      faults.Add(entry.value.place(), "a bound is a single value");
  }
  if (wanted.is_mapping() && wanted.entries().empty())
    faults.Add(wanted.place(), "the range has no bound; one of min, max, below");
}

}  // namespace

void CheckRowFilter(const Node& where, config::Faults& faults) {
  if (!where.is_mapping() || where.entries().empty()) {
    faults.Add(where.place(), "where is a mapping of columns, such as {day: 2026-11-21}");
    return;
  }
  for (const Node::Entry& entry : where.entries()) CheckColumn(entry.value, faults);
}

Result<Expression> MakeRowFilter(const Node& where, const iceberg::Schema& schema) {
  Expression filter;
  for (const Node::Entry& entry : where.entries()) {
    const Field* field = schema.FindByName(entry.key);
    if (field == nullptr || !field->type.is_primitive()) {
      return ConfigError(config::ToString(entry.key_place) + ": where names '" + entry.key +
                         "', which is no plain column of the table" +
                         DidYouMean(entry.key, schema.full_names()));
    }
    CALVE_ASSIGN_OR_RETURN(Expression part, ColumnIs(*field, entry.value));
    filter = Expression::And(std::move(filter), std::move(part));
  }
  return filter;
}

}  // namespace calve::load

#include "iceberg/metrics_filter.h"

#include <algorithm>

namespace calve::iceberg {
namespace {

using Op = Expression::Op;

/// The usable bounds of a column: both in order, or the one that is there.
struct Bounds {
  std::optional<Scalar> lower;
  std::optional<Scalar> upper;
  /// The one value that all bounded rows have.
  bool single() const { return lower && upper && *lower == *upper; }
};

Bounds ReadBounds(const Type& type, const ColumnStats& stats) {
  Bounds bounds;
  if (stats.lower) {
    std::string_view bytes = *stats.lower;
    // Writers exist that padded with zero bytes; a lower bound may always be lower.
    while (type.kind() == TypeKind::kString && bytes.ends_with('\0')) bytes.remove_suffix(1);
    bounds.lower = BoundToScalar(type, bytes);
  }
  if (stats.upper) bounds.upper = BoundToScalar(type, *stats.upper);
  if (bounds.lower && bounds.upper && *bounds.lower > *bounds.upper) return {};
  return bounds;
}

bool IsReal(const Type& type) {
  return type.kind() == TypeKind::kFloat || type.kind() == TypeKind::kDouble;
}

bool AllNull(const ColumnStats& stats) { return stats.values > 0 && stats.nulls >= stats.values; }

bool BeginsWith(const Scalar& bound, const Scalar& prefix) {
  return bound.bytes.starts_with(prefix.bytes);
}

/// Whether every value at or above `lower` comes after all that begin with `prefix`.
bool BeyondPrefix(const Scalar& lower, const Scalar& prefix) {
  return lower.bytes.substr(0, prefix.bytes.size()) > prefix.bytes;
}

bool MayCompare(Op op, const Bounds& bounds, const std::vector<Scalar>& literals, bool maybe_nan) {
  const auto& [lower, upper] = bounds;
  const Scalar& first = literals.front();
  switch (op) {
    case Op::kLess:
      return !(lower && *lower >= first);
    case Op::kLessOrEqual:
      return !(lower && *lower > first);
    case Op::kGreater:  // A NaN sorts above all numbers, and bounds leave it out.
      return maybe_nan || !(upper && *upper <= first);
    case Op::kGreaterOrEqual:
      return maybe_nan || !(upper && *upper < first);
    case Op::kEqual:
    case Op::kIn: {
      const auto candidate =
          lower ? std::lower_bound(literals.begin(), literals.end(), *lower) : literals.begin();
      return candidate != literals.end() && !(upper && *candidate > *upper);
    }
    case Op::kStartsWith:
      return !(lower && BeyondPrefix(*lower, first)) && !(upper && *upper < first);
    case Op::kNotStartsWith:
      return !(lower && upper && BeginsWith(*lower, first) && BeginsWith(*upper, first));
    default:
      return true;
  }
}

bool MustCompare(Op op, const Bounds& bounds, const std::vector<Scalar>& literals) {
  const auto& [lower, upper] = bounds;
  const Scalar& first = literals.front();
  switch (op) {
    case Op::kLess:
      return upper && *upper < first;
    case Op::kLessOrEqual:
      return upper && *upper <= first;
    case Op::kGreater:
      return lower && *lower > first;
    case Op::kGreaterOrEqual:
      return lower && *lower >= first;
    case Op::kEqual:
    case Op::kIn:
      return bounds.single() && std::binary_search(literals.begin(), literals.end(), *lower);
    case Op::kNotEqual:
    case Op::kNotIn: {
      if (!lower && !upper) return false;
      const auto candidate =
          lower ? std::lower_bound(literals.begin(), literals.end(), *lower) : literals.begin();
      return candidate == literals.end() || (upper && *candidate > *upper);
    }
    case Op::kStartsWith:
      return lower && upper && BeginsWith(*lower, first) && BeginsWith(*upper, first);
    case Op::kNotStartsWith:
      return (lower && BeyondPrefix(*lower, first)) || (upper && *upper < first);
    default:
      return false;
  }
}

}  // namespace

MetricsFilter::MetricsFilter(const Expression& filter, const Schema& schema) {
  const Expression plain = WithoutNot(filter);
  always_false_ = plain.op() == Op::kFalse;
  root_ = Compile(plain, schema);
  // Columns were numbered as they came: put them in order.
  std::vector<FieldId> sorted = columns_;
  std::sort(sorted.begin(), sorted.end());
  for (Leaf& leaf : leaves_) {
    leaf.column = static_cast<size_t>(
        std::lower_bound(sorted.begin(), sorted.end(), columns_[leaf.column]) - sorted.begin());
  }
  columns_ = std::move(sorted);
}

size_t MetricsFilter::Compile(const Expression& e, const Schema& schema) {
  Node node{.op = e.op()};
  if (e.op() == Op::kAnd || e.op() == Op::kOr) {
    node.left = Compile(e.left(), schema);
    node.right = Compile(e.right(), schema);
  } else if (e.op() >= Op::kIsNull) {
    const std::optional<size_t> leaf = CompileLeaf(e, schema);
    // kNot does not occur any more and stands for a leaf that statistics never decide.
    if (leaf) {
      node.left = *leaf;
    } else {
      node.op = Op::kNot;
    }
  }
  nodes_.push_back(node);
  return nodes_.size() - 1;
}

std::optional<size_t> MetricsFilter::CompileLeaf(const Expression& e, const Schema& schema) {
  const Field* field = schema.FindById(e.field());
  if (field == nullptr || !field->type.is_primitive() || !IsOnePerRow(schema, e.field()))
    return std::nullopt;
  Leaf leaf{.expression = e, .type = field->type, .literals = {}};
  leaf.nested = schema.PathTo(e.field()).size() > 1;
  if (e.op() >= Op::kLess) {
    for (const Value& value : e.values()) {
      const std::optional<Scalar> literal = ToScalar(leaf.type, value);
      leaf.comparable = leaf.comparable && literal.has_value();
      if (literal) leaf.literals.push_back(*literal);
    }
    leaf.comparable = leaf.comparable && !leaf.literals.empty();
    std::sort(leaf.literals.begin(), leaf.literals.end());
  }
  const auto known = std::find(columns_.begin(), columns_.end(), e.field());
  leaf.column = static_cast<size_t>(known - columns_.begin());
  if (known == columns_.end()) columns_.push_back(e.field());
  leaves_.push_back(std::move(leaf));
  return leaves_.size() - 1;
}

bool MetricsFilter::MayMatch(std::span<const ColumnStats> stats) const {
  return MayMatchNode(nodes_[root_], stats);
}

bool MetricsFilter::MustMatch(std::span<const ColumnStats> stats, int64_t record_count) const {
  return MustMatchNode(nodes_[root_], stats, record_count);
}

bool MetricsFilter::MayMatchNode(const Node& node, std::span<const ColumnStats> stats) const {
  if (node.op == Op::kAnd) {
    return MayMatchNode(nodes_[node.left], stats) && MayMatchNode(nodes_[node.right], stats);
  }
  if (node.op == Op::kOr) {
    return MayMatchNode(nodes_[node.left], stats) || MayMatchNode(nodes_[node.right], stats);
  }
  if (node.op < Op::kIsNull) return node.op != Op::kFalse;
  const Leaf& leaf = leaves_[node.left];
  const ColumnStats& column = stats[leaf.column];
  switch (node.op) {
    case Op::kIsNull:
      return leaf.nested || column.nulls != 0;
    case Op::kNotNull:
      return !AllNull(column);
    case Op::kIsNan:
      return IsReal(leaf.type) && column.nans != 0 && !AllNull(column);
    case Op::kNotNan:
      return !(column.values > 0 && column.nans >= column.values);
    default:
      break;
  }
  if (AllNull(column)) return false;
  if (!leaf.comparable) return true;
  return MayCompare(node.op, ReadBounds(leaf.type, column), leaf.literals,
                    IsReal(leaf.type) && column.nans != 0);
}

bool MetricsFilter::MustMatchNode(const Node& node, std::span<const ColumnStats> stats,
                                  int64_t record_count) const {
  if (node.op == Op::kAnd) {
    return MustMatchNode(nodes_[node.left], stats, record_count) &&
           MustMatchNode(nodes_[node.right], stats, record_count);
  }
  if (node.op == Op::kOr) {
    return MustMatchNode(nodes_[node.left], stats, record_count) ||
           MustMatchNode(nodes_[node.right], stats, record_count);
  }
  if (node.op < Op::kIsNull) return node.op == Op::kTrue;
  const Leaf& leaf = leaves_[node.left];
  const ColumnStats& column = stats[leaf.column];
  const bool counted = column.values >= record_count;
  const bool no_nulls = !leaf.nested && counted && column.nulls == 0;
  switch (node.op) {
    case Op::kIsNull:
      return counted && AllNull(column);
    case Op::kNotNull:
      return no_nulls;
    case Op::kIsNan:
      return no_nulls && column.nans >= record_count && record_count > 0;
    case Op::kNotNan:
      return !IsReal(leaf.type) || (counted && column.nans == 0);
    default:
      break;
  }
  if (!no_nulls || !leaf.comparable || (IsReal(leaf.type) && column.nans != 0)) return false;
  return MustCompare(node.op, ReadBounds(leaf.type, column), leaf.literals);
}

bool BoundsMayMatch(const Expression& leaf, const Type& type, const ColumnStats& stats) {
  std::vector<Scalar> literals;
  for (const Value& value : leaf.values()) {
    const std::optional<Scalar> literal = ToScalar(type, value);
    if (!literal) return true;
    literals.push_back(*literal);
  }
  if (literals.empty()) return true;
  std::sort(literals.begin(), literals.end());
  return MayCompare(leaf.op(), ReadBounds(type, stats), literals, IsReal(type) && stats.nans != 0);
}

bool MayMatch(const Expression& filter, const Schema& schema, const DataFile& file) {
  const MetricsFilter compiled(filter, schema);
  return compiled.MayMatch(StatsOf(file, compiled.columns()));
}

std::vector<ColumnStats> StatsOf(const DataFile& file, std::span<const FieldId> columns) {
  std::vector<ColumnStats> all;
  all.reserve(columns.size());
  for (const FieldId id : columns) {
    ColumnStats& stats = all.emplace_back();
    if (const int64_t* count = file.metrics.value_counts.Find(id)) stats.values = *count;
    if (const int64_t* count = file.metrics.null_value_counts.Find(id)) stats.nulls = *count;
    if (const int64_t* count = file.metrics.nan_value_counts.Find(id)) stats.nans = *count;
    if (const std::string* bound = file.metrics.lower_bounds.Find(id)) stats.lower = *bound;
    if (const std::string* bound = file.metrics.upper_bounds.Find(id)) stats.upper = *bound;
  }
  return all;
}

}  // namespace calve::iceberg

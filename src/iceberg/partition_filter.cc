#include <algorithm>

#include "iceberg/expression.h"
#include "iceberg/metrics_filter.h"
#include "iceberg/predicate.h"
#include "iceberg/projection.h"

namespace calve::iceberg {
namespace {

using Op = Expression::Op;

Expression Project(const Expression& e, const Schema& schema, const PartitionSpec& spec) {
  if (e.op() == Op::kAnd)
    return Expression::And(Project(e.left(), schema, spec), Project(e.right(), schema, spec));
  if (e.op() == Op::kOr)
    return Expression::Or(Project(e.left(), schema, spec), Project(e.right(), schema, spec));
  if (e.op() < Op::kIsNull) return e;
  const Field* column = schema.FindById(e.field());
  if (column == nullptr || !IsOnePerRow(schema, e.field())) return Expression::True();
  Expression all;
  for (const PartitionField& field : spec.fields) {
    if (field.source_id == e.field())
      all = Expression::And(std::move(all), ProjectInclusive(e, column->type, field));
  }
  return all;
}

/// Find a partition field's place in the spec; nothing when the spec has no such field.
std::optional<size_t> PlaceOf(const PartitionSpec& spec, FieldId id) {
  const auto place =
      std::find_if(spec.fields.begin(), spec.fields.end(),
                   [&](const PartitionField& field) { return field.field_id == id; });
  if (place == spec.fields.end()) return std::nullopt;
  return static_cast<size_t>(place - spec.fields.begin());
}

bool SummaryMayMatch(const Expression& leaf, const Type& type,
                     const PartitionFieldSummary& summary) {
  const bool real = type.kind() == TypeKind::kFloat || type.kind() == TypeKind::kDouble;
  const bool maybe_nan = real && summary.contains_nan.value_or(true);
  const bool bounded = summary.lower_bound || summary.upper_bound;
  // Without bounds every value is null or NaN, unless the writer left the summary empty.
  const bool only_null = !bounded && summary.contains_null && !maybe_nan;
  if (leaf.op() == Op::kIsNull) return summary.contains_null;
  if (only_null) return leaf.op() == Op::kNotNan;
  if (leaf.op() == Op::kNotNull || leaf.op() == Op::kNotNan) return true;
  if (leaf.op() == Op::kIsNan) return maybe_nan;
  if (!bounded) return true;
  // Summaries are bounds over files as a file's are over rows.
  const ColumnStats stats{
      .nans = maybe_nan ? -1 : 0, .lower = summary.lower_bound, .upper = summary.upper_bound};
  return BoundsMayMatch(leaf, type, stats);
}

bool Evaluate(const Expression& e, const auto& leaf_matches) {
  if (e.op() == Op::kAnd)
    return Evaluate(e.left(), leaf_matches) && Evaluate(e.right(), leaf_matches);
  if (e.op() == Op::kOr)
    return Evaluate(e.left(), leaf_matches) || Evaluate(e.right(), leaf_matches);
  if (e.op() == Op::kNot) return true;
  if (e.op() < Op::kIsNull) return e.op() == Op::kTrue;
  return leaf_matches(e);
}

}  // namespace

Expression ProjectToPartition(const Expression& filter, const Schema& schema,
                              const PartitionSpec& spec) {
  return Project(WithoutNot(filter), schema, spec);
}

bool PartitionMayMatch(const Expression& projected, const PartitionSpec& spec, const Schema& schema,
                       const PartitionValues& values) {
  if (projected.op() == Op::kTrue) return true;
  const Type type = spec.PartitionType(schema);
  return PartitionMayMatch(WithoutNot(projected), spec, type, values);
}

bool PartitionMayMatch(const Expression& projected, const PartitionSpec& spec,
                       const Type& partition_type, const PartitionValues& values) {
  return Evaluate(projected, [&](const Expression& leaf) {
    const std::optional<size_t> place = PlaceOf(spec, leaf.field());
    if (!place || *place >= values.size()) return true;
    return ValueMatches(leaf, partition_type.fields()[*place].type, values[*place], true);
  });
}

bool ManifestMayMatch(const Expression& projected, const PartitionSpec& spec, const Schema& schema,
                      const ManifestFile& manifest) {
  if (projected.op() == Op::kTrue || manifest.partitions.size() != spec.fields.size()) {
    return projected.op() != Op::kFalse;
  }
  const Type type = spec.PartitionType(schema);
  return Evaluate(WithoutNot(projected), [&](const Expression& leaf) {
    const std::optional<size_t> place = PlaceOf(spec, leaf.field());
    return !place || SummaryMayMatch(leaf, type.fields()[*place].type, manifest.partitions[*place]);
  });
}

namespace {

/// Whether a file's partition alone proves that every row matches a leaf.
bool PartitionMustMatch(const Expression& leaf, const Field& column, const PartitionSpec& spec,
                        const Type& type, const PartitionValues& values) {
  for (size_t i = 0; i < spec.fields.size() && i < values.size(); ++i) {
    const PartitionField& field = spec.fields[i];
    if (field.source_id != column.id) continue;
    // Writers exist that put moments before 1970 one unit too late.
    const int32_t* unit = values[i].get_if<int32_t>();
    if (IsTimeTransform(field.transform) && unit != nullptr && *unit < 0) continue;
    // Whether rows of a NaN or null partition match a comparison differs between engines: prove
    // nothing.
    if (leaf.op() >= Op::kLess && (values[i].is_null() || IsNan(values[i]))) continue;
    const Expression strict = ProjectStrict(leaf, column.type, field);
    if (strict.op() == Op::kTrue) return true;
    if (strict.op() < Op::kIsNull) continue;
    if (ValueMatches(strict, type.fields()[i].type, values[i], false)) return true;
  }
  return false;
}

}  // namespace

bool MustMatch(const Expression& filter, const Schema& schema, const PartitionSpec& spec,
               const DataFile& file) {
  const Type type = spec.PartitionType(schema);
  return Evaluate(WithoutNotStrict(filter), [&](const Expression& leaf) {
    const Field* column = schema.FindById(leaf.field());
    if (column == nullptr) return false;
    if (IsOnePerRow(schema, column->id) &&
        PartitionMustMatch(leaf, *column, spec, type, file.partition))
      return true;
    const MetricsFilter metrics(leaf, schema);
    return metrics.decides() &&
           metrics.MustMatch(StatsOf(file, metrics.columns()), file.record_count);
  });
}

}  // namespace calve::iceberg

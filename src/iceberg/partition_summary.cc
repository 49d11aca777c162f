#include "iceberg/partition_summary.h"

#include "iceberg/predicate.h"

namespace calve::iceberg {

PartitionSummary::PartitionSummary(const Type& partition_type) {
  for (const Field& field : partition_type.fields())
    fields_.push_back({.type = field.type, .lower = {}, .upper = {}});
}

void PartitionSummary::Add(const PartitionValues& values) {
  if (last_ == values) return;
  for (size_t i = 0; i < fields_.size() && i < values.size(); ++i) AddValue(fields_[i], values[i]);
  last_ = values;
}

void PartitionSummary::AddValue(FieldState& field, const Value& value) {
  if (value.is_null()) {
    field.contains_null = true;
  } else if (IsNan(value)) {
    field.contains_nan = true;
  } else {
    if (field.lower.is_null() || Compare(value, field.lower) < 0) field.lower = value;
    if (field.upper.is_null() || Compare(value, field.upper) > 0) field.upper = value;
  }
}

Result<std::vector<PartitionFieldSummary>> PartitionSummary::Finish() const {
  std::vector<PartitionFieldSummary> out;
  for (const FieldState& field : fields_) {
    if (field.type.kind() == TypeKind::kUuid && field.lower != field.upper)
      return std::vector<PartitionFieldSummary>();
    PartitionFieldSummary& summary = out.emplace_back();
    summary.contains_null = field.contains_null;
    summary.contains_nan = field.contains_nan;
    if (field.lower.is_null()) continue;
    CALVE_ASSIGN_OR_RETURN(summary.lower_bound, ToBytes(field.type, field.lower));
    CALVE_ASSIGN_OR_RETURN(summary.upper_bound, ToBytes(field.type, field.upper));
  }
  return out;
}

}  // namespace calve::iceberg

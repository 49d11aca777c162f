#pragma once

#include "iceberg/expression.h"
#include "iceberg/partition.h"
#include "iceberg/schema.h"

// Projection of predicates on columns to predicates on partition values. For use within the room.

namespace calve::iceberg {

/// Whether the transform cuts moments into years, months, days or hours.
bool IsTimeTransform(const Transform& transform);

/// Project one leaf on a column to one partition field of that column, so that every row that
/// matches the leaf lies in a partition that matches the result (inclusive).
Expression ProjectInclusive(const Expression& leaf, const Type& source,
                            const PartitionField& field);

/// Project so that every row of a partition that matches the result matches the leaf (strict).
Expression ProjectStrict(const Expression& leaf, const Type& source, const PartitionField& field);

/// Evaluate a projected filter (without kNot) on partition values of a known struct type; what
/// cannot be decided matches.
bool PartitionMayMatch(const Expression& projected, const PartitionSpec& spec,
                       const Type& partition_type, const PartitionValues& values);

}  // namespace calve::iceberg

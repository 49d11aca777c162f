#pragma once

#include "base/result.h"
#include "columnar/traced_batch.h"
#include "iceberg/schema.h"

namespace calve::pipeline {

/// Make a batch what the target wants (columnar::Conform); rows with a value that does not fit
/// become rejects, the others stay.
///
/// Columns that the target lacks are left out. Fails only for reasons that no single row is to
/// blame for.
Result<columnar::TracedBatch> FitToTarget(columnar::TracedBatch batch,
                                          const iceberg::Schema& target);

/// Columns of rows that say by a boolean one, `flag`, whether they delete: those of the target, then
/// the flag.
Result<iceberg::SchemaPtr> WithFlag(const iceberg::Schema& target, const std::string& flag);

/// Take the flag, the last column, off rows, and those out in which it is true: they are given. Their
/// rejects and counts stay with the others.
Result<columnar::Batch> TakeFlagged(columnar::TracedBatch* batch);

}  // namespace calve::pipeline

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

}  // namespace calve::pipeline

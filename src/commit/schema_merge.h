#pragma once

#include "base/result.h"
#include "iceberg/update.h"

namespace calve::commit {

/// The change that brings what `staged` added to or widened in `ancestor` into the table's current
/// schema, and makes the result current.
///
/// Another writer may have evolved the table since the schema was reserved: its changes stay. Empty
/// when nothing is left to do. Fails with kConflict when a column that `staged` widened was changed
/// otherwise meanwhile, naming it.
Result<iceberg::TableChange> MergeSchema(const iceberg::TableMetadata& base,
                                         const iceberg::Schema& staged,
                                         const iceberg::Schema& ancestor);

}  // namespace calve::commit

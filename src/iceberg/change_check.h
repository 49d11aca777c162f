#pragma once

#include "base/result.h"
#include "iceberg/metadata.h"
#include "iceberg/produce.h"

// What a change must be before anything is written for it. For use within the room.

namespace calve::iceberg {

/// Check a change against the table it is for. Fails with kRefused for a table of version 1,
/// kConflict for deletes of a kind that the table's version no longer takes, kBug for files that
/// are not what they claim.
Status CheckChange(const TableMetadata& base, const SnapshotChange& change);

}  // namespace calve::iceberg

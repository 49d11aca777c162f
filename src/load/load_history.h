#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "iceberg/metadata.h"

namespace calve::load {

/// How many rows the loads of a job wrote whose snapshots `snapshot` stands on, newest first, at
/// most `count`. Those of other jobs and writers are passed over, and so is what was expired.
std::vector<int64_t> RowsOfEarlierLoads(const iceberg::TableMetadata& metadata,
                                        const iceberg::Snapshot& snapshot, const std::string& job,
                                        size_t count);

}  // namespace calve::load

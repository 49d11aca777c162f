#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "iceberg/partition.h"

namespace calve::iceberg {

/// Read a person's form of a sort order: columns or transforms of them as partitions have them,
/// each with `asc` or `desc` and `nulls_first` or `nulls_last` after it as wanted. Ascending, and
/// nulls first where ascending, last where descending, as Iceberg's writers have it. Fails with
/// kConfig.
Result<std::vector<SortField>> ParseSortFields(const std::vector<std::string>& texts,
                                               const Schema& schema);

}  // namespace calve::iceberg

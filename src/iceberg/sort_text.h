#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "iceberg/partition.h"

namespace calve::iceberg {

/// The fields of a partition spec as a person writes them, `bucket(16, id)`; a column that the schema
/// no longer has is `?`.
std::vector<std::string> PartitionTexts(const PartitionSpec& spec, const Schema& schema);

/// The fields of a sort order as ParseSortFields reads them: `day(ts) desc`, with the place of NULLs
/// where it is not the usual one.
std::vector<std::string> SortTexts(const SortOrder& order, const Schema& schema);

/// Read a person's form of a sort order: columns or transforms of them as partitions have them,
/// each with `asc` or `desc` and `nulls_first` or `nulls_last` after it as wanted. Ascending, and
/// nulls first where ascending, last where descending, as Iceberg's writers have it. Fails with
/// kConfig.
Result<std::vector<SortField>> ParseSortFields(const std::vector<std::string>& texts,
                                               const Schema& schema);

}  // namespace calve::iceberg

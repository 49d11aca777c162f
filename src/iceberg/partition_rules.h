#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "iceberg/partition.h"

namespace calve::iceberg {

/// The name that Iceberg's writers give a partition field: ts_day, id_bucket, name_trunc, region.
std::string PartitionFieldName(const Transform& transform, const std::string& column);

/// Check fields that are to be written: sources that exist outside lists and maps, transforms that
/// take their types, every name once and not that of another column, every column and kind of
/// transform once. Fails with kConfig.
Status CheckPartitionFields(const std::vector<PartitionField>& fields, const Schema& schema);

/// Check only that the sources exist and the transforms take their types; what this version does
/// not know passes.
Status CheckPartitionSources(const std::vector<PartitionField>& fields, const Schema& schema);

/// Check that a sort order's sources exist and its transforms take their types. Fails with kConfig.
Status CheckSortFields(const std::vector<SortField>& fields, const Schema& schema);

}  // namespace calve::iceberg

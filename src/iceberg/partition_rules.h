#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "iceberg/partition.h"

namespace calve::iceberg {

/// The name that Iceberg's writers give a partition field: ts_day, id_bucket, name_trunc, region.
std::string PartitionFieldName(const Transform& transform, const std::string& column);

/// Read `day(ts)`, or a column alone, for a field that has no name and id yet. Whether the transform
/// takes the column is not looked at. Fails with kConfig.
Result<PartitionField> ParseTransformOf(std::string_view text, const Schema& schema);

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

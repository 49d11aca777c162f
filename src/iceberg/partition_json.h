#pragma once

#include "base/result.h"
#include "iceberg/json.h"
#include "iceberg/partition.h"

namespace calve::iceberg {

/// Read a spec object (spec, Appendix C: Partition Specs). Field ids that are all missing count from 1000, as v1's writers did.
Result<PartitionSpec> PartitionSpecFromJson(const JsonObject& object);
Json PartitionSpecToJson(const PartitionSpec& spec);

/// Read an array of partition fields under `key`, as v1's `partition-spec` and manifests have it.
Result<std::vector<PartitionField>> PartitionFieldsFromJson(const JsonObject& object, std::string_view key);
Json PartitionFieldsToJson(const PartitionSpec& spec);

/// Read a sort order object (spec, Appendix C: Sort Orders).
Result<SortOrder> SortOrderFromJson(const JsonObject& object);
Json SortOrderToJson(const SortOrder& order);

}  // namespace calve::iceberg

#pragma once

#include "base/result.h"
#include "iceberg/json.h"
#include "iceberg/partition.h"

namespace calve::iceberg {

/// Stands for a field id that is missing: v1 did not write them, and REST clients may leave them to
/// the catalog.
inline constexpr FieldId kMissingFieldId{-1};

/// Give field ids from 1000 on to fields that have none, as v1's writers counted.
void CountMissingFieldIds(std::vector<PartitionField>& fields);

/// Read a spec object (spec, Appendix C: Partition Specs). Field ids may all be missing.
Result<PartitionSpec> PartitionSpecFromJson(const JsonObject& object);
Json PartitionSpecToJson(const PartitionSpec& spec);

/// Read an array of partition fields under `key`, as v1's `partition-spec` and manifests have it.
Result<std::vector<PartitionField>> PartitionFieldsFromJson(const JsonObject& object,
                                                            std::string_view key);
Json PartitionFieldsToJson(const PartitionSpec& spec);

/// Read a sort order object (spec, Appendix C: Sort Orders).
Result<SortOrder> SortOrderFromJson(const JsonObject& object);
Json SortOrderToJson(const SortOrder& order);

}  // namespace calve::iceberg

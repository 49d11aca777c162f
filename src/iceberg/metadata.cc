#include "iceberg/metadata.h"

#include <algorithm>
#include <cassert>

namespace calve::iceberg {

const SchemaPtr& TableMetadata::schema() const {
  const SchemaPtr* found = FindSchema(current_schema_id);
  assert(found != nullptr);
  return *found;
}

const PartitionSpec& TableMetadata::spec() const {
  const PartitionSpec* found = FindSpec(default_spec_id);
  assert(found != nullptr);
  return *found;
}

const SortOrder& TableMetadata::sort_order() const {
  const SortOrder* found = FindSortOrder(default_sort_order_id);
  assert(found != nullptr);
  return *found;
}

const SchemaPtr* TableMetadata::FindSchema(SchemaId id) const {
  const auto found = std::find_if(schemas.begin(), schemas.end(),
                                  [&](const SchemaPtr& schema) { return schema->id() == id; });
  return found == schemas.end() ? nullptr : &*found;
}

const PartitionSpec* TableMetadata::FindSpec(SpecId id) const {
  const auto found = std::find_if(specs.begin(), specs.end(),
                                  [&](const PartitionSpec& spec) { return spec.id == id; });
  return found == specs.end() ? nullptr : &*found;
}

const SortOrder* TableMetadata::FindSortOrder(SortOrderId id) const {
  const auto found = std::find_if(sort_orders.begin(), sort_orders.end(),
                                  [&](const SortOrder& order) { return order.id == id; });
  return found == sort_orders.end() ? nullptr : &*found;
}

const Snapshot* TableMetadata::FindSnapshot(SnapshotId id) const {
  // What is asked for is mostly young, and the young are at the end.
  const auto found = std::find_if(snapshots.rbegin(), snapshots.rend(),
                                  [&](const Snapshot& snapshot) { return snapshot.id == id; });
  return found == snapshots.rend() ? nullptr : &*found;
}

const Snapshot* TableMetadata::current_snapshot() const {
  return current_snapshot_id ? FindSnapshot(*current_snapshot_id) : nullptr;
}

const Snapshot* TableMetadata::FindRef(std::string_view name) const {
  const auto found = refs.find(std::string(name));
  if (found != refs.end()) return FindSnapshot(found->second.snapshot_id);
  return name == kMainBranch ? current_snapshot() : nullptr;
}

const Snapshot* TableMetadata::SnapshotAsOf(int64_t timestamp_ms) const {
  const SnapshotLogEntry* latest = nullptr;
  for (const SnapshotLogEntry& entry : snapshot_log) {
    if (entry.timestamp_ms <= timestamp_ms) latest = &entry;
  }
  return latest == nullptr ? nullptr : FindSnapshot(latest->snapshot_id);
}

const SchemaPtr& TableMetadata::SchemaOf(const Snapshot& snapshot) const {
  const SchemaPtr* own = snapshot.schema_id ? FindSchema(*snapshot.schema_id) : nullptr;
  return own != nullptr ? *own : schema();
}

std::string_view TableMetadata::Property(std::string_view key, std::string_view fallback) const {
  const auto found = properties.find(std::string(key));
  return found == properties.end() ? fallback : std::string_view(found->second);
}

}  // namespace calve::iceberg

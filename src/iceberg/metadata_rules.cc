#include "iceberg/metadata_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <unordered_set>

#include "base/text.h"

namespace calve::iceberg {
namespace {

constexpr int kFieldIdMax = 2147480000;   // Beyond it no fresh ids are left.
constexpr int kColumnIdMax = 2147483447;  // Higher ids belong to metadata columns.

template <typename Id, typename List, typename IdOf>
Status CheckOnce(const List& list, std::string_view what, IdOf id_of) {
  std::unordered_set<Id> seen;
  for (const auto& item : list) {
    // The next one must be a number still.
    if (id_of(item).value() == std::numeric_limits<typename Id::rep>::max()) {
      return DataError(fmt::format("expected a smaller {} than {}", what, id_of(item).value()));
    }
    if (!seen.insert(id_of(item)).second) {
      return DataError(
          fmt::format("expected every {} once, found {} twice", what, id_of(item).value()));
    }
  }
  return Status::Ok();
}

Status CheckIds(const TableMetadata& metadata) {
  CALVE_RETURN_IF_ERROR(CheckOnce<SchemaId>(metadata.schemas, "schema-id",
                                            [](const SchemaPtr& s) { return s->id(); }));
  CALVE_RETURN_IF_ERROR(
      CheckOnce<SpecId>(metadata.specs, "spec-id", [](const PartitionSpec& s) { return s.id; }));
  CALVE_RETURN_IF_ERROR(CheckOnce<SortOrderId>(metadata.sort_orders, "order-id",
                                               [](const SortOrder& s) { return s.id; }));
  if (metadata.FindSchema(metadata.current_schema_id) == nullptr) {
    return DataError(
        fmt::format("current-schema-id: expected the id of a schema, found {}, which schemas "
                    "does not hold",
                    metadata.current_schema_id.value()));
  }
  if (metadata.FindSpec(metadata.default_spec_id) == nullptr) {
    return DataError(
        fmt::format("default-spec-id: expected the id of a partition spec, found {}, which "
                    "partition-specs does not hold",
                    metadata.default_spec_id.value()));
  }
  if (metadata.FindSortOrder(metadata.default_sort_order_id) == nullptr) {
    return DataError(
        fmt::format("default-sort-order-id: expected the id of a sort order, found {}, which "
                    "sort-orders does not hold",
                    metadata.default_sort_order_id.value()));
  }
  return Status::Ok();
}

/// The ids of all snapshots in order. A table has thousands: a sorted list is made ten times
/// faster than a set.
Result<std::vector<SnapshotId>> SortedSnapshotIds(const TableMetadata& metadata) {
  std::vector<SnapshotId> ids;
  ids.reserve(metadata.snapshots.size());
  for (const Snapshot& snapshot : metadata.snapshots) ids.push_back(snapshot.id);
  if (!std::is_sorted(ids.begin(), ids.end())) std::sort(ids.begin(), ids.end());
  if (!ids.empty() && ids.back().value() == std::numeric_limits<int64_t>::max())
    return DataError(fmt::format("expected a smaller snapshot-id than {}", ids.back().value()));
  const auto twice = std::adjacent_find(ids.begin(), ids.end());
  if (twice != ids.end()) {
    return DataError(
        fmt::format("expected every snapshot-id once, found {} twice", twice->value()));
  }
  return ids;
}

Status CheckRefs(const TableMetadata& metadata) {
  CALVE_ASSIGN_OR_RETURN(const std::vector<SnapshotId> snapshots, SortedSnapshotIds(metadata));
  const auto is_there = [&](SnapshotId id) {
    return std::binary_search(snapshots.begin(), snapshots.end(), id);
  };
  for (const auto& [name, ref] : metadata.refs) {
    if (is_there(ref.snapshot_id)) continue;
    return DataError(
        fmt::format("refs.{}: expected a snapshot of the table, found {}, which snapshots does "
                    "not hold",
                    name, ref.snapshot_id.value()));
  }
  if (metadata.current_snapshot_id && !is_there(*metadata.current_snapshot_id)) {
    return DataError(
        fmt::format("current-snapshot-id: expected a snapshot of the table, found {}, which "
                    "snapshots does not hold",
                    metadata.current_snapshot_id->value()));
  }
  const auto main = metadata.refs.find(std::string(kMainBranch));
  if (main == metadata.refs.end()) return Status::Ok();
  if (main->second.kind != SnapshotRef::Kind::kBranch) {
    return DataError("refs.main: expected a branch, found a tag");
  }
  if (main->second.snapshot_id != metadata.current_snapshot_id) {
    return DataError(fmt::format("refs.main: expected the current snapshot {}, found {}",
                                 metadata.current_snapshot_id
                                     ? std::to_string(metadata.current_snapshot_id->value())
                                     : "(none)",
                                 main->second.snapshot_id.value()));
  }
  return Status::Ok();
}

bool NeedsVersion3(const Type& type) {
  switch (type.kind()) {
    case TypeKind::kTimestampNs:
    case TypeKind::kTimestampTzNs:
    case TypeKind::kUnknown:
    case TypeKind::kVariant:
    case TypeKind::kGeometry:
    case TypeKind::kGeography:
      return true;
    default:
      return false;
  }
}

Status CheckFieldVersion(const Field& field, const std::string& name, int format_version) {
  if (format_version >= 3) return Status::Ok();
  if (NeedsVersion3(field.type)) {
    return DataError(
        fmt::format("the type {} of column {} needs format version 3, the table has version {}",
                    field.type.ToString(), Quote(name), format_version));
  }
  if (field.initial_default && !field.initial_default->is_null()) {
    return DataError(
        fmt::format("the default of column {} needs format version 3, the table has version {}",
                    Quote(name), format_version));
  }
  return Status::Ok();
}

Status CheckDefault(const Field& field, const std::string& name,
                    const std::optional<Value>& value) {
  if (!value || value->is_null() || HoldsValueOf(field.type, *value)) return Status::Ok();
  return DataError(
      fmt::format("expected a default of type {} for column {}, found one of another type",
                  field.type.ToString(), Quote(name)));
}

}  // namespace

std::string WithoutTrailingSlash(std::string location) {
  while (location.ends_with('/') && !location.ends_with("://")) location.pop_back();
  return location;
}

Status CheckMetadata(const TableMetadata& metadata) {
  if (std::max(metadata.last_column_id, metadata.last_partition_id).value() > kFieldIdMax) {
    return DataError(
        fmt::format("expected last-column-id and last-partition-id up to {}", kFieldIdMax));
  }
  CALVE_RETURN_IF_ERROR(CheckIds(metadata));
  CALVE_RETURN_IF_ERROR(CheckRefs(metadata));
  for (const Snapshot& snapshot : metadata.snapshots) {
    if (snapshot.sequence_number > metadata.last_sequence_number) {
      return DataError(
          fmt::format("snapshot {}: expected a sequence-number of at most {} "
                      "(last-sequence-number), found {}",
                      snapshot.id.value(), metadata.last_sequence_number.value(),
                      snapshot.sequence_number.value()));
    }
  }
  return Status::Ok();
}

Status CheckSchemaVersion(const Schema& schema, int format_version) {
  if (schema.highest_field_id().value() > kColumnIdMax) {
    return DataError(fmt::format("expected field ids up to {}, found {}", kColumnIdMax,
                                 schema.highest_field_id().value()));
  }
  for (const std::string& name : schema.full_names()) {
    const Field& field = *schema.FindByName(name);
    CALVE_RETURN_IF_ERROR(CheckFieldVersion(field, name, format_version));
    CALVE_RETURN_IF_ERROR(CheckDefault(field, name, field.initial_default));
    CALVE_RETURN_IF_ERROR(CheckDefault(field, name, field.write_default));
  }
  return Status::Ok();
}

}  // namespace calve::iceberg

#include <fmt/format.h>

#include "iceberg/json.h"
#include "iceberg/metadata_builder.h"
#include "iceberg/registry.h"
#include "iceberg/snapshot_json.h"
#include "iceberg/update.h"

namespace calve::iceberg {
namespace {

constexpr std::string_view kAction = "add-snapshot";

/// A snapshot computed on a base that has moved on is a conflict, so that the writer computes it
/// again.
///
/// One without parent, as a replaced table starts with, holds nothing of what came before and so is
/// never too old.
Status CheckSequenceNumber(const Snapshot& snapshot, const TableMetadata& metadata) {
  if (metadata.format_version == 1) {
    if (snapshot.sequence_number.value() == 0) return Status::Ok();
    return DataError(fmt::format("expected the sequence number 0 of format version 1, found {}",
                                 snapshot.sequence_number.value()));
  }
  if (snapshot.sequence_number > metadata.last_sequence_number) return Status::Ok();
  if (!snapshot.parent_id && snapshot.sequence_number.value() > 0) return Status::Ok();
  return ConflictError(
      fmt::format("expected a sequence number above {}, found {}: the table was changed in the "
                  "meantime",
                  metadata.last_sequence_number.value(), snapshot.sequence_number.value()));
}

/// Move next-row-id past the rows of a snapshot (spec, Snapshot Row IDs).
Status TakeRowIds(const Snapshot& snapshot, TableMetadata& metadata) {
  if (!snapshot.first_row_id || !snapshot.added_rows || *snapshot.added_rows < 0) {
    return DataError(fmt::format(
        "expected first-row-id and added-rows of snapshot {}, as format version 3 needs",
        snapshot.id.value()));
  }
  if (*snapshot.first_row_id < metadata.next_row_id) {
    return ConflictError(
        fmt::format("expected a first-row-id of at least {}, found {}: the table was changed in "
                    "the meantime",
                    metadata.next_row_id.value(), snapshot.first_row_id->value()));
  }
  int64_t next = 0;
  if (__builtin_add_overflow(snapshot.first_row_id->value(), *snapshot.added_rows, &next)) {
    return DataError(fmt::format("the row ids of snapshot {} leave 64 bits", snapshot.id.value()));
  }
  metadata.next_row_id = RowId(next);
  return Status::Ok();
}

class AddSnapshotUpdate : public Update {
 public:
  explicit AddSnapshotUpdate(Snapshot snapshot) : snapshot_(std::move(snapshot)) {}
  std::string_view action() const override { return kAction; }
  Status ApplyTo(MetadataBuilder& builder) const override {
    const TableMetadata& metadata = builder.metadata();
    if (metadata.schemas.empty() || metadata.specs.empty() || metadata.sort_orders.empty()) {
      return DataError(
          "expected a schema, a partition spec and a sort order before a snapshot is added");
    }
    if (metadata.FindSnapshot(snapshot_.id) != nullptr) {
      return DataError(fmt::format("expected a snapshot that the table does not have, found {}",
                                   snapshot_.id.value()));
    }
    CALVE_RETURN_IF_ERROR(CheckSequenceNumber(snapshot_, metadata));
    if (metadata.format_version >= 3)
      CALVE_RETURN_IF_ERROR(TakeRowIds(snapshot_, builder.metadata()));
    builder.AddSnapshot(snapshot_);
    return Status::Ok();
  }
  std::string ToJson() const override {
    return DumpJson({{"action", kAction}, {"snapshot", SnapshotToJson(snapshot_)}});
  }

 private:
  Snapshot snapshot_;
};

Result<UpdatePtr> Parse(const JsonObject& object) {
  CALVE_ASSIGN_OR_RETURN(const Json* json, object.Require("snapshot"));
  CALVE_ASSIGN_OR_RETURN(const JsonObject snapshot_object, JsonObject::Of(*json, "snapshot"));
  CALVE_ASSIGN_OR_RETURN(Snapshot snapshot, SnapshotFromJson(snapshot_object));
  return AddSnapshot(std::move(snapshot));
}

}  // namespace

UpdatePtr AddSnapshot(Snapshot snapshot) {
  return std::make_shared<AddSnapshotUpdate>(std::move(snapshot));
}

CALVE_PART(add_snapshot) { registry.Add(std::string(kAction), Parse); }

}  // namespace calve::iceberg

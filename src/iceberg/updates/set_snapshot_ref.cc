#include <fmt/format.h>

#include "base/text.h"
#include "iceberg/json.h"
#include "iceberg/metadata_builder.h"
#include "iceberg/registry.h"
#include "iceberg/snapshot_json.h"
#include "iceberg/update.h"

namespace calve::iceberg {
namespace {

constexpr std::string_view kAction = "set-snapshot-ref";

Status CheckRetention(const SnapshotRef& ref, const std::string& name) {
  for (const auto& limit :
       {ref.min_snapshots_to_keep, ref.max_snapshot_age_ms, ref.max_ref_age_ms}) {
    if (!limit || *limit > 0) continue;
    return DataError(
        fmt::format("expected the retention of {} to be above 0, found {}", Quote(name), *limit));
  }
  const bool of_branch = ref.min_snapshots_to_keep || ref.max_snapshot_age_ms;
  if (ref.kind == SnapshotRef::Kind::kTag && of_branch) {
    return DataError(fmt::format(
        "{} is a tag and keeps one snapshot; only max-ref-age-ms is for tags", Quote(name)));
  }
  return Status::Ok();
}

class SetSnapshotRefUpdate : public Update {
 public:
  SetSnapshotRefUpdate(std::string name, SnapshotRef ref)
      : name_(std::move(name)), ref_(std::move(ref)) {}
  std::string_view action() const override { return kAction; }
  Status ApplyTo(MetadataBuilder& builder) const override {
    if (name_.empty()) return DataError("expected the name of a branch or tag, found \"\"");
    CALVE_RETURN_IF_ERROR(CheckRetention(ref_, name_));
    if (name_ == kMainBranch && ref_.kind == SnapshotRef::Kind::kTag) {
      return DataError("expected main to be a branch, found a tag");
    }
    if (builder.metadata().FindSnapshot(ref_.snapshot_id) == nullptr) {
      return DataError(
          fmt::format("expected a snapshot of the table for {}, found the unknown id {}",
                      Quote(name_), ref_.snapshot_id.value()));
    }
    builder.SetRef(name_, ref_);
    return Status::Ok();
  }
  std::string ToJson() const override {
    Json json = {{"action", kAction}, {"ref-name", name_}};
    SnapshotRefToJson(ref_, json);
    return DumpJson(json);
  }

 private:
  std::string name_;
  SnapshotRef ref_;
};

Result<UpdatePtr> Parse(const JsonObject& object) {
  CALVE_ASSIGN_OR_RETURN(std::string name, object.Text("ref-name"));
  CALVE_ASSIGN_OR_RETURN(SnapshotRef ref, SnapshotRefFromJson(object));
  return SetSnapshotRef(std::move(name), std::move(ref));
}

}  // namespace

UpdatePtr SetSnapshotRef(std::string name, SnapshotRef ref) {
  return std::make_shared<SetSnapshotRefUpdate>(std::move(name), std::move(ref));
}

CALVE_PART(set_snapshot_ref) { registry.Add(std::string(kAction), Parse); }

}  // namespace calve::iceberg

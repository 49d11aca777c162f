#include "iceberg/json.h"
#include "iceberg/metadata_builder.h"
#include "iceberg/registry.h"
#include "iceberg/update.h"

namespace calve::iceberg {
namespace {

constexpr std::string_view kAction = "remove-snapshots";

class RemoveSnapshotsUpdate : public Update {
 public:
  explicit RemoveSnapshotsUpdate(std::vector<SnapshotId> ids) : ids_(std::move(ids)) {}
  std::string_view action() const override { return kAction; }
  Status ApplyTo(MetadataBuilder& builder) const override {
    builder.RemoveSnapshots({ids_.begin(), ids_.end()});
    return Status::Ok();
  }
  std::string ToJson() const override {
    Json json = {{"action", kAction}, {"snapshot-ids", Json::array()}};
    for (const SnapshotId id : ids_) json["snapshot-ids"].push_back(id.value());
    return DumpJson(json);
  }

 private:
  std::vector<SnapshotId> ids_;
};

Result<UpdatePtr> Parse(const JsonObject& object) {
  CALVE_ASSIGN_OR_RETURN(const std::vector<int64_t> numbers, object.LongList("snapshot-ids"));
  std::vector<SnapshotId> ids;
  for (const int64_t number : numbers) ids.emplace_back(number);
  return RemoveSnapshots(std::move(ids));
}

}  // namespace

UpdatePtr RemoveSnapshots(std::vector<SnapshotId> ids) {
  return std::make_shared<RemoveSnapshotsUpdate>(std::move(ids));
}

CALVE_PART(remove_snapshots) { registry.Add(std::string(kAction), Parse); }

}  // namespace calve::iceberg

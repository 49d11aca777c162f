#include "iceberg/json.h"
#include "iceberg/metadata_builder.h"
#include "iceberg/registry.h"
#include "iceberg/update.h"

namespace calve::iceberg {
namespace {

constexpr std::string_view kAction = "remove-partition-statistics";

class RemovePartitionStatisticsUpdate : public Update {
 public:
  explicit RemovePartitionStatisticsUpdate(SnapshotId id) : id_(id) {}
  std::string_view action() const override { return kAction; }
  Status ApplyTo(MetadataBuilder& builder) const override {
    std::erase_if(builder.metadata().partition_statistics,
                  [&](const PartitionStatisticsFile& file) { return file.snapshot_id == id_; });
    return Status::Ok();
  }
  std::string ToJson() const override {
    return DumpJson({{"action", kAction}, {"snapshot-id", id_.value()}});
  }

 private:
  SnapshotId id_;
};

Result<UpdatePtr> Parse(const JsonObject& object) {
  CALVE_ASSIGN_OR_RETURN(const SnapshotId id, object.GetSnapshotId("snapshot-id"));
  return RemovePartitionStatistics(id);
}

}  // namespace

UpdatePtr RemovePartitionStatistics(SnapshotId id) {
  return std::make_shared<RemovePartitionStatisticsUpdate>(id);
}

CALVE_PART(remove_partition_statistics) { registry.Add(std::string(kAction), Parse); }

}  // namespace calve::iceberg

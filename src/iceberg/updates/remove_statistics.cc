#include "iceberg/json.h"
#include "iceberg/metadata_builder.h"
#include "iceberg/registry.h"
#include "iceberg/update.h"

namespace calve::iceberg {
namespace {

constexpr std::string_view kAction = "remove-statistics";

class RemoveStatisticsUpdate : public Update {
 public:
  explicit RemoveStatisticsUpdate(SnapshotId id) : id_(id) {}
  std::string_view action() const override { return kAction; }
  Status ApplyTo(MetadataBuilder& builder) const override {
    std::erase_if(builder.metadata().statistics,
                  [&](const StatisticsFile& file) { return file.snapshot_id == id_; });
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
  return RemoveStatistics(id);
}

}  // namespace

UpdatePtr RemoveStatistics(SnapshotId id) { return std::make_shared<RemoveStatisticsUpdate>(id); }

CALVE_PART(remove_statistics) { registry.Add(std::string(kAction), Parse); }

}  // namespace calve::iceberg

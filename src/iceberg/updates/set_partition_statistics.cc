#include "iceberg/json.h"
#include "iceberg/metadata_builder.h"
#include "iceberg/registry.h"
#include "iceberg/snapshot_json.h"
#include "iceberg/update.h"

namespace calve::iceberg {
namespace {

constexpr std::string_view kAction = "set-partition-statistics";

class SetPartitionStatisticsUpdate : public Update {
 public:
  explicit SetPartitionStatisticsUpdate(PartitionStatisticsFile file) : file_(std::move(file)) {}
  std::string_view action() const override { return kAction; }
  Status ApplyTo(MetadataBuilder& builder) const override {
    auto& files = builder.metadata().partition_statistics;
    std::erase_if(files, [&](const PartitionStatisticsFile& other) {
      return other.snapshot_id == file_.snapshot_id;
    });
    files.push_back(file_);
    return Status::Ok();
  }
  std::string ToJson() const override {
    return DumpJson(
        {{"action", kAction}, {"partition-statistics", PartitionStatisticsFileToJson(file_)}});
  }

 private:
  PartitionStatisticsFile file_;
};

Result<UpdatePtr> Parse(const JsonObject& object) {
  CALVE_ASSIGN_OR_RETURN(const Json* json, object.Require("partition-statistics"));
  CALVE_ASSIGN_OR_RETURN(const JsonObject file_object,
                         JsonObject::Of(*json, "partition-statistics"));
  CALVE_ASSIGN_OR_RETURN(PartitionStatisticsFile file,
                         PartitionStatisticsFileFromJson(file_object));
  return SetPartitionStatistics(std::move(file));
}

}  // namespace

UpdatePtr SetPartitionStatistics(PartitionStatisticsFile file) {
  return std::make_shared<SetPartitionStatisticsUpdate>(std::move(file));
}

CALVE_PART(set_partition_statistics) { registry.Add(std::string(kAction), Parse); }

}  // namespace calve::iceberg

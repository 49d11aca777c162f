#include "iceberg/json.h"
#include "iceberg/metadata_builder.h"
#include "iceberg/registry.h"
#include "iceberg/snapshot_json.h"
#include "iceberg/update.h"

namespace calve::iceberg {
namespace {

constexpr std::string_view kAction = "set-statistics";

class SetStatisticsUpdate : public Update {
 public:
  explicit SetStatisticsUpdate(StatisticsFile file) : file_(std::move(file)) {}
  std::string_view action() const override { return kAction; }
  Status ApplyTo(MetadataBuilder& builder) const override {
    auto& files = builder.metadata().statistics;
    std::erase_if(
        files, [&](const StatisticsFile& other) { return other.snapshot_id == file_.snapshot_id; });
    files.push_back(file_);
    return Status::Ok();
  }
  std::string ToJson() const override {
    // The snapshot-id beside the file is deprecated, but older catalogs read it.
    return DumpJson({{"action", kAction},
                     {"snapshot-id", file_.snapshot_id.value()},
                     {"statistics", StatisticsFileToJson(file_)}});
  }

 private:
  StatisticsFile file_;
};

Result<UpdatePtr> Parse(const JsonObject& object) {
  CALVE_ASSIGN_OR_RETURN(const Json* json, object.Require("statistics"));
  CALVE_ASSIGN_OR_RETURN(const JsonObject file_object, JsonObject::Of(*json, "statistics"));
  CALVE_ASSIGN_OR_RETURN(StatisticsFile file, StatisticsFileFromJson(file_object));
  return SetStatistics(std::move(file));
}

}  // namespace

UpdatePtr SetStatistics(StatisticsFile file) {
  return std::make_shared<SetStatisticsUpdate>(std::move(file));
}

CALVE_PART(set_statistics) { registry.Add(std::string(kAction), Parse); }

}  // namespace calve::iceberg

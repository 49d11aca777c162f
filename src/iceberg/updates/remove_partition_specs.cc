#include <fmt/format.h>

#include <set>

#include "iceberg/json.h"
#include "iceberg/metadata_builder.h"
#include "iceberg/registry.h"
#include "iceberg/update.h"

namespace calve::iceberg {
namespace {

constexpr std::string_view kAction = "remove-partition-specs";

class RemovePartitionSpecsUpdate : public Update {
 public:
  explicit RemovePartitionSpecsUpdate(std::vector<SpecId> ids) : ids_(std::move(ids)) {}
  std::string_view action() const override { return kAction; }
  Status ApplyTo(MetadataBuilder& builder) const override {
    TableMetadata& metadata = builder.metadata();
    const std::set<SpecId> ids(ids_.begin(), ids_.end());
    if (ids.contains(metadata.default_spec_id)) {
      return DataError(fmt::format("the default partition spec {} is in use and cannot be removed",
                                   metadata.default_spec_id.value()));
    }
    std::erase_if(metadata.specs, [&](const PartitionSpec& item) { return ids.contains(item.id); });
    return Status::Ok();
  }
  std::string ToJson() const override {
    Json json = {{"action", kAction}, {"spec-ids", Json::array()}};
    for (const SpecId id : ids_) json["spec-ids"].push_back(id.value());
    return DumpJson(json);
  }

 private:
  std::vector<SpecId> ids_;
};

Result<UpdatePtr> Parse(const JsonObject& object) {
  CALVE_ASSIGN_OR_RETURN(const std::vector<int32_t> numbers, object.IntList("spec-ids"));
  std::vector<SpecId> ids;
  for (const int32_t number : numbers) ids.emplace_back(number);
  return RemovePartitionSpecs(std::move(ids));
}

}  // namespace

UpdatePtr RemovePartitionSpecs(std::vector<SpecId> ids) {
  return std::make_shared<RemovePartitionSpecsUpdate>(std::move(ids));
}

CALVE_PART(remove_partition_specs) { registry.Add(std::string(kAction), Parse); }

}  // namespace calve::iceberg

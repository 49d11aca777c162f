#include "iceberg/json.h"
#include "iceberg/metadata_builder.h"
#include "iceberg/registry.h"
#include "iceberg/update.h"

namespace calve::iceberg {
namespace {

constexpr std::string_view kAction = "remove-properties";

class RemovePropertiesUpdate : public Update {
 public:
  explicit RemovePropertiesUpdate(std::vector<std::string> keys) : keys_(std::move(keys)) {}
  std::string_view action() const override { return kAction; }
  Status ApplyTo(MetadataBuilder& builder) const override {
    for (const std::string& key : keys_) builder.metadata().properties.erase(key);
    return Status::Ok();
  }
  std::string ToJson() const override {
    return DumpJson({{"action", kAction}, {"removals", keys_}});
  }

 private:
  std::vector<std::string> keys_;
};

Result<UpdatePtr> Parse(const JsonObject& object) {
  // Early writers named the key "removed".
  const std::string_view key = object.Has("removals") ? "removals" : "removed";
  CALVE_ASSIGN_OR_RETURN(std::vector<std::string> keys, object.TextList(key));
  return RemoveProperties(std::move(keys));
}

}  // namespace

UpdatePtr RemoveProperties(std::vector<std::string> keys) {
  return std::make_shared<RemovePropertiesUpdate>(std::move(keys));
}

CALVE_PART(remove_properties) { registry.Add(std::string(kAction), Parse); }

}  // namespace calve::iceberg

#include "iceberg/json.h"
#include "iceberg/metadata_builder.h"
#include "iceberg/registry.h"
#include "iceberg/update.h"

namespace calve::iceberg {
namespace {

constexpr std::string_view kAction = "set-properties";

class SetPropertiesUpdate : public Update {
 public:
  explicit SetPropertiesUpdate(std::map<std::string, std::string> properties)
      : properties_(std::move(properties)) {}
  std::string_view action() const override { return kAction; }
  Status ApplyTo(MetadataBuilder& builder) const override {
    for (const auto& [key, value] : properties_) builder.metadata().properties[key] = value;
    return Status::Ok();
  }
  std::string ToJson() const override {
    return DumpJson({{"action", kAction}, {"updates", properties_}});
  }

 private:
  std::map<std::string, std::string> properties_;
};

Result<UpdatePtr> Parse(const JsonObject& object) {
  // Early writers named the key "updated".
  const std::string_view key = object.Has("updates") ? "updates" : "updated";
  CALVE_RETURN_IF_ERROR(object.Require(key));
  CALVE_ASSIGN_OR_RETURN(auto properties, object.TextMap(key));
  return SetProperties(std::move(properties));
}

}  // namespace

UpdatePtr SetProperties(std::map<std::string, std::string> properties) {
  return std::make_shared<SetPropertiesUpdate>(std::move(properties));
}

CALVE_PART(set_properties) { registry.Add(std::string(kAction), Parse); }

}  // namespace calve::iceberg

#include "iceberg/json.h"
#include "iceberg/metadata_builder.h"
#include "iceberg/metadata_rules.h"
#include "iceberg/registry.h"
#include "iceberg/update.h"

namespace calve::iceberg {
namespace {

constexpr std::string_view kAction = "set-location";

class SetLocationUpdate : public Update {
 public:
  explicit SetLocationUpdate(std::string location) : location_(std::move(location)) {}
  std::string_view action() const override { return kAction; }
  Status ApplyTo(MetadataBuilder& builder) const override {
    if (location_.empty()) return DataError("expected a location, found \"\"");
    builder.metadata().location = WithoutTrailingSlash(location_);
    return Status::Ok();
  }
  std::string ToJson() const override {
    return DumpJson({{"action", kAction}, {"location", location_}});
  }

 private:
  std::string location_;
};

Result<UpdatePtr> Parse(const JsonObject& object) {
  CALVE_ASSIGN_OR_RETURN(std::string location, object.Text("location"));
  return SetLocation(std::move(location));
}

}  // namespace

UpdatePtr SetLocation(std::string location) {
  return std::make_shared<SetLocationUpdate>(std::move(location));
}

CALVE_PART(set_location) { registry.Add(std::string(kAction), Parse); }

}  // namespace calve::iceberg

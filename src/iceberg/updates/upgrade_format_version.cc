#include <fmt/format.h>

#include "iceberg/json.h"
#include "iceberg/metadata_builder.h"
#include "iceberg/metadata_rules.h"
#include "iceberg/registry.h"
#include "iceberg/update.h"

namespace calve::iceberg {
namespace {

constexpr std::string_view kAction = "upgrade-format-version";

class UpgradeFormatVersionUpdate : public Update {
 public:
  explicit UpgradeFormatVersionUpdate(int format_version) : format_version_(format_version) {}
  std::string_view action() const override { return kAction; }
  Status ApplyTo(MetadataBuilder& builder) const override {
    int& own = builder.metadata().format_version;
    if (format_version_ < 1 || format_version_ > kFormatVersionMax) {
      return DataError(fmt::format("expected a format version from 1 to {}, found {}",
                                   kFormatVersionMax, format_version_));
    }
    if (!builder.creating() && format_version_ < own) {
      return DataError(fmt::format("the table has format version {} and cannot go back to {}", own,
                                   format_version_));
    }
    own = format_version_;
    return Status::Ok();
  }
  std::string ToJson() const override {
    return DumpJson({{"action", kAction}, {"format-version", format_version_}});
  }

 private:
  int format_version_;
};

Result<UpdatePtr> Parse(const JsonObject& object) {
  CALVE_ASSIGN_OR_RETURN(const int32_t version, object.Int("format-version"));
  return UpgradeFormatVersion(version);
}

}  // namespace

UpdatePtr UpgradeFormatVersion(int format_version) {
  return std::make_shared<UpgradeFormatVersionUpdate>(format_version);
}

CALVE_PART(upgrade_format_version) { registry.Add(std::string(kAction), Parse); }

}  // namespace calve::iceberg

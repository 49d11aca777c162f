#include <fmt/format.h>

#include "base/text.h"
#include "iceberg/json.h"
#include "iceberg/metadata_builder.h"
#include "iceberg/registry.h"
#include "iceberg/update.h"

namespace calve::iceberg {
namespace {

constexpr std::string_view kAction = "assign-uuid";

class AssignUuidUpdate : public Update {
 public:
  explicit AssignUuidUpdate(std::string uuid) : uuid_(std::move(uuid)) {}
  std::string_view action() const override { return kAction; }
  Status ApplyTo(MetadataBuilder& builder) const override {
    std::string& own = builder.metadata().table_uuid;
    if (uuid_.empty()) return DataError("expected a UUID, found \"\"");
    if (!own.empty() && ToLower(own) != ToLower(uuid_)) {
      return DataError(fmt::format(
          "expected the UUID {} of the table, found {}; a table keeps its UUID", own, uuid_));
    }
    own = uuid_;
    return Status::Ok();
  }
  std::string ToJson() const override { return DumpJson({{"action", kAction}, {"uuid", uuid_}}); }

 private:
  std::string uuid_;
};

Result<UpdatePtr> Parse(const JsonObject& object) {
  CALVE_ASSIGN_OR_RETURN(std::string uuid, object.Text("uuid"));
  return AssignUuid(std::move(uuid));
}

}  // namespace

UpdatePtr AssignUuid(std::string uuid) {
  return std::make_shared<AssignUuidUpdate>(std::move(uuid));
}

CALVE_PART(assign_uuid) { registry.Add(std::string(kAction), Parse); }

}  // namespace calve::iceberg

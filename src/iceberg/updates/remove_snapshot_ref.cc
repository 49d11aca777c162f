#include "iceberg/json.h"
#include "iceberg/metadata_builder.h"
#include "iceberg/registry.h"
#include "iceberg/update.h"

namespace calve::iceberg {
namespace {

constexpr std::string_view kAction = "remove-snapshot-ref";

class RemoveSnapshotRefUpdate : public Update {
 public:
  explicit RemoveSnapshotRefUpdate(std::string name) : name_(std::move(name)) {}
  std::string_view action() const override { return kAction; }
  Status ApplyTo(MetadataBuilder& builder) const override {
    builder.RemoveRef(name_);
    return Status::Ok();
  }
  std::string ToJson() const override {
    return DumpJson({{"action", kAction}, {"ref-name", name_}});
  }

 private:
  std::string name_;
};

Result<UpdatePtr> Parse(const JsonObject& object) {
  CALVE_ASSIGN_OR_RETURN(std::string name, object.Text("ref-name"));
  return RemoveSnapshotRef(std::move(name));
}

}  // namespace

UpdatePtr RemoveSnapshotRef(std::string name) {
  return std::make_shared<RemoveSnapshotRefUpdate>(std::move(name));
}

CALVE_PART(remove_snapshot_ref) { registry.Add(std::string(kAction), Parse); }

}  // namespace calve::iceberg

#include <fmt/format.h>

#include "iceberg/json.h"
#include "iceberg/metadata_builder.h"
#include "iceberg/registry.h"
#include "iceberg/update.h"

namespace calve::iceberg {
namespace {

constexpr std::string_view kAction = "set-default-spec";

/// Names the partition spec that the same change added last.
constexpr SpecId kLastAdded{-1};

class SetDefaultSpecUpdate : public Update {
 public:
  explicit SetDefaultSpecUpdate(SpecId id) : id_(id) {}
  std::string_view action() const override { return kAction; }
  Status ApplyTo(MetadataBuilder& builder) const override {
    TableMetadata& metadata = builder.metadata();
    const SpecId id = id_ == kLastAdded ? builder.last_added_spec.value_or(kLastAdded) : id_;
    if (id == kLastAdded) {
      return DataError(
          "expected a change that adds a partition spec before it is set as -1, found none");
    }
    if (metadata.FindSpec(id) == nullptr) {
      return DataError(fmt::format(
          "expected a partition spec of the table, found the unknown id {}", id.value()));
    }
    if (metadata.default_spec_id != id) builder.LayoutChanged();
    metadata.default_spec_id = id;
    return Status::Ok();
  }
  std::string ToJson() const override {
    return DumpJson({{"action", kAction}, {"spec-id", id_.value()}});
  }

 private:
  SpecId id_;
};

Result<UpdatePtr> Parse(const JsonObject& object) {
  CALVE_ASSIGN_OR_RETURN(const int32_t id, object.Int("spec-id"));
  return SetDefaultSpec(SpecId(id));
}

}  // namespace

UpdatePtr SetDefaultSpec(SpecId id) { return std::make_shared<SetDefaultSpecUpdate>(id); }

CALVE_PART(set_default_spec) { registry.Add(std::string(kAction), Parse); }

}  // namespace calve::iceberg

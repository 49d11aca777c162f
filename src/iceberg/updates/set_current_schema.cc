#include <fmt/format.h>

#include "iceberg/json.h"
#include "iceberg/metadata_builder.h"
#include "iceberg/registry.h"
#include "iceberg/update.h"

namespace calve::iceberg {
namespace {

constexpr std::string_view kAction = "set-current-schema";

/// Names the schema that the same change added last.
constexpr SchemaId kLastAdded{-1};

class SetCurrentSchemaUpdate : public Update {
 public:
  explicit SetCurrentSchemaUpdate(SchemaId id) : id_(id) {}
  std::string_view action() const override { return kAction; }
  Status ApplyTo(MetadataBuilder& builder) const override {
    TableMetadata& metadata = builder.metadata();
    const SchemaId id = id_ == kLastAdded ? builder.last_added_schema.value_or(kLastAdded) : id_;
    if (id == kLastAdded) {
      return DataError("expected a change that adds a schema before it is set as -1, found none");
    }
    if (metadata.FindSchema(id) == nullptr) {
      return DataError(
          fmt::format("expected a schema of the table, found the unknown id {}", id.value()));
    }
    if (metadata.current_schema_id != id) builder.LayoutChanged();
    metadata.current_schema_id = id;
    return Status::Ok();
  }
  std::string ToJson() const override {
    return DumpJson({{"action", kAction}, {"schema-id", id_.value()}});
  }

 private:
  SchemaId id_;
};

Result<UpdatePtr> Parse(const JsonObject& object) {
  CALVE_ASSIGN_OR_RETURN(const int32_t id, object.Int("schema-id"));
  return SetCurrentSchema(SchemaId(id));
}

}  // namespace

UpdatePtr SetCurrentSchema(SchemaId id) { return std::make_shared<SetCurrentSchemaUpdate>(id); }

CALVE_PART(set_current_schema) { registry.Add(std::string(kAction), Parse); }

}  // namespace calve::iceberg

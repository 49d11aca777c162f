#include <algorithm>

#include "iceberg/json.h"
#include "iceberg/metadata_builder.h"
#include "iceberg/metadata_rules.h"
#include "iceberg/registry.h"
#include "iceberg/schema_json.h"
#include "iceberg/update.h"

namespace calve::iceberg {
namespace {

constexpr std::string_view kAction = "add-schema";

/// The id of an equal schema that the table has, else the next free one.
SchemaId IdFor(const Schema& schema, const std::vector<SchemaPtr>& schemas) {
  SchemaId next{0};
  for (const SchemaPtr& other : schemas) {
    if (other->SameColumns(schema)) return other->id();
    next = std::max(next, SchemaId(other->id().value() + 1));
  }
  return next;
}

class AddSchemaUpdate : public Update {
 public:
  explicit AddSchemaUpdate(SchemaPtr schema) : schema_(std::move(schema)) {}
  std::string_view action() const override { return kAction; }
  Status ApplyTo(MetadataBuilder& builder) const override {
    TableMetadata& metadata = builder.metadata();
    CALVE_RETURN_IF_ERROR(CheckSchemaVersion(*schema_, metadata.format_version));
    metadata.last_column_id = std::max(metadata.last_column_id, schema_->highest_field_id());
    const SchemaId id = IdFor(*schema_, metadata.schemas);
    builder.last_added_schema = id;
    if (metadata.FindSchema(id) != nullptr) return Status::Ok();
    CALVE_ASSIGN_OR_RETURN(SchemaPtr schema,
                           Schema::Make(id, schema_->fields(), schema_->identifier_field_ids()));
    metadata.schemas.push_back(std::move(schema));
    return Status::Ok();
  }
  std::string ToJson() const override {
    // last-column-id is deprecated, but some catalogs (Nessie 0.99) fail without it.
    return DumpJson({{"action", kAction},
                     {"schema", SchemaToJson(*schema_)},
                     {"last-column-id", schema_->highest_field_id().value()}});
  }

 private:
  SchemaPtr schema_;
};

Result<UpdatePtr> Parse(const JsonObject& object) {
  CALVE_ASSIGN_OR_RETURN(const Json* json, object.Require("schema"));
  CALVE_ASSIGN_OR_RETURN(const JsonObject schema_object, JsonObject::Of(*json, "schema"));
  CALVE_ASSIGN_OR_RETURN(SchemaPtr schema, SchemaFromJson(schema_object));
  return AddSchema(std::move(schema));
}

}  // namespace

UpdatePtr AddSchema(SchemaPtr schema) {
  return std::make_shared<AddSchemaUpdate>(std::move(schema));
}

CALVE_PART(add_schema) { registry.Add(std::string(kAction), Parse); }

}  // namespace calve::iceberg

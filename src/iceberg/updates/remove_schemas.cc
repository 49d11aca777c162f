#include <fmt/format.h>

#include <set>

#include "iceberg/json.h"
#include "iceberg/metadata_builder.h"
#include "iceberg/registry.h"
#include "iceberg/update.h"

namespace calve::iceberg {
namespace {

constexpr std::string_view kAction = "remove-schemas";

class RemoveSchemasUpdate : public Update {
 public:
  explicit RemoveSchemasUpdate(std::vector<SchemaId> ids) : ids_(std::move(ids)) {}
  std::string_view action() const override { return kAction; }
  Status ApplyTo(MetadataBuilder& builder) const override {
    TableMetadata& metadata = builder.metadata();
    const std::set<SchemaId> ids(ids_.begin(), ids_.end());
    if (ids.contains(metadata.current_schema_id)) {
      return DataError(fmt::format("the current schema {} is in use and cannot be removed",
                                   metadata.current_schema_id.value()));
    }
    std::erase_if(metadata.schemas,
                  [&](const SchemaPtr& item) { return ids.contains(item->id()); });
    return Status::Ok();
  }
  std::string ToJson() const override {
    Json json = {{"action", kAction}, {"schema-ids", Json::array()}};
    for (const SchemaId id : ids_) json["schema-ids"].push_back(id.value());
    return DumpJson(json);
  }

 private:
  std::vector<SchemaId> ids_;
};

Result<UpdatePtr> Parse(const JsonObject& object) {
  CALVE_ASSIGN_OR_RETURN(const std::vector<int32_t> numbers, object.IntList("schema-ids"));
  std::vector<SchemaId> ids;
  for (const int32_t number : numbers) ids.emplace_back(number);
  return RemoveSchemas(std::move(ids));
}

}  // namespace

UpdatePtr RemoveSchemas(std::vector<SchemaId> ids) {
  return std::make_shared<RemoveSchemasUpdate>(std::move(ids));
}

CALVE_PART(remove_schemas) { registry.Add(std::string(kAction), Parse); }

}  // namespace calve::iceberg

#include "iceberg/view.h"

#include <algorithm>
#include <cassert>

#include "base/text.h"

namespace calve::iceberg {

const SchemaPtr* ViewMetadata::FindSchema(SchemaId id) const {
  const auto found = std::find_if(schemas.begin(), schemas.end(),
                                  [&](const SchemaPtr& schema) { return schema->id() == id; });
  return found == schemas.end() ? nullptr : &*found;
}

const ViewVersion* ViewMetadata::FindVersion(int32_t id) const {
  const auto found = std::find_if(versions.begin(), versions.end(),
                                  [&](const ViewVersion& version) { return version.id == id; });
  return found == versions.end() ? nullptr : &*found;
}

const ViewVersion& ViewMetadata::current_version() const {
  const ViewVersion* found = FindVersion(current_version_id);
  assert(found != nullptr);
  return *found;
}

const std::string* ViewMetadata::SqlFor(std::string_view dialect) const {
  const std::string wanted = ToLower(dialect);
  for (const ViewRepresentation& way : current_version().representations) {
    if (way.type == "sql" && ToLower(way.dialect) == wanted) return &way.sql;
  }
  return nullptr;
}

bool ViewChange::creates() const {
  return std::any_of(requirements.begin(), requirements.end(),
                     [](const ViewRequirement& requirement) { return !requirement.uuid; });
}

ViewChange CreateView(const CreateViewOptions& options) {
  ViewVersion version = options.version;
  version.schema_id = SchemaId(-1);
  ViewChange change{
      .requirements = {ViewRequirement{}},
      .updates = {view_update::AssignUuid{options.uuid}, view_update::SetLocation{options.location},
                  view_update::AddSchema{options.schema},
                  view_update::AddVersion{std::move(version)}, view_update::SetCurrentVersion{}}};
  if (!options.properties.empty())
    change.updates.push_back(view_update::SetProperties{options.properties});
  return change;
}

}  // namespace calve::iceberg

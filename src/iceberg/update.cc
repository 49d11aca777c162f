#include "iceberg/update.h"

#include <fmt/format.h>

#include <iterator>
#include <utility>

#include "base/text.h"
#include "iceberg/change.h"
#include "iceberg/metadata_builder.h"
#include "iceberg/registry.h"

namespace calve::iceberg {
namespace {

constexpr std::string_view kUpgrade = "upgrade-format-version";

const Registry& Updates() {
  static const Registry kRegistry = [] {
    Registry registry;
    RegisterParts(registry);
    return registry;
  }();
  return kRegistry;
}

Status ApplyAll(const std::vector<UpdatePtr>& updates, MetadataBuilder& builder) {
  // A new table has its version before anything that depends on it.
  for (const UpdatePtr& update : updates) {
    if (!builder.creating() || update->action() != kUpgrade) continue;
    CALVE_RETURN_IF_ERROR(update->ApplyTo(builder));
  }
  for (const UpdatePtr& update : updates) {
    const Status applied = update->ApplyTo(builder);
    if (!applied.ok()) return While(update->action(), applied.error());
  }
  return Status::Ok();
}

}  // namespace

Registry::Parse Registry::Find(const std::string& action) const {
  const auto found = parsers_.find(action);
  return found == parsers_.end() ? nullptr : found->second;
}

std::vector<std::string> Registry::actions() const {
  std::vector<std::string> actions;
  for (const auto& [action, parse] : parsers_) actions.push_back(action);
  return actions;
}

TableChange ChangeOf(const TableMetadata& base) {
  TableChange change;
  // Old tables of format version 1 have no UUID.
  if (!base.table_uuid.empty()) change.requirements.push_back(AssertTableUuid(base.table_uuid));
  return change;
}

void TableChange::Add(TableChange other) {
  std::move(other.requirements.begin(), other.requirements.end(), std::back_inserter(requirements));
  std::move(other.updates.begin(), other.updates.end(), std::back_inserter(updates));
}

Result<UpdatePtr> ParseUpdate(std::string_view json) {
  CALVE_ASSIGN_OR_RETURN(const Json document, ParseJson(json));
  CALVE_ASSIGN_OR_RETURN(const JsonObject object, JsonObject::Of(document, ""));
  CALVE_ASSIGN_OR_RETURN(const std::string written, object.Text("action"));
  const std::string action = ToLower(written);
  const Registry::Parse parse = Updates().Find(action);
  if (parse == nullptr) {
    const std::vector<std::string> known = Updates().actions();
    return DataError(fmt::format("action: expected one of {}; found {}{}", Join(known, ", "),
                                 Quote(written), DidYouMean(action, known)));
  }
  Result<UpdatePtr> update = parse(object);
  if (!update.ok()) return While(action, std::move(update).error());
  return update;
}

Result<TableMetadata> Apply(const TableMetadata* base, const TableChange& change,
                            const ApplyOptions& options) {
  for (const RequirementPtr& requirement : change.requirements) {
    CALVE_RETURN_IF_ERROR(requirement->Check(base));
  }
  if (base != nullptr && change.updates.empty()) return *base;
  MetadataBuilder builder(base, options);
  CALVE_RETURN_IF_ERROR(ApplyAll(change.updates, builder));
  return std::move(builder).Build();
}

}  // namespace calve::iceberg

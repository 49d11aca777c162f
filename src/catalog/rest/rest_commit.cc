#include <algorithm>

#include "base/text.h"
#include "catalog/metadata_store.h"
#include "catalog/rest/rest_catalog.h"
#include "iceberg/json.h"

namespace calve::catalog {
namespace {

bool Creates(const iceberg::TableChange& change) {
  return std::ranges::any_of(change.requirements, [](const iceberg::RequirementPtr& requirement) {
    return requirement->type() == "assert-create";
  });
}

/// What a commit says before it is sent to be new: only assert-create may stand beside itself, and
/// all else that is required must hold of a table that is not there.
Status CheckCreation(const iceberg::TableChange& change) {
  for (const iceberg::RequirementPtr& requirement : change.requirements)
    CALVE_RETURN_IF_ERROR(requirement->Check(nullptr));
  return Status::Ok();
}

std::string ListOf(const std::vector<std::string>& values) { return "[" + Join(values, ",") + "]"; }

/// CommitTableRequest without braces.
std::string BodyOf(const iceberg::TableChange& change) {
  const bool creates = Creates(change);
  std::vector<std::string> requirements;
  for (const iceberg::RequirementPtr& requirement : change.requirements) {
    if (!creates || requirement->type() == "assert-create")
      requirements.push_back(requirement->ToJson());
  }
  std::vector<std::string> updates;
  for (const iceberg::UpdatePtr& update : change.updates) updates.push_back(update->ToJson());
  return "\"requirements\":" + ListOf(requirements) + ",\"updates\":" + ListOf(updates);
}

std::string IdentifierOf(const TableName& table) {
  const iceberg::Json name = {{"namespace", table.ns}, {"name", table.name}};
  return "\"identifier\":" + iceberg::DumpJson(name);
}

/// What a commit that was refused comes to.
CommitOutcome OutcomeOfRefusal(const Answer& answer, Error error) {
  // Some servers say 400 where the specification has 409 for what may be computed again.
  const bool conflict = answer.refusal->status == 409 || answer.IsType("CommitFailedException") ||
                        answer.IsType("AlreadyExistsException");
  if (conflict) return Conflict{std::move(error.message)};
  return Refused{std::move(error)};
}

/// Refuse branches and tags to a Nessie: it would take what they have for main.
Status CheckRefs(const RestSettings& settings, const iceberg::TableChange& change) {
  if (settings.nessie_uri.empty()) return Status::Ok();
  for (const iceberg::UpdatePtr& update : change.updates) {
    if (update->action() != "set-snapshot-ref") continue;
    CALVE_ASSIGN_OR_RETURN(const iceberg::Json json, iceberg::ParseJson(update->ToJson()));
    CALVE_ASSIGN_OR_RETURN(const auto object, iceberg::JsonObject::Of(json, ""));
    CALVE_ASSIGN_OR_RETURN(const std::string name, object.Text("ref-name"));
    if (name == iceberg::kMainBranch) continue;
    return RefusedError("the branch or tag '" + name +
                        "' cannot be made through Nessie's Iceberg door, which keeps none in a "
                        "table; take the catalog `type: nessie` with `uri: " +
                        settings.nessie_uri + "v2`, which makes branches of Nessie's own");
  }
  return Status::Ok();
}

/// The snapshots that a change brings.
Result<std::vector<iceberg::SnapshotId>> SnapshotsOf(const iceberg::TableChange& change) {
  std::vector<iceberg::SnapshotId> ids;
  for (const iceberg::UpdatePtr& update : change.updates) {
    if (update->action() != "add-snapshot") continue;
    CALVE_ASSIGN_OR_RETURN(const iceberg::Json json, iceberg::ParseJson(update->ToJson()));
    CALVE_ASSIGN_OR_RETURN(const auto object, iceberg::JsonObject::Of(json, ""));
    CALVE_ASSIGN_OR_RETURN(const iceberg::Json* snapshot, object.Require("snapshot"));
    CALVE_ASSIGN_OR_RETURN(const auto members, iceberg::JsonObject::Of(*snapshot, "snapshot"));
    CALVE_ASSIGN_OR_RETURN(const iceberg::SnapshotId id, members.GetSnapshotId("snapshot-id"));
    ids.push_back(id);
  }
  return ids;
}

}  // namespace

CommitOutcome RestCatalog::AfterConflict(const Context& context,
                                         const std::vector<CatalogChange>& changes,
                                         CommitOutcome refused) {
  if (!std::holds_alternative<Conflict>(refused)) return refused;
  Committed committed;
  bool brings_snapshots = false;
  for (const CatalogChange& change : changes) {
    const Result<std::vector<iceberg::SnapshotId>> ids = SnapshotsOf(change.change);
    if (!ids.ok()) return Unknown{ids.error().message};
    brings_snapshots = brings_snapshots || !ids->empty();
    if (ids->empty() && changes.size() == 1) return refused;
    Result<LoadedTable> table = LoadTable(context, change.table);
    if (!table.ok()) {
      if (table.error().kind == ErrorKind::kNotFound) return refused;
      return Unknown{"the server refused the commit to table " + change.table.ToString() + " (" +
                     std::get<Conflict>(refused).reason +
                     "), and whether a request that was sent twice is why cannot be seen: " +
                     table.error().message};
    }
    for (const iceberg::SnapshotId id : *ids) {
      if (table->metadata->FindSnapshot(id) == nullptr) return refused;
    }
    committed.tables.push_back(std::move(*table));
  }
  return brings_snapshots ? CommitOutcome(std::move(committed)) : refused;
}

CommitOutcome RestCatalog::Commit(const Context& context,
                                  const std::vector<CatalogChange>& changes) {
  Result<Session> session = Connect(context);
  if (!session.ok()) return Refused{std::move(session).error()};
  for (const CatalogChange& change : changes) {
    Status refs = CheckRefs((*session)->settings(), change.change);
    if (!refs.ok()) return OutcomeOf(std::move(refs).error());
    if (!Creates(change.change)) continue;
    Status checked = CheckCreation(change.change);
    if (!checked.ok()) return OutcomeOf(std::move(checked).error());
  }
  Status step = context.Step("catalog.before_swap");
  if (!step.ok()) return OutcomeOf(std::move(step).error());
  CommitOutcome outcome = changes.size() == 1 ? CommitOne(context, *session, changes.front())
                                              : CommitTogether(context, **session, changes);
  if (!std::holds_alternative<Committed>(outcome)) return outcome;
  step = context.Step("catalog.after_swap");
  if (!step.ok()) return Unknown{step.error().message};
  return outcome;
}

CommitOutcome RestCatalog::CommitOne(const Context& context, const Session& session,
                                     const CatalogChange& change) {
  const RestRequest request{.doing = "commit to table " + change.table.ToString(),
                            .method = "POST",
                            .path = session->TablePath(change.table),
                            .body = "{" + BodyOf(change.change) + "}",
                            .changes = true};
  const Result<Answer> answer = session->client().Send(context, request);
  if (!answer.ok()) return OutcomeOf(answer.error());
  if (!answer->ok()) {
    return AfterConflict(context, {change},
                         OutcomeOfRefusal(*answer, session->client().ErrorOf(request, *answer)));
  }
  Result<LoadedTable> table = Remember(context, session, change.table, *answer);
  if (!table.ok()) {
    // It is applied; what it made can still be looked at.
    table = LoadTable(context, change.table);
  }
  if (!table.ok()) {
    return Unknown{"the server took the commit to table " + change.table.ToString() +
                   ", and the table cannot be read: " + table.error().message};
  }
  return Committed{{std::move(*table)}};
}

CommitOutcome RestCatalog::CommitTogether(const Context& context, RestSession& session,
                                          const std::vector<CatalogChange>& changes) {
  if (!session.Has(endpoint::kCommitTransaction)) {
    return Refused{RefusedError("the server of catalog " + name() +
                                " commits one table at a time, not " +
                                FormatCount(static_cast<int64_t>(changes.size())))};
  }
  std::vector<std::string> names;
  std::vector<std::string> parts;
  for (const CatalogChange& change : changes) {
    names.push_back(change.table.ToString());
    parts.push_back("{" + IdentifierOf(change.table) + "," + BodyOf(change.change) + "}");
  }
  const RestRequest request{.doing = "commit to tables " + Join(names, ", "),
                            .method = "POST",
                            .path = session.Path("transactions/commit"),
                            .body = "{\"table-changes\":" + ListOf(parts) + "}",
                            .changes = true};
  const Result<Answer> answer = session.client().Send(context, request);
  if (!answer.ok()) return OutcomeOf(answer.error());
  if (!answer->ok()) {
    return AfterConflict(context, changes,
                         OutcomeOfRefusal(*answer, session.client().ErrorOf(request, *answer)));
  }
  Committed committed;
  for (const CatalogChange& change : changes) {
    Result<LoadedTable> table = LoadTable(context, change.table);
    if (!table.ok()) {
      return Unknown{"the server took the " + request.doing + ", and table " +
                     change.table.ToString() + " cannot be read: " + table.error().message};
    }
    committed.tables.push_back(std::move(*table));
  }
  return committed;
}

}  // namespace calve::catalog

#include <algorithm>
#include <optional>

#include "base/text.h"
#include "catalog/rest/rest_catalog.h"
#include "iceberg/json.h"

namespace calve::catalog {
namespace {

using iceberg::Json;

namespace update = iceberg::view_update;

Json NameOf(const TableName& view) { return {{"namespace", view.ns}, {"name", view.name}}; }

bool AddsSchema(const iceberg::ViewChange& change) {
  return std::ranges::any_of(change.updates, [](const iceberg::ViewUpdate& each) {
    return std::holds_alternative<update::AddSchema>(each);
  });
}

/// Name the schema that a view has already where a change adds an equal one: Java's servers do not
/// take it for the last that was added.
void NameKnownSchema(const iceberg::ViewMetadata& view, iceberg::ViewChange& change) {
  std::optional<iceberg::SchemaId> known;
  std::erase_if(change.updates, [&](iceberg::ViewUpdate& each) {
    if (const auto* added = std::get_if<update::AddSchema>(&each)) {
      const auto equal = std::ranges::find_if(view.schemas, [&](const iceberg::SchemaPtr& schema) {
        return schema->SameColumns(*added->schema);
      });
      known.reset();
      if (equal != view.schemas.end()) known = (*equal)->id();
      return known.has_value();
    }
    auto* version = std::get_if<update::AddVersion>(&each);
    if (version != nullptr && known.has_value() && version->version.schema_id.value() == -1)
      version->version.schema_id = *known;
    return false;
  });
}

}  // namespace

Result<std::vector<TableName>> RestCatalog::ListViews(const Context& context, const Namespace& ns) {
  CALVE_ASSIGN_OR_RETURN(const Session session, Connect(context));
  if (!session->Has(endpoint::kLoadView)) return Catalog::ListViews(context, ns);
  return ListNames(
      context, *session,
      {.doing = "list the views of " + ToString(ns), .path = session->NamespacePath(ns, "/views")});
}

Result<LoadedView> RestCatalog::LoadView(const Context& context, const TableName& view) {
  CALVE_ASSIGN_OR_RETURN(const Session session, Connect(context));
  if (!session->Has(endpoint::kLoadView)) return Catalog::LoadView(context, view);
  const RestRequest request{.doing = "load view " + view.ToString(),
                            .path = session->ViewPath(view)};
  CALVE_ASSIGN_OR_RETURN(const Answer answer, session->client().Send(context, request));
  if (answer.ok()) return ParseViewReply(answer.response.body);
  Error error = session->client().ErrorOf(request, answer);
  if (error.kind != ErrorKind::kNotFound) return error;
  return NotFoundError("there is no view " + view.ToString() + " in catalog " + name());
}

Result<LoadedView> RestCatalog::CreateView(const Context& context, RestSession& session,
                                           const TableName& view,
                                           const iceberg::ViewChange& change) {
  // The specification makes views from what they are, not from the changes that lead there.
  CALVE_ASSIGN_OR_RETURN(
      const iceberg::ViewMetadata made,
      iceberg::ApplyView(nullptr, change, MillisSinceEpoch(context.clock->Now())));
  const iceberg::ViewVersion& version = made.current_version();
  const iceberg::SchemaPtr* schema = made.FindSchema(version.schema_id);
  CALVE_ASSIGN_OR_RETURN(Json schema_json, iceberg::ParseJson(iceberg::SerializeSchema(**schema)));
  CALVE_ASSIGN_OR_RETURN(Json version_json,
                         iceberg::ParseJson(iceberg::SerializeViewVersion(version)));
  Json body = {{"name", view.name},
               {"schema", std::move(schema_json)},
               {"view-version", std::move(version_json)},
               {"properties", made.properties}};
  if (!made.location.empty()) body["location"] = made.location;
  const RestRequest request{.doing = "create view " + view.ToString(),
                            .method = "POST",
                            .path = session.NamespacePath(view.ns, "/views"),
                            .body = iceberg::DumpJson(body),
                            .changes = true};
  CALVE_ASSIGN_OR_RETURN(const Answer answer, session.client().Send(context, request));
  if (answer.ok()) return ParseViewReply(answer.response.body);
  if (answer.refusal->status == 409)
    return AlreadyExistsError("a view or table " + view.ToString() + " exists already");
  return session.client().ErrorOf(request, answer);
}

Result<LoadedView> RestCatalog::CommitView(const Context& context, const TableName& view,
                                           const iceberg::ViewChange& wanted) {
  CALVE_ASSIGN_OR_RETURN(const Session session, Connect(context));
  if (!session->Has(endpoint::kLoadView)) return Catalog::CommitView(context, view, wanted);
  if (wanted.creates()) return CreateView(context, *session, view, wanted);
  iceberg::ViewChange change = wanted;
  if (AddsSchema(change)) {
    CALVE_ASSIGN_OR_RETURN(const LoadedView now, LoadView(context, view));
    NameKnownSchema(*now.metadata, change);
  }
  std::vector<std::string> requirements;
  for (const auto& requirement : change.requirements)
    requirements.push_back(iceberg::SerializeViewRequirement(requirement));
  std::vector<std::string> updates;
  for (const auto& update : change.updates) updates.push_back(iceberg::SerializeViewUpdate(update));
  const RestRequest request{.doing = "commit to view " + view.ToString(),
                            .method = "POST",
                            .path = session->ViewPath(view),
                            .body = "{\"requirements\":[" + Join(requirements, ",") +
                                    "],\"updates\":[" + Join(updates, ",") + "]}",
                            .changes = true};
  CALVE_ASSIGN_OR_RETURN(const Answer answer, session->client().Send(context, request));
  if (answer.ok()) return ParseViewReply(answer.response.body);
  return session->client().ErrorOf(request, answer);
}

Status RestCatalog::DropView(const Context& context, const TableName& view) {
  CALVE_ASSIGN_OR_RETURN(const Session session, Connect(context));
  if (!session->Has(endpoint::kLoadView)) return Catalog::DropView(context, view);
  const RestRequest request{.doing = "drop view " + view.ToString(),
                            .method = "DELETE",
                            .path = session->ViewPath(view),
                            .changes = true};
  CALVE_ASSIGN_OR_RETURN(const auto answer,
                         Settle(context, *session, request, [&]() -> Result<bool> {
                           const auto there = LoadView(context, view);
                           if (there.ok()) return false;
                           if (there.error().kind == ErrorKind::kNotFound) return true;
                           return there.error();
                         }));
  if (!answer.has_value() || answer->ok()) return Status::Ok();
  return session->client().ErrorOf(request, *answer);
}

Status RestCatalog::RenameView(const Context& context, const TableName& from, const TableName& to) {
  CALVE_ASSIGN_OR_RETURN(const Session session, Connect(context));
  if (!session->Has(endpoint::kLoadView)) return Catalog::RenameView(context, from, to);
  const Json body = {{"source", NameOf(from)}, {"destination", NameOf(to)}};
  return Rename(context, *session,
                {.doing = "rename view " + from.ToString() + " to " + to.ToString(),
                 .method = "POST",
                 .path = session->Path("views/rename"),
                 .body = iceberg::DumpJson(body),
                 .changes = true},
                from, to, [&](const TableName& view) { return LoadView(context, view).status(); });
}

Result<LoadedView> RestCatalog::RegisterView(const Context& context, const TableName& view,
                                             const std::string& metadata_location) {
  CALVE_ASSIGN_OR_RETURN(const Session session, Connect(context));
  if (!session->Has(endpoint::kRegisterView)) {
    return RefusedError("the server of catalog " + name() +
                        " registers no views; create the view instead");
  }
  const Json body = {{"name", view.name}, {"metadata-location", metadata_location}};
  const RestRequest request{.doing = "register view " + view.ToString(),
                            .method = "POST",
                            .path = session->NamespacePath(view.ns, "/register-view"),
                            .body = iceberg::DumpJson(body),
                            .changes = true};
  CALVE_ASSIGN_OR_RETURN(const Answer answer, session->client().Send(context, request));
  if (answer.ok()) return ParseViewReply(answer.response.body);
  if (answer.refusal->status == 409)
    return AlreadyExistsError("a view or table " + view.ToString() + " exists already");
  return session->client().ErrorOf(request, answer);
}

}  // namespace calve::catalog

#include <set>

#include "server/placement.h"
#include "server/wire.h"

namespace calve::server {
namespace {

Result<http::Response> CommitTables(Call& call) {
  if (call.remembered.has_value()) return NoContent();
  CALVE_ASSIGN_OR_RETURN(const Json body, BodyOf(call.request));
  CALVE_ASSIGN_OR_RETURN(const auto object, iceberg::JsonObject::Of(body, ""));
  CALVE_ASSIGN_OR_RETURN(const Json* listed, object.Array("table-changes"));
  std::vector<catalog::CatalogChange> changes;
  std::set<catalog::TableName> seen;
  for (const Json& one : *listed) {
    if (!one.is_object() || !one.contains("identifier"))
      return iceberg::Unexpected("table-changes", "objects with an identifier", one);
    catalog::CatalogChange change;
    CALVE_ASSIGN_OR_RETURN(change.table, ParseIdentifier(one["identifier"], "identifier"));
    if (const Status may = call.Allow(Right::kWrite, change.table.ns); !may.ok())
      return ErrorResponse(403, "ForbiddenException", may.error().message);
    if (!seen.insert(change.table).second)
      return DataError("table-changes: " + change.table.ToString() + " stands there twice");
    CALVE_ASSIGN_OR_RETURN(change.change, ParseTableChange(one));
    CALVE_RETURN_IF_ERROR(CheckPlaces(call, change.change));
    changes.push_back(std::move(change));
  }
  if (changes.empty()) return NoContent();
  const catalog::CommitOutcome outcome = call.server.Commit(call.context, call.catalog, changes);
  if (std::holds_alternative<catalog::Committed>(outcome)) return NoContent();
  return OutcomeResponse(outcome, call.about);
}

}  // namespace

CALVE_PART(transactions) {
  registry.Add({.method = "POST",
                .pattern = "/v1/{prefix}/transactions/commit",
                .subject = Subject::kTables,
                .answer = CommitTables});
}

}  // namespace calve::server

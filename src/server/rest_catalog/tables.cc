#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "commit/committer.h"
#include "server/placement.h"
#include "server/wire.h"

namespace calve::server {
namespace {

constexpr auto kSubject = Subject::kTable;

Result<http::Response> List(Call& call) {
  if (auto missing = NamespaceMissing(call, call.ns)) return std::move(*missing);
  CALVE_ASSIGN_OR_RETURN(const auto tables, call.catalog.ListTables(call.context, call.ns));
  return ListResponse(call, tables);
}

/// The metadata with no snapshots but those that a branch or tag names.
iceberg::TableMetadata OnlyReferenced(const iceberg::TableMetadata& all) {
  iceberg::TableMetadata some = all;
  std::set<iceberg::SnapshotId> named;
  for (const auto& [name, ref] : all.refs) named.insert(ref.snapshot_id);
  some.snapshots = {};
  for (const iceberg::Snapshot& snapshot : all.snapshots) {
    if (named.contains(snapshot.id)) some.snapshots.push_back(snapshot);
  }
  return some;
}

Result<http::Response> Load(Call& call) {
  CALVE_ASSIGN_OR_RETURN(catalog::LoadedTable table,
                         call.catalog.LoadTable(call.context, call.table()));
  // The pointer is one thing, the file another; what is in memory would hide that it is gone.
  CALVE_ASSIGN_OR_RETURN(const bool there,
                         call.server.files().Exists(call.context, table.metadata_location));
  if (!there)
    return ErrorResponse(404, "NotFoundException",
                         "Failed to open input stream for file: " + table.metadata_location +
                             ": the catalog has table " + call.table().ToString() +
                             " there, and the file is gone; restore it");
  const std::string snapshots = call.Query("snapshots");
  if (!snapshots.empty() && snapshots != "all" && snapshots != "refs")
    return DataError("snapshots: expected all or refs, found " + Quote(snapshots));
  const bool only_refs = snapshots == "refs";
  const std::string tag = EntityTag(table.metadata_location + (only_refs ? " refs" : ""));
  if (call.request.Header("If-None-Match") == tag)
    return http::Response{.status = 304, .headers = {{"ETag", tag}}, .body = {}};
  if (only_refs) {
    table.metadata =
        std::make_shared<const iceberg::TableMetadata>(OnlyReferenced(*table.metadata));
    table.metadata_json = nullptr;
  }
  return TableResponse(table, tag);
}

Result<http::Response> Exists(Call& call) {
  CALVE_RETURN_IF_ERROR(call.catalog.LoadTable(call.context, call.table()));
  return NoContent();
}

/// What a request to create a table asks for.
struct Wish {
  catalog::TableName table;
  iceberg::CreateTableOptions options;
  bool stage = false;
};

Result<Wish> ParseWish(Call& call) {
  CALVE_ASSIGN_OR_RETURN(const Json body, BodyOf(call.request));
  CALVE_ASSIGN_OR_RETURN(const auto object, iceberg::JsonObject::Of(body, ""));
  Wish wish;
  wish.table.ns = call.ns;
  CALVE_ASSIGN_OR_RETURN(wish.table.name, object.Text("name"));
  CALVE_ASSIGN_OR_RETURN(const auto stage, object.OptionalBool("stage-create"));
  wish.stage = stage.value_or(false);
  CALVE_ASSIGN_OR_RETURN(const Json* schema_json, object.Require("schema"));
  CALVE_ASSIGN_OR_RETURN(const iceberg::SchemaPtr schema,
                         iceberg::ParseSchema(iceberg::DumpJson(*schema_json)));
  wish.options.fields = schema->fields();
  wish.options.identifier_field_ids = schema->identifier_field_ids();
  if (const Json* spec_json = object.Find("partition-spec"); spec_json != nullptr) {
    CALVE_ASSIGN_OR_RETURN(const iceberg::PartitionSpec spec,
                           iceberg::ParsePartitionSpec(iceberg::DumpJson(*spec_json)));
    wish.options.partition_fields = spec.fields;
  }
  if (const Json* order_json = object.Find("write-order"); order_json != nullptr) {
    CALVE_ASSIGN_OR_RETURN(const iceberg::SortOrder order,
                           iceberg::ParseSortOrder(iceberg::DumpJson(*order_json)));
    wish.options.sort_fields = order.fields;
  }
  CALVE_ASSIGN_OR_RETURN(wish.options.properties, object.TextMap("properties"));
  CALVE_ASSIGN_OR_RETURN(const auto location, object.OptionalText("location"));
  CALVE_ASSIGN_OR_RETURN(wish.options.location, PlaceFor(call, wish.table, location.value_or("")));
  wish.options.allow_version_1 = true;
  wish.options.uuid = NewUuidString(*call.context.random);
  return wish;
}

/// The table as it would be, for a client that will commit it later together with its first rows.
Result<http::Response> Stage(Call& call, const iceberg::TableChange& change) {
  CALVE_ASSIGN_OR_RETURN(iceberg::TableMetadata draft,
                         iceberg::Apply(nullptr, change,
                                        {.now_ms = MillisSinceEpoch(call.context.clock->Now()),
                                         .previous_location = {}}));
  catalog::LoadedTable table;
  table.metadata = std::make_shared<const iceberg::TableMetadata>(std::move(draft));
  return TableResponse(table, "");
}

Result<http::Response> Create(Call& call) {
  if (call.remembered.has_value() && !call.remembered->tables.empty())
    return TableResponse(call.remembered->tables[0]);
  if (auto missing = NamespaceMissing(call, call.ns)) return std::move(*missing);
  CALVE_ASSIGN_OR_RETURN(const Wish wish, ParseWish(call));
  if (auto taken = NameTaken(call, wish.table, kSubject)) return std::move(*taken);
  CALVE_ASSIGN_OR_RETURN(iceberg::TableChange change, iceberg::CreateTable(wish.options));
  if (wish.stage) return Stage(call, change);
  const catalog::CommitOutcome outcome =
      call.server.Commit(call.context, call.catalog, {{wish.table, std::move(change)}});
  if (const auto* done = std::get_if<catalog::Committed>(&outcome))
    return TableResponse(done->tables[0]);
  if (const auto* conflict = std::get_if<catalog::Conflict>(&outcome))
    return ErrorResponse(AlreadyExistsError(conflict->reason), {kSubject, wish.table.ToString()});
  return OutcomeResponse(outcome, call.about);
}

Result<http::Response> Register(Call& call) {
  if (call.remembered.has_value() && !call.remembered->tables.empty())
    return TableResponse(call.remembered->tables[0]);
  CALVE_ASSIGN_OR_RETURN(const RegisterWish wish, ParseRegister(call));
  CALVE_ASSIGN_OR_RETURN(auto blocked, RegisterBlocked(call, wish, kSubject));
  if (blocked.has_value()) return std::move(*blocked);
  CALVE_ASSIGN_OR_RETURN(const auto made,
                         call.catalog.RegisterTable(call.context, wish.name, wish.location));
  return TableResponse(made);
}

Result<http::Response> Commit(Call& call) {
  if (call.remembered.has_value() && !call.remembered->tables.empty())
    return TableResponse(call.remembered->tables[0]);
  CALVE_ASSIGN_OR_RETURN(const Json body, BodyOf(call.request));
  CALVE_ASSIGN_OR_RETURN(iceberg::TableChange change, ParseTableChange(body));
  CALVE_RETURN_IF_ERROR(CheckPlaces(call, change));
  const catalog::CommitOutcome outcome =
      call.server.Commit(call.context, call.catalog, {{call.table(), std::move(change)}});
  if (const auto* done = std::get_if<catalog::Committed>(&outcome))
    return TableResponse(done->tables[0]);
  // A table that was staged met a view.
  if (std::holds_alternative<catalog::Conflict>(outcome) &&
      HolderOf(call, call.table()) == Subject::kView)
    return SameName(Subject::kView, call.table());
  return OutcomeResponse(outcome, call.about);
}

Result<http::Response> Drop(Call& call) {
  if (call.remembered.has_value()) return NoContent();
  if (ToLower(call.Query("purgeRequested")) != "true") {
    CALVE_RETURN_IF_ERROR(call.catalog.DropTable(call.context, call.table()));
    return NoContent();
  }
  CALVE_ASSIGN_OR_RETURN(const auto known, call.catalog.LoadTable(call.context, call.table()));
  commit::Committer committer(call.catalog, call.server.files());
  CALVE_ASSIGN_OR_RETURN(const auto extent, committer.ExtentOf(call.context, known));
  CALVE_RETURN_IF_ERROR(committer.Drop(call.context, call.table(), known, &extent));
  return NoContent();
}

Result<http::Response> Rename(Call& call) {
  return AnswerRename(call, kSubject, &catalog::Catalog::RenameTable);
}

/// What a reader measured. There is nobody yet who would want it kept.
Result<http::Response> Metrics(Call& call) {
  CALVE_RETURN_IF_ERROR(BodyOf(call.request));
  return NoContent();
}

}  // namespace

CALVE_PART(tables) {
  const std::string all = "/v1/{prefix}/namespaces/{namespace}/tables";
  const std::string one = all + "/{table}";
  registry.Add({"GET", all, Subject::kNamespace, Right::kRead, List});
  registry.Add({"POST", all, kSubject, Right::kWrite, Create});
  registry.Add({"GET", one, kSubject, Right::kRead, Load});
  registry.Add({"HEAD", one, kSubject, Right::kRead, Exists});
  registry.Add({"POST", one, kSubject, Right::kWrite, Commit});
  registry.Add({"DELETE", one, kSubject, Right::kWrite, Drop});
  registry.Add({"POST", one + "/metrics", kSubject, Right::kRead, Metrics});
  registry.Add(
      {"POST", "/v1/{prefix}/namespaces/{namespace}/register", kSubject, Right::kWrite, Register});
  registry.Add({.method = "POST",
                .pattern = "/v1/{prefix}/tables/rename",
                .subject = kSubject,
                .answer = Rename});
}

}  // namespace calve::server

#include "catalog/rest/rest_catalog.h"

#include <algorithm>

#include "base/retry.h"
#include "base/text.h"
#include "iceberg/json.h"

namespace calve::catalog {
namespace {

using iceberg::Json;
using iceberg::JsonObject;

constexpr RetryPolicy kLooks{};
constexpr int kPagesMax = 100'000;

Json NameOf(const TableName& table) { return {{"namespace", table.ns}, {"name", table.name}}; }

/// Whether the server says that the thing is missing, rather than something on the way to it that
/// knows of no such path.
bool IsMissing(const Answer& answer) {
  return !answer.ok() && answer.refusal->status == 404 &&
         !(answer.refusal->type.empty() && answer.refusal->message.empty());
}

Error UnclearMissing(Error error) {
  return RefusedError(std::move(error.message) +
                      "; that is no answer of a catalog: is uri right, and does it reach the "
                      "server?");
}

/// Have the server plan a table without making it, at `location` or, where that is empty, where it
/// likes.
Result<Answer> Stage(const Context& context, RestSession& session, const TableName& table,
                     const std::string& location, const io::HttpHeaders& access) {
  const Json schema = {{"type", "struct"}, {"schema-id", 0}, {"fields", Json::array()}};
  Json body = {{"name", table.name}, {"schema", schema}, {"stage-create", true}};
  if (!location.empty()) body["location"] = location;
  // Nothing is made by it, so it may be sent again.
  return session.client().Send(context, {.doing = "find a place for table " + table.ToString(),
                                         .method = "POST",
                                         .path = session.NamespacePath(table.ns, "/tables"),
                                         .headers = access,
                                         .body = iceberg::DumpJson(body)});
}

/// Ask for credentials to a table's files anew, be it only staged.
Result<Grant> FetchGrant(const Context& context, RestSession& session, const TableName& table,
                         const std::string& location, const io::HttpHeaders& access) {
  RestRequest request{.doing = "renew the credentials to the files of " + table.ToString(),
                      .path = session.TablePath(table),
                      .headers = access};
  if (session.Has(endpoint::kCredentials)) {
    request.path = session.TablePath(table, "/credentials");
    CALVE_ASSIGN_OR_RETURN(const Answer answer, session.client().Send(context, request));
    if (answer.ok()) {
      CALVE_ASSIGN_OR_RETURN(auto credentials, ParseCredentials(answer.response.body));
      return Grant{.config = std::nullopt, .credentials = std::move(credentials)};
    }
    request.path = session.TablePath(table);
  }
  CALVE_ASSIGN_OR_RETURN(Answer answer, session.client().Send(context, request));
  if (IsMissing(answer)) {
    CALVE_ASSIGN_OR_RETURN(answer, Stage(context, session, table, location, access));
  }
  if (!answer.ok()) return session.client().ErrorOf(request, answer);
  CALVE_ASSIGN_OR_RETURN(TableReply reply, ParseTableReply(answer.response.body));
  return Grant{.config = std::move(reply.table.config),
               .credentials = std::move(reply.credentials)};
}

}  // namespace

Capabilities RestCatalog::capabilities() const {
  std::lock_guard lock(mutex_);
  if (session_ == nullptr)
    return {.multi_table = true, .views = true, .namespace_properties = true};
  return {.multi_table = session_->Has(endpoint::kCommitTransaction),
          .refs = session_->settings().nessie_uri.empty() ? Capabilities::Refs::kIceberg
                                                          : Capabilities::Refs::kNone,
          .views = session_->Has(endpoint::kLoadView),
          .namespace_properties = session_->Has(endpoint::kUpdateNamespace)};
}

Result<RestCatalog::Session> RestCatalog::Connect(const Context& context) {
  std::lock_guard lock(mutex_);
  if (session_ == nullptr) {
    Result<Session> opened = RestSession::Open(context, options_.ToProperties(), http_);
    if (!opened.ok()) return While("catalog " + name(), std::move(opened).error());
    session_ = std::move(*opened);
  }
  return session_;
}

io::HttpHeaders RestCatalog::AccessHeaders() const {
  if (!options_.vended_credentials) return {};
  return {{"X-Iceberg-Access-Delegation", "vended-credentials"}};
}

Error RestCatalog::NoTable(const TableName& table) const {
  return NotFoundError("there is no table " + table.ToString() + " in catalog " + name());
}

Result<std::optional<Answer>> RestCatalog::Settle(const Context& context, RestSession& session,
                                                  const RestRequest& request,
                                                  const std::function<Result<bool>()>& made) {
  bool lost = false;  // the reply to some try
  bool again = false;
  return Retry(
      context, kLooks,
      [&]() -> Result<std::optional<Answer>> {
        again = false;
        Result<Answer> answer = session.client().Send(context, request);
        if (!answer.ok() && answer.error().kind != ErrorKind::kUnknownOutcome)
          return std::move(answer).error();
        lost = lost || !answer.ok();
        const bool sure = answer.ok() && (answer->ok() || !lost);
        if (sure) return std::optional<Answer>(std::move(*answer));
        // Also a refusal may come from a try before, whose reply was lost.
        const Result<bool> seen = made();
        if (seen.ok() && *seen) return std::optional<Answer>();
        if (answer.ok()) return std::optional<Answer>(std::move(*answer));
        if (!seen.ok()) return std::move(answer).error();
        again = true;
        return TransientError(answer.error().message + "; it is not done so far, run again");
      },
      [&](const Error&) { return again; });
}

Status RestCatalog::ListPages(const Context& context, RestSession& session, RestRequest request,
                              const std::function<Status(const JsonObject& page)>& take) {
  std::string token;
  const auto given = request.query;
  for (int page = 0; page < kPagesMax; ++page) {
    request.query = given;
    request.query.emplace_back("pageToken", token);
    if (session.settings().page_size.has_value())
      request.query.emplace_back("pageSize", std::to_string(*session.settings().page_size));
    CALVE_ASSIGN_OR_RETURN(const Answer answer, session.client().Send(context, request));
    if (!answer.ok()) {
      Error error = session.client().ErrorOf(request, answer);
      return answer.refusal->status == 404 && !IsMissing(answer) ? UnclearMissing(std::move(error))
                                                                 : std::move(error);
    }
    CALVE_ASSIGN_OR_RETURN(const Json json, iceberg::ParseJson(answer.response.body));
    CALVE_ASSIGN_OR_RETURN(const JsonObject object, JsonObject::Of(json, ""));
    CALVE_RETURN_IF_ERROR(take(object));
    CALVE_ASSIGN_OR_RETURN(const auto next, object.OptionalText("next-page-token"));
    if (!next.has_value() || next->empty()) return Status::Ok();
    if (*next == token)
      return DataError("cannot " + request.doing + ": the server gives the same page again");
    token = *next;
  }
  return RefusedError("cannot " + request.doing + ": the listing has no end");
}

Result<std::vector<Namespace>> RestCatalog::ListNamespaces(const Context& context,
                                                           const Namespace& parent) {
  CALVE_ASSIGN_OR_RETURN(const Session session, Connect(context));
  RestRequest request{.doing = "list namespaces", .path = session->Path("namespaces")};
  if (!parent.empty()) request.query.emplace_back("parent", session->QueryOf(parent));
  std::vector<Namespace> found;
  CALVE_RETURN_IF_ERROR(
      ListPages(context, *session, request, [&](const JsonObject& page) -> Status {
        CALVE_ASSIGN_OR_RETURN(const Json* names, page.Array("namespaces"));
        for (const Json& name : *names) {
          Namespace ns;
          const bool whole = name.is_array() && !name.empty() &&
                             std::ranges::all_of(name, [](const Json& l) { return l.is_string(); });
          if (!whole) return iceberg::Unexpected("namespaces", "lists of texts", name);
          for (const Json& level : name) ns.push_back(level.get<std::string>());
          found.push_back(std::move(ns));
        }
        return Status::Ok();
      }));
  std::ranges::sort(found);
  return found;
}

Status RestCatalog::CreateNamespace(const Context& context, const Namespace& ns,
                                    const std::map<std::string, std::string>& properties) {
  CALVE_ASSIGN_OR_RETURN(const Session session, Connect(context));
  const Json body = {{"namespace", ns}, {"properties", properties}};
  const RestRequest request{.doing = "create namespace " + ToString(ns),
                            .method = "POST",
                            .path = session->Path("namespaces"),
                            .body = iceberg::DumpJson(body),
                            .changes = true};
  CALVE_ASSIGN_OR_RETURN(const auto answer,
                         Settle(context, *session, request, [&]() -> Result<bool> {
                           const auto there = LoadNamespace(context, ns);
                           if (there.ok()) return true;
                           if (there.error().kind == ErrorKind::kNotFound) return false;
                           return there.error();
                         }));
  if (!answer.has_value() || answer->ok()) return Status::Ok();
  if (answer->refusal->status == 409)
    return AlreadyExistsError("namespace " + ToString(ns) + " exists already");
  return session->client().ErrorOf(request, *answer);
}

Result<std::map<std::string, std::string>> RestCatalog::LoadNamespace(const Context& context,
                                                                      const Namespace& ns) {
  CALVE_ASSIGN_OR_RETURN(const Session session, Connect(context));
  const RestRequest request{.doing = "load namespace " + ToString(ns),
                            .path = session->NamespacePath(ns)};
  CALVE_ASSIGN_OR_RETURN(const Answer answer, session->client().Send(context, request));
  if (IsMissing(answer))
    return NotFoundError("there is no namespace " + ToString(ns) + " in catalog " + name());
  if (!answer.ok()) return session->client().ErrorOf(request, answer);
  CALVE_ASSIGN_OR_RETURN(const Json json, iceberg::ParseJson(answer.response.body));
  CALVE_ASSIGN_OR_RETURN(const JsonObject object, JsonObject::Of(json, ""));
  return object.TextMap("properties");
}

Status RestCatalog::DropNamespace(const Context& context, const Namespace& ns) {
  CALVE_ASSIGN_OR_RETURN(const Session session, Connect(context));
  const RestRequest request{.doing = "drop namespace " + ToString(ns),
                            .method = "DELETE",
                            .path = session->NamespacePath(ns),
                            .changes = true};
  CALVE_ASSIGN_OR_RETURN(const auto answer,
                         Settle(context, *session, request, [&]() -> Result<bool> {
                           const auto there = LoadNamespace(context, ns);
                           if (there.ok()) return false;
                           if (there.error().kind == ErrorKind::kNotFound) return true;
                           return there.error();
                         }));
  if (!answer.has_value() || answer->ok()) return Status::Ok();
  Error error = session->client().ErrorOf(request, *answer);
  const bool holds = answer->refusal->status == 409 || answer->IsType("NamespaceNotEmptyException");
  if (holds) error.kind = ErrorKind::kRefused;
  return error;
}

Result<NamespaceUpdate> RestCatalog::UpdateNamespace(
    const Context& context, const Namespace& ns, const std::vector<std::string>& removals,
    const std::map<std::string, std::string>& updates) {
  CALVE_ASSIGN_OR_RETURN(const Session session, Connect(context));
  const Json body = {{"removals", removals}, {"updates", updates}};
  // Doing it twice does what doing it once does.
  const RestRequest request{.doing = "change the properties of namespace " + ToString(ns),
                            .method = "POST",
                            .path = session->NamespacePath(ns, "/properties"),
                            .body = iceberg::DumpJson(body)};
  CALVE_ASSIGN_OR_RETURN(const Answer answer, session->client().Send(context, request));
  if (!answer.ok()) {
    Error error = session->client().ErrorOf(request, answer);
    if (answer.refusal->status == 422) error.kind = ErrorKind::kConfig;
    return error;
  }
  CALVE_ASSIGN_OR_RETURN(const Json json, iceberg::ParseJson(answer.response.body));
  CALVE_ASSIGN_OR_RETURN(const JsonObject object, JsonObject::Of(json, ""));
  NamespaceUpdate update;
  CALVE_ASSIGN_OR_RETURN(update.updated, object.TextList("updated"));
  CALVE_ASSIGN_OR_RETURN(update.removed, object.TextList("removed"));
  if (object.Find("missing") != nullptr) {
    CALVE_ASSIGN_OR_RETURN(update.missing, object.TextList("missing"));
  }
  return update;
}

Result<std::vector<TableName>> RestCatalog::ListNames(const Context& context, RestSession& session,
                                                      RestRequest request) {
  std::vector<TableName> found;
  CALVE_RETURN_IF_ERROR(
      ListPages(context, session, std::move(request), [&](const JsonObject& page) -> Status {
        CALVE_ASSIGN_OR_RETURN(
            const auto names,
            page.Objects<TableName>("identifiers", [](const JsonObject& id) -> Result<TableName> {
              TableName table;
              CALVE_ASSIGN_OR_RETURN(table.ns, id.TextList("namespace"));
              CALVE_ASSIGN_OR_RETURN(table.name, id.Text("name"));
              return table;
            }));
        found.insert(found.end(), names.begin(), names.end());
        return Status::Ok();
      }));
  std::ranges::sort(found);
  return found;
}

Result<std::vector<TableName>> RestCatalog::ListTables(const Context& context,
                                                       const Namespace& ns) {
  CALVE_ASSIGN_OR_RETURN(const Session session, Connect(context));
  return ListNames(context, *session,
                   {.doing = "list the tables of " + ToString(ns),
                    .path = session->NamespacePath(ns, "/tables")});
}

Result<LoadedTable> RestCatalog::Remember(const Context& context, const Session& session,
                                          const TableName& table, const Answer& answer) {
  Result<TableReply> reply = ParseTableReply(answer.response.body);
  if (!reply.ok()) return While("read table " + table.ToString(), std::move(reply).error());
  LoadedTable& loaded = reply->table;
  cache_.Put(table, {.etag = std::string(answer.response.Header("etag")), .table = loaded});
  const iceberg::TableMetadata& metadata = *loaded.metadata;
  std::vector<std::string> folders = {metadata.location};
  for (const char* key : {"write.metadata.path", "write.data.path", "write.object-storage.path"}) {
    std::string folder(metadata.Property(key, ""));
    while (folder.ends_with('/')) folder.pop_back();
    if (!folder.empty()) folders.push_back(std::move(folder));
  }
  UseGrant(context, session, table, folders,
           {.config = loaded.config, .credentials = std::move(reply->credentials)});
  return std::move(loaded);
}

void RestCatalog::UseGrant(const Context& context, const Session& session, const TableName& table,
                           const std::vector<std::string>& folders, Grant grant) {
  if (!options_.vended_credentials || !resources_.use_live_properties || grant.is_empty()) return;
  std::shared_ptr<TableAccess> access;
  {
    std::lock_guard lock(mutex_);
    auto& known = accesses_[table];
    if (known == nullptr) {
      known = std::make_shared<TableAccess>([session, table, location = folders.front(),
                                             access = AccessHeaders()](const Context& now) {
        return FetchGrant(now, *session, table, location, access);
      });
    }
    access = known;
  }
  access->Offer(context, std::move(grant));
  // Never above the table's own folders: other files there are none of this server's business.
  for (const std::string& folder : folders) {
    resources_.use_live_properties(folder, access->At(folder));
    for (const std::string& prefix : access->PrefixesBelow(folder))
      resources_.use_live_properties(prefix, access->At(prefix));
  }
}

Result<LoadedTable> RestCatalog::LoadTable(const Context& context, const TableName& table) {
  CALVE_ASSIGN_OR_RETURN(const Session session, Connect(context));
  RestRequest request{.doing = "load table " + table.ToString(),
                      .path = session->TablePath(table),
                      .headers = AccessHeaders()};
  const std::optional<TableCache::Entry> known = cache_.Find(table);
  if (known.has_value()) request.headers.emplace_back("If-None-Match", known->etag);
  CALVE_ASSIGN_OR_RETURN(const Answer answer, session->client().Send(context, request));
  if (answer.not_modified() && known.has_value()) return known->table;
  if (answer.not_modified())
    return DataError("cannot " + request.doing + ": the server says that nothing has changed");
  if (answer.ok()) return Remember(context, session, table, answer);
  cache_.Forget(table);
  Error error = session->client().ErrorOf(request, answer);
  // The metadata file is missing, not the table: nobody may take it for one that is not there.
  if (answer.IsType("NotFoundException")) return DataError(std::move(error.message));
  if (IsMissing(answer)) return NoTable(table);
  if (answer.refusal->status == 404) return UnclearMissing(std::move(error));
  return error;
}

Status RestCatalog::DropTable(const Context& context, const TableName& table) {
  CALVE_ASSIGN_OR_RETURN(const Session session, Connect(context));
  const RestRequest request{.doing = "drop table " + table.ToString(),
                            .method = "DELETE",
                            .path = session->TablePath(table),
                            .query = {{"purgeRequested", "false"}},
                            .changes = true};
  CALVE_ASSIGN_OR_RETURN(const auto answer,
                         Settle(context, *session, request, [&]() -> Result<bool> {
                           const auto there = LoadTable(context, table);
                           if (there.ok()) return false;
                           if (there.error().kind == ErrorKind::kNotFound) return true;
                           return there.error();
                         }));
  cache_.Forget(table);
  if (!answer.has_value() || answer->ok()) return Status::Ok();
  if (IsMissing(*answer)) return NoTable(table);
  return session->client().ErrorOf(request, *answer);
}

Status RestCatalog::Rename(const Context& context, RestSession& session, const RestRequest& request,
                           const TableName& from, const TableName& to,
                           const std::function<Status(const TableName&)>& load) {
  CALVE_ASSIGN_OR_RETURN(const auto answer,
                         Settle(context, session, request, [&]() -> Result<bool> {
                           const Status old_name = load(from);
                           if (old_name.ok()) return false;
                           if (old_name.error().kind != ErrorKind::kNotFound)
                             return old_name.error();
                           CALVE_RETURN_IF_ERROR(load(to));
                           return true;
                         }));
  cache_.Forget(from);
  cache_.Forget(to);
  if (!answer.has_value() || answer->ok()) return Status::Ok();
  if (answer->refusal->status == 409) return AlreadyExistsError(to.ToString() + " exists already");
  return session.client().ErrorOf(request, *answer);
}

Status RestCatalog::RenameTable(const Context& context, const TableName& from,
                                const TableName& to) {
  CALVE_ASSIGN_OR_RETURN(const Session session, Connect(context));
  const Json body = {{"source", NameOf(from)}, {"destination", NameOf(to)}};
  return Rename(context, *session,
                {.doing = "rename table " + from.ToString() + " to " + to.ToString(),
                 .method = "POST",
                 .path = session->Path("tables/rename"),
                 .body = iceberg::DumpJson(body),
                 .changes = true},
                from, to,
                [&](const TableName& table) { return LoadTable(context, table).status(); });
}

Result<LoadedTable> RestCatalog::RegisterTable(const Context& context, const TableName& table,
                                               const std::string& metadata_location) {
  CALVE_ASSIGN_OR_RETURN(const Session session, Connect(context));
  const Json body = {{"name", table.name}, {"metadata-location", metadata_location}};
  const RestRequest request{.doing = "register table " + table.ToString(),
                            .method = "POST",
                            .path = session->NamespacePath(table.ns, "/register"),
                            .headers = AccessHeaders(),
                            .body = iceberg::DumpJson(body),
                            .changes = true};
  std::optional<LoadedTable> found;
  CALVE_ASSIGN_OR_RETURN(const auto answer,
                         Settle(context, *session, request, [&]() -> Result<bool> {
                           auto there = LoadTable(context, table);
                           if (!there.ok() && there.error().kind != ErrorKind::kNotFound)
                             return there.error();
                           if (there.ok() && there->metadata_location == metadata_location)
                             found = std::move(*there);
                           return found.has_value();
                         }));
  if (!answer.has_value()) return std::move(*found);
  if (answer->ok()) return Remember(context, session, table, *answer);
  if (answer->refusal->status == 409)
    return AlreadyExistsError("table " + table.ToString() + " exists already");
  return session->client().ErrorOf(request, *answer);
}

Status RestCatalog::CreateNamespaces(const Context& context, const Namespace& ns) {
  for (size_t depth = 1; depth <= ns.size(); ++depth) {
    const Namespace upper(ns.begin(), ns.begin() + static_cast<ptrdiff_t>(depth));
    Status made = CreateNamespace(context, upper, {});
    if (!made.ok() && made.error().kind != ErrorKind::kAlreadyExists) return made;
  }
  return Status::Ok();
}

Result<std::optional<std::string>> RestCatalog::Place(const Context& context,
                                                      const TableName& table,
                                                      const std::string& wanted) {
  CALVE_ASSIGN_OR_RETURN(const Session session, Connect(context));
  const std::string doing = "find a place for table " + table.ToString();
  if (!session->Has(endpoint::kCreateTable)) {
    return RefusedError("catalog " + name() + " makes no tables: its server does not offer it");
  }
  CALVE_ASSIGN_OR_RETURN(Answer answer, Stage(context, *session, table, wanted, AccessHeaders()));
  if (IsMissing(answer)) {
    CALVE_RETURN_IF_ERROR(CreateNamespaces(context, table.ns));
    CALVE_ASSIGN_OR_RETURN(answer, Stage(context, *session, table, wanted, AccessHeaders()));
  }
  if (!answer.ok() && answer.refusal->status == 409) return std::optional<std::string>();
  if (!answer.ok()) return session->client().ErrorOf({.doing = doing}, answer);
  Result<TableReply> staged = ParseTableReply(answer.response.body);
  if (!staged.ok()) return While(doing, std::move(staged).error());
  std::string location = staged->table.metadata->location;
  UseGrant(
      context, session, table, {location},
      {.config = std::move(staged->table.config), .credentials = std::move(staged->credentials)});
  return std::optional(std::move(location));
}

Result<std::string> RestCatalog::NewTableLocation(const Context& context, const TableName& table) {
  CALVE_ASSIGN_OR_RETURN(std::optional<std::string> place, Place(context, table, ""));
  if (place.has_value()) return *std::move(place);
  const Result<LoadedTable> there = LoadTable(context, table);
  if (there.ok()) return there->metadata->location;
  if (there.error().kind != ErrorKind::kNotFound) return there.error();
  CALVE_ASSIGN_OR_RETURN(const LoadedView view, LoadView(context, table));
  return view.metadata->location;
}

Status RestCatalog::CheckLocation(const Context& context, const TableName& table,
                                  const std::string& location) {
  CALVE_ASSIGN_OR_RETURN(const std::optional<std::string> place, Place(context, table, location));
  if (!place.has_value() || *place == location) return Status::Ok();
  return RefusedError("the server of catalog " + name() + " puts " + table.ToString() + " at " +
                      *place + ", not at " + location + "; leave the place to it");
}

CALVE_PART(rest) {
  registry.Add(
      {.type = "rest",
       .meaning = "Tables of a catalog server that speaks the Iceberg REST specification",
       .part = config::MakePart<RestOptions>("rest"),
       .make = [](const config::Node& node,
                  const Resources& resources) -> Result<std::unique_ptr<Catalog>> {
         CALVE_ASSIGN_OR_RETURN(RestOptions options, RestOptions::Declaration().Parse(node));
         return std::make_unique<RestCatalog>(std::move(options), resources, io::MakeHttpClient());
       }});
}

}  // namespace calve::catalog

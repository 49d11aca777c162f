#include "server/placement.h"
#include "server/wire.h"

namespace calve::server {
namespace {

constexpr auto kSubject = Subject::kView;

Result<http::Response> List(Call& call) {
  if (auto missing = NamespaceMissing(call, call.ns)) return std::move(*missing);
  CALVE_ASSIGN_OR_RETURN(const auto views, call.catalog.ListViews(call.context, call.ns));
  return ListResponse(call, views);
}

Result<http::Response> Load(Call& call) {
  CALVE_ASSIGN_OR_RETURN(const auto view, call.catalog.LoadView(call.context, call.table()));
  return ViewResponse(view);
}

Result<http::Response> Exists(Call& call) {
  CALVE_RETURN_IF_ERROR(call.catalog.LoadView(call.context, call.table()));
  return NoContent();
}

Result<http::Response> Create(Call& call) {
  if (call.remembered.has_value() && call.remembered->view.has_value())
    return ViewResponse(*call.remembered->view);
  if (auto missing = NamespaceMissing(call, call.ns)) return std::move(*missing);
  CALVE_ASSIGN_OR_RETURN(const Json body, BodyOf(call.request));
  CALVE_ASSIGN_OR_RETURN(const auto object, iceberg::JsonObject::Of(body, ""));
  catalog::TableName name{.ns = call.ns, .name = {}};
  CALVE_ASSIGN_OR_RETURN(name.name, object.Text("name"));
  iceberg::CreateViewOptions options;
  CALVE_ASSIGN_OR_RETURN(const Json* schema, object.Require("schema"));
  CALVE_ASSIGN_OR_RETURN(options.schema, iceberg::ParseSchema(iceberg::DumpJson(*schema)));
  CALVE_ASSIGN_OR_RETURN(const Json* version, object.Require("view-version"));
  CALVE_ASSIGN_OR_RETURN(options.version, iceberg::ParseViewVersion(iceberg::DumpJson(*version)));
  CALVE_ASSIGN_OR_RETURN(options.properties, object.TextMap("properties"));
  CALVE_ASSIGN_OR_RETURN(const auto location, object.OptionalText("location"));
  CALVE_ASSIGN_OR_RETURN(options.location, PlaceFor(call, name, location.value_or("")));
  options.uuid = NewUuidString(*call.context.random);
  if (auto taken = NameTaken(call, name, kSubject)) return std::move(*taken);
  CALVE_ASSIGN_OR_RETURN(const auto view,
                         call.catalog.CommitView(call.context, name, iceberg::CreateView(options)));
  return ViewResponse(view);
}

Result<http::Response> Replace(Call& call) {
  if (call.remembered.has_value() && call.remembered->view.has_value())
    return ViewResponse(*call.remembered->view);
  CALVE_ASSIGN_OR_RETURN(const Json body, BodyOf(call.request));
  CALVE_ASSIGN_OR_RETURN(const auto object, iceberg::JsonObject::Of(body, ""));
  iceberg::ViewChange change;
  if (const Json* list = object.Find("requirements"); list != nullptr) {
    for (const Json& one : *list) {
      CALVE_ASSIGN_OR_RETURN(auto parsed, iceberg::ParseViewRequirement(iceberg::DumpJson(one)));
      change.requirements.push_back(std::move(parsed));
    }
  }
  CALVE_ASSIGN_OR_RETURN(const Json* updates, object.Array("updates"));
  for (const Json& one : *updates) {
    CALVE_ASSIGN_OR_RETURN(auto parsed, iceberg::ParseViewUpdate(iceberg::DumpJson(one)));
    change.updates.push_back(std::move(parsed));
  }
  for (const iceberg::ViewUpdate& update : change.updates) {
    if (const auto* move = std::get_if<iceberg::view_update::SetLocation>(&update))
      CALVE_RETURN_IF_ERROR(CheckPlace(call, move->location));
  }
  CALVE_ASSIGN_OR_RETURN(const auto view,
                         call.catalog.CommitView(call.context, call.table(), change));
  return ViewResponse(view);
}

Result<http::Response> Drop(Call& call) {
  if (!call.remembered.has_value())
    CALVE_RETURN_IF_ERROR(call.catalog.DropView(call.context, call.table()));
  return NoContent();
}

Result<http::Response> Rename(Call& call) {
  return AnswerRename(call, kSubject, &catalog::Catalog::RenameView);
}

Result<http::Response> Register(Call& call) {
  if (call.remembered.has_value() && call.remembered->view.has_value())
    return ViewResponse(*call.remembered->view);
  CALVE_ASSIGN_OR_RETURN(const RegisterWish wish, ParseRegister(call));
  CALVE_ASSIGN_OR_RETURN(auto blocked, RegisterBlocked(call, wish, kSubject));
  if (blocked.has_value()) return std::move(*blocked);
  CALVE_ASSIGN_OR_RETURN(const auto made,
                         call.catalog.RegisterView(call.context, wish.name, wish.location));
  return ViewResponse(made);
}

}  // namespace

CALVE_PART(views) {
  const std::string all = "/v1/{prefix}/namespaces/{namespace}/views";
  const std::string one = all + "/{view}";
  registry.Add({"GET", all, kSubject, Right::kRead, List});
  registry.Add({"POST", all, kSubject, Right::kWrite, Create});
  registry.Add({"GET", one, kSubject, Right::kRead, Load});
  registry.Add({"HEAD", one, kSubject, Right::kRead, Exists});
  registry.Add({"POST", one, kSubject, Right::kWrite, Replace});
  registry.Add({"DELETE", one, kSubject, Right::kWrite, Drop});
  registry.Add({"POST", "/v1/{prefix}/namespaces/{namespace}/register-view", kSubject,
                Right::kWrite, Register});
  registry.Add({.method = "POST",
                .pattern = "/v1/{prefix}/views/rename",
                .subject = kSubject,
                .answer = Rename});
}

}  // namespace calve::server

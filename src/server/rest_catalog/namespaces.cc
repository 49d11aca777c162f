#include <algorithm>

#include "server/placement.h"
#include "server/wire.h"

namespace calve::server {
namespace {

Json NamespaceJson(const catalog::Namespace& ns,
                   const std::map<std::string, std::string>& properties) {
  return {{"namespace", ns}, {"properties", properties}};
}

http::Response Forbidden(const Status& refusal) {
  return ErrorResponse(403, "ForbiddenException", refusal.error().message);
}

Result<http::Response> List(Call& call) {
  catalog::Namespace parent;
  if (const std::string text = call.Query("parent"); !text.empty()) {
    CALVE_ASSIGN_OR_RETURN(parent, NamespaceOfPath(text));
    if (auto missing = NamespaceMissing(call, parent)) return std::move(*missing);
  }
  CALVE_ASSIGN_OR_RETURN(std::vector<catalog::Namespace> all,
                         call.catalog.ListNamespaces(call.context, parent));
  std::erase_if(all, [&](const catalog::Namespace& ns) { return !call.client.Sees(ns); });
  std::sort(all.begin(), all.end());
  std::vector<std::string> names;
  for (const catalog::Namespace& ns : all) names.push_back(ns.back());
  CALVE_ASSIGN_OR_RETURN(const Page page, PageOf(call, names));
  Json listed = Json::array();
  for (size_t i = page.begin; i < page.end; ++i) listed.push_back(all[i]);
  Json body = {{"namespaces", std::move(listed)}};
  if (!page.next_token.empty()) body["next-page-token"] = page.next_token;
  return JsonResponse(std::move(body));
}

Result<http::Response> Create(Call& call) {
  CALVE_ASSIGN_OR_RETURN(const Json body, BodyOf(call.request));
  CALVE_ASSIGN_OR_RETURN(const auto object, iceberg::JsonObject::Of(body, ""));
  CALVE_ASSIGN_OR_RETURN(const Json* levels, object.Require("namespace"));
  CALVE_ASSIGN_OR_RETURN(const catalog::Namespace ns, ParseNamespace(*levels, "namespace"));
  CALVE_ASSIGN_OR_RETURN(const auto properties, object.TextMap("properties"));
  if (const Status may = call.Allow(Right::kManage, ns); !may.ok()) return Forbidden(may);
  if (!call.remembered.has_value()) {
    const Status made = call.catalog.CreateNamespace(call.context, ns, properties);
    if (!made.ok())
      return ErrorResponse(made.error(), {Subject::kNamespace, catalog::ToString(ns)});
  }
  return JsonResponse(NamespaceJson(ns, properties));
}

Result<http::Response> Load(Call& call) {
  CALVE_ASSIGN_OR_RETURN(const auto properties, call.catalog.LoadNamespace(call.context, call.ns));
  return JsonResponse(NamespaceJson(call.ns, properties));
}

Result<http::Response> Exists(Call& call) {
  CALVE_RETURN_IF_ERROR(call.catalog.LoadNamespace(call.context, call.ns));
  return NoContent();
}

Result<http::Response> Drop(Call& call) {
  if (call.remembered.has_value()) return NoContent();
  const Status dropped = call.catalog.DropNamespace(call.context, call.ns);
  if (!dropped.ok() && dropped.error().kind == ErrorKind::kRefused)
    return ErrorResponse(
        409, "NamespaceNotEmptyException",
        "Namespace " + catalog::ToString(call.ns) + " is not empty: " + dropped.error().message);
  CALVE_RETURN_IF_ERROR(dropped);
  return NoContent();
}

Result<http::Response> Update(Call& call) {
  CALVE_ASSIGN_OR_RETURN(const Json body, BodyOf(call.request));
  CALVE_ASSIGN_OR_RETURN(const auto object, iceberg::JsonObject::Of(body, ""));
  std::vector<std::string> removals;
  if (object.Find("removals") != nullptr) {
    CALVE_ASSIGN_OR_RETURN(removals, object.TextList("removals"));
  }
  CALVE_ASSIGN_OR_RETURN(const auto updates, object.TextMap("updates"));
  for (const std::string& key : removals) {
    if (updates.contains(key))
      return ErrorResponse(422, "UnprocessableEntityException",
                           "key " + key + " is in both removals and updates");
  }
  catalog::NamespaceUpdate done;
  if (call.remembered.has_value()) {
    done = call.remembered->properties;
  } else {
    CALVE_ASSIGN_OR_RETURN(done,
                           call.catalog.UpdateNamespace(call.context, call.ns, removals, updates));
  }
  return JsonResponse(
      {{"updated", done.updated}, {"removed", done.removed}, {"missing", done.missing}});
}

}  // namespace

CALVE_PART(namespaces) {
  constexpr auto kSubject = Subject::kNamespace;
  const std::string all = "/v1/{prefix}/namespaces";
  const std::string one = all + "/{namespace}";
  registry.Add({.method = "GET", .pattern = all, .subject = kSubject, .answer = List});
  registry.Add({.method = "POST", .pattern = all, .subject = kSubject, .answer = Create});
  registry.Add({"GET", one, kSubject, Right::kRead, Load});
  registry.Add({"HEAD", one, kSubject, Right::kRead, Exists});
  registry.Add({"DELETE", one, kSubject, Right::kManage, Drop});
  registry.Add({"POST", one + "/properties", kSubject, Right::kManage, Update});
}

}  // namespace calve::server

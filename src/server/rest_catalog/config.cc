#include "base/text.h"
#include "io/uri.h"
#include "server/wire.h"

namespace calve::server {
namespace {

Result<http::Response> Config(Call& call) {
  const RestCatalogOptions& options = call.server.options();
  const std::string warehouse = call.Query("warehouse");
  const std::string& name = call.server.catalog().name();
  if (!warehouse.empty() && warehouse != name &&
      io::OneSpelling(warehouse) != io::OneSpelling(options.warehouse))
    return ErrorResponse(404, "NoSuchWarehouseException",
                         "there is no warehouse " + Quote(warehouse) + " here; this catalog is " +
                             Quote(name) + ", at " + options.warehouse);
  Json defaults = Json::object();
  for (const auto& [key, value] : options.client_defaults) defaults[key] = value;
  Json config = {{"defaults", std::move(defaults)},
                 {"overrides", Json::object()},
                 {"endpoints", call.server.endpoints()}};
  if (call.server.catalog().ForRequest("config") != nullptr)
    config["idempotency-key-lifetime"] = "PT30M";
  return JsonResponse(std::move(config));
}

}  // namespace

CALVE_PART(config) { registry.Add({.method = "GET", .pattern = "/v1/config", .answer = Config}); }

}  // namespace calve::server

#include "catalog/registry.h"

#include "base/text.h"

namespace calve::catalog {

std::shared_ptr<const config::Parts> Registry::parts() const {
  auto parts = std::make_shared<config::Parts>();
  parts->noun = "catalog";
  for (const auto& [type, kind] : kinds_) parts->parts.push_back(kind.part);
  return parts;
}

Result<std::unique_ptr<Catalog>> Registry::Make(const config::PartOptions& options,
                                                const Resources& resources) const {
  const auto kind = kinds_.find(options.type);
  if (kind == kinds_.end()) {
    std::vector<std::string> known;
    for (const auto& [type, unused] : kinds_) known.push_back(type);
    return ConfigError("catalog " + resources.name + ": '" + options.type +
                       "' is no type of catalog; one of " + Join(known, ", ") +
                       DidYouMean(options.type, known));
  }
  return kind->second.make(options.node, resources);
}

}  // namespace calve::catalog

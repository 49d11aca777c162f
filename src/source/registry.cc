#include "source/registry.h"

namespace calve::source {

void Registry::Add(Kind kind) { kinds_.insert_or_assign(kind.type, std::move(kind)); }

const Kind* Registry::Find(const std::string& type) const {
  const auto found = kinds_.find(type);
  return found == kinds_.end() ? nullptr : &found->second;
}

std::shared_ptr<const config::Parts> Registry::parts() const {
  auto parts = std::make_shared<config::Parts>();
  parts->noun = "source";
  parts->families = {{.name = "file", .key = "format"}, {.name = "db", .key = "engine"}};
  for (const auto& [type, kind] : kinds_) parts->parts.push_back(kind.part);
  return parts;
}

}  // namespace calve::source

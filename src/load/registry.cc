#include "load/registry.h"

namespace calve::load {

const Kind* Registry::Find(const std::string& type) const {
  const auto found = kinds_.find(type);
  return found == kinds_.end() ? nullptr : &found->second;
}

std::shared_ptr<const config::Parts> Registry::parts() const {
  auto parts = std::make_shared<config::Parts>();
  parts->noun = "loader";
  parts->default_name = "iceberg";
  for (const auto& [type, kind] : kinds_) parts->parts.push_back(kind.part);
  return parts;
}

}  // namespace calve::load

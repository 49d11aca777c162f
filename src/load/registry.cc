#include "load/registry.h"

namespace calve::load {

const Kind* Registry::Find(const std::string& type) const {
  const auto found = kinds_.find(type);
  return found == kinds_.end() ? nullptr : &found->second;
}

std::string TableNameOf(const Kind* kind, const config::Node& options) {
  if (kind != nullptr && kind->table != nullptr) return kind->table(options);
  const config::Node* database = options.Find("database");
  const config::Node* table = options.Find("table");
  if (database == nullptr || table == nullptr) return "";
  return database->text() + "." + table->text();
}

std::shared_ptr<const config::Parts> Registry::parts() const {
  auto parts = std::make_shared<config::Parts>();
  parts->noun = "loader";
  parts->default_name = "iceberg";
  for (const auto& [type, kind] : kinds_) parts->parts.push_back(kind.part);
  return parts;
}

}  // namespace calve::load

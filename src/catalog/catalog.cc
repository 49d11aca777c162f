#include "catalog/catalog.h"

#include "base/text.h"

namespace calve::catalog {

Status CheckRemovals(const std::vector<std::string>& removals,
                     const std::map<std::string, std::string>& updates) {
  for (const std::string& key : removals) {
    if (!updates.contains(key)) continue;
    return ConfigError("the property " + Quote(key) +
                       " is to be set and removed at once; do one of them");
  }
  return Status::Ok();
}

Error Catalog::NoViews() const { return RefusedError("catalog " + name() + " has no views"); }

Result<NamespaceUpdate> Catalog::UpdateNamespace(
    const Context& /*context*/, const Namespace& /*ns*/,
    const std::vector<std::string>& /*removals*/,
    const std::map<std::string, std::string>& /*updates*/) {
  return RefusedError("the namespaces of catalog " + name() +
                      " have no properties that can be changed");
}

Result<std::vector<TableName>> Catalog::ListViews(const Context& /*context*/,
                                                  const Namespace& /*ns*/) {
  return NoViews();
}

Result<LoadedView> Catalog::LoadView(const Context& /*context*/, const TableName& /*view*/) {
  return NoViews();
}

Result<LoadedView> Catalog::CommitView(const Context& /*context*/, const TableName& /*view*/,
                                       const iceberg::ViewChange& /*change*/) {
  return NoViews();
}

Status Catalog::DropView(const Context& /*context*/, const TableName& /*view*/) {
  return NoViews();
}

Status Catalog::RenameView(const Context& /*context*/, const TableName& /*from*/,
                           const TableName& /*to*/) {
  return NoViews();
}

Result<LoadedView> Catalog::RegisterView(const Context& /*context*/, const TableName& /*view*/,
                                         const std::string& /*metadata_location*/) {
  return NoViews();
}

}  // namespace calve::catalog

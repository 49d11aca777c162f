#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "catalog/catalog.h"
#include "engine/engine.h"
#include "io/file_system.h"

namespace calve::engine {

/// Resolves names in SQL by catalogs: `ns.table` in the default one, `catalog.ns.table`,
/// `calve.runs` and its like, places of tables.
class CatalogResolver : public TableResolver {
 public:
  struct Options {
    /// Every catalog by name; made when first asked for. Fails with kNotFound when there is none of
    /// that name.
    std::function<Result<catalog::Catalog*>(const std::string& name)> catalog;
    std::vector<std::string> catalog_names;
    std::string default_catalog;
    io::FileSystem* files = nullptr;
    /// Tables that the program itself knows, by name without `calve.`.
    std::map<std::string, std::function<Result<ArrowTable>(const Context& context)>> own_tables;
  };
  explicit CatalogResolver(Options options) : options_(std::move(options)) {}

  Result<ResolvedTable> Resolve(const Context& context, const TableReference& reference) override;

  /// Find a table by a name as SQL writes it. Fails with kNotFound, naming the nearest tables.
  Result<catalog::LoadedTable> Load(const Context& context, const std::vector<std::string>& parts);

  /// The catalog that a name means, and the table's name there, whether it is there or not.
  struct Target {
    catalog::Catalog* catalog;
    catalog::TableName table;
  };
  Result<Target> TargetOf(const std::vector<std::string>& parts);
  /// The same for a namespace: `ns`, `catalog.ns`.
  struct TargetNamespace {
    catalog::Catalog* catalog;
    catalog::Namespace ns;
  };
  Result<TargetNamespace> NamespaceOf(const std::vector<std::string>& parts);

 private:
  /// Take a catalog's name off a name with more levels than `levels_min`.
  Result<catalog::Catalog*> CatalogOf(std::vector<std::string>* levels, size_t levels_min);
  /// The table on the branch or tag of the catalog's own that a reference names; nothing where it
  /// names none.
  Result<std::optional<catalog::LoadedTable>> LoadOnNativeRef(const Context& context,
                                                              const TableReference& reference);
  Result<catalog::LoadedTable> LoadPlace(const Context& context, const std::string& place);
  Error NoTable(const Context& context, const Target& target);

  const Options options_;
};

/// The snapshot that a reference names, of a table that is loaded. Fails with kNotFound, naming
/// what can be read.
Result<IcebergTable> AtReference(const catalog::LoadedTable& table,
                                 const TableReference& reference);

}  // namespace calve::engine

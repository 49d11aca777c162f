#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "base/registry.h"
#include "base/result.h"
#include "catalog/catalog.h"
#include "config/option.h"

namespace calve::io {
class FileSystem;
class LiveProperties;
}  // namespace calve::io

namespace calve::catalog {

/// What a catalog is given when it is made.
struct Resources {
  std::string name;       ///< As calve.yaml calls it.
  std::string warehouse;  ///< URI of the warehouse folder; a catalog's own `warehouse` option wins.
  std::string project_folder;       ///< Relative paths start here.
  io::FileSystem* files = nullptr;  ///< Outlives the catalog.
  /// Let storage keys that change hold in `files` for addresses below a prefix; null: they do not
  /// count.
  std::function<void(const std::string& prefix, std::shared_ptr<io::LiveProperties> properties)>
      use_live_properties = nullptr;
};

/// One kind of catalog, as it registers itself.
struct Kind {
  std::string type;     ///< "sql"
  std::string meaning;  ///< One sentence, for `calve connectors`.
  config::Part part;    ///< Its options.
  /// Make one from checked options. Must not touch the outside; the first call does.
  std::function<Result<std::unique_ptr<Catalog>>(const config::Node& options,
                                                 const Resources& resources)>
      make;
};

/// All kinds of catalogs. Filled once at start by RegisterParts, then only read.
class Registry {
 public:
  void Add(Kind kind) { kinds_.insert_or_assign(kind.type, std::move(kind)); }
  const std::map<std::string, Kind>& kinds() const { return kinds_; }
  /// For config: what a catalog's `type` can be.
  std::shared_ptr<const config::Parts> parts() const;
  /// Make a catalog of a kind that parts() has accepted.
  Result<std::unique_ptr<Catalog>> Make(const config::PartOptions& options,
                                        const Resources& resources) const;

 private:
  std::map<std::string, Kind> kinds_;
};

/// Written by the build: calls every CALVE_PART of this room.
void RegisterParts(Registry& registry);

}  // namespace calve::catalog

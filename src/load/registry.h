#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "base/registry.h"
#include "base/result.h"
#include "catalog/catalog.h"
#include "config/option.h"
#include "engine/engine.h"
#include "io/file_system.h"
#include "load/load.h"

namespace calve::load {

/// What a loader is given when it is made.
struct Resources {
  /// A catalog by its name in calve.yaml, "" for the default one. Fails with kConfig and the
  /// nearest names.
  std::function<Result<catalog::Catalog*>(const std::string& name)> catalog;
  io::FileSystem* files = nullptr;
  engine::Engine* engine = nullptr;           ///< For audits.
  engine::TableResolver* resolver = nullptr;  ///< For the tables that SQL checks name.
  std::string project_folder;                 ///< Where relative paths in options begin.
};

struct Kind {
  std::string type;     ///< "iceberg"
  std::string meaning;  ///< One sentence.
  config::Part part;
  std::function<Result<std::unique_ptr<Load>>(const config::Node& options, const Request& request,
                                              const Resources& resources)>
      make;
  /// The rows of `job` that were held back, for a replay whose own rows are held back in the name of
  /// request.job. Changes nothing yet. Empty: what the kind holds back cannot be replayed.
  std::function<Result<std::unique_ptr<HeldRows>>(const config::Node& options,
                                                  const std::string& job, const Request& request,
                                                  const Resources& resources)>
      held = nullptr;
  /// The table that options name, as contracts are called: "sales.daily_sales"; empty when it is not
  /// said. Null: `database` and `table` say it.
  std::function<std::string(const config::Node& options)> table = nullptr;
  std::string details = {};  ///< Markdown behind the table of options on its page.
};

/// The name of the contract that holds for what a loader of this kind writes by these options.
std::string TableNameOf(const Kind* kind, const config::Node& options);

class Registry {
 public:
  void Add(Kind kind) { kinds_.insert_or_assign(kind.type, std::move(kind)); }
  const Kind* Find(const std::string& type) const;
  const std::map<std::string, Kind>& kinds() const { return kinds_; }
  std::shared_ptr<const config::Parts> parts() const;

 private:
  std::map<std::string, Kind> kinds_;
};

/// Written by the build: calls every CALVE_PART of this room.
void RegisterParts(Registry& registry);

}  // namespace calve::load

#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "base/registry.h"
#include "base/result.h"
#include "config/option.h"
#include "source/source.h"

namespace calve::io {
class FileSystem;
}

namespace calve::source {

/// What a source is given when it is made.
struct Resources {
  io::FileSystem* files = nullptr;
  std::string project_folder;  ///< Relative paths start here.
};

/// One kind of source, as it registers itself.
struct Kind {
  std::string type;     ///< "csv"
  std::string meaning;  ///< One sentence, for `calve connectors`.
  config::Part part;    ///< Its options.
  /// Make one from checked options. Must not touch the outside.
  std::function<Result<std::unique_ptr<Source>>(const config::Node& options,
                                                const Resources& resources)>
      make;
};

/// All kinds of sources. Filled once at start by RegisterParts, then only read.
class Registry {
 public:
  void Add(Kind kind);
  const Kind* Find(const std::string& type) const;
  const std::map<std::string, Kind>& kinds() const { return kinds_; }
  /// For config: what `source:` can be, with `type: file` + `format:` and `type: db` + `engine:` as
  /// families.
  std::shared_ptr<const config::Parts> parts() const;

 private:
  std::map<std::string, Kind> kinds_;
};

/// Written by the build: calls every CALVE_PART of this room.
void RegisterParts(Registry& registry);

}  // namespace calve::source

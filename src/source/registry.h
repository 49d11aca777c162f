#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/registry.h"
#include "base/result.h"
#include "config/option.h"
#include "source/source.h"
#include "source/text_blocks.h"

namespace calve::io {
class FileSystem;
}

namespace calve::source {

/// What a source is given when it is made.
struct Resources {
  io::FileSystem* files = nullptr;
  std::string project_folder;  ///< Relative paths start here.
  std::shared_ptr<const FirstOrigins>
      first_origins;  ///< Of the rows in the one file; null: of none.
};

/// Rows that a source could not read, in its own text, to be read again.
struct HeldText {
  struct Row {
    std::string text;
    std::string origin;
  };
  std::string columns;  ///< columnar::Reject::columns of all; of JSON, columnar::SchemaAsJson.
  std::vector<Row> rows;
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
  /// Make one that reads rows which another one held back, by the options as they are now. Empty:
  /// the kind has no text of its own.
  std::function<Result<std::unique_ptr<Source>>(const config::Node& options, HeldText held)>
      reread = nullptr;
  /// More for its page, in Markdown, such as what types become; empty: nothing.
  std::string details = {};
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

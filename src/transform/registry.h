#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "base/context.h"
#include "base/registry.h"
#include "base/result.h"
#include "config/option.h"
#include "engine/engine.h"
#include "transform/shared_states.h"
#include "transform/transform.h"

namespace calve::transform {

/// What a transform is given when it is made.
struct Resources {
  engine::Engine* engine = nullptr;
  std::string project_folder;            ///< Relative paths start here.
  std::shared_ptr<SharedStates> states;  ///< Of the run; null where nothing is run.
  size_t step = 0;                       ///< Which of the job's transformers it is.
};

struct Kind {
  std::string type;     ///< "column_mapping"
  std::string meaning;  ///< One sentence.
  config::Part part;
  /// Make one for batches of `input`. Fails with kConfig naming columns that are not there and the
  /// nearest ones.
  std::function<Result<std::unique_ptr<Transform>>(
      const Context& context, const config::Node& options,
      const std::shared_ptr<arrow::Schema>& input, const Resources& resources)>
      make;
  /// More for its page, in Markdown; empty: nothing.
  std::string details = {};
};

class Registry {
 public:
  void Add(Kind kind);
  const Kind* Find(const std::string& type) const;
  const std::map<std::string, Kind>& kinds() const { return kinds_; }
  std::shared_ptr<const config::Parts> parts() const;

 private:
  std::map<std::string, Kind> kinds_;
};

/// Written by the build: calls every CALVE_PART of this room.
void RegisterParts(Registry& registry);

}  // namespace calve::transform

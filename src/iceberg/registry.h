#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/registry.h"
#include "base/result.h"
#include "iceberg/json.h"
#include "iceberg/update.h"

namespace calve::iceberg {

/// The updates that ParseUpdate knows, by action, filled by RegisterParts().
class Registry {
 public:
  using Parse = Result<UpdatePtr> (*)(const JsonObject& object);

  void Add(std::string action, Parse parse) { parsers_[std::move(action)] = parse; }
  /// The reader of an action; nullptr when it is not known.
  Parse Find(const std::string& action) const;
  std::vector<std::string> actions() const;

 private:
  std::map<std::string, Parse> parsers_;
};

/// Add every update of this room. The build writes its body.
void RegisterParts(Registry& registry);

}  // namespace calve::iceberg

#pragma once

#include <map>
#include <string>

#include "audit/check.h"
#include "base/registry.h"

namespace calve::audit {

/// All kinds of checks. Filled once at start by RegisterParts, then only read.
class Registry {
 public:
  void Add(CheckKind kind);
  const CheckKind* Find(const std::string& kind) const;
  const std::map<std::string, CheckKind>& kinds() const { return kinds_; }

 private:
  std::map<std::string, CheckKind> kinds_;
};

/// Written by the build: calls every CALVE_PART of this room.
void RegisterParts(Registry& registry);

}  // namespace calve::audit

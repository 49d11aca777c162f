#include "audit/registry.h"

namespace calve::audit {

void Registry::Add(CheckKind kind) { kinds_.insert_or_assign(kind.kind, std::move(kind)); }

const CheckKind* Registry::Find(const std::string& kind) const {
  const auto found = kinds_.find(kind);
  return found == kinds_.end() ? nullptr : &found->second;
}

}  // namespace calve::audit

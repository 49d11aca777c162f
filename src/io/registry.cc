#include "io/registry.h"

#include <algorithm>
#include <utility>

namespace calve::io {

void Registry::Add(Storage storage) { storages_.push_back(std::move(storage)); }

const Storage* Registry::Find(const std::string& scheme) const {
  for (const Storage& storage : storages_) {
    if (std::ranges::find(storage.schemes, scheme) != storage.schemes.end()) return &storage;
  }
  return nullptr;
}

}  // namespace calve::io

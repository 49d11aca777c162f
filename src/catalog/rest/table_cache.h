#pragma once

#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "catalog/catalog.h"

namespace calve::catalog {

/// Tables as a server showed them last, with the tag under which it can say that nothing has
/// changed. Threads: any.
class TableCache {
 public:
  struct Entry {
    std::string etag;
    LoadedTable table;
  };

  std::optional<Entry> Find(const TableName& name) const {
    std::lock_guard lock(mutex_);
    const auto found = entries_.find(name);
    return found == entries_.end() ? std::nullopt : std::optional(found->second);
  }
  /// Without a tag there is nothing to ask with: then the table is forgotten.
  void Put(const TableName& name, Entry entry) {
    std::lock_guard lock(mutex_);
    if (entry.etag.empty()) {
      entries_.erase(name);
      return;
    }
    if (entries_.insert_or_assign(name, std::move(entry)).second) order_.push_back(name);
    if (order_.size() <= kTablesMax) return;
    entries_.erase(order_.front());
    order_.pop_front();
  }
  void Forget(const TableName& name) { Put(name, {}); }

 private:
  static constexpr size_t kTablesMax = 64;

  mutable std::mutex mutex_;
  std::map<TableName, Entry> entries_;
  std::deque<TableName> order_;  ///< Oldest first; may name what was forgotten.
};

}  // namespace calve::catalog

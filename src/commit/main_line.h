#pragma once

#include <functional>
#include <optional>

#include "base/context.h"
#include "base/result.h"
#include "catalog/catalog.h"
#include "iceberg/snapshot.h"
#include "io/file_system.h"

namespace calve::commit {

/// The snapshots of a table's main, from its head back to the first.
///
/// In a catalog whose branches are its own (Nessie) a foreign writer may leave nothing but its own
/// snapshot in the metadata, without a parent: what came before is found through the catalog's log
/// of commits, in the metadata files of that time.
class MainLine {
 public:
  MainLine(catalog::Catalog& catalog, io::FileSystem& files, catalog::TableName table)
      : catalog_(catalog), files_(files), table_(std::move(table)) {}

  /// Whether the metadata alone need not tell the whole line.
  bool may_be_hidden() const { return catalog_.native_refs() != nullptr; }

  struct Walk {
    std::optional<iceberg::Snapshot> found;
    bool whole = true;  ///< With nothing found: the first snapshot of the table was seen.
  };
  /// Find the newest snapshot that `is_wanted`, in the line of the table as it was loaded.
  Result<Walk> Find(const Context& context, const catalog::LoadedTable& loaded,
                    const std::function<bool(const iceberg::Snapshot&)>& is_wanted) const;

 private:
  catalog::Catalog& catalog_;
  io::FileSystem& files_;
  const catalog::TableName table_;
};

}  // namespace calve::commit

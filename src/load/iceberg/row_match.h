#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/context.h"
#include "base/result.h"
#include "iceberg/scan.h"
#include "io/file_system.h"
#include "load/iceberg/load_keys.h"
#include "rows/rewrite.h"

namespace calve::load {

/// Finds the rows of a table that have a key of a load. Files are left out by their partitions and
/// bounds; of the rest only the key columns are read, with all deletes applied. For one thread.
class RowMatch {
 public:
  RowMatch(io::FileSystem& files, LoadKeys& keys) : files_(files), keys_(keys) {}

  /// All rows of the table's current snapshot.
  Result<std::vector<rows::FileRows>> Find(const Context& context,
                                           const iceberg::MetadataPtr& table);

  /// Whether what Find gave is also what there is to find in `now`: every file that it named is
  /// there with the same deletes, and no other has rows with a key of the load.
  Result<bool> StillHolds(const Context& context, const iceberg::TableMetadata& now);

 private:
  Result<std::vector<iceberg::ScanTask>> Plan(const Context& context,
                                              const iceberg::TableMetadata& table) const;
  Result<std::vector<rows::FileRows>> Search(const Context& context,
                                             const iceberg::TableMetadata& table,
                                             std::vector<iceberg::ScanTask> tasks);

  /// A file that was looked at.
  struct Seen {
    std::string deletes;  ///< Names of those that applied.
    bool matched = false;
  };
  io::FileSystem& files_;
  LoadKeys& keys_;
  std::map<std::string, Seen> seen_;  ///< By path.
};

}  // namespace calve::load

#pragma once

#include <string>
#include <vector>

#include "base/context.h"
#include "base/result.h"
#include "catalog/catalog.h"
#include "iceberg/metadata.h"
#include "io/file_system.h"

namespace calve::commit {

/// Files that only snapshots which are gone had, in the order in which they may go: rows first, so
/// that what names them is there as long as they are.
struct Unreached {
  std::vector<std::string> files;
  ByteCount bytes{0};  ///< Of the data and delete files among them.
};

/// Find the files of the snapshots `gone`, which `before` had, that no snapshot of the table has
/// now.
Result<Unreached> FindUnreached(const Context& context, catalog::Catalog& catalog,
                                io::FileSystem& files, const catalog::TableName& table,
                                const iceberg::TableMetadata& before,
                                const std::vector<const iceberg::Snapshot*>& gone);

/// Whether the snapshot on which a branch was begun is gone, so that files of it may be the branch's
/// alone by now.
bool IsBaseGone(const iceberg::Snapshot& staged, const iceberg::TableMetadata& now);

}  // namespace calve::commit

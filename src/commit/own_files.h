#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/context.h"
#include "base/result.h"
#include "iceberg/files.h"
#include "iceberg/metadata.h"

namespace calve::commit {

/// What a snapshot wrote that other snapshots of the table do not use.
struct OwnFiles {
  std::vector<std::string> metadata;  ///< Manifests, the list, the ledger.
  std::vector<std::string> rows;      ///< Data and delete files.
};

/// Find the files of a snapshot that others do not use. Manifests are shared along a line of snapshots only by those that come after the one that added
/// them, so the files of `snapshot` are its own unless `heir` (made of the same files) holds them.
Result<OwnFiles> FindOwnFiles(const Context& context, iceberg::Files& files,
                              const iceberg::TableMetadata& metadata,
                              const iceberg::Snapshot& snapshot, const iceberg::Snapshot* heir);

/// The text under a key of the summary; "" when it has none.
std::string SummaryText(const iceberg::Snapshot& snapshot, std::string_view key);

}  // namespace calve::commit

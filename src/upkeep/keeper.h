#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/context.h"
#include "base/result.h"
#include "catalog/catalog.h"
#include "commit/committer.h"
#include "iceberg/metadata.h"
#include "io/file_system.h"
#include "upkeep/compaction.h"
#include "upkeep/manifests.h"

namespace calve::upkeep {

/// Whether a table is due for upkeep that starts by itself, after the commit that made `snapshot`.
/// Looks at the metadata alone: once in so many commits, when reading the table as it is costs far
/// more than it would after compaction. Each file opened counts as 4 MB, as it does for Iceberg's
/// planning (read.split.open-file-cost). Never with the table property `calve.upkeep` = off.
///
/// Fails with kConfig on another value of it than auto or off.
Result<bool> IsDue(const iceberg::TableMetadata& table, iceberg::SnapshotId snapshot);

struct KeepOptions {
  std::string run_id;  ///< In file names.
  int parallelism = 2;
  int64_t buffer_bytes_max = 256 << 20;
};

/// What upkeep came to.
struct KeepReport {
  CompactionReport compaction;
  ManifestReport manifests;
  commit::Committer::Expired expired;
  /// Main's after; nothing when there was nothing to do.
  std::optional<int64_t> snapshot_id() const;
};

/// Compact what is worth its cost (CompactionRules::amortized), rewrite manifests where there are
/// many small ones, and expire snapshots where the table's properties say how long they stay. Each
/// is a commit of its own; after an error the earlier ones hold.
Result<KeepReport> Keep(const Context& context, catalog::Catalog& catalog, io::FileSystem& files,
                        const catalog::TableName& table, const KeepOptions& options);

}  // namespace calve::upkeep

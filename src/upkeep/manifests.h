#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/context.h"
#include "base/result.h"
#include "catalog/catalog.h"
#include "io/file_system.h"

namespace calve::upkeep {

/// What a rewriting of manifests would do.
struct ManifestPlan {
  int64_t manifests = 0;  ///< That are worth it.
  int64_t bytes = 0;
  int64_t manifests_total = 0;  ///< Of main's head.
};

struct ManifestOptions {
  bool all = false;    ///< Every manifest; else where there are several small ones.
  std::string run_id;  ///< In file names.
};

struct ManifestReport {
  int64_t manifests_before = 0;        ///< Those that were laid out anew.
  int64_t manifests_after = 0;         ///< What they became.
  int64_t entries = 0;                 ///< Data files and files of deletes that they list.
  std::optional<int64_t> snapshot_id;  ///< Main's after; nothing when there was nothing to do.
};

/// See which manifests of main's head are worth it: of each partition spec, of data and of deletes,
/// those of less than three quarters of commit.manifest.target-size-bytes, where there are two.
Result<ManifestPlan> PlanManifests(const Context& context, io::FileSystem& files,
                                   const iceberg::TableMetadata& table, bool all);

/// Lay manifests out anew: the same files in fewer manifests, sorted by partition, each with the
/// numbers, the snapshot and the row ids that it has. One commit, computed again on main as it is
/// by then. Fails with kRefused for a table of version 1. After an error nothing has changed.
Result<ManifestReport> RewriteManifests(const Context& context, catalog::Catalog& catalog,
                                        io::FileSystem& files, const catalog::TableName& table,
                                        const ManifestOptions& options);

}  // namespace calve::upkeep

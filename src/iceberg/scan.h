#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/context.h"
#include "base/result.h"
#include "iceberg/expression.h"
#include "iceberg/files.h"
#include "iceberg/manifest.h"
#include "iceberg/metadata.h"

namespace calve::iceberg {

/// A data file to read, with the deletes that apply to its rows (spec, Scan Planning).
struct ScanTask {
  DataFilePtr file;
  SequenceNumber data_sequence_number{0};
  std::vector<DataFilePtr>
      position_deletes;         ///< Position delete files; empty when there is a deletion vector.
  DataFilePtr deletion_vector;  ///< Null when there is none.
  std::vector<DataFilePtr> equality_deletes;
  bool has_deletes() const {
    return deletion_vector != nullptr || !position_deletes.empty() || !equality_deletes.empty();
  }
};

struct ScanOptions {
  std::optional<SnapshotId>
      snapshot_id;  ///< Default: the current one. A table without snapshots has no tasks.
  Expression filter;
  bool metrics =
      false;  ///< Keep counts and bounds in the tasks' files (they are always used to prune).
};

/// What planning looked at, for people and for bars.
struct ScanStatistics {
  int64_t manifests_total = 0;
  int64_t manifests_read = 0;
  int64_t files_total = 0;  ///< Live data files in the manifests that were read.
  int64_t files_kept = 0;
};

struct ScanPlan {
  std::vector<ScanTask> tasks;  ///< In manifest order.
  ScanStatistics statistics;
};

/// Plan a scan: manifests pruned by partition summaries, files by partition and bounds, deletes
/// matched by partition, spec and sequence number. Manifests are read in parallel on the context's
/// executor.
Result<ScanPlan> PlanScan(const Context& context, Files& files, const TableMetadata& metadata,
                          const ScanOptions& options);

/// The data files added between two snapshots: from exclusive (nothing: since the start), to
/// inclusive, along `to`'s ancestry, by append snapshots only. Fails with kRefused when an
/// overwrite or delete lies between, naming the snapshot, or when `from` is no ancestor of `to`.
Result<ScanPlan> PlanIncrementalAppends(const Context& context, Files& files,
                                        const TableMetadata& metadata,
                                        std::optional<SnapshotId> from, SnapshotId to,
                                        const ScanOptions& options);

}  // namespace calve::iceberg

#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/context.h"
#include "base/result.h"
#include "catalog/catalog.h"
#include "iceberg/scan.h"
#include "io/file_system.h"

namespace calve::upkeep {

/// Which files of a table are worth laying out anew.
struct CompactionRules {
  /// Of new files; 0: the table's write.target-file-size-bytes.
  int64_t target_bytes = 0;
  /// So many files that are too small or too large make a rewrite worth it.
  int64_t files_min = 5;
  /// A file of whose rows so many are deleted is always worth it.
  int deleted_percent = 30;
  /// So are files that so many files of deletes apply to.
  int64_t deletes_max = 5;
  /// Every file, whatever its size.
  bool all = false;
  /// Only what pays for itself, however often it is done. A file is laid out anew beside others that
  /// are as large together, so that it at least doubles each time; deletes make it worth it when
  /// opening them costs as much as reading the file; files of an older partition spec stay.
  bool amortized = false;
};

/// What opening a file costs, as so many bytes read (Iceberg's read.split.open-file-cost).
inline constexpr int64_t kOpenFileBytes = 4 << 20;

/// The size of new files, in bytes.
int64_t TargetBytesOf(const iceberg::TableMetadata& table, const CompactionRules& rules);

/// Files that become as few new ones.
using FileGroup = std::vector<iceberg::ScanTask>;

/// What a compaction would do.
struct CompactionPlan {
  std::vector<FileGroup> groups;
  int64_t files = 0;  ///< In groups.
  int64_t bytes = 0;
  int64_t rows = 0;         ///< As their files count them, with deleted ones.
  int64_t files_total = 0;  ///< Of the table.
};

/// Choose the files of main's head that are worth it: too small, too large, with many deletes, or
/// of an older partition spec. Files of one partition go together, into groups of about the size
/// of one new file.
Result<CompactionPlan> PlanCompaction(const Context& context, io::FileSystem& files,
                                      const iceberg::TableMetadata& table,
                                      const CompactionRules& rules);

struct CompactionOptions {
  CompactionRules rules;
  std::string run_id;  ///< In file names.
  int parallelism = 2;
  int64_t buffer_bytes_max = 256 << 20;
  std::function<void(int64_t rows)> wrote;  ///< For progress. May be empty. Any thread.
};

struct CompactionReport {
  int64_t files_before = 0;  ///< Those that were laid out anew.
  int64_t files_after = 0;   ///< What they became.
  int64_t bytes_before = 0;
  int64_t bytes_after = 0;
  int64_t rows = 0;
  int64_t deletes_gone = 0;      ///< Files of deletes, and deletion vectors, that are no more.
  int64_t groups_overtaken = 0;  ///< Left as they were, since other writers changed them meanwhile.
  std::optional<int64_t> snapshot_id;  ///< Main's after; nothing when there was nothing to do.
};

/// Lay files out anew: the same rows, fewer files, no deletes. One commit. Rows that other writers
/// delete or change meanwhile stay as these left them: groups with such files are left out.
/// Reads and writes in bounded memory. After an error nothing has changed.
Result<CompactionReport> Compact(const Context& context, catalog::Catalog& catalog,
                                 io::FileSystem& files, const catalog::TableName& table,
                                 const CompactionOptions& options);

}  // namespace calve::upkeep

#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/context.h"
#include "base/result.h"
#include "commit/committer.h"
#include "iceberg/manifest.h"
#include "iceberg/metadata.h"
#include "io/file_system.h"
#include "load/iceberg/load_keys.h"
#include "load/iceberg/row_match.h"
#include "rows/row_removal.h"

namespace calve::load {

/// Puts a load's rows in place of those of the table that have the same keys, or only takes these
/// out. As write.merge.mode says, data files that hold such rows are written anew without them, in the table's current spec
/// (copy-on-write), or the rows are deleted by files beside them (merge-on-read); without it costs
/// decide for each file.
///
/// Another writer may commit between Compute and the commit: the change then holds when nothing of
/// it concerns these keys; otherwise the commit is refused, overtaken() is true and Compute is due
/// again. For one thread.
class Merge {
 public:
  struct Options {
    KeyColumns columns;
    iceberg::SchemaPtr schema;  ///< Of the rows.
    std::string file_tag;       ///< In file names: the run, and which try of it.
    /// Files with keys of rows that delete (KeyColumns::Stored), and the table they were written for.
    std::vector<iceberg::DataFilePtr> deletes;
    iceberg::MetadataPtr deletes_table;
    int parallelism = 1;
    int64_t buffer_bytes_max = 128 << 20;
    /// Told when files that a Compute wrote before it failed could not be removed.
    std::function<void(const Context& context, const Error& why)> leave_files;
  };
  /// `rows` are the load's data files, written for `table`.
  Merge(io::FileSystem& files, Options options, iceberg::MetadataPtr table,
        std::vector<iceberg::DataFilePtr> rows);

  /// See that every row has a key, and leave one row of each. Where that takes rows out of `files`,
  /// which are the load's, these are written anew and the old ones are for the caller to remove:
  /// their URIs are given. Fails with kData, see LoadKeys::FindOutdated.
  Result<std::vector<std::string>> Settle(const Context& context,
                                          std::vector<iceberg::DataFilePtr>* files);

  /// Add to a change what the merge takes out of main as `table` has it, and what stays of it.
  Status Compute(const Context& context, const iceberg::MetadataPtr& table, commit::Change* change);
  bool overtaken() const { return overtaken_; }

  // Of the last Compute:
  int64_t rows_replaced() const { return removal_.rows_removed; }
  int64_t files_rewritten() const { return static_cast<int64_t>(removal_.gone.size()); }
  int64_t files_with_deletes() const { return static_cast<int64_t>(removal_.deletes.size()); }
  /// The files that it wrote, for who removes them.
  const std::vector<std::string>& written() const { return removal_.written; }

 private:
  rows::RewriteOptions RewriteOf(const Context& context, const iceberg::MetadataPtr& table,
                                 const std::string& tag) const;
  Status CheckStillHolds(const Context& context, const iceberg::TableMetadata& now);

  io::FileSystem& files_;
  const Options options_;
  const iceberg::MetadataPtr table_;  ///< That the load's files were written for.
  LoadKeys keys_;
  RowMatch match_;
  iceberg::SchemaId table_schema_;  ///< Current at the last Compute.
  int computed_ = 0;
  bool overtaken_ = false;
  rows::RowRemoval removal_;
};

}  // namespace calve::load

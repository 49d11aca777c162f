#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/context.h"
#include "base/result.h"
#include "iceberg/produce.h"
#include "io/file_system.h"
#include "rows/rewrite.h"

namespace calve::rows {

/// How rows are taken out of the data files that hold them.
enum class RemovalMode {
  kByCost,       ///< For each file what costs less: its rows are few, or they are many.
  kCopyOnWrite,  ///< The files are written anew without them.
  kMergeOnRead,  ///< They are deleted by deletion vectors, in version 2 by position delete files.
};

/// Read a table property: write.delete.mode, write.update.mode or write.merge.mode. Without it costs
/// decide. Fails with kConfig on another value than copy-on-write or merge-on-read.
Result<RemovalMode> RemovalModeOf(const iceberg::TableMetadata& table, std::string_view property);

/// What taking rows out of a table came to.
struct RowRemoval {
  std::vector<iceberg::DataFilePtr> carried;           ///< Files with rows that were written anew.
  std::vector<iceberg::DataFilePtr> deletes;           ///< Deletion vectors and position deletes.
  std::vector<iceberg::DataFilePtr> replaced_deletes;  ///< Those that `deletes` took in.
  std::vector<std::string> gone;                       ///< Data files that are no more.
  std::vector<std::string> written;                    ///< URIs, for who removes them.
  int64_t rows_removed = 0;
  int64_t rows_carried = 0;

  /// Add it to a change of a snapshot whose data sequence number is `base`.
  void AddTo(iceberg::SnapshotChange* change, iceberg::SequenceNumber base) const;
};

/// Take rows out of the files that hold them. After an error nothing of it is left, unless
/// leave_files is told.
Result<RowRemoval> RemoveRows(const Context& context, io::FileSystem& files,
                              const RewriteOptions& options, RemovalMode mode,
                              std::vector<FileRows> matches);

}  // namespace calve::rows

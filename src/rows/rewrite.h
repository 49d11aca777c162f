#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/context.h"
#include "base/result.h"
#include "iceberg/deletion_vector.h"
#include "iceberg/manifest.h"
#include "iceberg/metadata.h"
#include "iceberg/scan.h"
#include "io/file_system.h"
#include "reader/reader.h"

namespace calve::rows {

/// A data file, or a part of one, and the positions of those of its live rows that are to go.
struct FileRows {
  iceberg::ScanTask task;
  iceberg::PositionSet gone;
  reader::FilePart part;
};

/// The names of the deletes that apply to a file, as one text: another one says that somebody has
/// deleted rows of it since.
std::string DeletesOf(const iceberg::ScanTask& task);

/// How files are written anew.
struct RewriteOptions {
  iceberg::MetadataPtr table;  ///< In whose current spec and sort order.
  iceberg::SchemaPtr schema;   ///< Of the new files.
  std::string run_id;          ///< In file names.
  int parallelism = 1;
  int64_t buffer_bytes_max = 128 << 20;  ///< For all threads together.
  /// Told when files of a rewrite that failed could not be removed. Called from any thread.
  std::function<void(const Error& why)> leave_files;
  /// Told of the rows of each batch that was written. May be empty. Called from any thread.
  std::function<void(int64_t rows)> wrote;
};

/// Write the live rows of files but those that are to go, each group of files as few new ones, in
/// their order where the table has none. From format version 3 on rows keep who they are (_row_id,
/// _last_updated_sequence_number). A group without such rows gives no file. After an error nothing
/// of it is left, unless leave_files is told.
///
/// The result has the new files of each group.
Result<std::vector<std::vector<iceberg::DataFilePtr>>> RewriteGroups(
    const Context& context, io::FileSystem& files, const RewriteOptions& options,
    const std::vector<std::vector<FileRows>>& groups);

}  // namespace calve::rows

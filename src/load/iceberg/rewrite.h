#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/context.h"
#include "base/result.h"
#include "iceberg/manifest.h"
#include "iceberg/metadata.h"
#include "io/file_system.h"
#include "load/iceberg/row_match.h"

namespace calve::load {

/// How files are written anew.
struct RewriteOptions {
  iceberg::MetadataPtr table;  ///< In whose current spec.
  iceberg::SchemaPtr schema;   ///< Of the new files.
  std::string run_id;          ///< In file names.
  int parallelism = 1;
  int64_t buffer_bytes_max = 128 << 20;
  /// Told when files of a rewrite that failed could not be removed. Called from any thread.
  std::function<void(const Error& why)> leave_files;
};

/// Write the live rows of files but those that are to go. A file without others gives none. After
/// an error nothing of it is left, unless leave_files is told.
Result<std::vector<iceberg::DataFilePtr>> RewriteWithout(const Context& context,
                                                         io::FileSystem& files,
                                                         const RewriteOptions& options,
                                                         const std::vector<FileMatches>& matches);

}  // namespace calve::load

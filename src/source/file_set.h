#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/context.h"
#include "base/result.h"
#include "config/option.h"
#include "io/compression.h"
#include "io/file_system.h"
#include "source/registry.h"
#include "source/source.h"

namespace calve::source {

/// Options of every source that reads files.
struct FileOptions {
  std::string source_path;
  std::string file_pattern;
  bool incremental = false;
  std::string compression = "auto";

  static config::Shape<FileOptions> Declaration();
};

/// The files that one run reads.
struct FileSet {
  std::vector<io::FileInfo> files;   ///< Sorted by address.
  std::optional<Position> position;  ///< After reading them; only when incremental.
  std::string summary;  ///< "3 new files, 1 changed file read anew, 412 MB (2,914 seen before)"
  ByteCount bytes{0};
};

/// Find the files of a source; incremental ones are those that are new or have changed since
/// `since`: by etag where the store has one, else by size and time of change. Fails with kNotFound
/// when the place is not there, and with kData when a position is not of this kind.
Result<FileSet> FindFileSet(const Context& context, const Resources& resources,
                            const FileOptions& options, const std::optional<Position>& since);

/// What a run reads of the files, still without schema and splits.
ReadPlan PlanOf(FileSet& set);
/// A split for each file, read whole; its payload is the io::FileInfo.
std::vector<Split> WholeFiles(FileSet& set);
/// The one stream of a source that reads files: what it would plan from the start.
Result<std::vector<Stream>> DiscoverFiles(const Context& context, Source& source,
                                          const FileOptions& options);

/// Open a file of the set, decompressed as the options say.
Result<std::unique_ptr<io::InputStream>> OpenFile(const Context& context,
                                                  const Resources& resources,
                                                  const FileOptions& options,
                                                  const io::FileInfo& file);

/// The last part of an address, for messages about rows; control characters are escaped.
std::string ShortName(std::string_view uri);

}  // namespace calve::source

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
#include "source/text_blocks.h"

namespace calve::source {

/// Options of every source that reads files.
struct FileOptions {
  std::string source_path;
  std::string file_pattern;
  bool incremental = false;
  std::string compression = "auto";

  static config::Shape<FileOptions> Declaration();
  /// The same without compression, for formats that have their own.
  static config::Shape<FileOptions> PlaceDeclaration();
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
/// "a.csv is", or "a.csv and 2 more files are".
std::string NameFiles(const FileSet& set, std::string_view one, std::string_view several);
/// Names for what files without any column should have.
struct Lack {
  std::string_view lacking;   ///< "header"
  std::string_view expected;  ///< "a header, and rows below it"
};
/// Where no file of the set tells any column: a source that is incremental notes it and waits for
/// more, since some files have no rows; else fails with kData.
Status PassOverEmpty(const FileSet& set, const FileOptions& options, const Lack& lack,
                     ReadPlan* plan);
/// A split for each file, read whole; its payload is the io::FileInfo.
std::vector<Split> WholeFiles(FileSet& set);
/// Opens a file of the set, decompressed and as UTF-8. `resources` and `options` outlive it.
TextBlocks::Open OpenText(const Resources& resources, const FileOptions& options,
                          std::string encoding, io::FileInfo file);
/// The splits of a text file, as many as are worth their threads, without payload.
std::vector<Split> SplitsOfText(const io::FileInfo& file, const PlanOptions& options);
/// How much text of a file a reader takes at once.
size_t TextBlockBytes(const PlanOptions& options);
/// Splits whose payload is what `open` makes of each file, a std::shared_ptr. A large file has
/// several splits with the same one: their readers take turns at its text.
template <typename Open>
std::vector<Split> SharedFiles(const FileSet& set, const PlanOptions& options, Open open) {
  std::vector<Split> splits;
  for (const io::FileInfo& file : set.files) {
    const auto shared = open(file);
    for (Split& split : SplitsOfText(file, options)) {
      split.payload = shared;
      splits.push_back(std::move(split));
    }
  }
  return splits;
}
/// The one stream of a source that reads files: what it would plan from the start.
Result<std::vector<Stream>> DiscoverFiles(const Context& context, Source& source,
                                          const FileOptions& options);

/// Open a file of the set, decompressed as the options say.
Result<std::unique_ptr<io::InputStream>> OpenFile(const Context& context,
                                                  const Resources& resources,
                                                  const FileOptions& options,
                                                  const io::FileInfo& file);

/// Names the lines of a file of the set.
TextPlaces PlacesOf(const Resources& resources, const io::FileInfo& file);

/// The last part of an address, for messages about rows; control characters are escaped.
std::string ShortName(std::string_view uri);

}  // namespace calve::source

#pragma once

#include <deque>
#include <map>
#include <mutex>
#include <string>

#include "base/context.h"
#include "catalog/catalog.h"
#include "io/file_system.h"

namespace calve::catalog {

/// Reads and writes metadata files for the catalogs that keep only a pointer to them, and remembers
/// what it read: a metadata file never changes. Threads: any.
class MetadataStore {
 public:
  explicit MetadataStore(io::FileSystem& files) : files_(files) {}

  /// Read and parse; from memory when it was read or written before. Fails with kNotFound or kData,
  /// naming the file.
  Result<LoadedTable> Load(const Context& context, const std::string& location);

  /// A change applied and its metadata file durable, but not yet pointed to.
  struct Prepared {
    LoadedTable table;
    std::string previous_location;  ///< Empty for a new table.
  };
  /// Apply `change` to `base` (null: a new table) and write the next metadata file beside it. Fails
  /// with kConflict when a requirement does not hold; then nothing was written.
  Result<Prepared> Prepare(const Context& context, const LoadedTable* base,
                           const iceberg::TableChange& change);
  /// Remove a prepared file that surely did not become the table's.
  void Forget(const Context& context, const Prepared& prepared);
  /// After a commit, remove the metadata files that fell out of the log, when
  /// write.metadata.delete-after-commit.enabled says so.
  void PruneLog(const Context& context, const LoadedTable* base, const LoadedTable& now);

  io::FileSystem& files() { return files_; }

 private:
  void Remember(const LoadedTable& table);

  io::FileSystem& files_;
  std::mutex mutex_;
  std::map<std::string, iceberg::MetadataPtr> known_;
  std::deque<std::string> order_;  ///< Oldest first; at most kKnownMax.
};

/// Whether new metadata files of this table are gzipped (write.metadata.compression-codec).
bool WantsGzip(const iceberg::TableMetadata& metadata);
/// The folder of a table's metadata: write.metadata.path, or <location>/metadata.
std::string MetadataFolder(const iceberg::TableMetadata& metadata);

/// Turn a failed commit step into an outcome: kConflict and kAlreadyExists are conflicts,
/// kUnknownOutcome is unknown, the rest refused.
CommitOutcome OutcomeOf(Error error);

}  // namespace calve::catalog

#pragma once

#include <list>
#include <map>
#include <mutex>
#include <string>

#include "base/context.h"
#include "catalog/catalog.h"
#include "io/file_system.h"

namespace calve::catalog {

/// Reads and writes metadata files for the catalogs that keep only a pointer to them, and remembers
/// what it read: a metadata file never changes. What it remembers is bounded by bytes, the longest
/// unused forgotten first. Threads: any.
class MetadataStore {
 public:
  explicit MetadataStore(io::FileSystem& files) : files_(files) {}

  /// Read and parse; from memory when it was read or written before. Fails with kNotFound or kData,
  /// naming the file.
  Result<LoadedTable> Load(const Context& context, const std::string& location);
  Result<LoadedView> LoadView(const Context& context, const std::string& location);

  /// A change applied and its metadata file durable, but not yet pointed to.
  struct Prepared {
    LoadedTable table;
    std::string previous_location;  ///< Empty for a new table.
  };
  /// Apply `change` to `base` (null: a new table) and write the next metadata file beside it. Fails
  /// with kConflict when a requirement does not hold; then nothing was written.
  Result<Prepared> Prepare(const Context& context, const LoadedTable* base,
                           const iceberg::TableChange& change);
  /// The same for a view.
  Result<LoadedView> PrepareView(const Context& context, const LoadedView* base,
                                 const iceberg::ViewChange& change);
  /// Remove a prepared file that surely did not become the table's.
  void Forget(const Context& context, const Prepared& prepared);
  void ForgetFile(const Context& context, const std::string& location);
  /// After a commit, take into memory what was prepared.
  void Accept(const LoadedTable& now);
  /// After a commit, take `now` into memory in place of `base`, and remove the metadata files that
  /// fell out of the log, when write.metadata.delete-after-commit.enabled says so.
  void PruneLog(const Context& context, const LoadedTable* base, const LoadedTable& now);

  io::FileSystem& files() { return files_; }

 private:
  /// One of the two, by what the file holds.
  struct Known {
    LoadedTable table;
    iceberg::ViewMetadataPtr view;
    size_t bytes = 0;  ///< Of its text; once remembered, about those in memory.
    std::list<std::string>::iterator used;  ///< In used_.
  };

  Result<std::string> Read(const Context& context, const std::string& location);
  Status Write(const Context& context, const std::string& location, const std::string& json,
               bool gzip);
  Known* Find(const std::string& location);
  void Remember(const std::string& location, Known known);
  void Drop(const std::string& location);

  io::FileSystem& files_;
  std::mutex mutex_;
  std::map<std::string, Known> known_;
  std::list<std::string> used_;  ///< The longest unused first.
  size_t bytes_ = 0;             ///< Of all that is known.
};

/// Whether new metadata files of this table are gzipped (write.metadata.compression-codec).
bool WantsGzip(const iceberg::TableMetadata& metadata);
/// The folder of a table's metadata: write.metadata.path, or <location>/metadata.
std::string MetadataFolder(const iceberg::TableMetadata& metadata);

/// Turn a failed commit step into an outcome: kConflict and kAlreadyExists are conflicts,
/// kUnknownOutcome is unknown, the rest refused.
CommitOutcome OutcomeOf(Error error);

}  // namespace calve::catalog

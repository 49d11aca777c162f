#pragma once

#include <atomic>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "iceberg/manifest_reader.h"
#include "iceberg/metrics_filter.h"
#include "iceberg/produce.h"

// What a change takes out of the base's manifests. For use within the room.

namespace calve::iceberg {

/// A manifest of the base of which some entries are taken out.
struct CutManifest {
  size_t index = 0;                    ///< In the base's list.
  std::vector<ManifestEntry> entries;  ///< EXISTING and DELETED ones, with counts and bounds.
  Type partition_type;
};

/// What is left of the base.
struct RemovalResult {
  std::vector<CutManifest> cut;      ///< By index.
  std::vector<DataFilePtr> removed;  ///< Data files and delete files.
};

/// Finds what to take out of the manifests of one base, reading no more of them than it must. Used
/// once. Threads: one; it reads in parallel on the context's executor.
class Removal {
 public:
  Removal(const Context& context, Files& files, const TableMetadata& base,
          const SnapshotChange& change);

  /// Fails with kConflict when a file to be taken out, or one that added deletes refer to, is not
  /// live; kRefused when a data file matches the change's filter only in part.
  Result<RemovalResult> Run(const std::vector<ManifestFile>& manifests);

 private:
  enum class Verdict { kKeep, kRemove };
  /// A path that must be live on the base.
  struct Wanted {
    bool remove = false;
    std::atomic<bool> found = false;
  };
  struct Scanned {
    std::vector<Verdict> verdicts;
    ManifestScan scan;
    bool read = false;
    bool cuts = false;
  };

  void WantPaths();
  bool MayHold(const ManifestFile& manifest, const PartitionSpec& spec) const;
  bool PathsMayBeIn(const ManifestFile& manifest, const PartitionSpec& spec) const;
  Status ScanAll(const std::vector<ManifestFile>& manifests, ManifestContent content);
  Status ScanOne(const ManifestFile& manifest, Scanned& out);
  Result<Verdict> JudgeData(const DataFile& file, const PartitionSpec& spec);
  Result<Verdict> JudgeDeletes(const DataFile& file, const PartitionSpec& spec);
  Result<Verdict> JudgeByFilter(const DataFile& file, const PartitionSpec& spec) const;
  bool MarkFound(const std::string& path);
  Status CheckAllFound() const;
  void CountLiveData(const std::vector<ManifestFile>& manifests);
  bool DeletesConcerned() const;

  const Context& context_;
  Files& files_;
  const TableMetadata& base_;
  const SnapshotChange& change_;
  std::optional<MetricsFilter> columns_;    ///< Of change_.remove_matching.
  std::map<SpecId, Expression> projected_;  ///< The same, by spec.
  std::set<std::string> partitions_;        ///< Keys of those that are replaced.
  /// Partitions that are replaced or in which wanted paths lie, by key.
  std::map<SpecId, std::map<std::string, PartitionValues>> homes_;
  std::unordered_map<std::string, Wanted> wanted_;
  std::atomic<int64_t> paths_missing_ = 0;                     ///< In wanted_.
  std::set<std::pair<std::string, int64_t>> removed_deletes_;  ///< Path and offset.
  std::set<std::string> new_vector_targets_;
  std::set<std::string> removed_data_;
  bool all_data_removed_ = false;  ///< No data file of the base stays live.
  std::vector<Scanned> scanned_;
};

}  // namespace calve::iceberg

#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "iceberg/manifest.h"
#include "iceberg/scan.h"

// Which deletes apply to which data file (Iceberg spec, Scan Planning). For use within the room.

namespace calve::iceberg {

/// Built once from all delete entries that may matter, then asked for each data file. Threads: any
/// may ask.
class DeleteIndex {
 public:
  /// Add a live entry of a delete manifest; position deletes need the bounds of their file_path.
  /// Fails with kData when the entry breaks the spec, such as two deletion vectors of one data
  /// file.
  Status Add(const ManifestEntry& entry, const PartitionSpec& spec);
  /// Put in order what was added; nothing is added after it.
  void Finish();

  bool empty() const {
    return vectors_.empty() && by_path_.empty() && by_partition_.empty() && global_.empty();
  }
  /// Give a task the deletes that apply to its file.
  void Assign(ScanTask& task) const;

 private:
  struct Sequenced {
    SequenceNumber number{0};
    DataFilePtr file;
  };
  using Deletes = std::vector<Sequenced>;  ///< By number, ascending, after Finish.
  struct OfPartition {
    Deletes positions;
    Deletes equalities;
  };

  Status AddVector(const ManifestEntry& entry);
  Status AddPositions(const ManifestEntry& entry);
  Status AddEqualities(const ManifestEntry& entry, const PartitionSpec& spec);
  /// Append those whose number is at least `first`.
  static void Append(const Deletes& deletes, SequenceNumber first, std::vector<DataFilePtr>& out);

  std::unordered_map<std::string, Sequenced> vectors_;  ///< By data file.
  std::unordered_map<std::string, Deletes> by_path_;    ///< Position deletes of one data file.
  std::unordered_map<std::string, OfPartition> by_partition_;  ///< By PartitionKey.
  Deletes global_;  ///< Equality deletes of an unpartitioned spec.
};

/// The one data file whose rows a position delete file deletes: named, or told by the bounds of its
/// file_path.
std::optional<std::string_view> ReferencedDataFile(const DataFile& deletes);

}  // namespace calve::iceberg

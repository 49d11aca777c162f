#pragma once

#include <string>

#include "iceberg/metadata.h"

namespace calve::writer {

/// Where the files of one writer go.
class DataFileNames {
 public:
  /// Read write.data.path, write.object-storage.enabled and write.object-storage.partitioned-paths.
  explicit DataFileNames(const iceberg::TableMetadata& table);

  /// The address of a file: below the data location, in its partition's folder ("" when it has
  /// none). With object storage four folders of a hash come first, so that many files at once do
  /// not meet under one prefix; without partitioned paths the partition is left out.
  std::string UriOf(const std::string& partition_path, const std::string& name) const;

 private:
  std::string location_;
  bool is_hashed_;
  bool has_partition_folders_;
};

}  // namespace calve::writer

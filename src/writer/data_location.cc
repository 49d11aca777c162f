#include "writer/data_location.h"

#include <cstdint>

#include "base/text.h"
#include "iceberg/partition.h"
#include "io/uri.h"
#include "writer/writer.h"

namespace calve::writer {
namespace {

/// Twenty bits of the name's hash as folders: 0101/0110/1001/10110010, as Iceberg's own writers.
std::string HashFolders(const std::string& name) {
  const auto hash =
      static_cast<uint32_t>(iceberg::BucketHash(iceberg::Type::String(), iceberg::Value(name)));
  std::string folders;
  for (int bit = 19; bit >= 0; --bit) {
    folders.push_back((hash >> bit) & 1 ? '1' : '0');
    if (bit == 16 || bit == 12 || bit == 8) folders.push_back('/');
  }
  return folders;
}

}  // namespace

DataFileNames::DataFileNames(const iceberg::TableMetadata& table)
    : location_(DataLocation(table)),
      is_hashed_(ToLower(table.Property("write.object-storage.enabled", "false")) == "true"),
      has_partition_folders_(
          !is_hashed_ ||
          ToLower(table.Property("write.object-storage.partitioned-paths", "true")) == "true") {}

std::string DataFileNames::UriOf(const std::string& partition_path, const std::string& name) const {
  const bool has_folder = has_partition_folders_ && !partition_path.empty();
  const std::string relative = has_folder ? io::JoinUri(partition_path, name) : name;
  if (!is_hashed_) return io::JoinUri(location_, relative);
  return io::JoinUri(location_, io::JoinUri(HashFolders(relative), relative));
}

std::string DataLocation(const iceberg::TableMetadata& metadata) {
  std::string location(metadata.Property("write.data.path", ""));
  if (location.empty()) location = io::JoinUri(metadata.location, "data");
  while (location.size() > 1 && location.ends_with('/')) location.pop_back();
  return location;
}

}  // namespace calve::writer

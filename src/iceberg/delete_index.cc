#include "iceberg/delete_index.h"

#include <fmt/format.h>

#include <algorithm>

#include "iceberg/partition_codec.h"
#include "iceberg/schema.h"

namespace calve::iceberg {
namespace {

/// Writers that cut bounds cut them to so many characters unless told otherwise.
constexpr size_t kTruncatedLength = 16;

SequenceNumber NumberOf(const ManifestEntry& entry) {
  return entry.sequence_number.value_or(SequenceNumber(0));
}

}  // namespace

std::optional<std::string_view> ReferencedDataFile(const DataFile& deletes) {
  if (deletes.referenced_data_file) return *deletes.referenced_data_file;
  if (deletes.is_deletion_vector()) return std::nullopt;
  const std::string* lower = deletes.metrics.lower_bounds.Find(reserved::kDeleteFilePath);
  const std::string* upper = deletes.metrics.upper_bounds.Find(reserved::kDeleteFilePath);
  if (lower == nullptr || upper == nullptr || *lower != *upper) return std::nullopt;
  if (lower->size() == kTruncatedLength)
    return std::nullopt;  // Perhaps the common beginning of many paths.
  return *lower;
}

Status DeleteIndex::Add(const ManifestEntry& entry, const PartitionSpec& spec) {
  switch (entry.file->content) {
    case FileContent::kPositionDeletes:
      return entry.file->is_deletion_vector() ? AddVector(entry) : AddPositions(entry);
    case FileContent::kEqualityDeletes:
      return AddEqualities(entry, spec);
    case FileContent::kData:
      break;
  }
  return DataError("expected only deletes in a delete manifest, found the data file " +
                   entry.file->path);
}

Status DeleteIndex::AddVector(const ManifestEntry& entry) {
  const DataFile& file = *entry.file;
  if (!file.referenced_data_file || !file.content_offset || !file.content_size_in_bytes) {
    return DataError(fmt::format(
        "expected data file, offset and size of a deletion vector in {}, found none", file.path));
  }
  const auto [place, added] =
      vectors_.try_emplace(*file.referenced_data_file, Sequenced{NumberOf(entry), entry.file});
  if (!added) {
    return DataError(fmt::format("expected one deletion vector of {}, found two, in {} and {}",
                                 *file.referenced_data_file, place->second.file->path, file.path));
  }
  return Status::Ok();
}

Status DeleteIndex::AddPositions(const ManifestEntry& entry) {
  const DataFile& file = *entry.file;
  const std::optional<std::string_view> target = ReferencedDataFile(file);
  Deletes& deletes = target ? by_path_[std::string(*target)]
                            : by_partition_[PartitionKey(file.spec_id, file.partition)].positions;
  deletes.push_back({NumberOf(entry), entry.file});
  return Status::Ok();
}

Status DeleteIndex::AddEqualities(const ManifestEntry& entry, const PartitionSpec& spec) {
  const DataFile& file = *entry.file;
  if (file.equality_ids.empty()) {
    return DataError("expected the field ids by which the equality deletes match, found none: " +
                     file.path);
  }
  Deletes& deletes = spec.is_unpartitioned()
                         ? global_
                         : by_partition_[PartitionKey(file.spec_id, file.partition)].equalities;
  deletes.push_back({NumberOf(entry), entry.file});
  return Status::Ok();
}

void DeleteIndex::Finish() {
  const auto sort = [](Deletes& deletes) {
    std::stable_sort(deletes.begin(), deletes.end(),
                     [](const Sequenced& a, const Sequenced& b) { return a.number < b.number; });
  };
  for (auto& [path, deletes] : by_path_) sort(deletes);
  for (auto& [key, deletes] : by_partition_) {
    sort(deletes.positions);
    sort(deletes.equalities);
  }
  sort(global_);
}

void DeleteIndex::Append(const Deletes& deletes, SequenceNumber first,
                         std::vector<DataFilePtr>& out) {
  const auto begin =
      std::lower_bound(deletes.begin(), deletes.end(), first,
                       [](const Sequenced& d, SequenceNumber number) { return d.number < number; });
  for (auto it = begin; it != deletes.end(); ++it) out.push_back(it->file);
}

void DeleteIndex::Assign(ScanTask& task) const {
  // Positions delete rows of files as old or older, equalities only of older files: a commit may
  // delete positions of what it adds.
  const SequenceNumber own = task.data_sequence_number;
  const SequenceNumber later(own.value() + 1);
  Append(global_, later, task.equality_deletes);
  const OfPartition* partition = nullptr;
  if (!by_partition_.empty()) {
    const auto found = by_partition_.find(PartitionKey(task.file->spec_id, task.file->partition));
    if (found != by_partition_.end()) partition = &found->second;
  }
  if (partition != nullptr) Append(partition->equalities, later, task.equality_deletes);
  const auto vector = vectors_.find(task.file->path);
  if (vector != vectors_.end() && vector->second.number >= own) {
    task.deletion_vector = vector->second.file;  // It holds the positions of all files before it.
    return;
  }
  if (partition != nullptr) Append(partition->positions, own, task.position_deletes);
  const auto found = by_path_.find(task.file->path);
  if (found != by_path_.end()) Append(found->second, own, task.position_deletes);
}

}  // namespace calve::iceberg

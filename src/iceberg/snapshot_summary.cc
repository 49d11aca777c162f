#include "iceberg/snapshot_summary.h"

#include <charconv>
#include <optional>

namespace calve::iceberg {

void SnapshotSummary::Count(Counts& counts, const DataFile& file) {
  const PartitionSpec* spec = metadata_.FindSpec(file.spec_id);
  if (spec != nullptr)
    partitions_.insert(PartitionPath(*spec, *metadata_.schema(), file.partition));
  counts.bytes +=
      file.is_deletion_vector() ? file.content_size_in_bytes.value_or(0) : file.file_size_in_bytes;
  switch (file.content) {
    case FileContent::kData:
      ++counts.data_files;
      counts.records += file.record_count;
      return;
    case FileContent::kPositionDeletes:
      ++counts.delete_files;
      ++(file.is_deletion_vector() ? counts.deletion_vectors : counts.position_delete_files);
      counts.position_deletes += file.record_count;
      return;
    case FileContent::kEqualityDeletes:
      ++counts.delete_files;
      ++counts.equality_delete_files;
      counts.equality_deletes += file.record_count;
      return;
  }
}

namespace {

using Summary = std::map<std::string, std::string>;

void Put(Summary& summary, const char* key, int64_t count) {
  if (count != 0) summary[key] = std::to_string(count);
}

std::optional<int64_t> TotalOf(const Snapshot* parent, const char* key) {
  if (parent == nullptr) return 0;
  const auto found = parent->summary.find(key);
  if (found == parent->summary.end()) return std::nullopt;
  const std::string& text = found->second;
  int64_t total = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), total);
  if (fault != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return total;
}

void PutTotal(Summary& summary, const char* key, const Snapshot* parent, int64_t added,
              int64_t removed) {
  const std::optional<int64_t> before = TotalOf(parent, key);
  int64_t total = 0;
  if (!before || __builtin_add_overflow(*before, added - removed, &total) || total < 0) return;
  summary[key] = std::to_string(total);
}

}  // namespace

void SnapshotSummary::WriteTo(Summary& summary, const Snapshot* parent,
                              const std::vector<ManifestFile>& manifests) const {
  Put(summary, "added-data-files", added_.data_files);
  Put(summary, "deleted-data-files", removed_.data_files);
  Put(summary, "added-records", added_.records);
  Put(summary, "deleted-records", removed_.records);
  Put(summary, "added-files-size", added_.bytes);
  Put(summary, "removed-files-size", removed_.bytes);
  Put(summary, "added-delete-files", added_.delete_files);
  Put(summary, "removed-delete-files", removed_.delete_files);
  Put(summary, "added-position-delete-files", added_.position_delete_files);
  Put(summary, "removed-position-delete-files", removed_.position_delete_files);
  Put(summary, "added-equality-delete-files", added_.equality_delete_files);
  Put(summary, "removed-equality-delete-files", removed_.equality_delete_files);
  Put(summary, "added-dvs", added_.deletion_vectors);
  Put(summary, "removed-dvs", removed_.deletion_vectors);
  Put(summary, "added-position-deletes", added_.position_deletes);
  Put(summary, "removed-position-deletes", removed_.position_deletes);
  Put(summary, "added-equality-deletes", added_.equality_deletes);
  Put(summary, "removed-equality-deletes", removed_.equality_deletes);
  summary["changed-partition-count"] = std::to_string(partitions_.size());
  PutTotal(summary, "total-files-size", parent, added_.bytes, removed_.bytes);
  PutTotal(summary, "total-position-deletes", parent, added_.position_deletes,
           removed_.position_deletes);
  PutTotal(summary, "total-equality-deletes", parent, added_.equality_deletes,
           removed_.equality_deletes);
  int64_t data_files = 0;
  int64_t delete_files = 0;
  int64_t records = 0;
  for (const ManifestFile& manifest : manifests) {
    const bool data = manifest.content == ManifestContent::kData;
    (data ? data_files : delete_files) +=
        manifest.added_files_count.value_or(0) + manifest.existing_files_count.value_or(0);
    if (data)
      records += manifest.added_rows_count.value_or(0) + manifest.existing_rows_count.value_or(0);
  }
  summary["total-data-files"] = std::to_string(data_files);
  summary["total-delete-files"] = std::to_string(delete_files);
  summary["total-records"] = std::to_string(records);
}

}  // namespace calve::iceberg

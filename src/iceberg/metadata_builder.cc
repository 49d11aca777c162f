#include "iceberg/metadata_builder.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <unordered_set>

#include "iceberg/metadata_rules.h"
#include "iceberg/partition_rules.h"

namespace calve::iceberg {
namespace {

constexpr std::string_view kPreviousVersionsMax = "write.metadata.previous-versions-max";
constexpr size_t kPreviousVersionsMaxDefault = 100;

size_t PreviousVersionsMax(const TableMetadata& metadata) {
  const std::string_view text = metadata.Property(kPreviousVersionsMax, "");
  int count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc() || end != text.data() + text.size()) return kPreviousVersionsMaxDefault;
  return static_cast<size_t>(std::max(1, count));
}

}  // namespace

MetadataBuilder::MetadataBuilder(const TableMetadata* base, const ApplyOptions& options)
    : base_(base), options_(options), layout_changed_(base == nullptr) {
  if (base != nullptr) metadata_ = *base;
}

void MetadataBuilder::AddSnapshot(Snapshot snapshot) {
  added_snapshots_.insert(snapshot.id);
  metadata_.last_sequence_number =
      std::max(metadata_.last_sequence_number, snapshot.sequence_number);
  metadata_.snapshots.push_back(std::move(snapshot));
}

void MetadataBuilder::SetRef(const std::string& name, const SnapshotRef& ref) {
  const auto existing = metadata_.refs.find(name);
  if (existing != metadata_.refs.end() && existing->second == ref) return;
  metadata_.refs[name] = ref;
  if (name != kMainBranch || metadata_.current_snapshot_id == ref.snapshot_id) return;
  metadata_.current_snapshot_id = ref.snapshot_id;
  were_current_.insert(ref.snapshot_id);
  // A rollback to a known snapshot happens now; a new snapshot is current since it was made.
  int64_t since = options_.now_ms;
  if (added_snapshots_.contains(ref.snapshot_id)) {
    since = metadata_.FindSnapshot(ref.snapshot_id)->timestamp_ms;
  }
  if (!metadata_.snapshot_log.empty()) {
    since = std::max(since, metadata_.snapshot_log.back().timestamp_ms);
  }
  metadata_.snapshot_log.push_back({.timestamp_ms = since, .snapshot_id = ref.snapshot_id});
}

void MetadataBuilder::RemoveRef(const std::string& name) {
  metadata_.refs.erase(name);
  if (name == kMainBranch) metadata_.current_snapshot_id.reset();
}

void MetadataBuilder::RemoveSnapshots(const std::set<SnapshotId>& ids) {
  const auto removed = [&](const auto& item) { return ids.contains(item.snapshot_id); };
  metadata_.snapshots.RemoveIf([&](const Snapshot& snapshot) { return ids.contains(snapshot.id); });
  std::erase_if(metadata_.statistics, removed);
  std::erase_if(metadata_.partition_statistics, removed);
  std::vector<std::string> dangling;
  for (const auto& [name, ref] : metadata_.refs) {
    if (removed(ref)) dangling.push_back(name);
  }
  for (const std::string& name : dangling) RemoveRef(name);
  removed_snapshots_ = true;
}

void MetadataBuilder::CorrectSnapshotLog() {
  // Snapshots of one change that gave way to a later one of it were never seen as current.
  const auto unseen = [&](SnapshotId id) {
    return id != metadata_.current_snapshot_id && added_snapshots_.contains(id) &&
           were_current_.contains(id);
  };
  if (!removed_snapshots_ && std::none_of(were_current_.begin(), were_current_.end(), unseen))
    return;
  std::unordered_set<SnapshotId> known;
  for (const Snapshot& snapshot : metadata_.snapshots) known.insert(snapshot.id);
  std::vector<SnapshotLogEntry> log;
  for (const SnapshotLogEntry& entry : metadata_.snapshot_log) {
    if (removed_snapshots_ && !known.contains(entry.snapshot_id)) {
      // With a gap, what was current before it would seem to have lasted through it.
      log.clear();
    } else if (!unseen(entry.snapshot_id)) {
      log.push_back(entry);
    }
  }
  metadata_.snapshot_log = std::move(log);
}

void MetadataBuilder::AppendMetadataLog() {
  if (base_ == nullptr || options_.previous_location.empty()) return;
  std::vector<MetadataLogEntry>& log = metadata_.metadata_log;
  log.push_back(
      {.timestamp_ms = base_->last_updated_ms, .metadata_file = options_.previous_location});
  const size_t longest = PreviousVersionsMax(metadata_);
  if (log.size() > longest) log.erase(log.begin(), log.end() - static_cast<ptrdiff_t>(longest));
}

Status MetadataBuilder::CheckLayout() const {
  if (!layout_changed_) return Status::Ok();
  CALVE_RETURN_IF_ERROR(CheckPartitionSources(metadata_.spec().fields, *metadata_.schema()));
  return CheckSortFields(metadata_.sort_order().fields, *metadata_.schema());
}

Result<TableMetadata> MetadataBuilder::Build() && {
  CorrectSnapshotLog();
  metadata_.last_updated_ms = std::max(metadata_.last_updated_ms, options_.now_ms);
  if (!metadata_.snapshot_log.empty()) {
    metadata_.last_updated_ms =
        std::max(metadata_.last_updated_ms, metadata_.snapshot_log.back().timestamp_ms);
  }
  AppendMetadataLog();
  if (metadata_.location.empty())
    return DataError("expected the table to have a location, found none");
  if (metadata_.format_version >= 2 && metadata_.table_uuid.empty()) {
    return DataError(
        fmt::format("expected the table to have a UUID, as format version {} needs, found none",
                    metadata_.format_version));
  }
  CALVE_RETURN_IF_ERROR(CheckMetadata(metadata_));
  const Status layout = CheckLayout();
  if (!layout.ok()) return DataError(layout.error().message);
  return std::move(metadata_);
}

}  // namespace calve::iceberg

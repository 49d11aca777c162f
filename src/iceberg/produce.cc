#include "iceberg/produce.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <set>
#include <utility>

#include "base/executor.h"
#include "base/text.h"
#include "iceberg/change_check.h"
#include "iceberg/manifest_list.h"
#include "iceberg/manifest_merge.h"
#include "iceberg/manifest_schema.h"
#include "iceberg/manifest_writer.h"
#include "iceberg/removal.h"
#include "iceberg/snapshot_summary.h"

namespace calve::iceberg {
namespace {

/// A manifest of the list being made: of the base, written by an earlier attempt, or in memory and
/// to be written.
struct Item {
  ManifestFile manifest;
  std::optional<EncodedManifest> encoded;  ///< When it is to be written.
  std::vector<ManifestEntry> entries;      ///< The same, for merging.
  Type partition_type;
  bool added = false;  ///< Holds the change's added files, and nothing else.
};

constexpr size_t kEntriesPerJob = 10'000;

int64_t NumberProperty(const TableMetadata& metadata, std::string_view key, int64_t fallback) {
  const std::string_view text = metadata.Property(key, "");
  int64_t number = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
  return fault == std::errc() && end == text.data() + text.size() && number > 0 ? number : fallback;
}

/// An order of partition values of one spec: nulls first, then by value.
bool IsBefore(const PartitionValues& a, const PartitionValues& b) {
  for (size_t i = 0; i < a.size() && i < b.size(); ++i) {
    if (a[i].storage().index() != b[i].storage().index())
      return a[i].storage().index() < b[i].storage().index();
    if (a[i].is_null()) continue;
    const std::strong_ordering order = Compare(a[i], b[i]);
    if (order != std::strong_ordering::equal) return order == std::strong_ordering::less;
  }
  return a.size() < b.size();
}

/// One snapshot in the making.
class Producer {
 public:
  Producer(const Context& context, Files& files, const TableMetadata& base,
           const SnapshotChange& change, const ProduceOptions& options,
           const std::vector<ManifestFile>& reuse)
      : context_(context),
        files_(files),
        base_(base),
        change_(change),
        options_(options),
        reuse_(reuse),
        number_(base.format_version == 1 ? 0 : base.last_sequence_number.value() + 1),
        summary_(base) {
    rules_.target_bytes = ManifestTargetBytes(base);
    rules_.count_min = NumberProperty(base, "commit.manifest.min-count-to-merge", rules_.count_min);
  }

  Result<ProducedSnapshot> Run() {
    CALVE_RETURN_IF_ERROR(CheckChange(base_, change_));
    CALVE_RETURN_IF_ERROR(FindParent());
    CALVE_RETURN_IF_ERROR(AddFiles());
    CALVE_RETURN_IF_ERROR(CarryBase());
    if (change_.merge_manifests) CALVE_RETURN_IF_ERROR(Merge());
    CALVE_RETURN_IF_ERROR(RewriteManifests());
    CALVE_RETURN_IF_ERROR(context_.Step("iceberg.write_manifests"));
    CALVE_RETURN_IF_ERROR(WriteManifests());
    CALVE_RETURN_IF_ERROR(context_.Step("iceberg.write_manifest_list"));
    return Finish();
  }

 private:
  Status FindParent();
  Status AddFiles();
  Status AddFilesOf(const std::vector<DataFilePtr>& files, ManifestContent content);
  Status EncodeAdded(std::span<const DataFilePtr> files, const ManifestWriterOptions& writer,
                     std::vector<Item>& out);
  bool CanReuse() const;
  Status CarryBase();
  Result<Item> Recut(const ManifestFile& manifest, CutManifest cut);
  Status CompleteCounts(ManifestFile& manifest);
  Status Merge();
  Result<Item> MergeRun(std::vector<Item> run);
  Status ReadEntries(std::vector<Item>& items);
  Status RewriteManifests();
  Status RewriteGroup(std::vector<Item> group);
  Status WriteManifests();
  std::vector<ManifestFile> NumberManifests();
  Result<ProducedSnapshot> Finish();
  TableChange ChangeOf(const Snapshot& snapshot) const;
  Result<ManifestWriterOptions> WriterOptions(SpecId spec_id, ManifestContent content,
                                              Type partition_type) const;
  std::string Folder() const;

  const Context& context_;
  Files& files_;
  const TableMetadata& base_;
  const SnapshotChange& change_;
  const ProduceOptions& options_;
  const std::vector<ManifestFile>& reuse_;
  const SequenceNumber number_;
  SnapshotSummary summary_;
  MergeRules rules_;
  const Snapshot* parent_ = nullptr;
  std::vector<Item> items_;  ///< What is new first, then the base's.
  std::vector<std::string> written_;
  int64_t kept_ = 0;       ///< Manifests of the base that are listed again.
  int64_t base_live_ = 0;  ///< Manifests of the base with live files.
  int64_t rows_assigned_ = 0;
  int64_t entries_processed_ = 0;  ///< Of manifests that were laid out anew.
};

Status Producer::FindParent() {
  const auto ref = base_.refs.find(options_.branch);
  if (ref != base_.refs.end() && ref->second.kind == SnapshotRef::Kind::kTag) {
    return ConfigError(
        fmt::format("{} is a tag, which never moves; name a branch", Quote(options_.branch)));
  }
  if (options_.parent) {
    parent_ = base_.FindSnapshot(*options_.parent);
    if (parent_ == nullptr) {
      return ConflictError(fmt::format("snapshot {} on which the change was to be made is gone",
                                       options_.parent->value()));
    }
  } else {
    parent_ = ref != base_.refs.end() ? base_.FindRef(options_.branch) : base_.current_snapshot();
  }
  if (base_.FindSnapshot(options_.snapshot_id) != nullptr) {
    return ConflictError(
        fmt::format("the table has a snapshot {} already", options_.snapshot_id.value()));
  }
  return Status::Ok();
}

Result<ManifestWriterOptions> Producer::WriterOptions(SpecId spec_id, ManifestContent content,
                                                      Type partition_type) const {
  const PartitionSpec* spec = base_.FindSpec(spec_id);
  if (spec == nullptr)
    return BugError(fmt::format("the table has no partition spec {}", spec_id.value()));
  return ManifestWriterOptions{.format_version = base_.format_version,
                               .content = content,
                               .snapshot_id = options_.snapshot_id,
                               .schema = base_.schema(),
                               .spec = spec,
                               .partition_type = std::move(partition_type)};
}

// ---- What the change adds.

bool Producer::CanReuse() const {
  if (reuse_.empty()) return false;
  size_t count = 0;
  for (const ManifestFile& manifest : reuse_) {
    if (manifest.added_snapshot_id != options_.snapshot_id ||
        base_.FindSpec(manifest.spec_id) == nullptr)
      return false;
    count += static_cast<size_t>(manifest.added_files_count.value_or(0));
  }
  return count == change_.added_data_files.size() + change_.added_delete_files.size();
}

Status Producer::AddFiles() {
  for (const DataFilePtr& file : change_.added_data_files) summary_.Added(*file);
  for (const DataFilePtr& file : change_.added_delete_files) summary_.Added(*file);
  if (!CanReuse()) {
    CALVE_RETURN_IF_ERROR(AddFilesOf(change_.added_data_files, ManifestContent::kData));
    return AddFilesOf(change_.added_delete_files, ManifestContent::kDeletes);
  }
  for (const ManifestFile& manifest : reuse_) {
    Item& item = items_.emplace_back();
    item.manifest = manifest;
    const bool all_new = manifest.min_sequence_number == manifest.sequence_number;
    item.manifest.sequence_number = number_;
    if (all_new) item.manifest.min_sequence_number = number_;
    item.manifest.first_row_id.reset();
    item.added = true;
  }
  return Status::Ok();
}

Status Producer::AddFilesOf(const std::vector<DataFilePtr>& files, ManifestContent content) {
  std::map<SpecId, std::vector<DataFilePtr>> by_spec;
  for (const DataFilePtr& file : files) by_spec[file->spec_id].push_back(file);
  for (const auto& [spec_id, group] : by_spec) {
    const PartitionSpec* spec = base_.FindSpec(spec_id);
    CALVE_ASSIGN_OR_RETURN(const ManifestWriterOptions writer,
                           WriterOptions(spec_id, content, PartitionTypeOf(base_, *spec)));
    const size_t threads = static_cast<size_t>(context_.executor->threads()) + 1;
    const size_t jobs = std::clamp<size_t>(group.size() / kEntriesPerJob, 1, threads);
    std::vector<std::vector<Item>> made(jobs);
    CALVE_RETURN_IF_ERROR(context_.executor->ParallelFor(jobs, [&](size_t job) {
      const size_t begin = group.size() * job / jobs;
      const size_t end = group.size() * (job + 1) / jobs;
      return EncodeAdded(std::span(group).subspan(begin, end - begin), writer, made[job]);
    }));
    for (std::vector<Item>& items : made)
      std::move(items.begin(), items.end(), std::back_inserter(items_));
  }
  return Status::Ok();
}

Status Producer::EncodeAdded(std::span<const DataFilePtr> files,
                             const ManifestWriterOptions& options, std::vector<Item>& out) {
  std::optional<ManifestWriter> writer;
  const auto close = [&]() -> Status {
    CALVE_ASSIGN_OR_RETURN(out.back().encoded, writer->Close());
    out.back().manifest = out.back().encoded->manifest;
    writer.reset();
    return Status::Ok();
  };
  for (const DataFilePtr& file : files) {
    if (!writer) {
      CALVE_ASSIGN_OR_RETURN(writer, ManifestWriter::Open(options, *context_.random));
      out.push_back({.manifest = {},
                     .encoded = {},
                     .entries = {},
                     .partition_type = options.partition_type,
                     .added = true});
    }
    ManifestEntry& entry = out.back().entries.emplace_back();
    entry.status = EntryStatus::kAdded;
    entry.file = file;
    const auto older = change_.data_sequence_numbers.find(file->path);
    if (older != change_.data_sequence_numbers.end()) entry.sequence_number = older->second;
    CALVE_RETURN_IF_ERROR(writer->Add(out.back().entries.back()));
    if (writer->bytes_estimated() >= rules_.target_bytes) CALVE_RETURN_IF_ERROR(close());
  }
  return writer ? close() : Status::Ok();
}

// ---- What stays of the base.

Status Producer::CarryBase() {
  if (parent_ == nullptr) return Removal(context_, files_, base_, change_).Run({}).status();
  CALVE_ASSIGN_OR_RETURN(const std::vector<ManifestFile> manifests,
                         ReadManifestList(context_, files_, base_, *parent_));
  CALVE_ASSIGN_OR_RETURN(RemovalResult removal,
                         Removal(context_, files_, base_, change_).Run(manifests));
  for (const DataFilePtr& file : removal.removed) summary_.Removed(*file);
  if (change_.operation == Operation::kAppend && summary_.removed_any()) {
    return BugError("a change that removes files was to be committed as an append");
  }
  auto cut = removal.cut.begin();
  for (size_t i = 0; i < manifests.size(); ++i) {
    if (!manifests[i].has_live_files()) continue;
    ++base_live_;
    if (cut != removal.cut.end() && cut->index == i) {
      CALVE_ASSIGN_OR_RETURN(Item item, Recut(manifests[i], std::move(*cut)));
      items_.push_back(std::move(item));
      ++cut;
    } else {
      Item& item = items_.emplace_back();
      item.manifest = manifests[i];
      CALVE_RETURN_IF_ERROR(CompleteCounts(item.manifest));
      ++kept_;
    }
  }
  return Status::Ok();
}

Result<Item> Producer::Recut(const ManifestFile& manifest, CutManifest cut) {
  CALVE_ASSIGN_OR_RETURN(const ManifestWriterOptions options,
                         WriterOptions(manifest.spec_id, manifest.content, cut.partition_type));
  CALVE_ASSIGN_OR_RETURN(ManifestWriter writer, ManifestWriter::Open(options, *context_.random));
  for (const ManifestEntry& entry : cut.entries) CALVE_RETURN_IF_ERROR(writer.Add(entry));
  Item item;
  CALVE_ASSIGN_OR_RETURN(item.encoded, writer.Close());
  item.manifest = item.encoded->manifest;
  item.entries = std::move(cut.entries);
  item.partition_type = std::move(cut.partition_type);
  return item;
}

/// Version 1 may leave counts out, which later versions require.
Status Producer::CompleteCounts(ManifestFile& manifest) {
  const bool complete = manifest.added_files_count && manifest.existing_files_count &&
                        manifest.deleted_files_count && manifest.added_rows_count &&
                        manifest.existing_rows_count && manifest.deleted_rows_count;
  if (complete) return Status::Ok();
  CALVE_ASSIGN_OR_RETURN(
      const std::vector<ManifestEntry> entries,
      ReadManifest(context_, files_, base_, manifest, {.metrics = false, .deleted_entries = true}));
  int64_t files[3] = {};
  int64_t rows[3] = {};
  for (const ManifestEntry& entry : entries) {
    ++files[static_cast<size_t>(entry.status)];
    rows[static_cast<size_t>(entry.status)] += entry.file->record_count;
  }
  manifest.existing_files_count = files[0];
  manifest.added_files_count = files[1];
  manifest.deleted_files_count = files[2];
  manifest.existing_rows_count = rows[0];
  manifest.added_rows_count = rows[1];
  manifest.deleted_rows_count = rows[2];
  return Status::Ok();
}

// ---- Merging.

Status Producer::Merge() {
  std::map<std::pair<ManifestContent, SpecId>, std::vector<Item>> groups;
  for (Item& item : items_)
    groups[{item.manifest.content, item.manifest.spec_id}].push_back(std::move(item));
  items_.clear();
  for (auto& [key, group] : groups) {
    std::vector<MergeCandidate> candidates;
    for (const Item& item : group)
      candidates.push_back({.bytes = item.manifest.length, .added = item.added});
    auto next = group.begin();
    for (const auto& run : PlanMerge(candidates, rules_)) {
      std::vector<Item> items(std::make_move_iterator(next),
                              std::make_move_iterator(next + static_cast<int64_t>(run.size())));
      next += static_cast<int64_t>(run.size());
      if (items.size() == 1) {
        items_.push_back(std::move(items.front()));
      } else {
        CALVE_ASSIGN_OR_RETURN(Item merged, MergeRun(std::move(items)));
        items_.push_back(std::move(merged));
      }
    }
  }
  return Status::Ok();
}

/// Read those that are not in memory.
Status Producer::ReadEntries(std::vector<Item>& items) {
  return context_.executor->ParallelFor(items.size(), [&](size_t i) -> Status {
    Item& item = items[i];
    if (item.encoded) return Status::Ok();
    CALVE_ASSIGN_OR_RETURN(ManifestScan scan,
                           ScanManifest(context_, files_, base_, item.manifest, {.metrics = true}));
    item.entries = std::move(scan.entries);
    item.partition_type = std::move(scan.partition_type);
    for (ManifestEntry& entry : item.entries) {
      if (!item.added) entry.status = EntryStatus::kExisting;
      // Inherited, and so once more from the snapshot that another attempt makes.
      if (item.added && entry.sequence_number == item.manifest.sequence_number)
        entry.sequence_number.reset();
    }
    return Status::Ok();
  });
}

Result<Item> Producer::MergeRun(std::vector<Item> run) {
  const ManifestContent content = run.front().manifest.content;
  const SpecId spec_id = run.front().manifest.spec_id;
  CALVE_RETURN_IF_ERROR(ReadEntries(run));
  CALVE_ASSIGN_OR_RETURN(const ManifestWriterOptions options,
                         WriterOptions(spec_id, content, run.back().partition_type));
  CALVE_ASSIGN_OR_RETURN(ManifestWriter writer, ManifestWriter::Open(options, *context_.random));
  Item merged;
  for (Item& item : run) {
    if (!item.encoded && !item.added) --kept_;
    for (ManifestEntry& entry : item.entries) {
      CALVE_RETURN_IF_ERROR(writer.Add(entry));
      merged.entries.push_back(std::move(entry));
    }
  }
  CALVE_ASSIGN_OR_RETURN(merged.encoded, writer.Close());
  merged.manifest = merged.encoded->manifest;
  merged.partition_type = run.back().partition_type;
  return merged;
}

// ---- Laying manifests out anew.

Status Producer::RewriteManifests() {
  if (change_.manifest_rewrite == ManifestRewrite::kNone) return Status::Ok();
  std::vector<Item> carried;
  std::vector<ManifestFile> manifests;
  for (Item& item : std::exchange(items_, {})) {
    const bool is_of_base = !item.encoded && !item.added;
    if (is_of_base) manifests.push_back(item.manifest);
    (is_of_base ? carried : items_).push_back(std::move(item));
  }
  const std::set<size_t> chosen = ManifestsToRewrite(base_, manifests, change_.manifest_rewrite);
  std::map<std::pair<ManifestContent, SpecId>, std::vector<Item>> groups;
  for (size_t i = 0; i < carried.size(); ++i) {
    const ManifestFile& manifest = carried[i].manifest;
    auto& place = chosen.contains(i) ? groups[{manifest.content, manifest.spec_id}] : items_;
    place.push_back(std::move(carried[i]));
  }
  for (auto& [key, group] : groups) CALVE_RETURN_IF_ERROR(RewriteGroup(std::move(group)));
  return Status::Ok();
}

/// By partition, so that who looks for one reads few manifests.
Status Producer::RewriteGroup(std::vector<Item> group) {
  CALVE_RETURN_IF_ERROR(ReadEntries(group));
  const Type partition_type = group.back().partition_type;
  std::vector<ManifestEntry> entries;
  for (Item& item : group)
    std::move(item.entries.begin(), item.entries.end(), std::back_inserter(entries));
  kept_ -= static_cast<int64_t>(group.size());
  entries_processed_ += static_cast<int64_t>(entries.size());
  std::stable_sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) {
    return IsBefore(a.file->partition, b.file->partition);
  });
  CALVE_ASSIGN_OR_RETURN(
      const ManifestWriterOptions options,
      WriterOptions(group.back().manifest.spec_id, group.back().manifest.content, partition_type));
  std::optional<ManifestWriter> writer;
  for (size_t i = 0; i < entries.size(); ++i) {
    if (!writer) {
      CALVE_ASSIGN_OR_RETURN(writer, ManifestWriter::Open(options, *context_.random));
    }
    CALVE_RETURN_IF_ERROR(writer->Add(entries[i]));
    const bool is_full = writer->bytes_estimated() >= rules_.target_bytes;
    if (!is_full && i + 1 < entries.size()) continue;
    Item& item = items_.emplace_back();
    CALVE_ASSIGN_OR_RETURN(item.encoded, writer->Close());
    item.manifest = item.encoded->manifest;
    item.partition_type = partition_type;
    writer.reset();
  }
  return Status::Ok();
}

// ---- Writing.

std::string Producer::Folder() const {
  std::string folder(base_.Property("write.metadata.path", base_.location + "/metadata"));
  while (folder.ends_with('/')) folder.pop_back();
  return folder;
}

Status Producer::WriteManifests() {
  const std::string attempt = options_.attempt > 1 ? fmt::format("-{}", options_.attempt) : "";
  std::vector<Item*> to_write;
  for (Item& item : items_) {
    if (!item.encoded) continue;
    item.manifest.path =
        fmt::format("{}/{}{}-m{}.avro", Folder(), options_.commit_uuid, attempt, to_write.size());
    to_write.push_back(&item);
    written_.push_back(item.manifest.path);
  }
  if (options_.attempted != nullptr) {
    options_.attempted->insert(options_.attempted->end(), written_.begin(), written_.end());
  }
  return context_.executor->ParallelFor(to_write.size(), [&](size_t i) {
    return files_.Write(context_, to_write[i]->manifest.path, to_write[i]->encoded->bytes);
  });
}

/// Give sequence numbers and row ids to all manifests that lack them (spec, First Row ID
/// Assignment).
std::vector<ManifestFile> Producer::NumberManifests() {
  std::vector<ManifestFile> manifests;
  RowId next = base_.next_row_id;
  for (Item& item : items_) {
    if (item.encoded) {
      item.manifest.sequence_number = number_;
      item.manifest.min_sequence_number = item.encoded->least_own_number.value_or(number_);
    }
    if (base_.format_version >= 3 && item.manifest.content == ManifestContent::kData &&
        !item.manifest.first_row_id) {
      item.manifest.first_row_id = next;
      next += RowId(item.encoded ? item.encoded->rows_without_ids
                                 : item.manifest.added_rows_count.value_or(0) +
                                       item.manifest.existing_rows_count.value_or(0));
    }
    manifests.push_back(item.manifest);
  }
  rows_assigned_ = next.value() - base_.next_row_id.value();
  return manifests;
}

Result<ProducedSnapshot> Producer::Finish() {
  const std::vector<ManifestFile> manifests = NumberManifests();
  ProducedSnapshot out;
  Snapshot& snapshot = out.snapshot;
  snapshot.id = options_.snapshot_id;
  if (parent_ != nullptr) snapshot.parent_id = parent_->id;
  snapshot.sequence_number = number_;
  snapshot.timestamp_ms = std::max(options_.now_ms, parent_ != nullptr ? parent_->timestamp_ms : 0);
  snapshot.operation = change_.operation;
  snapshot.schema_id = options_.schema_id.value_or(base_.current_schema_id);
  if (base_.format_version >= 3) {
    snapshot.first_row_id = base_.next_row_id;
    snapshot.added_rows = rows_assigned_;
  }
  snapshot.summary = change_.summary;
  summary_.WriteTo(snapshot.summary, parent_, manifests);
  snapshot.summary["manifests-created"] = std::to_string(written_.size());
  snapshot.summary["manifests-kept"] = std::to_string(kept_);
  snapshot.summary["manifests-replaced"] = std::to_string(base_live_ - kept_);
  if (change_.manifest_rewrite != ManifestRewrite::kNone)
    snapshot.summary["entries-processed"] = std::to_string(entries_processed_);
  snapshot.manifest_list =
      fmt::format("{}/snap-{}-{}-{}.avro", Folder(), options_.snapshot_id.value(), options_.attempt,
                  options_.commit_uuid);
  const ManifestListHeader header{.snapshot_id = snapshot.id,
                                  .parent_id = snapshot.parent_id,
                                  .sequence_number = number_,
                                  .first_row_id = snapshot.first_row_id};
  CALVE_ASSIGN_OR_RETURN(const std::string bytes,
                         EncodeManifestList(base_, header, manifests, *context_.random));
  written_.push_back(snapshot.manifest_list);
  if (options_.attempted != nullptr) options_.attempted->push_back(snapshot.manifest_list);
  CALVE_RETURN_IF_ERROR(files_.Write(context_, snapshot.manifest_list, bytes));
  for (const Item& item : items_) {
    if (item.added) out.reusable.push_back(item.manifest);
  }
  out.written = std::move(written_);
  out.change = ChangeOf(snapshot);
  return out;
}

TableChange Producer::ChangeOf(const Snapshot& snapshot) const {
  const auto known = base_.refs.find(options_.branch);
  SnapshotRef ref;
  std::optional<SnapshotId> expected;
  if (known != base_.refs.end()) {
    ref = known->second;
    expected = known->second.snapshot_id;
  }
  ref.snapshot_id = snapshot.id;
  return {.requirements = {AssertTableUuid(base_.table_uuid),
                           AssertRefSnapshotId(options_.branch, expected)},
          .updates = {AddSnapshot(snapshot), SetSnapshotRef(options_.branch, ref)}};
}

}  // namespace

Result<ProducedSnapshot> ProduceSnapshot(const Context& context, Files& files,
                                         const TableMetadata& base, const SnapshotChange& change,
                                         const ProduceOptions& options,
                                         const std::vector<ManifestFile>& reuse) {
  return Producer(context, files, base, change, options, reuse).Run();
}

SnapshotId NewSnapshotId(Random& random, const TableMetadata* base) {
  while (true) {
    const SnapshotId id(static_cast<int64_t>(random.Next() >> 1));
    if (id.value() != 0 && (base == nullptr || base->FindSnapshot(id) == nullptr)) return id;
  }
}

}  // namespace calve::iceberg

#include "upkeep/compaction.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "base/text.h"
#include "catalog/table_files.h"
#include "commit/committer.h"
#include "iceberg/manifest.h"
#include "rows/rewrite.h"

namespace calve::upkeep {
namespace {

using iceberg::DataFile;
using iceberg::DataFilePtr;
using iceberg::ScanTask;
using iceberg::TableMetadata;

constexpr int64_t kTargetBytesDefault = 512 << 20;
/// What new files are allowed to differ from the target before they are worth it themselves.
constexpr int64_t kSmallPercent = 75;
constexpr int64_t kLargePercent = 180;
/// So often groups that others changed are left out and the rest is tried again.
constexpr int kTriesMax = 10;

/// Rows that deletes name for sure; equality deletes are not counted, they name none.
int64_t DeletedRows(const ScanTask& task) {
  if (task.deletion_vector != nullptr) return task.deletion_vector->record_count;
  int64_t rows = 0;
  for (const DataFilePtr& deletes : task.position_deletes) {
    if (deletes->referenced_data_file == task.file->path) rows += deletes->record_count;
  }
  return rows;
}

/// Why a file is worth laying out anew.
enum class Worth { kNo, kBySize, kByItself };

Worth WorthOf(const TableMetadata& table, const ScanTask& task, const CompactionRules& rules,
              int64_t target) {
  const bool is_of_older_spec = task.file->spec_id != table.default_spec_id;
  if (rules.all || (is_of_older_spec && !rules.amortized)) return Worth::kByItself;
  const int64_t bytes = task.file->file_size_in_bytes;
  const auto deletes =
      static_cast<int64_t>(task.position_deletes.size() + task.equality_deletes.size());
  const int64_t deletes_max =
      std::max(rules.deletes_max, rules.amortized ? bytes / kOpenFileBytes : 0);
  if (deletes >= deletes_max || !task.equality_deletes.empty()) return Worth::kByItself;
  if (DeletedRows(task) * 100 >= task.file->record_count * rules.deleted_percent &&
      task.has_deletes())
    return Worth::kByItself;
  const bool fits = bytes * 100 >= target * kSmallPercent && bytes * 100 <= target * kLargePercent;
  return fits ? Worth::kNo : Worth::kBySize;
}

/// Files of one partition that are worth it, in the order in which the table lists them.
struct Candidates {
  std::vector<ScanTask> tasks;
  int64_t bytes = 0;
  bool by_itself = false;  ///< One of them is worth it alone.
};

/// Leave out the largest files, down to one that is no larger than the smaller ones together.
void LeaveOutLargest(Candidates* candidates) {
  std::vector<int64_t> sizes;
  for (const ScanTask& task : candidates->tasks) sizes.push_back(task.file->file_size_in_bytes);
  std::sort(sizes.begin(), sizes.end());
  while (!sizes.empty() && sizes.back() > candidates->bytes - sizes.back()) {
    candidates->bytes -= sizes.back();
    sizes.pop_back();
  }
  const int64_t largest = sizes.empty() ? -1 : sizes.back();
  std::erase_if(candidates->tasks,
                [&](const ScanTask& task) { return task.file->file_size_in_bytes > largest; });
}

/// Cut them into groups of about the target's size, so that several threads have work.
void AddGroups(Candidates candidates, int64_t target, std::vector<FileGroup>& groups) {
  const int64_t count = std::max<int64_t>(1, (candidates.bytes + target / 2) / target);
  const int64_t each = candidates.bytes / count + 1;
  FileGroup group;
  int64_t bytes = 0;
  for (ScanTask& task : candidates.tasks) {
    const int64_t size = task.file->file_size_in_bytes;
    if (!group.empty() && bytes + size / 2 > each) {
      groups.push_back(std::exchange(group, {}));
      bytes = 0;
    }
    bytes += size;
    group.push_back(std::move(task));
  }
  if (!group.empty()) groups.push_back(std::move(group));
}

using FileKey = std::pair<std::string, int64_t>;  ///< Path and offset of a file of deletes.
FileKey KeyOf(const DataFile& deletes) {
  return {deletes.path, deletes.content_offset.value_or(0)};
}

/// The deletes of main's head that apply to no file but those that go.
Result<std::vector<DataFilePtr>> DeletesOfNothing(const Context& context, io::FileSystem& files,
                                                  const TableMetadata& table,
                                                  const std::set<std::string>& gone) {
  catalog::TableFiles table_files(files);
  CALVE_ASSIGN_OR_RETURN(const iceberg::ScanPlan plan,
                         iceberg::PlanScan(context, table_files, table, {}));
  std::set<FileKey> needed;
  for (const ScanTask& task : plan.tasks) {
    if (gone.contains(task.file->path)) continue;
    for (const DataFilePtr& file : task.position_deletes) needed.insert(KeyOf(*file));
    for (const DataFilePtr& file : task.equality_deletes) needed.insert(KeyOf(*file));
    if (task.deletion_vector != nullptr) needed.insert(KeyOf(*task.deletion_vector));
  }
  std::vector<DataFilePtr> unneeded;
  CALVE_ASSIGN_OR_RETURN(
      const auto manifests,
      iceberg::ReadManifestList(context, table_files, table, *table.current_snapshot()));
  for (const iceberg::ManifestFile& manifest : manifests) {
    if (manifest.content != iceberg::ManifestContent::kDeletes) continue;
    CALVE_ASSIGN_OR_RETURN(const auto entries,
                           iceberg::ReadManifest(context, table_files, table, manifest));
    for (const iceberg::ManifestEntry& entry : entries) {
      if (!needed.contains(KeyOf(*entry.file))) unneeded.push_back(entry.file);
    }
  }
  return unneeded;
}

/// One compaction, from the plan to the commit.
class Compaction {
 public:
  Compaction(catalog::Catalog& catalog, io::FileSystem& files, catalog::TableName table,
             const CompactionOptions& options)
      : catalog_(catalog),
        files_(files),
        table_(std::move(table)),
        options_(options),
        committer_(catalog, files) {}

  Result<CompactionReport> Run(const Context& context, const iceberg::MetadataPtr& base) {
    CALVE_ASSIGN_OR_RETURN(CompactionPlan plan,
                           PlanCompaction(context, files_, *base, options_.rules));
    if (plan.groups.empty()) return report_;
    base_ = base;
    CALVE_RETURN_IF_ERROR(Rewrite(context, std::move(plan.groups)));
    Status done = CommitAll(context);
    if (done.ok()) return report_;
    if (done.error().kind != ErrorKind::kUnknownOutcome) Drop(context, groups_);
    return std::move(done).error();
  }

 private:
  struct Group {
    FileGroup before;
    std::vector<DataFilePtr> after;
  };

  Status Rewrite(const Context& context, std::vector<FileGroup> groups) {
    std::vector<std::vector<rows::FileRows>> rows;
    for (const FileGroup& group : groups) {
      auto& of_group = rows.emplace_back();
      for (const ScanTask& task : group) of_group.push_back({.task = task, .gone = {}});
    }
    const rows::RewriteOptions rewrite{
        .table = base_,
        .schema = base_->schema(),
        .run_id = options_.run_id,
        .parallelism = options_.parallelism,
        .buffer_bytes_max = options_.buffer_bytes_max,
        .leave_files = [&](const Error& why) { committer_.LeaveFiles(context, why); },
        .wrote = options_.wrote};
    CALVE_ASSIGN_OR_RETURN(auto made, rows::RewriteGroups(context, files_, rewrite, rows));
    for (size_t i = 0; i < groups.size(); ++i)
      groups_.push_back({.before = std::move(groups[i]), .after = std::move(made[i])});
    return Status::Ok();
  }

  /// Commit the groups that nobody has changed meanwhile, on main as it is by then.
  Status CommitAll(const Context& context) {
    for (int tries = 0; tries < kTriesMax; ++tries) {
      CALVE_ASSIGN_OR_RETURN(const catalog::LoadedTable now, catalog_.LoadTable(context, table_));
      CALVE_RETURN_IF_ERROR(LeaveOutOvertaken(context, *now.metadata));
      if (groups_.empty()) return Status::Ok();
      CALVE_ASSIGN_OR_RETURN(const commit::Change change, MakeChange(context, now.metadata));
      Result<commit::Published> published =
          committer_.Commit(context, table_, change, commit::Proof::kEqual);
      if (published.ok()) {
        report_.snapshot_id = published->snapshot_id.value();
        Count(change);
        return Status::Ok();
      }
      const ErrorKind kind = published.error().kind;
      if (kind != ErrorKind::kRefused && kind != ErrorKind::kConflict)
        return std::move(published).error();
    }
    return TransientError("other writers changed files of " + table_.ToString() + " " +
                          FormatCount(kTriesMax) +
                          " times in a row before they could be compacted; run it again");
  }

  Result<commit::Change> MakeChange(const Context& context, const iceberg::MetadataPtr& now) {
    commit::Change change;
    change.pipeline = "upkeep";
    change.run = options_.run_id;
    change.schema = base_->schema();
    change.rows.operation = iceberg::Operation::kReplace;
    std::set<std::string> gone;
    const iceberg::SequenceNumber number = base_->current_snapshot()->sequence_number;
    for (const Group& group : groups_) {
      for (const ScanTask& task : group.before) {
        change.rows.removed_paths.push_back(task.file->path);
        gone.insert(task.file->path);
      }
      for (const DataFilePtr& file : group.after) {
        change.rows.added_data_files.push_back(file);
        change.rows.data_sequence_numbers[file->path] = number;
      }
    }
    CALVE_ASSIGN_OR_RETURN(change.rows.removed_delete_files,
                           DeletesOfNothing(context, files_, *now, gone));
    change.basis = {.snapshot = now->current_snapshot_id,
                    .still_holds = [this, &context](const iceberg::MetadataPtr& newest) -> Status {
                      CALVE_ASSIGN_OR_RETURN(const std::set<size_t> overtaken,
                                             FindOvertaken(context, *newest));
                      if (overtaken.empty()) return Status::Ok();
                      return RefusedError("other writers have changed files of " +
                                          table_.ToString() + " while they were compacted");
                    }};
    return change;
  }

  /// Find the groups that others have changed: a file of theirs is gone, or has other deletes.
  Result<std::set<size_t>> FindOvertaken(const Context& context, const TableMetadata& now) {
    catalog::TableFiles table_files(files_);
    CALVE_ASSIGN_OR_RETURN(const iceberg::ScanPlan plan,
                           iceberg::PlanScan(context, table_files, now, {}));
    std::map<std::string, const ScanTask*> live;
    for (const ScanTask& task : plan.tasks) live[task.file->path] = &task;
    const auto changed = [&](const ScanTask& task) {
      const auto found = live.find(task.file->path);
      return found == live.end() || rows::DeletesOf(*found->second) != rows::DeletesOf(task);
    };
    std::set<size_t> overtaken;
    for (size_t i = 0; i < groups_.size(); ++i) {
      const FileGroup& before = groups_[i].before;
      if (std::any_of(before.begin(), before.end(), changed)) overtaken.insert(i);
    }
    return overtaken;
  }

  Status LeaveOutOvertaken(const Context& context, const TableMetadata& now) {
    CALVE_ASSIGN_OR_RETURN(const std::set<size_t> overtaken, FindOvertaken(context, now));
    std::vector<Group> kept;
    std::vector<Group> dropped;
    for (size_t i = 0; i < groups_.size(); ++i)
      (overtaken.contains(i) ? dropped : kept).push_back(std::move(groups_[i]));
    report_.groups_overtaken += static_cast<int64_t>(dropped.size());
    groups_ = std::move(kept);
    Drop(context, dropped);
    return Status::Ok();
  }

  /// Remove files that no snapshot has.
  void Drop(const Context& context, const std::vector<Group>& groups) {
    std::vector<std::string> uris;
    for (const Group& group : groups) {
      for (const DataFilePtr& file : group.after) uris.push_back(file->path);
    }
    const Status removed = files_.DeleteAll(context.WithStop({}), uris);
    if (!removed.ok()) committer_.LeaveFiles(context, removed.error());
  }

  void Count(const commit::Change& change) {
    std::set<FileKey> deletes;
    for (const DataFilePtr& file : change.rows.removed_delete_files) deletes.insert(KeyOf(*file));
    report_.deletes_gone = static_cast<int64_t>(deletes.size());
    for (const Group& group : groups_) {
      report_.files_before += static_cast<int64_t>(group.before.size());
      report_.files_after += static_cast<int64_t>(group.after.size());
      for (const ScanTask& task : group.before)
        report_.bytes_before += task.file->file_size_in_bytes;
      for (const DataFilePtr& file : group.after) {
        report_.bytes_after += file->file_size_in_bytes;
        report_.rows += file->record_count;
      }
    }
  }

  catalog::Catalog& catalog_;
  io::FileSystem& files_;
  const catalog::TableName table_;
  const CompactionOptions& options_;
  commit::Committer committer_;
  iceberg::MetadataPtr base_;
  std::vector<Group> groups_;
  CompactionReport report_;
};

}  // namespace

int64_t TargetBytesOf(const TableMetadata& table, const CompactionRules& rules) {
  if (rules.target_bytes > 0) return rules.target_bytes;
  const auto set = ParseInteger(table.Property("write.target-file-size-bytes", ""));
  return set.value_or(0) > 0 ? *set : kTargetBytesDefault;
}

Result<CompactionPlan> PlanCompaction(const Context& context, io::FileSystem& files,
                                      const TableMetadata& table, const CompactionRules& rules) {
  catalog::TableFiles table_files(files);
  CALVE_ASSIGN_OR_RETURN(iceberg::ScanPlan scan,
                         iceberg::PlanScan(context, table_files, table, {}));
  const int64_t target = TargetBytesOf(table, rules);
  CompactionPlan plan;
  plan.files_total = static_cast<int64_t>(scan.tasks.size());
  std::map<std::pair<iceberg::SpecId, std::string>, Candidates> partitions;
  for (ScanTask& task : scan.tasks) {
    const Worth worth = WorthOf(table, task, rules, target);
    if (worth == Worth::kNo) continue;
    const iceberg::PartitionSpec* spec = table.FindSpec(task.file->spec_id);
    const bool is_current = task.file->spec_id == table.default_spec_id;
    // Rows of an older spec fall into partitions that nobody knows yet.
    const std::string partition =
        is_current && spec != nullptr
            ? iceberg::PartitionPath(*spec, *table.schema(), task.file->partition)
            : "";
    Candidates& candidates = partitions[{task.file->spec_id, partition}];
    candidates.bytes += task.file->file_size_in_bytes;
    candidates.by_itself |= worth == Worth::kByItself;
    candidates.tasks.push_back(std::move(task));
  }
  for (auto& [place, candidates] : partitions) {
    if (rules.amortized && !candidates.by_itself) LeaveOutLargest(&candidates);
    const auto count = static_cast<int64_t>(candidates.tasks.size());
    if (!candidates.by_itself && (count < rules.files_min || count < 2)) continue;
    AddGroups(std::move(candidates), target, plan.groups);
  }
  for (const FileGroup& group : plan.groups) {
    plan.files += static_cast<int64_t>(group.size());
    for (const ScanTask& task : group) {
      plan.bytes += task.file->file_size_in_bytes;
      plan.rows += task.file->record_count;
    }
  }
  return plan;
}

Result<CompactionReport> Compact(const Context& context, catalog::Catalog& catalog,
                                 io::FileSystem& files, const catalog::TableName& table,
                                 const CompactionOptions& options) {
  CALVE_ASSIGN_OR_RETURN(const catalog::LoadedTable loaded, catalog.LoadTable(context, table));
  return Compaction(catalog, files, table, options).Run(context, loaded.metadata);
}

}  // namespace calve::upkeep

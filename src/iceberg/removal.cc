#include "iceberg/removal.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/executor.h"
#include "iceberg/delete_index.h"
#include "iceberg/partition_codec.h"
#include "iceberg/predicate.h"
#include "iceberg/projection.h"

namespace calve::iceberg {
namespace {

/// Whether partition values lie within a manifest's summaries.
bool SummaryHolds(const ManifestFile& manifest, const PartitionSpec& spec, const Schema& schema,
                  const PartitionValues& values) {
  Expression all;
  for (size_t i = 0; i < spec.fields.size() && i < values.size(); ++i) {
    const FieldId id = spec.fields[i].field_id;
    if (values[i].is_null()) {
      all = Expression::And(std::move(all), Expression::Unary(Expression::Op::kIsNull, id));
    } else if (!IsNan(values[i])) {
      all = Expression::And(std::move(all),
                            Expression::Compare(Expression::Op::kEqual, id, {values[i]}));
    }
  }
  return ManifestMayMatch(all, spec, schema, manifest);
}

int64_t LiveFiles(const ManifestFile& manifest) {
  return manifest.added_files_count.value_or(1) + manifest.existing_files_count.value_or(1);
}

}  // namespace

Removal::Removal(const Context& context, Files& files, const TableMetadata& base,
                 const SnapshotChange& change)
    : context_(context), files_(files), base_(base), change_(change) {
  if (change.remove_matching) columns_.emplace(*change.remove_matching, *base.schema());
  if (change.replace_partitions) {
    for (const DataFilePtr& file : change.added_data_files) {
      std::string key = PartitionKey(file->spec_id, file->partition);
      homes_[file->spec_id].try_emplace(key, file->partition);
      partitions_.insert(std::move(key));
    }
  }
  for (const DataFilePtr& file : change.removed_delete_files) {
    removed_deletes_.emplace(file->path, file->content_offset.value_or(0));
  }
  WantPaths();
}

void Removal::WantPaths() {
  std::set<std::string_view> added;
  for (const DataFilePtr& file : change_.added_data_files) added.insert(file->path);
  for (const std::string& path : change_.removed_paths) wanted_[path].remove = true;
  for (const DataFilePtr& file : change_.added_delete_files) {
    if (!file->referenced_data_file) continue;
    if (file->is_deletion_vector()) new_vector_targets_.insert(*file->referenced_data_file);
    if (added.contains(*file->referenced_data_file)) continue;
    wanted_.try_emplace(*file->referenced_data_file);
    homes_[file->spec_id].try_emplace(PartitionKey(file->spec_id, file->partition),
                                      file->partition);
  }
  paths_missing_ = static_cast<int64_t>(wanted_.size());
}

Result<RemovalResult> Removal::Run(const std::vector<ManifestFile>& manifests) {
  scanned_.resize(manifests.size());
  CALVE_RETURN_IF_ERROR(ScanAll(manifests, ManifestContent::kData));
  CountLiveData(manifests);
  if (DeletesConcerned()) CALVE_RETURN_IF_ERROR(ScanAll(manifests, ManifestContent::kDeletes));
  CALVE_RETURN_IF_ERROR(CheckAllFound());
  RemovalResult result;
  for (size_t i = 0; i < manifests.size(); ++i) {
    Scanned& scanned = scanned_[i];
    if (!scanned.cuts) continue;
    CutManifest& cut = result.cut.emplace_back();
    cut.index = i;
    cut.partition_type = scanned.scan.partition_type;
    cut.entries = std::move(scanned.scan.entries);
    for (size_t e = 0; e < cut.entries.size(); ++e) {
      const bool removed = scanned.verdicts[e] == Verdict::kRemove;
      cut.entries[e].status = removed ? EntryStatus::kDeleted : EntryStatus::kExisting;
      if (removed) result.removed.push_back(cut.entries[e].file);
    }
  }
  return result;
}

Status Removal::ScanAll(const std::vector<ManifestFile>& manifests, ManifestContent content) {
  std::vector<size_t> chosen;
  for (size_t i = 0; i < manifests.size(); ++i) {
    if (manifests[i].content != content || !manifests[i].has_live_files()) continue;
    CALVE_ASSIGN_OR_RETURN(const PartitionSpec* spec, SpecOf(base_, manifests[i]));
    if (change_.remove_matching && !projected_.contains(spec->id)) {
      projected_.emplace(spec->id,
                         ProjectToPartition(*change_.remove_matching, *base_.schema(), *spec));
    }
    if (content == ManifestContent::kDeletes || MayHold(manifests[i], *spec)) chosen.push_back(i);
  }
  return context_.executor->ParallelFor(
      chosen.size(), [&](size_t i) { return ScanOne(manifests[chosen[i]], scanned_[chosen[i]]); });
}

bool Removal::MayHold(const ManifestFile& manifest, const PartitionSpec& spec) const {
  if (change_.remove_matching &&
      ManifestMayMatch(projected_.at(spec.id), spec, *base_.schema(), manifest))
    return true;
  return PathsMayBeIn(manifest, spec);
}

bool Removal::PathsMayBeIn(const ManifestFile& manifest, const PartitionSpec& spec) const {
  if (!change_.removed_paths.empty()) return true;
  const auto homes = homes_.find(spec.id);
  if (homes == homes_.end()) return false;
  return std::any_of(homes->second.begin(), homes->second.end(), [&](const auto& home) {
    return SummaryHolds(manifest, spec, *base_.schema(), home.second);
  });
}

Status Removal::ScanOne(const ManifestFile& manifest, Scanned& out) {
  // Only paths are looked for, and all were found in other manifests.
  const bool data = manifest.content == ManifestContent::kData;
  if (data && !change_.remove_matching && partitions_.empty() && paths_missing_ == 0)
    return Status::Ok();
  CALVE_ASSIGN_OR_RETURN(const PartitionSpec* spec, SpecOf(base_, manifest));
  static constexpr FieldId kPathColumn[] = {reserved::kDeleteFilePath};
  EntryFilter filter{.metrics = change_.remove_matching.has_value(), .bounds = kPathColumn};
  CALVE_ASSIGN_OR_RETURN(out.scan, ScanManifest(context_, files_, base_, manifest, filter));
  out.read = true;
  for (const ManifestEntry& entry : out.scan.entries) {
    CALVE_ASSIGN_OR_RETURN(const Verdict verdict,
                           data ? JudgeData(*entry.file, *spec) : JudgeDeletes(*entry.file, *spec));
    out.verdicts.push_back(verdict);
    out.cuts = out.cuts || verdict == Verdict::kRemove;
  }
  if (out.cuts && !filter.metrics) {
    // It is written again, so all of each entry is needed.
    filter.metrics = true;
    CALVE_ASSIGN_OR_RETURN(out.scan, ScanManifest(context_, files_, base_, manifest, filter));
  }
  return Status::Ok();
}

Result<Removal::Verdict> Removal::JudgeData(const DataFile& file, const PartitionSpec& spec) {
  const bool named = MarkFound(file.path);
  if (named || partitions_.contains(PartitionKey(file.spec_id, file.partition)))
    return Verdict::kRemove;
  return change_.remove_matching ? JudgeByFilter(file, spec) : Verdict::kKeep;
}

Result<Removal::Verdict> Removal::JudgeByFilter(const DataFile& file,
                                                const PartitionSpec& spec) const {
  const Schema& schema = *base_.schema();
  if (!PartitionMayMatch(projected_.at(spec.id), spec, schema, file.partition))
    return Verdict::kKeep;
  if (!columns_->MayMatch(StatsOf(file, columns_->columns()))) return Verdict::kKeep;
  if (MustMatch(*change_.remove_matching, schema, spec, file)) return Verdict::kRemove;
  return RefusedError(
      fmt::format("expected that every row or no row of each file matches {}, found that some rows "
                  "of {} may not match: rewrite that "
                  "file or delete its rows one by one",
                  change_.remove_matching->ToString(schema), file.path));
}

Result<Removal::Verdict> Removal::JudgeDeletes(const DataFile& file, const PartitionSpec& spec) {
  if (all_data_removed_ || MarkFound(file.path)) return Verdict::kRemove;
  if (removed_deletes_.contains({file.path, file.content_offset.value_or(0)}))
    return Verdict::kRemove;
  const std::optional<std::string_view> target = ReferencedDataFile(file);
  if (target && file.content == FileContent::kPositionDeletes) {
    if (removed_data_.contains(std::string(*target))) return Verdict::kRemove;
    if (file.is_deletion_vector() && new_vector_targets_.contains(std::string(*target))) {
      return ConflictError(fmt::format(
          "{} has a deletion vector that the new one does not replace, in {}: somebody else "
          "deleted rows of it; compute the deletes again",
          *target, file.path));
    }
  }
  // Deletes of a replaced partition have nothing left to delete, but equality deletes without
  // partition concern all.
  const bool global = file.content == FileContent::kEqualityDeletes && spec.is_unpartitioned();
  const bool replaced = partitions_.contains(PartitionKey(file.spec_id, file.partition));
  return replaced && !global ? Verdict::kRemove : Verdict::kKeep;
}

bool Removal::MarkFound(const std::string& path) {
  const auto wanted = wanted_.find(path);
  if (wanted == wanted_.end()) return false;
  if (!wanted->second.found.exchange(true)) --paths_missing_;
  return wanted->second.remove;
}

void Removal::CountLiveData(const std::vector<ManifestFile>& manifests) {
  int64_t left = 0;
  for (size_t i = 0; i < manifests.size(); ++i) {
    if (manifests[i].content != ManifestContent::kData || !manifests[i].has_live_files()) continue;
    const Scanned& scanned = scanned_[i];
    if (!scanned.read) {
      left += LiveFiles(manifests[i]);
      continue;
    }
    for (size_t e = 0; e < scanned.verdicts.size(); ++e) {
      if (scanned.verdicts[e] == Verdict::kRemove) {
        removed_data_.insert(scanned.scan.entries[e].file->path);
      } else {
        ++left;
      }
    }
  }
  all_data_removed_ = left == 0 && !removed_data_.empty();
}

bool Removal::DeletesConcerned() const {
  return paths_missing_ > 0 || !removed_data_.empty() || !removed_deletes_.empty() ||
         !new_vector_targets_.empty();
}

Status Removal::CheckAllFound() const {
  std::set<std::string_view> gone;
  for (const auto& [path, wanted] : wanted_) {
    if (!wanted.found) gone.insert(path);
  }
  if (!gone.empty()) {
    return ConflictError(fmt::format(
        "expected the file {} to be live in the table, found that it is not{}: somebody else "
        "took it out; compute the change again",
        *gone.begin(),
        gone.size() > 1 ? fmt::format(" (nor are {} others)", gone.size() - 1) : ""));
  }
  auto missing = removed_deletes_;
  for (const Scanned& scanned : scanned_) {
    for (size_t e = 0; e < scanned.verdicts.size() && !missing.empty(); ++e) {
      if (scanned.verdicts[e] != Verdict::kRemove) continue;
      const DataFile& file = *scanned.scan.entries[e].file;
      missing.erase({file.path, file.content_offset.value_or(0)});
    }
  }
  if (missing.empty()) return Status::Ok();
  return ConflictError(fmt::format(
      "expected the deletes in {} to be live in the table, found that they are not: somebody "
      "else took them out; compute the change again",
      missing.begin()->first));
}

}  // namespace calve::iceberg

#include "iceberg/scan.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/executor.h"
#include "iceberg/delete_index.h"
#include "iceberg/manifest_reader.h"
#include "iceberg/predicate.h"

namespace calve::iceberg {
namespace {

/// One plan in the making.
class Planner {
 public:
  Planner(const Context& context, Files& files, const TableMetadata& metadata,
          const ScanOptions& options, const Schema& schema)
      : context_(context),
        files_(files),
        metadata_(metadata),
        options_(options),
        schema_(schema),
        columns_(options.filter, schema) {}

  Result<ScanPlan> Plan(const Snapshot& snapshot) {
    CALVE_ASSIGN_OR_RETURN(const std::vector<ManifestFile> manifests,
                           ReadManifestList(context_, files_, metadata_, snapshot));
    CALVE_RETURN_IF_ERROR(Choose(manifests));
    CALVE_RETURN_IF_ERROR(ReadChosen());
    return Match();
  }

  /// Plan what append snapshots added, oldest first.
  Result<ScanPlan> PlanAdded(const std::vector<const Snapshot*>& snapshots) {
    for (const Snapshot* snapshot : snapshots) {
      CALVE_ASSIGN_OR_RETURN(std::vector<ManifestFile> manifests,
                             ReadManifestList(context_, files_, metadata_, *snapshot));
      std::erase_if(manifests, [&](const ManifestFile& manifest) {
        return manifest.content != ManifestContent::kData ||
               manifest.added_snapshot_id != snapshot->id;
      });
      CALVE_RETURN_IF_ERROR(Choose(manifests));
    }
    CALVE_RETURN_IF_ERROR(ReadChosen());
    for (Chosen& chosen : chosen_) {
      std::erase_if(chosen.scan.entries, [&](const ManifestEntry& entry) {
        return entry.status != EntryStatus::kAdded ||
               entry.snapshot_id != chosen.manifest.added_snapshot_id;
      });
    }
    return Match();
  }

 private:
  struct Chosen {
    ManifestFile manifest;
    const PartitionSpec* spec = nullptr;
    ManifestScan scan;
  };

  Status Choose(const std::vector<ManifestFile>& manifests) {
    plan_.statistics.manifests_total += static_cast<int64_t>(manifests.size());
    for (const ManifestFile& manifest : manifests) {
      if (!manifest.has_live_files()) continue;
      CALVE_ASSIGN_OR_RETURN(const PartitionSpec* spec, SpecOf(metadata_, manifest));
      if (!ManifestMayMatch(Projected(*spec), *spec, schema_, manifest)) continue;
      chosen_.push_back({.manifest = manifest, .spec = spec, .scan = {}});
    }
    return Status::Ok();
  }

  Status ReadChosen() {
    plan_.statistics.manifests_read = static_cast<int64_t>(chosen_.size());
    return context_.executor->ParallelFor(chosen_.size(), [&](size_t i) -> Status {
      Chosen& chosen = chosen_[i];
      CALVE_ASSIGN_OR_RETURN(chosen.scan, ScanManifest(context_, files_, metadata_, chosen.manifest,
                                                       FilterOf(chosen)));
      return Status::Ok();
    });
  }

  EntryFilter FilterOf(const Chosen& chosen) const {
    static constexpr FieldId kPathColumn[] = {reserved::kDeleteFilePath};
    const Expression& partition = projected_.at(chosen.spec->id);
    EntryFilter filter{.partition = partition.op() == Expression::Op::kTrue ? nullptr : &partition};
    if (chosen.manifest.content == ManifestContent::kDeletes) {
      filter.metrics = options_.metrics;
      filter.bounds = kPathColumn;
    } else {
      filter.metrics = options_.metrics;
      filter.columns = columns_.decides() ? &columns_ : nullptr;
    }
    return filter;
  }

  Result<ScanPlan> Match() {
    DeleteIndex index;
    size_t kept = 0;
    for (const Chosen& chosen : chosen_) {
      if (chosen.manifest.content == ManifestContent::kData) {
        plan_.statistics.files_total += chosen.scan.live_files;
        kept += chosen.scan.entries.size();
        continue;
      }
      for (const ManifestEntry& entry : chosen.scan.entries)
        CALVE_RETURN_IF_ERROR(index.Add(entry, *chosen.spec));
    }
    index.Finish();
    plan_.tasks.reserve(kept);
    for (Chosen& chosen : chosen_) {
      if (chosen.manifest.content != ManifestContent::kData) continue;
      for (ManifestEntry& entry : chosen.scan.entries) {
        ScanTask& task = plan_.tasks.emplace_back();
        task.file = std::move(entry.file);
        task.data_sequence_number = entry.sequence_number.value_or(SequenceNumber(0));
        if (!index.empty()) index.Assign(task);
      }
    }
    plan_.statistics.files_kept = static_cast<int64_t>(kept);
    return std::move(plan_);
  }

  const Expression& Projected(const PartitionSpec& spec) {
    const auto known = projected_.find(spec.id);
    if (known != projected_.end()) return known->second;
    return projected_.emplace(spec.id, ProjectToPartition(options_.filter, schema_, spec))
        .first->second;
  }

  const Context& context_;
  Files& files_;
  const TableMetadata& metadata_;
  const ScanOptions& options_;
  const Schema& schema_;
  const MetricsFilter columns_;
  std::map<SpecId, Expression> projected_;
  std::vector<Chosen> chosen_;
  ScanPlan plan_;
};

/// The append snapshots after `from` up to `to`, oldest first.
Result<std::vector<const Snapshot*>> AppendsBetween(const TableMetadata& metadata,
                                                    std::optional<SnapshotId> from,
                                                    const Snapshot& to) {
  std::vector<const Snapshot*> appends;
  const Snapshot* at = &to;
  while (!from || at->id != *from) {
    if (at->operation == Operation::kAppend) {
      appends.push_back(at);
    } else if (at->operation != Operation::kReplace) {
      return RefusedError(
          fmt::format("expected only appends between the two snapshots, found snapshot {}, {}; "
                      "read the table as of snapshot {} whole",
                      at->id.value(),
                      at->operation ? fmt::format("an operation {}", ToString(*at->operation))
                                    : "which does not say what it did",
                      to.id.value()));
    }
    if (at->parent_id == from) break;  // Also when there is neither: the start.
    if (!at->parent_id) {
      return RefusedError(fmt::format(
          "snapshot {} is not an ancestor of snapshot {}; read the table as of snapshot {} whole",
          from->value(), to.id.value(), to.id.value()));
    }
    const Snapshot* parent = metadata.FindSnapshot(*at->parent_id);
    if (parent == nullptr) {
      return RefusedError(fmt::format(
          "snapshot {}, the parent of snapshot {}, is expired: what it added cannot be told "
          "apart; read the table as of snapshot {} whole",
          at->parent_id->value(), at->id.value(), to.id.value()));
    }
    at = parent;
  }
  std::reverse(appends.begin(), appends.end());
  return appends;
}

Error UnknownSnapshot(const TableMetadata& metadata, SnapshotId id) {
  return NotFoundError(fmt::format("the table at {} has no snapshot {}; it may be expired",
                                   metadata.location, id.value()));
}

}  // namespace

Result<ScanPlan> PlanScan(const Context& context, Files& files, const TableMetadata& metadata,
                          const ScanOptions& options) {
  const Snapshot* snapshot = options.snapshot_id ? metadata.FindSnapshot(*options.snapshot_id)
                                                 : metadata.current_snapshot();
  if (snapshot == nullptr && options.snapshot_id)
    return UnknownSnapshot(metadata, *options.snapshot_id);
  if (snapshot == nullptr || WithoutNot(options.filter).op() == Expression::Op::kFalse)
    return ScanPlan{};
  const Schema& schema = options.snapshot_id ? *metadata.SchemaOf(*snapshot) : *metadata.schema();
  return Planner(context, files, metadata, options, schema).Plan(*snapshot);
}

Result<ScanPlan> PlanIncrementalAppends(const Context& context, Files& files,
                                        const TableMetadata& metadata,
                                        std::optional<SnapshotId> from, SnapshotId to,
                                        const ScanOptions& options) {
  const Snapshot* last = metadata.FindSnapshot(to);
  if (last == nullptr) return UnknownSnapshot(metadata, to);
  CALVE_ASSIGN_OR_RETURN(const std::vector<const Snapshot*> appends,
                         AppendsBetween(metadata, from, *last));
  return Planner(context, files, metadata, options, *metadata.schema()).PlanAdded(appends);
}

}  // namespace calve::iceberg

#include <algorithm>
#include <memory>
#include <set>
#include <utility>

#include "base/text.h"
#include "catalog/native_refs.h"
#include "catalog/table_files.h"
#include "commit/attempt.h"
#include "commit/lease.h"
#include "commit/main_line.h"
#include "commit/native_stage.h"
#include "commit/own_files.h"
#include "commit/unreached.h"
#include "iceberg/manifest.h"

namespace calve::commit {
namespace {

using catalog::LoadedTable;
using catalog::TableName;
using iceberg::Snapshot;
using iceberg::SnapshotId;
using iceberg::TableChange;
using iceberg::TableMetadata;

/// Where the rows of a branch are: under its name in the table, or in the table's main on a branch
/// of the catalog's own.
struct BranchHead {
  LoadedTable loaded;
  const Snapshot* snapshot = nullptr;  ///< In `loaded`.
};

Error NoBranch(const TableName& table, const std::string& branch,
               const std::vector<std::string>& known) {
  return NotFoundError("table " + table.ToString() + " has no branch " + branch +
                       DidYouMean(branch, known));
}

Result<BranchHead> ReadHead(const Context& context, catalog::Catalog& catalog,
                            const TableName& table, const std::string& branch) {
  BranchHead head;
  std::vector<std::string> known;
  if (catalog::NativeRefs* refs = catalog.native_refs(); refs != nullptr) {
    CALVE_ASSIGN_OR_RETURN(const auto all, refs->ListRefs(context));
    for (const catalog::NativeBranch& ref : all) known.push_back(ref.name);
    if (std::find(known.begin(), known.end(), branch) == known.end())
      return NoBranch(table, branch, known);
    CALVE_ASSIGN_OR_RETURN(head.loaded, refs->OnBranch(branch)->LoadTable(context, table));
    head.snapshot = head.loaded.metadata->current_snapshot();
  } else {
    CALVE_ASSIGN_OR_RETURN(head.loaded, catalog.LoadTable(context, table));
    for (const auto& [name, ref] : head.loaded.metadata->refs) known.push_back(name);
    head.snapshot = head.loaded.metadata->FindRef(branch);
  }
  if (head.snapshot == nullptr) return NoBranch(table, branch, known);
  return head;
}

/// Refuse to touch a branch whose rows somebody is publishing; `run_is_over`: not the run itself.
Status CheckNoLease(const Context& context, const Staged& staged, bool run_is_over = false) {
  const std::optional<Lease> lease = FindLease(*staged.loaded.metadata);
  const int64_t now_ms = MillisSinceEpoch(context.clock->Now());
  if (lease.has_value() && run_is_over && lease->holder == staged.change.run) return Status::Ok();
  if (!lease.has_value() || !lease->IsInForce(now_ms, kPublishLeaseMs)) return Status::Ok();
  return RefusedError("branch " + staged.branch + " of " + staged.table.ToString() +
                      " is being published; if whoever did it was killed, it can be touched again "
                      "after " +
                      FormatTimestamp(TimestampFromMillis(lease->until_ms)));
}

}  // namespace

Status CheckHead(const Snapshot* head, const Staged& staged) {
  if (head != nullptr && head->id == staged.snapshot.id) return Status::Ok();
  return RefusedError("branch " + staged.branch + " of " + staged.table.ToString() +
                      " is not as it was staged: somebody has published, discarded or changed it");
}

Result<LoadedTable> Committer::LeaseNative(const Context& context, catalog::NativeRefs& refs,
                                           const Staged& staged, const std::string& holder) {
  const auto found = refs.FindBranch(context, staged.branch);
  if (!found.ok() && found.error().kind == ErrorKind::kNotFound)
    return CheckHead(nullptr, staged).error();
  CALVE_RETURN_IF_ERROR(found);
  const auto there = refs.OnBranch(staged.branch);
  Committer on_branch(*there, files_);
  return on_branch.Update(
      context, staged.table, [&](const TableMetadata& base) -> Result<TableChange> {
        CALVE_RETURN_IF_ERROR(CheckHead(base.current_snapshot(), staged));
        const int64_t now_ms = MillisSinceEpoch(context.clock->Now());
        Staged now = staged;
        now.loaded.metadata = std::make_shared<const TableMetadata>(base);
        CALVE_RETURN_IF_ERROR(CheckNoLease(context, now));
        TableChange change = TakeLease(base, holder, now_ms + kPublishLeaseMs);
        change.requirements.push_back(
            iceberg::AssertRefSnapshotId(std::string(iceberg::kMainBranch), staged.snapshot.id));
        return change;
      });
}

void Committer::UnleaseNative(const Context& context, catalog::NativeRefs& refs,
                              const Staged& staged) {
  const auto there = refs.OnBranch(staged.branch);
  Committer on_branch(*there, files_);
  const auto ended = on_branch.Update(context.WithStop({}), staged.table, [](const TableMetadata&) {
    return Result<TableChange>(TableChange{.requirements = {}, .updates = {EndLease()}});
  });
  if (!ended.ok())
    context.log->Warn("the branch stays marked as being published for some minutes",
                      {{"branch", staged.branch}, {"why", ended.error().message}});
}

Result<std::vector<Committer::StagedBranch>> Committer::ListStaged(const Context& context,
                                                                   const TableName& table,
                                                                   const std::string& pipeline) {
  std::vector<StagedBranch> staged;
  const auto take = [&](const std::string& name, const Snapshot* snapshot) {
    if (snapshot == nullptr || ProofOf(*snapshot) != Proof::kPending) return false;
    if (SummaryText(*snapshot, summary::kPipeline) != pipeline) return false;
    staged.push_back({.name = name, .run = SummaryText(*snapshot, summary::kRun)});
    return true;
  };
  catalog::NativeRefs* refs = catalog_.native_refs();
  if (refs == nullptr) {
    const Result<LoadedTable> loaded = catalog_.LoadTable(context, table);
    if (!loaded.ok() && loaded.error().kind == ErrorKind::kNotFound) return staged;
    CALVE_RETURN_IF_ERROR(loaded);
    for (const auto& [name, ref] : loaded->metadata->refs)
      take(name, loaded->metadata->FindSnapshot(ref.snapshot_id));
    return staged;
  }
  CALVE_ASSIGN_OR_RETURN(const auto all, refs->ListRefs(context));
  for (const catalog::NativeBranch& ref : all) {
    if (ref.is_tag || !ref.name.starts_with(BranchOf(""))) continue;
    const auto loaded = refs->OnBranch(ref.name)->LoadTable(context, table);
    if (!loaded.ok() && loaded.error().kind == ErrorKind::kNotFound) continue;
    CALVE_RETURN_IF_ERROR(loaded);
    const Snapshot* head = loaded->metadata->current_snapshot();
    if (!take(ref.name, head)) continue;
    CALVE_ASSIGN_OR_RETURN(const auto published, FindInMain(context, table, head->id));
    if (published.has_value()) staged.pop_back();
  }
  return staged;
}

Status Committer::SweepBranch(const Context& context, const TableName& table,
                              const std::string& run) {
  catalog::NativeRefs* refs = catalog_.native_refs();
  if (refs == nullptr) return Status::Ok();
  const std::string branch = BranchOf(run);
  const auto found = refs->FindBranch(context, branch);
  if (!found.ok() && found.error().kind == ErrorKind::kNotFound) return Status::Ok();
  CALVE_RETURN_IF_ERROR(found);
  const auto loaded = refs->OnBranch(branch)->LoadTable(context, table);
  if (!loaded.ok() && loaded.error().kind != ErrorKind::kNotFound) return loaded.status();
  const Snapshot* head = loaded.ok() ? loaded->metadata->current_snapshot() : nullptr;
  const bool is_pending = head != nullptr && ProofOf(*head) == Proof::kPending;
  if (!is_pending) return DropNativeBranch(context, *refs, branch);
  CALVE_ASSIGN_OR_RETURN(const auto published, FindInMain(context, table, head->id));
  return published.has_value() ? Discard(context, table, branch) : Status::Ok();
}

Result<Staged> Committer::FindStaged(const Context& context, const TableName& table,
                                     const std::string& branch) {
  CALVE_ASSIGN_OR_RETURN(Staged staged, ReadStaged(context, table, branch));
  if (catalog_.native_refs() == nullptr) return staged;
  CALVE_RETURN_IF_ERROR(CheckNoLease(context, staged));
  CALVE_ASSIGN_OR_RETURN(const auto published, FindInMain(context, table, staged.snapshot.id));
  if (published.has_value()) {
    return RefusedError("the rows of branch " + branch + " are in main of " + table.ToString() +
                        " already, by snapshot " + std::to_string(published->id.value()) +
                        "; calve branch discard " + branch + " removes what is left of it");
  }
  const Result<LoadedTable> main = catalog_.LoadTable(context, table);
  if (main.ok()) return staged;
  if (main.error().kind != ErrorKind::kNotFound) return main.error();
  CALVE_ASSIGN_OR_RETURN(NewTable made, TableOfBranch(*staged.loaded.metadata,
                                                      MillisSinceEpoch(context.clock->Now())));
  staged.change.new_table = std::make_shared<const NewTable>(std::move(made));
  return staged;
}

Result<std::optional<Snapshot>> Committer::FindInMain(const Context& context,
                                                      const TableName& table, SnapshotId staged) {
  const Result<LoadedTable> main = catalog_.LoadTable(context, table);
  if (!main.ok() && main.error().kind == ErrorKind::kNotFound) return std::optional<Snapshot>();
  CALVE_RETURN_IF_ERROR(main);
  CALVE_ASSIGN_OR_RETURN(
      MainLine::Walk walk,
      MainLine(catalog_, files_, table).Find(context, *main, [&](const Snapshot& snapshot) {
        return snapshot.id == staged || IsPublishedFrom(snapshot, staged);
      }));
  return std::move(walk.found);
}

Result<Staged> Committer::ReadStaged(const Context& context, const TableName& table,
                                     const std::string& branch) {
  CALVE_ASSIGN_OR_RETURN(const BranchHead head, ReadHead(context, catalog_, table, branch));
  const LoadedTable& loaded = head.loaded;
  const TableMetadata& metadata = *loaded.metadata;
  const Snapshot* snapshot = head.snapshot;
  if (ProofOf(*snapshot) != Proof::kPending) {
    return RefusedError("branch " + branch + " of " + table.ToString() +
                        " holds no snapshot that calve has staged");
  }
  catalog::TableFiles table_files(files_);
  Staged staged{.table = table,
                .branch = branch,
                .change = {},
                .snapshot = *snapshot,
                .loaded = loaded,
                .ledger = {}};
  staged.change.pipeline = SummaryText(*snapshot, summary::kPipeline);
  staged.change.run = SummaryText(*snapshot, summary::kRun);
  staged.ledger = SummaryText(*snapshot, summary::kLedger);
  if (snapshot->summary.contains(std::string(summary::kPosition))) {
    staged.change.position =
        Position{.state = SummaryText(*snapshot, summary::kPosition), .ledger = {}};
    const std::string before = SummaryText(*snapshot, summary::kPositionBefore);
    if (const auto id = ParseInteger(before)) staged.change.position_before = SnapshotId(*id);
  }
  if (!SummaryText(*snapshot, summary::kSchemaBase).empty())
    staged.change.schema_id = snapshot->schema_id;
  staged.change.schema = metadata.SchemaOf(*snapshot);
  if (const std::string on = SummaryText(*snapshot, summary::kComputedOn); !on.empty()) {
    Change::Basis& basis = staged.change.basis.emplace();
    if (const auto id = ParseInteger(on)) basis.snapshot = SnapshotId(*id);
  }
  if (const std::string rows = SummaryText(*snapshot, summary::kRows); !rows.empty())
    staged.change.rows.summary[std::string(summary::kRows)] = rows;
  staged.change.rows.operation = snapshot->operation.value_or(iceberg::Operation::kAppend);
  CALVE_ASSIGN_OR_RETURN(const auto manifests,
                         iceberg::ReadManifestList(context, table_files, metadata, *snapshot));
  for (const iceberg::ManifestFile& manifest : manifests) {
    if (manifest.added_snapshot_id != snapshot->id) continue;
    CALVE_ASSIGN_OR_RETURN(
        const auto entries,
        iceberg::ReadManifest(context, table_files, metadata, manifest, {.deleted_entries = true}));
    for (const iceberg::ManifestEntry& entry : entries) {
      if (entry.snapshot_id != snapshot->id) continue;
      if (entry.status == iceberg::EntryStatus::kDeleted) {
        staged.change.rows.removed_paths.push_back(entry.file->path);
      } else if (entry.status == iceberg::EntryStatus::kAdded) {
        auto& added = manifest.content == iceberg::ManifestContent::kData
                          ? staged.change.rows.added_data_files
                          : staged.change.rows.added_delete_files;
        added.push_back(entry.file);
        const bool inherits = entry.sequence_number == snapshot->sequence_number;
        if (!inherits && entry.sequence_number.has_value())
          staged.change.rows.data_sequence_numbers[entry.file->path] = *entry.sequence_number;
      }
    }
  }
  return staged;
}

Status Committer::DiscardNative(const Context& context, catalog::NativeRefs& refs,
                                const TableName& table, const std::string& branch,
                                const std::set<std::string>& kept, bool run_is_over) {
  // Taken before the rows are looked at: who changes the branch meanwhile makes its removal fail.
  CALVE_ASSIGN_OR_RETURN(const catalog::NativeBranch at, refs.FindBranch(context, branch));
  CALVE_ASSIGN_OR_RETURN(const Staged staged, ReadStaged(context, table, branch));
  CALVE_ASSIGN_OR_RETURN(const auto published, FindInMain(context, table, staged.snapshot.id));
  const bool is_in_main = published.has_value();
  if (!is_in_main) CALVE_RETURN_IF_ERROR(CheckNoLease(context, staged, run_is_over));
  catalog::TableFiles table_files(files_);
  CALVE_ASSIGN_OR_RETURN(
      OwnFiles own, FindOwnFiles(context, table_files, *staged.loaded.metadata, staged.snapshot,
                                 is_in_main ? &*published : nullptr));
  std::erase_if(own.rows, [&](const std::string& path) { return kept.contains(path); });
  own.metadata.push_back(staged.loaded.metadata_location);
  const Status dropped = refs.DeleteBranch(context, at);
  if (!dropped.ok() && dropped.error().kind == ErrorKind::kConflict) {
    return RefusedError("branch " + branch + " of " + table.ToString() +
                        " has changed meanwhile; look at it again");
  }
  if (!dropped.ok() && dropped.error().kind == ErrorKind::kUnknownOutcome) {
    const auto there = refs.FindBranch(context, branch);
    if (there.ok() || there.error().kind != ErrorKind::kNotFound) return dropped;
  } else {
    CALVE_RETURN_IF_ERROR(dropped);
  }
  const auto uses = [&](const Snapshot& snapshot) {
    return snapshot.id == staged.snapshot.id ||
           (!is_in_main && IsPublishedFrom(snapshot, staged.snapshot.id));
  };
  CALVE_ASSIGN_OR_RETURN(const bool used, IsOnNativeRefs(context, refs, table, branch, uses));
  if (used) return Status::Ok();
  Remove(context, own.rows);
  Remove(context, own.metadata);
  return Status::Ok();
}

Status Committer::Discard(const Context& context, const TableName& table, const std::string& branch,
                          const std::set<std::string>& kept, bool run_is_over) {
  if (catalog::NativeRefs* refs = catalog_.native_refs(); refs != nullptr)
    return DiscardNative(context, *refs, table, branch, kept, run_is_over);
  CALVE_ASSIGN_OR_RETURN(const Staged staged, FindStaged(context, table, branch));
  catalog::TableFiles table_files(files_);
  CALVE_ASSIGN_OR_RETURN(OwnFiles own, FindOwnFiles(context, table_files, *staged.loaded.metadata,
                                                    staged.snapshot, nullptr));
  std::erase_if(own.rows, [&](const std::string& path) { return kept.contains(path); });
  Attempt attempt;
  attempt.compute = [&](const LoadedTable& base, std::vector<std::string>*) -> Result<TableChange> {
    const Snapshot* head = base.metadata->FindRef(branch);
    if (head == nullptr && attempt.outcome_open()) return TableChange{};
    if (head == nullptr || head->id != staged.snapshot.id) {
      return RefusedError("branch " + branch + " of " + table.ToString() +
                          " has changed meanwhile; look at it again");
    }
    TableChange change;
    change.requirements = {iceberg::AssertTableUuid(base.metadata->table_uuid),
                           iceberg::AssertRefSnapshotId(branch, staged.snapshot.id)};
    change.updates = {iceberg::RemoveSnapshotRef(branch),
                      iceberg::RemoveSnapshots({staged.snapshot.id})};
    return change;
  };
  attempt.landed = [&](const LoadedTable& now) -> Result<bool> {
    return now.metadata->FindSnapshot(staged.snapshot.id) == nullptr;
  };
  CALVE_ASSIGN_OR_RETURN(const LoadedTable now, Run(context, table, attempt));
  if (IsBaseGone(staged.snapshot, *now.metadata)) {
    CALVE_ASSIGN_OR_RETURN(Unreached unreached,
                           FindUnreached(context, catalog_, files_, table, *staged.loaded.metadata,
                                         {&staged.snapshot}));
    std::erase_if(unreached.files, [&](const std::string& path) { return kept.contains(path); });
    Remove(context, unreached.files);
    return Status::Ok();
  }
  Remove(context, own.rows);
  Remove(context, own.metadata);
  return Status::Ok();
}

}  // namespace calve::commit

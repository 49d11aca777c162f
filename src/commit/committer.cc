#include "commit/committer.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/retry.h"
#include "base/text.h"
#include "catalog/metadata_store.h"
#include "catalog/native_refs.h"
#include "catalog/table_files.h"
#include "commit/attempt.h"
#include "commit/lease.h"
#include "commit/native_stage.h"
#include "commit/own_files.h"
#include "commit/schema_merge.h"
#include "commit/unreached.h"
#include "iceberg/manifest.h"
#include "iceberg/replace_table.h"

namespace calve::commit {
namespace {

using catalog::LoadedTable;
using catalog::TableName;
using iceberg::Snapshot;
using iceberg::SnapshotId;
using iceberg::TableChange;
using iceberg::TableMetadata;

/// Races for a table's pointer before a writer gives up; with these waits about half a minute of
/// steady losing.
constexpr RetryPolicy kRaces{.attempts_max = 200,
                             .first = std::chrono::milliseconds(5),
                             .longest = std::chrono::milliseconds(400)};
/// Races lost before a writer asks to go first.
constexpr int kRacesBeforeLease = 2;
/// Looks at a table whose lease another writer holds, before it is passed over.
constexpr RetryPolicy kTurns{.attempts_max = 2000,
                             .first = std::chrono::milliseconds(20),
                             .longest = std::chrono::milliseconds(40)};
/// Look-ups after a lost reply, and tries after a passing fault, before the outcome stays open; and
/// for how long, since a fault that comes late has been tried again by whoever met it.
constexpr int kFaultsMax = 8;
constexpr auto kFaultsLongest = std::chrono::seconds(60);

/// The faults that one change has met.
class Faults {
 public:
  /// Count one more. Gives whether it is worth another try.
  bool Outlives(Duration now) {
    if (count_++ == 0) first_ = now;
    return count_ < kFaultsMax && now - first_ < kFaultsLongest;
  }

 private:
  int count_ = 0;
  Duration first_{0};
};

const Snapshot* FindToken(const TableMetadata& metadata, const std::string& token) {
  for (auto snapshot = metadata.snapshots.rbegin(); snapshot != metadata.snapshots.rend();
       ++snapshot) {
    const auto found = snapshot->summary.find(std::string(summary::kToken));
    if (found != snapshot->summary.end() && found->second == token) return &*snapshot;
  }
  return nullptr;
}

/// The parts of file names that say which run wrote them.
std::string FileTag(const std::string& run, Random& random) {
  return ToLower(run) + "-" + NewUuidString(random).substr(0, 8);
}

std::map<std::string, std::string> SummaryOf(const Change& change, const std::string& ledger,
                                             Proof proof, const std::string& token) {
  std::map<std::string, std::string> keys = change.rows.summary;
  keys[std::string(summary::kAudit)] = ToString(proof);
  keys[std::string(summary::kPipeline)] = change.pipeline;
  keys[std::string(summary::kRun)] = change.run;
  keys[std::string(summary::kToken)] = token;
  if (change.position.has_value()) {
    keys[std::string(summary::kPosition)] = change.position->state;
    if (change.position_before.has_value())
      keys[std::string(summary::kPositionBefore)] = std::to_string(change.position_before->value());
  }
  if (!ledger.empty()) keys[std::string(summary::kLedger)] = ledger;
  if (change.basis.has_value()) {
    const std::optional<SnapshotId>& on = change.basis->snapshot;
    keys[std::string(summary::kComputedOn)] = on.has_value() ? std::to_string(on->value()) : "none";
  }
  return keys;
}

bool HoldsLease(const LoadedTable& table, const std::string& holder) {
  if (holder.empty()) return false;
  const std::optional<Lease> lease = FindLease(*table.metadata);
  return lease.has_value() && lease->holder == holder;
}

/// The metadata that came right after `base`; null when the table's log does not reach back so far,
/// or it cannot be read.
iceberg::MetadataPtr NextVersion(const Context& context, io::FileSystem& files,
                                 const LoadedTable& now, const LoadedTable& base) {
  const auto& log = now.metadata->metadata_log;
  const auto at = std::find_if(log.begin(), log.end(), [&](const iceberg::MetadataLogEntry& entry) {
    return entry.metadata_file == base.metadata_location;
  });
  if (at == log.end()) return nullptr;
  if (at + 1 == log.end()) return now.metadata;
  Result<std::string> bytes = files.ReadFile(context, (at + 1)->metadata_file);
  if (!bytes.ok()) return nullptr;
  const Result<std::string> json = iceberg::DecompressMetadata(*bytes);
  if (!json.ok()) return nullptr;
  Result<TableMetadata> metadata = iceberg::ParseTableMetadata(*json);
  return metadata.ok() ? std::make_shared<const TableMetadata>(std::move(*metadata)) : nullptr;
}

/// Whether the version after `base` is what `change` makes of it. A change of refs or properties
/// carries no token; who made the very same one does not matter.
bool IsNextVersion(const Context& context, io::FileSystem& files, const LoadedTable& now,
                   const LoadedTable& base, const TableChange& change) {
  const iceberg::MetadataPtr next = NextVersion(context, files, now, base);
  if (next == nullptr) return false;
  const Result<TableMetadata> wanted = iceberg::Apply(
      base.metadata.get(), change,
      {.now_ms = next->last_updated_ms, .previous_location = base.metadata_location});
  return wanted.ok() &&
         iceberg::SerializeTableMetadata(*wanted) == iceberg::SerializeTableMetadata(*next);
}

/// Sort what a try has written: manifests of the added files serve the next try too, the rest only
/// this one.
void TakeReusable(iceberg::ProducedSnapshot* produced,
                  std::vector<iceberg::ManifestFile>* manifests, std::vector<std::string>* kept,
                  std::vector<std::string>* written) {
  *manifests = produced->reusable;
  written->clear();
  std::set<std::string> reusable;
  for (const auto& manifest : *manifests) reusable.insert(manifest.path);
  for (std::string& uri : produced->written) {
    (reusable.contains(uri) ? *kept : *written).push_back(std::move(uri));
  }
}

/// What stays the same over all tries to bring in one snapshot: its id, so that manifests are used
/// again, the token by which it is recognised, and the files that serve every try.
class NewSnapshot {
 public:
  NewSnapshot(const Context& context, io::FileSystem& files)
      : files_(files),
        token_(NewUuidString(*context.random)),
        id_(iceberg::NewSnapshotId(*context.random, nullptr)) {}

  const std::string& token() const { return token_; }
  /// Files of all tries; they go when the snapshot is surely not in.
  const std::vector<std::string>& kept() const { return kept_; }
  void Keep(const std::string& uri) { kept_.push_back(uri); }
  /// The snapshot, if it is in the table; in main also below commits that keep no history.
  Result<std::optional<Snapshot>> FindIn(const Context& context, const MainLine& main,
                                         const LoadedTable& now) const {
    if (const Snapshot* there = FindToken(*now.metadata, token_); there != nullptr) return *there;
    if (!main.may_be_hidden()) return std::optional<Snapshot>();
    CALVE_ASSIGN_OR_RETURN(MainLine::Walk walk,
                           main.Find(context, now, [&](const Snapshot& snapshot) {
                             return snapshot.id == id_ || snapshot.id == first_base_;
                           }));
    if (walk.found.has_value() && walk.found->id != id_) walk.found.reset();
    return std::move(walk.found);
  }

  /// Whether it is in, for an attempt; valid as long as all three are.
  std::function<Result<bool>(const LoadedTable& now)> LandedIn(const Context& context,
                                                               const MainLine& main) const {
    return [this, &context, &main](const LoadedTable& now) -> Result<bool> {
      CALVE_ASSIGN_OR_RETURN(const auto found, FindIn(context, main, now));
      return found.has_value();
    };
  }

  /// The snapshot of a change that was just brought in, `as` messages say it.
  Result<Snapshot> FindBrought(const Context& context, const MainLine& main, const LoadedTable& now,
                               const std::string& as) const {
    Result<std::optional<Snapshot>> found = FindIn(context, main, now);
    if (!found.ok())
      return UnknownOutcomeError("the snapshot " + as +
                                 " cannot be looked at: " + found.error().message + "; run again");
    if (!found->has_value()) return BugError("the snapshot " + as + " is not there");
    return std::move(**found);
  }

  /// Write `rows` as a snapshot of `branch` on the main of `base`, adding what serves only this try
  /// to `written`.
  Result<iceberg::ProducedSnapshot> Produce(const Context& context, const TableMetadata& base,
                                            const Change& change,
                                            const iceberg::SnapshotChange& rows,
                                            std::string_view branch, int tries,
                                            std::vector<std::string>* written) {
    if (manifests_.empty()) first_base_ = base.current_snapshot_id;
    const iceberg::ProduceOptions options{.branch = std::string(branch),
                                          .snapshot_id = id_,
                                          .commit_uuid = FileTag(change.run, *context.random),
                                          .now_ms = MillisSinceEpoch(context.clock->Now()),
                                          .schema_id = change.schema_id,
                                          .parent = base.current_snapshot_id,
                                          .attempt = tries,
                                          .attempted = written};
    CALVE_ASSIGN_OR_RETURN(
        auto produced, iceberg::ProduceSnapshot(context, files_, base, rows, options, manifests_));
    TakeReusable(&produced, &manifests_, &kept_, written);
    return produced;
  }

 private:
  catalog::TableFiles files_;
  const std::string token_;
  const SnapshotId id_;
  std::optional<SnapshotId> first_base_;  ///< No try is below it in main.
  std::vector<iceberg::ManifestFile> manifests_;
  std::vector<std::string> kept_;
};

/// Refuse a change whose run started from another position than main has now.
Status CheckPosition(const Context& context, MainLine main, const LoadedTable& base,
                     const Change& change) {
  if (!change.position.has_value()) return Status::Ok();
  CALVE_ASSIGN_OR_RETURN(const NewestPosition now,
                         FindNewestPosition(context, main, base, change.pipeline));
  const bool same = now.held.has_value() ? change.position_before == now.held->snapshot_id
                                         : !change.position_before.has_value();
  if (same) return Status::Ok();
  return RefusedError(
      "the position of " + change.pipeline +
      " has moved since this run started: another run has published, or the table was rolled back; "
      "nothing of this run was published, run the job again");
}

/// Refuse a change that was computed from rows which are others now.
Status CheckBasis(const LoadedTable& base, const Change& change) {
  if (!change.basis.has_value() || change.basis->snapshot == base.metadata->current_snapshot_id)
    return Status::Ok();
  if (change.basis->still_holds) return change.basis->still_holds(base.metadata);
  return RefusedError(
      "the rows of this change were computed from those of the table, and main has moved since: "
      "they may be others now; discard the branch and run the job again");
}

/// Refuse files of which no column is the table's: their table was made anew.
Status CheckColumns(const TableMetadata& metadata, const Change& change) {
  if (change.schema == nullptr) return Status::Ok();
  const auto& fields = change.schema->fields();
  const bool known = std::any_of(fields.begin(), fields.end(), [&](const iceberg::Field& field) {
    return metadata.schema()->FindById(field.id) != nullptr;
  });
  if (known) return Status::Ok();
  return RefusedError(
      "the table has been made anew since these rows were written, and has none of their columns; "
      "discard their branch if there is one, and run the job again");
}

}  // namespace

std::string BranchOf(const std::string& run) { return "audit_" + run; }

std::mutex& Committer::QueueOf(const TableName& table) {
  std::lock_guard lock(queues_mutex_);
  auto& queue = queues_[table];
  if (queue == nullptr) queue = std::make_unique<std::mutex>();
  return *queue;
}

void Committer::Remove(const Context& context, const std::vector<std::string>& uris) {
  if (uris.empty()) return;
  if (Status deleted = files_.DeleteAll(context.WithStop({}), uris); !deleted.ok())
    LeaveFiles(context, deleted.error());
}

void Committer::LeaveFiles(const Context& context, const Error& why) {
  leaves_files_ = true;
  context.log->Warn("files that no table uses stay until the next run", {{"why", why.message}});
}

void Committer::RemoveLostTries(const Context& context, const Attempt& attempt,
                                const LoadedTable& now) {
  if (!attempt.outcome_open()) return;
  // What the catalog wrote for them, or did not remove behind the one that is in, is not known here.
  leaves_files_ = true;
  // Of what is in main a foreign writer may have hidden some, so that only a sweep can tell.
  if (catalog_.native_refs() != nullptr) return;
  // Each of them stood on a pointer that has moved since: it cannot come true any more, unless it
  // is the one that did.
  std::set<std::string> in_use;
  for (const Snapshot& snapshot : now.metadata->snapshots) in_use.insert(snapshot.manifest_list);
  std::vector<std::string> lost;
  for (const Attempt::OpenTry& open : attempt.open_tries) {
    const bool is_in = std::any_of(open.written.begin(), open.written.end(),
                                   [&](const std::string& uri) { return in_use.contains(uri); });
    if (is_in) continue;
    lost.insert(lost.end(), open.written.begin(), open.written.end());
  }
  Remove(context, lost);
}

Result<LoadedTable> Committer::Run(const Context& context, const TableName& table,
                                   Attempt& attempt) {
  std::lock_guard queue(QueueOf(table));
  Result<LoadedTable> done = Race(context, table, attempt);
  if (!attempt.holder.empty() && !(done.ok() && !HoldsLease(*done, attempt.holder))) {
    // Whoever waits would wait until it runs out, no more.
    (void)catalog_.Commit(context.WithStop({}),
                          {{.table = table, .change = {.updates = {EndLease()}}}});
  }
  if (done.ok()) RemoveLostTries(context, attempt, *done);
  if (done.ok() || !attempt.outcome_open()) return done;
  if (done.error().kind == ErrorKind::kUnknownOutcome) return done;
  return UnknownOutcomeError("whether the commit to " + table.ToString() +
                             " was applied is not known, and could not be looked up: " +
                             done.error().message + "; no file was removed, run again");
}

Result<LoadedTable> Committer::AwaitTurn(const Context& context, const TableName& table,
                                         Attempt& attempt) {
  for (int look = 1;; ++look) {
    CALVE_RETURN_IF_ERROR(context.CheckStop());
    CALVE_ASSIGN_OR_RETURN(LoadedTable base, LoadOrDraft(context, table, attempt.new_table));
    if (attempt.new_table != nullptr && base.metadata == attempt.new_table->draft.metadata)
      return base;
    const int64_t now_ms = MillisSinceEpoch(context.clock->Now());
    const bool ours = HoldsLease(base, attempt.holder);
    const std::optional<Lease> lease = FindLease(*base.metadata);
    const bool theirs = !ours && lease.has_value() && lease->IsInForce(now_ms, kLeaseMs);
    const bool may_go = ours || (!theirs && attempt.races_lost < kRacesBeforeLease);
    if (may_go || look >= kTurns.attempts_max) return base;
    if (!theirs) {
      if (attempt.holder.empty()) attempt.holder = NewUuidString(*context.random);
      const catalog::CommitOutcome asked = catalog_.Commit(
          context, {{.table = table,
                     .change = TakeLease(*base.metadata, attempt.holder, now_ms + kLeaseMs)}});
      if (std::holds_alternative<catalog::Committed>(asked)) continue;
      // Another was faster: look again. Where no lease can be had, go on without.
      if (!std::holds_alternative<catalog::Conflict>(asked)) return base;
    }
    CALVE_RETURN_IF_ERROR(Sleep(context, RetryDelay(context, kTurns, look)));
  }
}

Result<LoadedTable> Committer::Race(const Context& context, const TableName& table,
                                    Attempt& attempt) {
  Faults faults;
  for (attempt.tries = 1;; ++attempt.tries) {
    CALVE_RETURN_IF_ERROR(context.CheckStop());
    Result<LoadedTable> base = AwaitTurn(context, table, attempt);
    if (base.ok() && attempt.outcome_open()) {
      CALVE_ASSIGN_OR_RETURN(const bool landed, attempt.landed(*base));
      if (landed) return base;
    }
    std::vector<std::string> written;
    catalog::CommitOutcome outcome = catalog::Conflict{};
    if (!base.ok()) {
      outcome = catalog::Refused{base.error()};
    } else {
      const NewTable* made = attempt.new_table;
      if (made != nullptr && base->metadata != made->draft.metadata) {
        CALVE_RETURN_IF_ERROR(made->CheckServes(table, *base->metadata));
        made = nullptr;
      }
      Result<TableChange> change = attempt.compute(*base, &written);
      if (change.ok() && made != nullptr)
        change = WithTable(context, table, *made, std::move(*change));
      if (!change.ok() && change.error().kind != ErrorKind::kConflict) {
        Remove(context, written);
        return std::move(change).error();
      }
      if (!change.ok()) {
        outcome = catalog::Refused{RefusedError(change.error().message)};
      } else if (change->updates.empty()) {
        return base;
      } else {
        CALVE_RETURN_IF_ERROR(context.Step("commit.before_commit"));
        if (HoldsLease(*base, attempt.holder)) change->updates.push_back(EndLease());
        outcome = catalog_.Commit(context, {{.table = table, .change = *change}});
        if (std::holds_alternative<catalog::Unknown>(outcome))
          attempt.open_tries.push_back(
              {.base = *base, .change = std::move(*change), .written = std::move(written)});
      }
    }
    if (auto* committed = std::get_if<catalog::Committed>(&outcome))
      return std::move(committed->tables.front());
    if (auto* unknown = std::get_if<catalog::Unknown>(&outcome)) {
      if (!faults.Outlives(context.clock->Monotonic())) {
        return UnknownOutcomeError(
            "whether the commit to " + table.ToString() + " was applied is not known (" +
            unknown->reason +
            "); no file was removed, run again and the outcome is looked up first");
      }
    } else {
      if (std::holds_alternative<catalog::Conflict>(outcome)) ++attempt.races_lost;
      Remove(context, written);
      if (auto* refused = std::get_if<catalog::Refused>(&outcome)) {
        const bool passing = refused->error.kind == ErrorKind::kTransient;
        if (passing && base.ok()) leaves_files_ = true;
        if (!passing || !faults.Outlives(context.clock->Monotonic()))
          return std::move(refused->error);
      }
      if (attempt.tries >= kRaces.attempts_max) {
        return TransientError("other writers changed " + table.ToString() + " " +
                              FormatCount(attempt.tries) +
                              " times in a row before this commit could; run again");
      }
    }
    CALVE_RETURN_IF_ERROR(Sleep(context, RetryDelay(context, kRaces, attempt.tries)));
  }
}

Result<std::shared_ptr<const NewTable>> Committer::PlanTable(
    const Context& context, const TableName& table, const LoadedTable* unborn,
    const std::function<Result<iceberg::CreateTableOptions>(const std::string& location)>&
        options) {
  const TableMetadata* base = unborn == nullptr ? nullptr : unborn->metadata.get();
  std::string location;
  if (base != nullptr) {
    location = base->location;
  } else {
    CALVE_ASSIGN_OR_RETURN(location, catalog_.NewTableLocation(context, table));
  }
  CALVE_ASSIGN_OR_RETURN(const iceberg::CreateTableOptions create, options(location));
  auto planned = std::make_shared<NewTable>();
  CALVE_ASSIGN_OR_RETURN(planned->change, base == nullptr ? iceberg::CreateTable(create)
                                                          : iceberg::ReplaceTable(*base, create));
  if (unborn != nullptr) planned->draft.metadata_location = unborn->metadata_location;
  CALVE_ASSIGN_OR_RETURN(TableMetadata draft,
                         iceberg::Apply(base, planned->change,
                                        {.now_ms = MillisSinceEpoch(context.clock->Now()),
                                         .previous_location = planned->draft.metadata_location}));
  planned->draft.metadata = std::make_shared<const TableMetadata>(std::move(draft));
  return std::shared_ptr<const NewTable>(std::move(planned));
}

Result<LoadedTable> Committer::LoadOrDraft(const Context& context, const TableName& table,
                                           const NewTable* new_table) {
  Result<LoadedTable> loaded = catalog_.LoadTable(context, table);
  if (new_table == nullptr) return loaded;
  if (!loaded.ok() && loaded.error().kind != ErrorKind::kNotFound) return loaded;
  const std::string there = loaded.ok() ? loaded->metadata_location : "";
  return there == new_table->draft.metadata_location ? new_table->draft : loaded;
}

Result<TableChange> Committer::WithTable(const Context& context, const TableName& table,
                                         const NewTable& new_table, TableChange change) {
  CALVE_RETURN_IF_ERROR(context.Step("commit.before_create"));
  const bool is_there = !new_table.draft.metadata_location.empty();
  if (!is_there && catalog_.capabilities().namespaces_exist_without_tables) {
    for (size_t depth = 1; depth <= table.ns.size(); ++depth) {
      const catalog::Namespace ns(table.ns.begin(),
                                  table.ns.begin() + static_cast<ptrdiff_t>(depth));
      Status made = catalog_.CreateNamespace(context, ns, {});
      if (!made.ok() && made.error().kind != ErrorKind::kAlreadyExists)
        return std::move(made).error();
    }
  }
  // What the change requires was said of the draft; that the draft may come is all that counts.
  TableChange whole = new_table.change;
  whole.updates.insert(whole.updates.end(), change.updates.begin(), change.updates.end());
  return whole;
}

Result<LoadedTable> Committer::CreateTable(const Context& context, const TableName& table,
                                           const NewTable& new_table) {
  const std::string& uuid = new_table.draft.metadata->table_uuid;
  Attempt attempt;
  attempt.new_table = &new_table;
  attempt.compute = [](const LoadedTable&, std::vector<std::string>*) { return TableChange{}; };
  attempt.landed = [&](const LoadedTable& now) -> Result<bool> {
    return now.metadata->table_uuid == uuid;
  };
  CALVE_ASSIGN_OR_RETURN(LoadedTable made, Run(context, table, attempt));
  if (made.metadata->table_uuid == uuid) return made;
  return ConflictError("another writer has made " + table.ToString() + " meanwhile");
}

Result<Committer::ReservedSchema> Committer::ReserveSchema(
    const Context& context, const TableName& table,
    const std::function<Status(iceberg::SchemaUpdate& update)>& evolve) {
  iceberg::SchemaPtr wanted;
  Attempt attempt;
  attempt.compute = [&](const LoadedTable& base, std::vector<std::string>*) -> Result<TableChange> {
    iceberg::SchemaUpdate update(*base.metadata);
    CALVE_RETURN_IF_ERROR(evolve(update));
    CALVE_ASSIGN_OR_RETURN(wanted, update.Preview());
    const bool known = base.metadata->FindSchema(wanted->id()) != nullptr;
    if (known) return TableChange{};
    return update.Build(/*make_current=*/false);
  };
  attempt.landed = [&](const LoadedTable& now) -> Result<bool> {
    const auto& schemas = now.metadata->schemas;
    return std::any_of(schemas.begin(), schemas.end(),
                       [&](const auto& s) { return s->SameColumns(*wanted); });
  };
  CALVE_ASSIGN_OR_RETURN(LoadedTable loaded, Run(context, table, attempt));
  for (const iceberg::SchemaPtr& schema : loaded.metadata->schemas) {
    if (schema->SameColumns(*wanted)) return ReservedSchema{.table = loaded, .schema = schema};
  }
  return BugError("a schema that was just added to " + table.ToString() + " is not there");
}

Result<LoadedTable> Committer::Update(
    const Context& context, const TableName& table,
    const std::function<Result<TableChange>(const TableMetadata& base)>& compute) {
  Attempt attempt;
  attempt.compute = [&](const LoadedTable& base, std::vector<std::string>*) {
    return compute(*base.metadata);
  };
  attempt.landed = [&](const LoadedTable& now) -> Result<bool> {
    return std::any_of(attempt.open_tries.begin(), attempt.open_tries.end(),
                       [&](const Attempt::OpenTry& open) {
                         return IsNextVersion(context, files_, now, open.base, open.change);
                       });
  };
  return Run(context, table, attempt);
}

Result<Staged> Committer::Stage(const Context& context, const TableName& table, Change change,
                                const std::string& branch) {
  catalog::NativeRefs* refs = catalog_.native_refs();
  if (refs == nullptr) return StageOn(context, table, std::move(change), branch, branch);
  const Status made = MakeNativeBranch(context, *refs, branch);
  if (!made.ok() && made.error().kind == ErrorKind::kAlreadyExists) {
    return AlreadyExistsError("catalog " + catalog_.name() + " has a branch " + branch +
                              " already; publish or discard it first");
  }
  CALVE_RETURN_IF_ERROR(made);
  const auto there = refs->OnBranch(branch);
  Committer on_branch(*there, files_);
  Result<Staged> staged = on_branch.StageOn(context, table, std::move(change), branch,
                                            std::string(iceberg::kMainBranch));
  if (on_branch.leaves_files()) leaves_files_ = true;
  if (staged.ok() || staged.error().kind == ErrorKind::kUnknownOutcome) return staged;
  const Status dropped = DropNativeBranch(context.WithStop({}), *refs, branch);
  if (!dropped.ok()) LeaveFiles(context, dropped.error());
  return staged;
}

Result<Staged> Committer::StageOn(const Context& context, const TableName& table, Change change,
                                  const std::string& branch, const std::string& ref) {
  const bool is_native = ref != branch;
  Staged staged{.table = table,
                .branch = branch,
                .change = std::move(change),
                .snapshot = {},
                .loaded = {},
                .ledger = {}};
  NewSnapshot fresh(context, files_);
  Attempt attempt;
  attempt.new_table = staged.change.new_table.get();
  attempt.compute = [&](const LoadedTable& base,
                        std::vector<std::string>* written) -> Result<TableChange> {
    const TableMetadata& metadata = *base.metadata;
    if (!is_native && metadata.refs.contains(branch)) {
      return AlreadyExistsError("table " + table.ToString() + " has a branch " + branch +
                                " already; publish or discard it first");
    }
    CALVE_RETURN_IF_ERROR(CheckBasis(base, staged.change));
    CALVE_RETURN_IF_ERROR(CheckColumns(metadata, staged.change));
    if (staged.change.position.has_value() && !staged.change.position->ledger.empty() &&
        staged.ledger.empty()) {
      CALVE_ASSIGN_OR_RETURN(staged.ledger,
                             WriteLedger(context, files_, metadata, staged.change.run,
                                         staged.change.position->ledger));
      fresh.Keep(staged.ledger);
    }
    iceberg::SnapshotChange rows = staged.change.rows;
    rows.summary = SummaryOf(staged.change, staged.ledger, Proof::kPending, fresh.token());
    if (staged.change.schema_id.has_value()) {
      rows.summary[std::string(summary::kSchemaBase)] =
          std::to_string(metadata.current_schema_id.value());
    }
    CALVE_ASSIGN_OR_RETURN(auto produced, fresh.Produce(context, metadata, staged.change, rows, ref,
                                                        attempt.tries, written));
    // Who reads the branch as a table sees the columns that the rows bring.
    if (is_native && staged.change.schema_id.has_value())
      produced.change.updates.push_back(iceberg::SetCurrentSchema(*staged.change.schema_id));
    if (is_native) return std::move(produced.change);
    if (attempt.new_table != nullptr && base.metadata == attempt.new_table->draft.metadata) {
      produced.change.updates.push_back(iceberg::SetProperties(
          {{std::string(kFirstSchema), std::to_string(metadata.current_schema_id.value())}}));
    } else if (metadata.current_snapshot() == nullptr) {
      // A table without rows in main may be made anew.
      produced.change.requirements.push_back(
          iceberg::AssertCurrentSchemaId(metadata.current_schema_id));
    }
    return std::move(produced.change);
  };
  const MainLine main(catalog_, files_, table);
  attempt.landed = fresh.LandedIn(context, main);
  Result<LoadedTable> loaded = Run(context, table, attempt);
  if (!loaded.ok()) {
    if (!attempt.outcome_open()) Remove(context, fresh.kept());
    return std::move(loaded).error();
  }
  staged.loaded = std::move(*loaded);
  CALVE_ASSIGN_OR_RETURN(staged.snapshot,
                         fresh.FindBrought(context, main, staged.loaded,
                                           "staged on " + table.ToString() + "@" + branch));
  if (!is_native && staged.loaded.metadata->current_snapshot_id == staged.snapshot.id) {
    return RefusedError("catalog " + catalog_.name() + " was told to put the rows of " +
                        table.ToString() + " on branch " + branch +
                        ", and has put them into main, where they are read without an audit: it "
                        "keeps no branches; roll the table back, and load through a catalog that "
                        "keeps them");
  }
  return staged;
}

Result<Published> Committer::Publish(const Context& context, const Staged& staged,
                                     const PublishOptions& options) {
  catalog::NativeRefs* refs = catalog_.native_refs();
  if (refs == nullptr) {
    CALVE_ASSIGN_OR_RETURN(Published published, Bring(context, staged, options));
    CALVE_RETURN_IF_ERROR(context.Step("commit.after_publish"));
    RemovePending(context, staged, published, {});
    return published;
  }
  const std::string holder =
      options.proof == Proof::kManual ? NewUuidString(*context.random) : staged.change.run;
  CALVE_ASSIGN_OR_RETURN(const LoadedTable leased, LeaseNative(context, *refs, staged, holder));
  Result<Published> published = Bring(context, staged, options);
  if (!published.ok()) {
    if (published.error().kind != ErrorKind::kUnknownOutcome) UnleaseNative(context, *refs, staged);
    return published;
  }
  CALVE_RETURN_IF_ERROR(context.Step("commit.after_publish"));
  const Context to_the_end = context.WithStop({});
  Status dropped = DropNativeBranch(to_the_end, *refs, staged.branch);
  const auto used =
      IsOnNativeRefs(to_the_end, *refs, staged.table, staged.branch,
                     [&](const Snapshot& snapshot) { return snapshot.id == staged.snapshot.id; });
  if (dropped.ok()) dropped = StatusOf(used);
  if (!dropped.ok()) {
    LeaveFiles(context, dropped.error());
  } else if (!*used) {
    RemovePending(context, staged, *published,
                  {staged.loaded.metadata_location, leased.metadata_location});
  }
  return published;
}

Result<Published> Committer::Bring(const Context& context, const Staged& staged,
                                   const PublishOptions& options) {
  const bool is_native = catalog_.native_refs() != nullptr;
  NewSnapshot fresh(context, files_);
  Attempt attempt;
  if (is_native) attempt.new_table = staged.change.new_table.get();
  attempt.compute = [&](const LoadedTable& base,
                        std::vector<std::string>* written) -> Result<TableChange> {
    const TableMetadata& metadata = *base.metadata;
    if (!is_native) {
      CALVE_RETURN_IF_ERROR(CheckHead(metadata.FindRef(staged.branch), staged));
    }
    CALVE_RETURN_IF_ERROR(
        CheckPosition(context, {catalog_, files_, staged.table}, base, staged.change));
    CALVE_RETURN_IF_ERROR(CheckBasis(base, staged.change));
    CALVE_RETURN_IF_ERROR(CheckColumns(metadata, staged.change));
    iceberg::SnapshotChange rows = staged.change.rows;
    rows.summary = SummaryOf(staged.change, staged.ledger, options.proof, fresh.token());
    rows.summary[std::string(summary::kAuditedSnapshot)] =
        std::to_string(staged.snapshot.id.value());
    for (const auto& [key, value] : options.summary) rows.summary[key] = value;
    CALVE_ASSIGN_OR_RETURN(
        auto produced, fresh.Produce(context, metadata, staged.change, rows, iceberg::kMainBranch,
                                     attempt.tries, written));
    const bool main_moved = metadata.current_snapshot_id != staged.snapshot.parent_id;
    if (main_moved && options.recheck) {
      CALVE_ASSIGN_OR_RETURN(TableMetadata candidate,
                             iceberg::Apply(&metadata, produced.change,
                                            {.now_ms = MillisSinceEpoch(context.clock->Now()),
                                             .previous_location = base.metadata_location}));
      CALVE_RETURN_IF_ERROR(options.recheck(
          std::make_shared<const TableMetadata>(std::move(candidate)), produced.snapshot.id));
    }
    TableChange change = std::move(produced.change);
    if (staged.change.schema_id.has_value()) {
      const iceberg::SchemaPtr* schema = metadata.FindSchema(*staged.change.schema_id);
      const auto ancestor_id = ParseInteger(SummaryText(staged.snapshot, summary::kSchemaBase));
      const iceberg::SchemaPtr* ancestor =
          ancestor_id.has_value()
              ? metadata.FindSchema(iceberg::SchemaId(static_cast<int32_t>(*ancestor_id)))
              : nullptr;
      if (schema == nullptr || ancestor == nullptr) {
        return RefusedError("the schema of the rows staged on " + staged.branch +
                            " is gone from the table; discard the branch and run again");
      }
      CALVE_ASSIGN_OR_RETURN(TableChange merged, MergeSchema(metadata, **schema, **ancestor));
      change.Add(std::move(merged));
    }
    if (is_native) return change;
    change.requirements.push_back(iceberg::AssertRefSnapshotId(staged.branch, staged.snapshot.id));
    change.updates.push_back(iceberg::RemoveSnapshotRef(staged.branch));
    change.updates.push_back(iceberg::RemoveSnapshots({staged.snapshot.id}));
    if (metadata.properties.contains(std::string(kFirstSchema)))
      change.updates.push_back(iceberg::RemoveProperties({std::string(kFirstSchema)}));
    return change;
  };
  const MainLine main(catalog_, files_, staged.table);
  attempt.landed = fresh.LandedIn(context, main);
  Result<LoadedTable> run = Run(context, staged.table, attempt);
  if (!run.ok()) {
    if (!attempt.outcome_open()) Remove(context, fresh.kept());
    return std::move(run).error();
  }
  LoadedTable loaded = std::move(*run);
  CALVE_ASSIGN_OR_RETURN(
      Snapshot snapshot,
      fresh.FindBrought(context, main, loaded, "published to " + staged.table.ToString()));
  return Published{.snapshot_id = snapshot.id,
                   .snapshot = std::move(snapshot),
                   .loaded = std::move(loaded),
                   .attempts = attempt.tries};
}

void Committer::RemovePending(const Context& context, const Staged& staged,
                              const Published& published,
                              const std::vector<std::string>& branch_metadata) {
  // The pending snapshot is out of the metadata: its own list and manifests serve nobody. Losing
  // them here costs bytes, not rows. Also when asked to stop: the run has ended well, nobody sweeps.
  const TableMetadata& now = *published.loaded.metadata;
  if (catalog_.native_refs() == nullptr && IsBaseGone(staged.snapshot, now)) {
    const auto unreached = FindUnreached(context.WithStop({}), catalog_, files_, staged.table,
                                         *staged.loaded.metadata, {&staged.snapshot});
    if (!unreached.ok()) return LeaveFiles(context, unreached.error());
    return Remove(context, unreached->files);
  }
  catalog::TableFiles table_files(files_);
  Result<OwnFiles> own = FindOwnFiles(context.WithStop({}), table_files, *staged.loaded.metadata,
                                      staged.snapshot, &published.snapshot);
  if (!own.ok()) return LeaveFiles(context, own.error());
  Remove(context, own->metadata);
  Remove(context, branch_metadata);
}

Result<Published> Committer::Commit(const Context& context, const TableName& table, Change change,
                                    Proof proof) {
  NewSnapshot fresh(context, files_);
  std::string ledger;
  Attempt attempt;
  attempt.new_table = change.new_table.get();
  attempt.compute = [&](const LoadedTable& base,
                        std::vector<std::string>* written) -> Result<TableChange> {
    const TableMetadata& metadata = *base.metadata;
    CALVE_RETURN_IF_ERROR(CheckPosition(context, {catalog_, files_, table}, base, change));
    CALVE_RETURN_IF_ERROR(CheckBasis(base, change));
    if (change.position.has_value() && !change.position->ledger.empty() && ledger.empty()) {
      CALVE_ASSIGN_OR_RETURN(
          ledger, WriteLedger(context, files_, metadata, change.run, change.position->ledger));
      fresh.Keep(ledger);
    }
    iceberg::SnapshotChange rows = change.rows;
    rows.summary = SummaryOf(change, ledger, proof, fresh.token());
    CALVE_ASSIGN_OR_RETURN(auto produced,
                           fresh.Produce(context, metadata, change, rows, iceberg::kMainBranch,
                                         attempt.tries, written));
    return std::move(produced.change);
  };
  const MainLine main(catalog_, files_, table);
  attempt.landed = fresh.LandedIn(context, main);
  Result<LoadedTable> loaded = Run(context, table, attempt);
  if (!loaded.ok()) {
    if (!attempt.outcome_open()) Remove(context, fresh.kept());
    return std::move(loaded).error();
  }
  CALVE_ASSIGN_OR_RETURN(Snapshot snapshot, fresh.FindBrought(context, main, *loaded,
                                                              "committed to " + table.ToString()));
  return Published{.snapshot_id = snapshot.id,
                   .snapshot = std::move(snapshot),
                   .loaded = std::move(*loaded),
                   .attempts = attempt.tries};
}

}  // namespace calve::commit

#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/context.h"
#include "base/result.h"
#include "catalog/catalog.h"
#include "commit/new_table.h"
#include "commit/position.h"
#include "commit/proof.h"
#include "iceberg/produce.h"
#include "iceberg/update.h"
#include "io/file_system.h"

namespace calve::commit {

/// Rows and position that become one snapshot, independent of the base they will stand on.
struct Change {
  iceberg::SnapshotChange rows;
  std::string pipeline;  ///< The job's id.
  std::string run;       ///< The run's id; in the names of all files it writes.
  std::optional<Position> position;
  /// With a position: the snapshot that held the one this run started from; nothing when there was
  /// none. When main says otherwise at the time of the commit, another run has moved the position
  /// (or a rollback has), and these rows would be doubled or skipped: the commit is refused.
  std::optional<iceberg::SnapshotId> position_before;
  std::optional<iceberg::SchemaId>
      schema_id;  ///< Of the rows, when newer than the table's current (see ReserveSchema).
  iceberg::SchemaPtr schema;  ///< The columns of the files; null when they are not to be compared.
  /// The table that the files were written for, where it is to come with them; null: it is there.
  std::shared_ptr<const NewTable> new_table;
  /// What rows were computed from that depend on those of the table, as a merge's do.
  struct Basis {
    std::optional<iceberg::SnapshotId> snapshot;  ///< Main's head; nothing when it had none.
    /// See that the change is right on another head too; asked before every try on one. An error
    /// keeps main where it is. Empty: on another head it is refused.
    std::function<Status(const iceberg::MetadataPtr& now)> still_holds;
  };
  std::optional<Basis> basis;
};

/// A snapshot on its branch, not yet in main.
struct Staged {
  catalog::TableName table;
  std::string branch;
  Change change;
  iceberg::Snapshot snapshot;
  catalog::LoadedTable loaded;  ///< The table right after staging.
  std::string ledger;           ///< URI; empty when there is none.
};

/// Main's head after a publish.
struct Published {
  iceberg::SnapshotId snapshot_id;
  iceberg::Snapshot snapshot;
  catalog::LoadedTable loaded;
  int attempts = 1;  ///< How many times the race for the pointer was run.
};

/// Judge the rows again when main has moved since they were staged: whole-table checks on
/// `candidate`, a snapshot of `metadata` that is not yet committed. An error keeps main where it
/// is.
using Recheck =
    std::function<Status(const iceberg::MetadataPtr& metadata, iceberg::SnapshotId candidate)>;

struct PublishOptions {
  Proof proof = Proof::kTable;
  std::map<std::string, std::string>
      summary;      ///< More keys for the snapshot, such as who published it.
  Recheck recheck;  ///< May be empty: nothing to judge again.
};

/// The files that a table reaches by any of its snapshots, and that lie in its folders.
struct TableExtent {
  std::vector<std::string> row_files;       ///< URIs of data and delete files.
  std::vector<std::string> metadata_files;  ///< Of metadata, manifests, ledgers and statistics.
  int64_t files_elsewhere = 0;              ///< Reached, but not in the table's folders.
  ByteCount bytes{0};                       ///< Of the row files.
};

/// Brings changes into tables: one queue a table in this process, optimistic against other
/// processes, never a guess about an outcome.
///
/// The only place that deletes files, and only after a proven failure or a proven removal. Threads:
/// any, at once.
class Committer {
 public:
  Committer(catalog::Catalog& catalog, io::FileSystem& files) : catalog_(catalog), files_(files) {}

  /// Plan a table that the first change with rows brings with it; changes nothing. `unborn`: the
  /// table that is there without rows, to be made anew; null: there is none.
  Result<std::shared_ptr<const NewTable>> PlanTable(
      const Context& context, const catalog::TableName& table, const catalog::LoadedTable* unborn,
      const std::function<Result<iceberg::CreateTableOptions>(const std::string& location)>&
          options);

  /// The newest metadata; while nobody has made or changed the planned table, its draft.
  /// `new_table` may be null.
  Result<catalog::LoadedTable> LoadOrDraft(const Context& context, const catalog::TableName& table,
                                           const NewTable* new_table);

  /// Make the planned table, without rows. Fails with kConflict when another writer was faster.
  Result<catalog::LoadedTable> CreateTable(const Context& context, const catalog::TableName& table,
                                           const NewTable& new_table);

  /// Add the schema that `evolve` computes on the newest metadata, not yet current, so that its
  /// field ids are this writer's. Returns the table and the schema; without change the current one.
  struct ReservedSchema {
    catalog::LoadedTable table;
    iceberg::SchemaPtr schema;
  };
  Result<ReservedSchema> ReserveSchema(
      const Context& context, const catalog::TableName& table,
      const std::function<Status(iceberg::SchemaUpdate& update)>& evolve);

  /// Put the change on a new branch, made from main's head, as pending; a new table comes with it.
  /// Fails with kAlreadyExists when the branch is there, kConflict when the files do not fit the
  /// table that another writer has made meanwhile: nothing is staged, plan again.
  Result<Staged> Stage(const Context& context, const catalog::TableName& table, Change change,
                       const std::string& branch);

  /// Move main to the staged rows, proved; the branch and its pending snapshot go in the same
  /// commit. When main has moved, the same files are put on the new head and `recheck` judges the
  /// result first.
  Result<Published> Publish(const Context& context, const Staged& staged,
                            const PublishOptions& options);

  /// Stage and publish in one snapshot, for rows that need no table audit (streams, quarantine,
  /// upkeep). Fails with kConflict as Stage does.
  Result<Published> Commit(const Context& context, const catalog::TableName& table, Change change,
                           Proof proof);

  /// Branches with rows of a job that wait for their audit, or for a decision.
  struct StagedBranch {
    std::string name;
    std::string run;
  };
  Result<std::vector<StagedBranch>> ListStaged(const Context& context,
                                               const catalog::TableName& table,
                                               const std::string& pipeline);

  /// Find a staged branch again, by its name, to publish or discard it in another process. Fails
  /// with kNotFound.
  Result<Staged> FindStaged(const Context& context, const catalog::TableName& table,
                            const std::string& branch);

  /// Drop a branch with its pending snapshot, then the files that only that snapshot had, but for
  /// the data files `kept`, which the caller stages again. Fails with kRefused while somebody
  /// publishes it; `run_is_over`: the run that staged it does so no more.
  Status Discard(const Context& context, const catalog::TableName& table, const std::string& branch,
                 const std::set<std::string>& kept = {}, bool run_is_over = false);

  /// Change metadata only (refs, properties, schema): computed anew on each base until it is in.
  Result<catalog::LoadedTable> Update(
      const Context& context, const catalog::TableName& table,
      const std::function<Result<iceberg::TableChange>(const iceberg::TableMetadata& base)>&
          compute);

  /// Find the files of a table; for who wants to see what goes before it is dropped.
  Result<TableExtent> ExtentOf(const Context& context, const catalog::LoadedTable& table);
  /// See that a table can be dropped, with its files when there is `purged`. Fails with kRefused when
  /// they are not to be removed, or cannot stay.
  Status CheckDrop(const catalog::TableName& table, const catalog::LoadedTable& known,
                   const TableExtent* purged);
  /// Take a table out of the catalog; with `purged` its files go too. Fails as CheckDrop does, and
  /// with kConflict when the table is no longer `known`.
  Status Drop(const Context& context, const catalog::TableName& table,
              const catalog::LoadedTable& known, const TableExtent* purged);

  /// What of a table's past is to be given up.
  struct Expiry {
    std::set<iceberg::SnapshotId> snapshots;
    std::vector<std::string> refs;  ///< Branches and tags that go first.
  };
  struct Expired {
    int64_t snapshots = 0;
    int64_t refs = 0;
    int64_t files = 0;   ///< Deleted, of whatever kind.
    ByteCount bytes{0};  ///< Of the data and delete files among them.
  };
  /// Remove snapshots from the metadata, then the files that only they had. `choose` is asked on
  /// each base anew; nothing chosen changes nothing. A pipeline's newest position stays known.
  /// Fails with kRefused for a table whose files may be those of others (gc.enabled = false), or
  /// whose snapshots the catalog's own branches share.
  Result<Expired> Expire(
      const Context& context, const catalog::TableName& table,
      const std::function<Result<Expiry>(const iceberg::TableMetadata& base)>& choose);

  /// Files in a table's folders that nothing of it reaches.
  struct Orphans {
    std::vector<std::string> files;  ///< URIs.
    ByteCount bytes{0};
    int64_t unknown = 0;  ///< Others that are of no kind that Iceberg's writers make: they stay.
  };
  /// Find the files that a table has lost: those of loads that died, of commits that failed. Files
  /// that changed less than `age_min` ago may be those of a load that is under way. Fails with
  /// kRefused where it cannot be told to whom a file belongs: gc.enabled = false, a catalog with
  /// branches of its own, a metadata file of another table in the folder.
  Result<Orphans> FindOrphans(const Context& context, const catalog::TableName& table,
                              Duration age_min);
  /// Remove those that the table, loaded anew, does not reach now either. Returns how many.
  Result<int64_t> RemoveOrphans(const Context& context, const catalog::TableName& table,
                                const Orphans& found);

  /// Remove what a run that is surely over left behind in a table's folders: files with its id in
  /// their name that no snapshot has, and metadata files that lost their race.
  struct Swept {
    int64_t removed = 0;
    /// A metadata file is the next one of the table, or the first: its writer may be dead, or about
    /// to commit. Sweep again after the table has moved on.
    bool again = false;
  };
  /// `planned_location`: where the run would have made the table, when elsewhere than the catalog
  /// says.
  Result<Swept> Sweep(const Context& context, const catalog::TableName& table,
                      const std::string& run, const std::string& planned_location = "");

  /// Remove the branch of the catalog's own that a run, which is surely over, has left behind without
  /// rows that wait: it had none yet, or they are in main.
  Status SweepBranch(const Context& context, const catalog::TableName& table,
                     const std::string& run);

  /// Log that files which no snapshot has stay, since they could not be removed.
  void LeaveFiles(const Context& context, const Error& why);
  /// Whether files may lie around that no snapshot has: some could not be removed, or the catalog
  /// has met a fault half way. A sweep of the run finds them.
  bool leaves_files() const { return leaves_files_; }

 private:
  struct Attempt;
  std::mutex& QueueOf(const catalog::TableName& table);
  /// Run `attempt` against the newest metadata until it is in, refused, or out of tries. An error
  /// other than kUnknownOutcome says that nothing of it is in, nor ever will be.
  Result<catalog::LoadedTable> Run(const Context& context, const catalog::TableName& table,
                                   Attempt& attempt);
  Result<catalog::LoadedTable> Race(const Context& context, const catalog::TableName& table,
                                    Attempt& attempt);
  /// The newest metadata, once no other writer has asked to go first. After too many lost races ask
  /// for that.
  Result<catalog::LoadedTable> AwaitTurn(const Context& context, const catalog::TableName& table,
                                         Attempt& attempt);
  /// Put what makes the table before a change that was computed on its draft.
  Result<iceberg::TableChange> WithTable(const Context& context, const catalog::TableName& table,
                                         const NewTable& new_table, iceberg::TableChange change);
  /// Stage under a reference of the table, which is `branch` or, on a branch of the catalog's own,
  /// main.
  Result<Staged> StageOn(const Context& context, const catalog::TableName& table, Change change,
                         const std::string& branch, const std::string& ref);
  /// Move main to staged rows; with branches of the table's, theirs goes in the same commit.
  Result<Published> Bring(const Context& context, const Staged& staged,
                          const PublishOptions& options);
  /// Remove what only the pending snapshot of rows that are published had.
  void RemovePending(const Context& context, const Staged& staged, const Published& published,
                     const std::vector<std::string>& branch_metadata);
  /// Take the lease of rows on a branch of the catalog's own (see kPublishLeaseMs), and end it.
  Result<catalog::LoadedTable> LeaseNative(const Context& context, catalog::NativeRefs& refs,
                                           const Staged& staged, const std::string& holder);
  void UnleaseNative(const Context& context, catalog::NativeRefs& refs, const Staged& staged);
  /// A branch as it stands, also when its rows are in main already.
  Result<Staged> ReadStaged(const Context& context, const catalog::TableName& table,
                            const std::string& branch);
  /// The snapshot in main that holds the rows of a staged one; nothing while there is none.
  Result<std::optional<iceberg::Snapshot>> FindInMain(const Context& context,
                                                      const catalog::TableName& table,
                                                      iceberg::SnapshotId staged);
  Status DiscardNative(const Context& context, catalog::NativeRefs& refs,
                       const catalog::TableName& table, const std::string& branch,
                       const std::set<std::string>& kept, bool run_is_over);
  void Remove(const Context& context, const std::vector<std::string>& uris);
  /// Remove the files of tries whose reply was lost, now that another one is in.
  void RemoveLostTries(const Context& context, const Attempt& attempt,
                       const catalog::LoadedTable& now);

  catalog::Catalog& catalog_;
  io::FileSystem& files_;
  std::mutex queues_mutex_;
  std::map<catalog::TableName, std::unique_ptr<std::mutex>> queues_;
  std::atomic<bool> leaves_files_ = false;
};

/// Whether a branch was made by calve for a run: `audit_` and the run's id.
std::string BranchOf(const std::string& run);

}  // namespace calve::commit

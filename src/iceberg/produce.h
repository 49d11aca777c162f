#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/context.h"
#include "base/result.h"
#include "iceberg/expression.h"
#include "iceberg/files.h"
#include "iceberg/manifest.h"
#include "iceberg/manifest_rewrite.h"
#include "iceberg/metadata.h"
#include "iceberg/update.h"

namespace calve::iceberg {

/// What a new snapshot changes, independent of the base it will stand on.
struct SnapshotChange {
  Operation operation = Operation::kAppend;
  std::vector<DataFilePtr> added_data_files;
  /// For those added data files, by path, that hold rows of the base laid out anew with its deletes
  /// applied: the base's sequence number at that time, so that only younger deletes apply to them
  /// and nobody takes their rows for new ones. Others get the snapshot's own.
  std::map<std::string, SequenceNumber> data_sequence_numbers;
  std::vector<DataFilePtr> added_delete_files;
  /// Files to take out, by exact path; each must be live on the base, else kConflict naming it. The
  /// path of a Puffin file takes out all its deletion vectors.
  std::vector<std::string> removed_paths;
  /// Delete files and deletion vectors to take out, each by path and offset. A new deletion vector
  /// of a data file needs the one that it replaces here: else kConflict, since somebody added that
  /// one meanwhile.
  std::vector<DataFilePtr> removed_delete_files;
  /// Take out every live file that may not keep any row: all files whose rows all match. A file
  /// that matches only in part is a kRefused error naming it (row-level deletes belong to the
  /// caller).
  std::optional<Expression> remove_matching;
  /// Take out all live files in the partitions that the added files fall into (dynamic overwrite).
  bool replace_partitions = false;
  /// Put the added files into manifests of their own without looking at older ones (fast append),
  /// or also merge small manifests by commit.manifest.* properties.
  bool merge_manifests = false;
  /// Lay the base's manifests out anew: their live entries as they are (sequence numbers, snapshots
  /// and row ids included), by partition, up to the target's size. The summary counts them as
  /// entries-processed.
  ManifestRewrite manifest_rewrite = ManifestRewrite::kNone;
  std::map<std::string, std::string> summary;  ///< Besides the counts, which are computed.
};

/// Where and as what the snapshot is made.
struct ProduceOptions {
  std::string branch = std::string(kMainBranch);  ///< Made from main's head when it does not exist.
  SnapshotId snapshot_id;                         ///< Chosen by the caller, unique in the table.
  std::string commit_uuid;                        ///< In the names of manifests and lists.
  int64_t now_ms = 0;
  std::optional<SchemaId> schema_id;  ///< Default: the current schema's.
  std::optional<SnapshotId> parent;   ///< Default: the branch's head, else main's.
  int attempt = 1;  ///< In the names of files: a retry with the same uuid counts on.
  /// When given, gets each URI before it is written, so that what a failed attempt left can be
  /// removed.
  std::vector<std::string>* attempted = nullptr;
};

/// A snapshot whose manifests and list are written, and the change that makes it the branch's head.
struct ProducedSnapshot {
  Snapshot snapshot;
  TableChange
      change;  ///< AddSnapshot and SetSnapshotRef with AssertTableUuid and AssertRefSnapshotId.
  std::vector<std::string>
      written;  ///< URIs written for this attempt, to be removed after a proven failure.
  std::vector<ManifestFile>
      reusable;  ///< Manifests of the added files, good for another attempt on another base.
};

/// Write manifests and a manifest list for `change` on top of `base`. Pure but for the files it
/// writes under
/// `<location>/metadata/`. `reuse` are the manifests of an earlier attempt of the same change under
/// the same snapshot id; what earlier attempts wrote and the last one's `reusable` does not name is
/// garbage once that one is committed.
///
/// Delete files that refer only to removed data files are taken out with them. Summary counts
/// (added-*, deleted-*, total-*, changed-partition-count) follow Iceberg's names. In v3 row ids are
/// assigned from next-row-id. Fails with kConflict when what is to be removed is gone, or a data
/// file that added deletes refer to; kRefused for a table of version 1.
Result<ProducedSnapshot> ProduceSnapshot(const Context& context, Files& files,
                                         const TableMetadata& base, const SnapshotChange& change,
                                         const ProduceOptions& options,
                                         const std::vector<ManifestFile>& reuse = {});

/// A snapshot id as Iceberg's writers make it: random, positive, unused in `base`.
SnapshotId NewSnapshotId(Random& random, const TableMetadata* base);

// References, as pure changes.

/// Point a branch or tag at a snapshot that the table has; `expected` is what the ref must be now
/// (nullopt: must not exist).
TableChange SetRef(const TableMetadata& base, std::string name, SnapshotRef ref,
                   std::optional<SnapshotId> expected);
/// Remove a branch or tag; main is refused with kConfig.
Result<TableChange> RemoveRef(const TableMetadata& base, const std::string& name);
/// Whether `ancestor` is `of` or one of its ancestors.
bool IsAncestor(const TableMetadata& metadata, SnapshotId ancestor, SnapshotId of);

}  // namespace calve::iceberg

#include "commit/main_line.h"

#include <utility>
#include <vector>

#include "catalog/metadata_store.h"
#include "catalog/native_refs.h"

namespace calve::commit {
namespace {

using iceberg::Snapshot;
using iceberg::SnapshotId;
using iceberg::TableMetadata;
using Wanted = std::function<bool(const Snapshot&)>;

/// Commits of the log that are looked at for what a foreign writer has hidden.
constexpr int kCommitsMax = 100'000;

/// How far one metadata file tells of a line.
struct Stretch {
  const Snapshot* found = nullptr;
  const Snapshot* last = nullptr;     ///< The oldest that was seen.
  std::optional<SnapshotId> missing;  ///< The parent of `last`, which the file does not hold.
};

Stretch WalkStretch(const TableMetadata& metadata, const Snapshot* from, const Wanted& is_wanted) {
  Stretch stretch;
  for (const Snapshot* snapshot = from; snapshot != nullptr;) {
    stretch.last = snapshot;
    if (is_wanted(*snapshot)) {
      stretch.found = snapshot;
      break;
    }
    if (!snapshot->parent_id.has_value()) break;
    const Snapshot* parent = metadata.FindSnapshot(*snapshot->parent_id);
    if (parent == nullptr) stretch.missing = snapshot->parent_id;
    snapshot = parent;
  }
  return stretch;
}

/// Whether a snapshot without a parent is the first of its table for sure.
bool IsFirst(const Snapshot& snapshot) { return snapshot.sequence_number.value() == 1; }

/// What main of one table was, by the catalog's log: the newest first, each with rows.
struct Head {
  std::string metadata_location;
  SnapshotId snapshot;
};

Result<std::vector<Head>> ReadHeads(const Context& context, catalog::NativeRefs& refs,
                                    const catalog::TableName& table, bool* whole) {
  CALVE_ASSIGN_OR_RETURN(const auto log, refs.Log(context, refs.branch(), "", kCommitsMax));
  *whole = log.size() < static_cast<size_t>(kCommitsMax);
  std::vector<Head> heads;
  for (const catalog::NativeCommit& commit : log) {
    for (const auto& change : commit.changes) {
      if (change.name != table) continue;
      if (!change.metadata_location.has_value()) {  // Below it lies another table of this name.
        *whole = true;
        return heads;
      }
      if (change.snapshot_id.has_value())
        heads.push_back({*change.metadata_location, *change.snapshot_id});
    }
  }
  return heads;
}

/// The commit that brought a snapshot in: the oldest that has it as head, since a rollback makes it
/// the head again.
std::optional<size_t> FindMaking(const std::vector<Head>& heads, SnapshotId snapshot) {
  for (size_t at = heads.size(); at > 0; --at) {
    if (heads[at - 1].snapshot == snapshot) return at - 1;
  }
  return std::nullopt;
}

}  // namespace

Result<MainLine::Walk> MainLine::Find(const Context& context, const catalog::LoadedTable& loaded,
                                      const Wanted& is_wanted) const {
  Stretch stretch = WalkStretch(*loaded.metadata, loaded.metadata->current_snapshot(), is_wanted);
  const auto told = [&](bool whole) {
    Walk walk{.found = std::nullopt, .whole = whole};
    if (stretch.found != nullptr) walk.found = *stretch.found;
    return walk;
  };
  catalog::NativeRefs* refs = catalog_.native_refs();
  const bool may_be_hidden = stretch.found == nullptr && stretch.last != nullptr &&
                             (stretch.missing.has_value() || !IsFirst(*stretch.last));
  if (refs == nullptr || !may_be_hidden) return told(!stretch.missing.has_value());

  bool log_is_whole = true;
  CALVE_ASSIGN_OR_RETURN(const std::vector<Head> heads,
                         ReadHeads(context, *refs, table_, &log_is_whole));
  catalog::MetadataStore store(files_);
  catalog::LoadedTable earlier;  // Keeps what `stretch` points to.
  std::optional<SnapshotId> sought =
      stretch.missing.has_value() ? stretch.missing : stretch.last->id;
  // Every round goes down to an older commit, so that it ends.
  for (size_t reached = 0; sought.has_value();) {
    std::optional<size_t> at = FindMaking(heads, *sought);
    // One that came in beside others, in the merge of a branch, was never the head of main.
    if (!at.has_value() && reached < heads.size()) {
      sought = heads[reached].snapshot;
      at = FindMaking(heads, *sought);
    }
    if (!at.has_value() || *at < reached) return told(false);
    CALVE_ASSIGN_OR_RETURN(earlier, store.Load(context, heads[*at].metadata_location));
    stretch = WalkStretch(*earlier.metadata, earlier.metadata->FindSnapshot(*sought), is_wanted);
    if (stretch.found != nullptr) return told(true);
    if (stretch.last == nullptr) return told(false);
    reached = *at + 1;
    sought = stretch.missing;
    if (sought.has_value() || IsFirst(*stretch.last)) continue;
    if (reached == heads.size()) return told(log_is_whole);
    const SnapshotId before = heads[reached].snapshot;
    // A table that was replaced has the earlier rows' snapshots still, and begins anew.
    if (earlier.metadata->FindSnapshot(before) != nullptr) return told(true);
    sought = before;
  }
  return told(true);
}

}  // namespace calve::commit

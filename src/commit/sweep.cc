#include <algorithm>
#include <charconv>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "catalog/metadata_store.h"
#include "catalog/native_refs.h"
#include "catalog/table_files.h"
#include "commit/committer.h"
#include "commit/own_files.h"
#include "commit/reach.h"
#include "iceberg/manifest.h"

namespace calve::commit {
namespace {

using iceberg::TableMetadata;

/// The number in a metadata file's name (00007-<uuid>.metadata.json; v7.metadata.json of a
/// filesystem catalog), or -1.
int64_t MetadataNumber(std::string_view name) {
  if (!name.ends_with(".metadata.json") && !name.ends_with(".metadata.json.gz")) return -1;
  const bool by_version = name.starts_with('v');
  if (by_version) name.remove_prefix(1);
  int64_t number = -1;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  const bool ends = end != name.data() + name.size() && *end == (by_version ? '.' : '-');
  return error == std::errc() && ends ? number : -1;
}

/// The table as each branch and tag of the catalog's own has it, main last; only main's where
/// branches are the table's.
Result<std::vector<catalog::LoadedTable>> LoadEverywhere(const Context& context,
                                                         catalog::Catalog& catalog,
                                                         const catalog::TableName& table) {
  std::vector<catalog::LoadedTable> everywhere;
  std::vector<catalog::NativeBranch> refs;
  catalog::NativeRefs* native = catalog.native_refs();
  if (native != nullptr) {
    CALVE_ASSIGN_OR_RETURN(refs, native->ListRefs(context));
  }
  for (const catalog::NativeBranch& ref : refs) {
    Result<catalog::LoadedTable> there = native->OnBranch(ref.name)->LoadTable(context, table);
    if (!there.ok() && there.error().kind == ErrorKind::kNotFound) continue;
    CALVE_RETURN_IF_ERROR(there);
    everywhere.push_back(std::move(*there));
  }
  CALVE_ASSIGN_OR_RETURN(catalog::LoadedTable main, catalog.LoadTable(context, table));
  everywhere.push_back(std::move(main));
  return everywhere;
}

/// Whether the newest rows of a metadata file are of a run; not, when it could not be read.
bool IsOfRun(const Result<TableMetadata>& found, const std::string& run) {
  if (!found.ok() || found->current_snapshot() == nullptr) return false;
  return SummaryText(*found->current_snapshot(), summary::kRun) == run;
}

/// Files whose name holds the run's id; a folder that is not there holds none.
Result<std::vector<std::string>> FilesOfRun(const Context& context, io::FileSystem& files,
                                            const std::string& folder, const std::string& run) {
  std::vector<std::string> found;
  const std::string tag = ToLower(run);
  Status listed = files.List(context, folder, {.recursive = true},
                             [&](std::span<const io::FileInfo> page) -> Result<bool> {
                               for (const io::FileInfo& info : page) {
                                 if (ToLower(FileName(info.uri)).find(tag) != std::string::npos)
                                   found.push_back(info.uri);
                               }
                               return true;
                             });
  if (!listed.ok() && listed.error().kind != ErrorKind::kNotFound) return std::move(listed).error();
  return found;
}

/// Whether a metadata file surely belongs to another table, which was dropped from the catalog and
/// had this place: somebody may want it back. One that holds nothing but what `run`, which is over,
/// has staged, is no loss to anybody.
bool IsOfAnotherTable(const Result<TableMetadata>& found, const TableMetadata& table,
                      const std::string& run) {
  if (!found.ok()) return true;
  const auto is_staged = [&](const iceberg::Snapshot& snapshot) {
    const auto owner = snapshot.summary.find(std::string(summary::kRun));
    const bool ours = owner != snapshot.summary.end() && ToLower(owner->second) == ToLower(run);
    return ours && found->metadata_log.empty();
  };
  return found->table_uuid != table.table_uuid &&
         !std::all_of(found->snapshots.begin(), found->snapshots.end(), is_staged);
}

/// Metadata files that no log has. Those older than the oldest one logged fell out of the log:
/// theirs is the same fate as a commit would give them.
struct LooseMetadata {
  std::vector<std::string> lost;     ///< Their number is taken: the swap has failed for good.
  std::vector<std::string> waiting;  ///< Their number is not reached yet.
};

/// With branches of the catalog's own the metadata files of all of them lie here: `on_branches` is
/// set, and only what the run itself has staged is loose.
Result<LooseMetadata> FindLooseMetadata(const Context& context, io::FileSystem& files,
                                        const catalog::LoadedTable& table, const std::string& run,
                                        bool on_branches) {
  const TableMetadata& metadata = *table.metadata;
  const int64_t current = MetadataNumber(FileName(table.metadata_location));
  LooseMetadata loose;
  if (current < 0) return loose;
  int64_t oldest = current;
  Names logged = {std::string(FileName(table.metadata_location))};
  for (const iceberg::MetadataLogEntry& entry : metadata.metadata_log) {
    const std::string_view name = FileName(entry.metadata_file);
    logged.emplace(name);
    const int64_t number = MetadataNumber(name);
    if (number >= 0) oldest = std::min(oldest, number);
  }
  const bool prunes =
      metadata.Property("write.metadata.delete-after-commit.enabled", "false") == "true";
  const auto look = [&](std::span<const io::FileInfo> page) -> Result<bool> {
    for (const io::FileInfo& info : page) {
      const std::string_view name = FileName(info.uri);
      const int64_t number = MetadataNumber(name);
      if (number < (prunes ? 0 : oldest) || logged.contains(name)) continue;
      const Result<TableMetadata> found = ReadMetadata(context, files, info.uri);
      if (on_branches && !IsOfRun(found, run)) continue;
      if (IsOfAnotherTable(found, metadata, run)) continue;
      (number <= current ? loose.lost : loose.waiting).push_back(info.uri);
    }
    return true;
  };
  Status listed = files.List(context, catalog::MetadataFolder(metadata), {}, look);
  if (!listed.ok() && listed.error().kind != ErrorKind::kNotFound) return std::move(listed).error();
  return loose;
}

/// Whether a folder holds any file.
Result<bool> HoldsFiles(const Context& context, io::FileSystem& files, const std::string& folder) {
  bool holds = false;
  Status listed = files.List(context, folder, {.recursive = true},
                             [&](std::span<const io::FileInfo> page) -> Result<bool> {
                               holds = holds || !page.empty();
                               return !holds;
                             });
  if (!listed.ok() && listed.error().kind != ErrorKind::kNotFound) return std::move(listed).error();
  return holds;
}

}  // namespace

Result<Committer::Swept> Committer::Sweep(const Context& context, const catalog::TableName& table,
                                          const std::string& run,
                                          const std::string& planned_location) {
  // The listings come before the metadata: what a commit adds after the listing is not in it, what
  // came before is reachable.
  const Result<catalog::LoadedTable> before = catalog_.LoadTable(context, table);
  if (!before.ok() && before.error().kind == ErrorKind::kNotFound) {
    std::string place = planned_location;
    if (place.empty()) {
      CALVE_ASSIGN_OR_RETURN(place, catalog_.NewTableLocation(context, table));
    }
    CALVE_ASSIGN_OR_RETURN(const bool begun, HoldsFiles(context, files_, place));
    return Swept{.again = begun};
  }
  CALVE_RETURN_IF_ERROR(before);
  std::string data_folder(before->metadata->Property("write.data.path", ""));
  if (data_folder.empty()) data_folder = before->metadata->location + "/data";
  CALVE_ASSIGN_OR_RETURN(std::vector<std::string> candidates,
                         FilesOfRun(context, files_, data_folder, run));
  CALVE_ASSIGN_OR_RETURN(
      const auto metadata_files,
      FilesOfRun(context, files_, catalog::MetadataFolder(*before->metadata), run));
  candidates.insert(candidates.end(), metadata_files.begin(), metadata_files.end());
  CALVE_ASSIGN_OR_RETURN(
      const LooseMetadata loose,
      FindLooseMetadata(context, files_, *before, run, catalog_.native_refs() != nullptr));
  Names reachable;
  std::vector<catalog::LoadedTable> everywhere;
  CALVE_RETURN_IF_ERROR(
      LookAtWhole(context, catalog_, table, [&](const catalog::LoadedTable&) -> Status {
        CALVE_ASSIGN_OR_RETURN(everywhere, LoadEverywhere(context, catalog_, table));
        reachable.clear();
        for (const catalog::LoadedTable& there : everywhere)
          CALVE_RETURN_IF_ERROR(AddReachable(context, files_, there, reachable));
        return Status::Ok();
      }));
  // A commit of the run may be hidden below those of a foreign writer.
  const MainLine main(catalog_, files_, table);
  if (main.may_be_hidden() && !(candidates.empty() && loose.lost.empty())) {
    CALVE_ASSIGN_OR_RETURN(const MainLine::Walk walk,
                           main.Find(context, everywhere.back(), [&](const auto& snapshot) {
                             return SummaryText(snapshot, summary::kRun) == run;
                           }));
    if (walk.found.has_value()) {
      reachable.emplace(FileName(walk.found->manifest_list));
      reachable.emplace(FileName(SummaryText(*walk.found, summary::kLedger)));
    }
  }
  candidates.insert(candidates.end(), loose.lost.begin(), loose.lost.end());
  std::vector<std::string> orphans;
  for (const std::string& uri : candidates) {
    if (!reachable.contains(FileName(uri))) orphans.push_back(uri);
  }
  CALVE_RETURN_IF_ERROR(files_.DeleteAll(context, orphans));
  return Swept{.removed = static_cast<int64_t>(orphans.size()), .again = !loose.waiting.empty()};
}

}  // namespace calve::commit

#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "catalog/metadata_store.h"
#include "commit/committer.h"
#include "commit/reach.h"
#include "io/uri.h"

namespace calve::commit {
namespace {

using iceberg::TableMetadata;

constexpr std::array<std::string_view, 4> kEndings = {".parquet", ".avro", ".orc", ".puffin"};

bool IsMetadataFile(std::string_view name) {
  return name.ends_with(".metadata.json") || name.ends_with(".metadata.json.gz");
}

/// Whether a file is of a kind that Iceberg's writers make.
bool IsOfATable(std::string_view name) {
  return IsMetadataFile(name) ||
         std::any_of(kEndings.begin(), kEndings.end(),
                     [&](std::string_view ending) { return name.ends_with(ending); });
}

/// The folders in which a table's files lie; none within another.
std::vector<std::string> FoldersOf(const TableMetadata& metadata) {
  std::string data(metadata.Property("write.data.path", ""));
  if (data.empty()) data = metadata.location + "/data";
  std::vector<std::string> folders = {data};
  const std::string other = catalog::MetadataFolder(metadata);
  if (io::IsBelow(data, other)) return {other};
  if (!io::IsBelow(other, data) && io::OneSpelling(other) != io::OneSpelling(data))
    folders.push_back(other);
  return folders;
}

Status CheckIsKnown(const catalog::Catalog& catalog, const catalog::TableName& table,
                    bool has_branches, const TableMetadata& metadata) {
  if (has_branches) {
    return RefusedError("catalog " + catalog.name() +
                        " has branches of its own, whose commits reach files of " +
                        table.ToString() +
                        " that its metadata does not name; take the catalog's own garbage "
                        "collection");
  }
  if (metadata.Property("gc.enabled", "true") == "false") {
    return RefusedError("the property gc.enabled of " + table.ToString() +
                        " is false: its files may be those of other tables too; set gc.enabled = "
                        "true where they are not");
  }
  return Status::Ok();
}

}  // namespace

Result<Committer::Orphans> Committer::FindOrphans(const Context& context,
                                                  const catalog::TableName& table,
                                                  Duration age_min) {
  // The listing comes before the metadata: what is committed after it is not in it, and what was
  // committed before is reachable.
  CALVE_ASSIGN_OR_RETURN(const catalog::LoadedTable before, catalog_.LoadTable(context, table));
  CALVE_RETURN_IF_ERROR(
      CheckIsKnown(catalog_, table, catalog_.native_refs() != nullptr, *before.metadata));
  const Timestamp newest = context.clock->Now() - age_min;
  std::vector<io::FileInfo> lying;
  Orphans found;
  const auto look = [&](std::span<const io::FileInfo> page) -> Result<bool> {
    for (const io::FileInfo& info : page) {
      const std::string_view name = FileName(info.uri);
      if (!IsOfATable(name)) {
        if (name != "version-hint.text") ++found.unknown;
      } else if (info.modified.has_value() && *info.modified <= newest) {
        lying.push_back(info);
      }
    }
    return true;
  };
  for (const std::string& folder : FoldersOf(*before.metadata)) {
    Status listed = files_.List(context, folder, {.recursive = true}, look);
    if (!listed.ok() && listed.error().kind != ErrorKind::kNotFound)
      return std::move(listed).error();
  }
  catalog::LoadedTable now;
  Names reachable;
  CALVE_RETURN_IF_ERROR(
      LookAtWhole(context, catalog_, table, [&](const catalog::LoadedTable& loaded) {
        now = loaded;
        reachable.clear();
        return AddReachable(context, files_, now, reachable);
      }));
  for (const io::FileInfo& info : lying) {
    if (reachable.contains(FileName(info.uri))) continue;
    if (IsMetadataFile(FileName(info.uri))) {
      const Result<TableMetadata> other = ReadMetadata(context, files_, info.uri);
      if (!other.ok() || other->table_uuid != now.metadata->table_uuid) {
        return RefusedError(info.uri + " is no metadata file of " + table.ToString() +
                            (other.ok() ? " but of another table" : "; it cannot be read") +
                            ": files here may belong to that one, so none is removed; move it "
                            "away, or drop that table with its files, if nobody needs it");
      }
    }
    found.files.push_back(info.uri);
    found.bytes += info.size;
  }
  return found;
}

Result<int64_t> Committer::RemoveOrphans(const Context& context, const catalog::TableName& table,
                                         const Orphans& found) {
  Names reachable;
  CALVE_RETURN_IF_ERROR(
      LookAtWhole(context, catalog_, table, [&](const catalog::LoadedTable& now) -> Status {
        CALVE_RETURN_IF_ERROR(
            CheckIsKnown(catalog_, table, catalog_.native_refs() != nullptr, *now.metadata));
        reachable.clear();
        return AddReachable(context, files_, now, reachable);
      }));
  std::vector<std::string> lost;
  for (const std::string& uri : found.files) {
    if (!reachable.contains(FileName(uri))) lost.push_back(uri);
  }
  CALVE_RETURN_IF_ERROR(files_.DeleteAll(context, lost));
  return static_cast<int64_t>(lost.size());
}

}  // namespace calve::commit

#include "engine/catalog_resolver.h"

#include <algorithm>

#include "base/text.h"
#include "base/time.h"
#include "catalog/metadata_store.h"
#include "catalog/native_refs.h"

namespace calve::engine {

Result<IcebergTable> AtReference(const catalog::LoadedTable& loaded,
                                 const TableReference& reference) {
  const iceberg::TableMetadata& metadata = *loaded.metadata;
  IcebergTable table{.metadata = loaded.metadata,
                     .snapshot_id = metadata.current_snapshot_id,
                     .schema = metadata.schema()};
  const iceberg::Snapshot* snapshot = nullptr;
  if (reference.ref.has_value()) {
    snapshot = metadata.FindRef(*reference.ref);
    if (snapshot == nullptr) {
      std::vector<std::string> known;
      for (const auto& [name, ref] : metadata.refs) known.push_back(name);
      return NotFoundError(
          "there is no branch or tag '" + *reference.ref + "' in " + reference.ToString() +
          (known.empty() ? "; the table has none yet" : "; it has " + Join(known, ", ")));
    }
    // A branch is read with the table's schema, a tag with that of its snapshot (spec, Schema
    // Selection).
    const bool branch =
        metadata.refs.at(*reference.ref).kind == iceberg::SnapshotRef::Kind::kBranch;
    const bool staged = snapshot->schema_id.has_value() &&
                        snapshot->schema_id->value() > metadata.current_schema_id.value();
    table.schema = branch && !staged ? metadata.schema() : metadata.SchemaOf(*snapshot);
  } else if (reference.snapshot_id.has_value()) {
    snapshot = metadata.FindSnapshot(iceberg::SnapshotId(*reference.snapshot_id));
    if (snapshot == nullptr) {
      return NotFoundError("table " + reference.ToString() + " has no snapshot " +
                           std::to_string(*reference.snapshot_id) + "; see calve table snapshots");
    }
    table.schema = metadata.SchemaOf(*snapshot);
  } else if (reference.as_of_ms.has_value()) {
    snapshot = metadata.SnapshotAsOf(*reference.as_of_ms);
    if (snapshot == nullptr) {
      const std::string first =
          metadata.snapshot_log.empty()
              ? std::string("; it has no snapshot yet")
              : "; it begins at " + FormatTimestamp(TimestampFromMillis(
                                        metadata.snapshot_log.front().timestamp_ms));
      return NotFoundError("table " + reference.ToString() + " did not exist at " +
                           FormatTimestamp(TimestampFromMillis(*reference.as_of_ms)) + first);
    }
    table.schema = metadata.SchemaOf(*snapshot);
  }
  if (snapshot != nullptr) table.snapshot_id = snapshot->id;
  return table;
}

Result<ResolvedTable> CatalogResolver::Resolve(const Context& context,
                                               const TableReference& reference) {
  if (!reference.place.empty()) {
    CALVE_ASSIGN_OR_RETURN(const auto loaded, LoadPlace(context, reference.place));
    CALVE_ASSIGN_OR_RETURN(IcebergTable table, AtReference(loaded, reference));
    return ResolvedTable(std::move(table));
  }
  if (reference.parts.size() == 2 && reference.parts[0] == "calve") {
    const auto own = options_.own_tables.find(reference.parts[1]);
    if (own != options_.own_tables.end()) {
      CALVE_ASSIGN_OR_RETURN(ArrowTable table, own->second(context));
      return ResolvedTable(std::move(table));
    }
  }
  Result<catalog::LoadedTable> loaded = Load(context, reference.parts);
  const bool is_there = loaded.ok() || loaded.error().kind == ErrorKind::kNotFound;
  if (reference.ref.has_value() && is_there) {
    // A table may be on a branch of the catalog's own only.
    CALVE_ASSIGN_OR_RETURN(const auto on_branch, LoadOnNativeRef(context, reference));
    if (on_branch.has_value()) {
      TableReference head = reference;
      head.ref = iceberg::kMainBranch;
      CALVE_ASSIGN_OR_RETURN(IcebergTable table, AtReference(*on_branch, head));
      return ResolvedTable(std::move(table));
    }
  }
  CALVE_RETURN_IF_ERROR(loaded);
  CALVE_ASSIGN_OR_RETURN(IcebergTable table, AtReference(*loaded, reference));
  return ResolvedTable(std::move(table));
}

Result<std::optional<catalog::LoadedTable>> CatalogResolver::LoadOnNativeRef(
    const Context& context, const TableReference& reference) {
  CALVE_ASSIGN_OR_RETURN(const Target target, TargetOf(reference.parts));
  catalog::NativeRefs* refs = target.catalog->native_refs();
  if (refs == nullptr || *reference.ref == iceberg::kMainBranch)
    return std::optional<catalog::LoadedTable>();
  CALVE_ASSIGN_OR_RETURN(const auto all, refs->ListRefs(context));
  const bool is_known = std::any_of(all.begin(), all.end(),
                                    [&](const auto& ref) { return ref.name == reference.ref; });
  if (!is_known) return std::optional<catalog::LoadedTable>();
  CALVE_ASSIGN_OR_RETURN(auto loaded,
                         refs->OnBranch(*reference.ref)->LoadTable(context, target.table));
  return std::optional<catalog::LoadedTable>(std::move(loaded));
}

Result<catalog::Catalog*> CatalogResolver::CatalogOf(std::vector<std::string>* levels,
                                                     size_t levels_min) {
  const auto& names = options_.catalog_names;
  std::string name = options_.default_catalog;
  if (levels->size() > levels_min &&
      std::find(names.begin(), names.end(), levels->front()) != names.end()) {
    name = levels->front();
    levels->erase(levels->begin());
  }
  return options_.catalog(name);
}

Result<CatalogResolver::Target> CatalogResolver::TargetOf(const std::vector<std::string>& parts) {
  std::vector<std::string> levels = parts;
  CALVE_ASSIGN_OR_RETURN(catalog::Catalog * catalog, CatalogOf(&levels, 2));
  CALVE_ASSIGN_OR_RETURN(catalog::TableName table, catalog::TableName::Parse(Join(levels, ".")));
  return Target{.catalog = catalog, .table = std::move(table)};
}

Result<CatalogResolver::TargetNamespace> CatalogResolver::NamespaceOf(
    const std::vector<std::string>& parts) {
  std::vector<std::string> levels = parts;
  CALVE_ASSIGN_OR_RETURN(catalog::Catalog * catalog, CatalogOf(&levels, 1));
  return TargetNamespace{.catalog = catalog, .ns = std::move(levels)};
}

Result<catalog::LoadedTable> CatalogResolver::Load(const Context& context,
                                                   const std::vector<std::string>& parts) {
  CALVE_ASSIGN_OR_RETURN(const Target target, TargetOf(parts));
  Result<catalog::LoadedTable> loaded = target.catalog->LoadTable(context, target.table);
  if (!loaded.ok() && loaded.error().kind == ErrorKind::kNotFound) return NoTable(context, target);
  return loaded;
}

Error CatalogResolver::NoTable(const Context& context, const Target& target) {
  std::vector<std::string> known;
  Result<std::vector<catalog::Namespace>> namespaces = target.catalog->ListNamespaces(context, {});
  if (namespaces.ok()) {
    for (const catalog::Namespace& ns : *namespaces) {
      Result<std::vector<catalog::TableName>> tables = target.catalog->ListTables(context, ns);
      if (!tables.ok()) continue;
      for (const catalog::TableName& table : *tables) known.push_back(table.ToString());
    }
  }
  std::string near = DidYouMean(target.table.ToString(), known);
  if (near.empty())
    near = known.empty() ? "; the catalog has no table yet" : "; see calve table list";
  return NotFoundError("there is no table " + target.table.ToString() + " in catalog " +
                       target.catalog->name() + near);
}

Result<catalog::LoadedTable> CatalogResolver::LoadPlace(const Context& context,
                                                        const std::string& place) {
  catalog::MetadataStore store(*options_.files);
  if (place.ends_with(".metadata.json") || place.ends_with(".metadata.json.gz"))
    return store.Load(context, place);
  std::string folder = place;
  while (folder.size() > 1 && folder.back() == '/') folder.pop_back();
  std::string newest;
  Timestamp newest_time{};
  int64_t newest_number = -1;
  Status listed = options_.files->List(
      context, folder + "/metadata", {}, [&](std::span<const io::FileInfo> page) -> Result<bool> {
        for (const io::FileInfo& info : page) {
          std::string name = info.uri.substr(info.uri.rfind('/') + 1);
          if (!name.ends_with(".metadata.json") && !name.ends_with(".metadata.json.gz")) continue;
          if (name.starts_with('v')) name.erase(0, 1);
          // The number at the start orders them; names without one are ordered by time.
          const int64_t number =
              ParseInteger(name.substr(0, name.find_first_not_of("0123456789"))).value_or(-1);
          const Timestamp time = info.modified.value_or(Timestamp{});
          if (newest.empty() || number > newest_number ||
              (number == newest_number && time > newest_time)) {
            newest = info.uri;
            newest_number = number;
            newest_time = time;
          }
        }
        return true;
      });
  if (!listed.ok() || newest.empty()) {
    return NotFoundError("there is no Iceberg table at " + place +
                         ": expected a folder that holds metadata/*.metadata.json, or such a file" +
                         (listed.ok() || listed.error().kind == ErrorKind::kNotFound
                              ? ""
                              : " (" + listed.error().message + ")"));
  }
  return store.Load(context, newest);
}

}  // namespace calve::engine

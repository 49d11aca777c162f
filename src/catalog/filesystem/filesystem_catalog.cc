#include <algorithm>
#include <charconv>
#include <mutex>
#include <utility>

#include "base/text.h"
#include "catalog/metadata_store.h"
#include "catalog/registry.h"

namespace calve::catalog {
namespace {

struct FilesystemOptions {
  std::string warehouse;
  static config::Shape<FilesystemOptions> Declaration() {
    config::Shape<FilesystemOptions> shape(
        "filesystem catalog",
        "Find tables by their folders, as Iceberg's Hadoop catalog does: "
        "<warehouse>/<namespace>/<table>/metadata/v7.metadata.json. "
        "Needs storage that creates a file only when it is absent: a local disk, or S3 where "
        "If-None-Match is kept.");
    shape.Optional("warehouse", &FilesystemOptions::warehouse,
                   "The folder that holds the namespaces.",
                   {.default_text = "the project's warehouse"});
    return shape;
  }
};

constexpr int kProbesMax = 3;
constexpr std::string_view kHint = "version-hint.text";

/// The names that version `n` may have, Java's older form last.
std::vector<std::string> VersionNames(int64_t n) {
  const std::string v = "v" + std::to_string(n);
  return {v + ".metadata.json", v + ".gz.metadata.json", v + ".metadata.json.gz"};
}

/// The version in a metadata file's name, -1 when the name is no such.
int64_t VersionOf(std::string_view name) {
  if (!name.starts_with('v')) return -1;
  int64_t version = -1;
  const auto [end, error] = std::from_chars(name.data() + 1, name.data() + name.size(), version);
  if (error != std::errc() || version < 0) return -1;
  const std::string_view rest = name.substr(static_cast<size_t>(end - name.data()));
  const bool known =
      rest == ".metadata.json" || rest == ".gz.metadata.json" || rest == ".metadata.json.gz";
  return known ? version : -1;
}

std::string_view LastName(std::string_view uri) {
  while (uri.ends_with('/')) uri.remove_suffix(1);
  return uri.substr(uri.rfind('/') + 1);
}

class FilesystemCatalog : public Catalog {
 public:
  FilesystemCatalog(std::string warehouse, Resources resources)
      : warehouse_(std::move(warehouse)),
        resources_(std::move(resources)),
        store_(*resources_.files) {}

  const std::string& name() const override { return resources_.name; }
  Capabilities capabilities() const override {
    return {.namespaces_exist_without_tables = HasFolders(), .drop_keeps_metadata = false};
  }

  Result<std::vector<Namespace>> ListNamespaces(const Context& context,
                                                const Namespace& parent) override {
    CALVE_ASSIGN_OR_RETURN(const auto folders, Folders(context, parent));
    std::vector<Namespace> children;
    for (const std::string& folder : folders) {
      CALVE_ASSIGN_OR_RETURN(const bool is_table,
                             IsTableFolder(context, FolderOf(parent) + "/" + folder));
      if (is_table) continue;
      children.push_back(parent);
      children.back().push_back(folder);
    }
    return children;
  }

  Status CreateNamespace(const Context& context, const Namespace& ns,
                         const std::map<std::string, std::string>& properties) override {
    if (!properties.empty()) {
      return RefusedError("a filesystem catalog keeps no properties of namespaces; make " +
                          ToString(ns) + " without them");
    }
    if (!HasFolders()) {  // it comes with its first table
      CALVE_ASSIGN_OR_RETURN(const bool exists, files().Exists(context, FolderOf(ns)));
      return exists ? Status(AlreadyExistsError("namespace " + ToString(ns) + " exists already"))
                    : Status::Ok();
    }
    CALVE_ASSIGN_OR_RETURN(const io::Made made, files().EnsureFolder(context, FolderOf(ns)));
    if (made == io::Made::kBefore)
      return AlreadyExistsError("namespace " + ToString(ns) + " exists already");
    return Status::Ok();
  }

  Result<std::map<std::string, std::string>> LoadNamespace(const Context& context,
                                                           const Namespace& ns) override {
    CALVE_ASSIGN_OR_RETURN(const bool exists, files().Exists(context, FolderOf(ns)));
    if (!exists)
      return NotFoundError("there is no namespace " + ToString(ns) + " in catalog " + name());
    return std::map<std::string, std::string>();
  }

  Status DropNamespace(const Context& context, const Namespace& ns) override {
    CALVE_RETURN_IF_ERROR(LoadNamespace(context, ns));
    Status deleted = files().DeleteEmptyFolder(context, FolderOf(ns));
    if (deleted.ok() || deleted.error().kind != ErrorKind::kRefused) return deleted;
    return RefusedError("namespace " + ToString(ns) +
                        " holds tables or namespaces; drop them first");
  }

  Result<std::vector<TableName>> ListTables(const Context& context, const Namespace& ns) override {
    CALVE_ASSIGN_OR_RETURN(const auto folders, Folders(context, ns));
    std::vector<TableName> tables;
    for (const std::string& folder : folders) {
      CALVE_ASSIGN_OR_RETURN(const bool is_table,
                             IsTableFolder(context, FolderOf(ns) + "/" + folder));
      if (is_table) tables.push_back({ns, folder});
    }
    return tables;
  }

  Result<LoadedTable> LoadTable(const Context& context, const TableName& table) override {
    CALVE_ASSIGN_OR_RETURN(const Version version, FindVersion(context, table));
    if (version.number == 0 && version.location.empty()) {
      return NotFoundError("there is no table " + table.ToString() + " in catalog " + name());
    }
    return store_.Load(context, version.location);
  }

  CommitOutcome Commit(const Context& context, const std::vector<CatalogChange>& changes) override;

  Status DropTable(const Context& context, const TableName& table) override;
  Status RenameTable(const Context&, const TableName& from, const TableName&) override {
    return RefusedError("a filesystem catalog cannot rename " + from.ToString() +
                        ": its metadata holds absolute places; load it anew, or use a sql catalog");
  }
  Result<LoadedTable> RegisterTable(const Context&, const TableName& table,
                                    const std::string& location) override {
    return RefusedError("a filesystem catalog cannot take " + location + " as " + table.ToString() +
                        ": a table is where its folder is; use a sql catalog");
  }
  Result<std::string> NewTableLocation(const Context&, const TableName& table) override {
    return FolderOf(table.ns) + "/" + table.name;
  }
  Status CheckLocation(const Context&, const TableName& table,
                       const std::string& location) override {
    const std::string folder = FolderOf(table.ns) + "/" + table.name;
    if (location == folder) return Status::Ok();
    return RefusedError("a filesystem catalog keeps " + table.ToString() + " at " + folder +
                        ", not at " + location + "; leave the place to it, or use a sql catalog");
  }

 private:
  struct Version {
    int64_t number = 0;
    std::string location;  ///< Empty: there is none.
  };

  io::FileSystem& files() const { return *resources_.files; }
  /// Whether folders exist by themselves where the warehouse is.
  bool HasFolders() const {
    const auto store = files().CapabilitiesFor(warehouse_);
    return !store.ok() || store->folders;
  }
  std::string FolderOf(const Namespace& ns) const {
    return ns.empty() ? warehouse_ : warehouse_ + "/" + Join(ns, "/");
  }

  /// Names of the folders in a namespace, sorted.
  Result<std::vector<std::string>> Folders(const Context& context, const Namespace& ns) {
    std::vector<std::string> names;
    Status listed = files().List(context, FolderOf(ns), {},
                                 [&](std::span<const io::FileInfo> page) -> Result<bool> {
                                   for (const io::FileInfo& info : page) {
                                     if (info.kind == io::FileKind::kFolder)
                                       names.emplace_back(LastName(info.uri));
                                   }
                                   return true;
                                 });
    if (!listed.ok() && listed.error().kind != ErrorKind::kNotFound)
      return std::move(listed).error();
    std::sort(names.begin(), names.end());
    return names;
  }

  Result<bool> IsTableFolder(const Context& context, const std::string& folder) {
    bool is_table = false;
    Status listed = files().List(context, folder + "/metadata", {},
                                 [&](std::span<const io::FileInfo> page) -> Result<bool> {
                                   for (const io::FileInfo& info : page)
                                     is_table = is_table || VersionOf(LastName(info.uri)) >= 0;
                                   return !is_table;
                                 });
    if (!listed.ok() && listed.error().kind != ErrorKind::kNotFound)
      return std::move(listed).error();
    return is_table;
  }

  Result<std::string> LocationOf(const Context& context, const std::string& folder,
                                 int64_t number) {
    for (const std::string& file_name : VersionNames(number)) {
      CALVE_ASSIGN_OR_RETURN(const bool exists, files().Exists(context, folder + "/" + file_name));
      if (exists) return folder + "/" + file_name;
    }
    return std::string();
  }

  /// The newest version: from the hint on upwards, or by a listing when the hint is missing or
  /// wrong.
  Result<Version> FindVersion(const Context& context, const TableName& table) {
    const std::string folder = FolderOf(table.ns) + "/" + table.name + "/metadata";
    Version newest;
    Result<std::string> hint =
        files().ReadFile(context, folder + "/" + std::string(kHint), ByteCount(64));
    if (hint.ok()) {
      const std::string_view text = Trim(*hint);
      int64_t number = -1;
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
      if (error == std::errc() && end == text.data() + text.size() && number >= 0) {
        CALVE_ASSIGN_OR_RETURN(const std::string location, LocationOf(context, folder, number));
        if (!location.empty()) newest = {number, location};
      }
    } else if (hint.error().kind != ErrorKind::kNotFound && hint.error().kind != ErrorKind::kData) {
      return std::move(hint).error();
    }
    if (newest.location.empty()) CALVE_RETURN_IF_ERROR(ListNewest(context, folder, &newest));
    while (!newest.location.empty()) {
      CALVE_ASSIGN_OR_RETURN(const std::string next,
                             LocationOf(context, folder, newest.number + 1));
      if (next.empty()) break;
      newest = {newest.number + 1, next};
    }
    return newest;
  }

  Status ListNewest(const Context& context, const std::string& folder, Version* newest) {
    Status listed =
        files().List(context, folder, {}, [&](std::span<const io::FileInfo> page) -> Result<bool> {
          for (const io::FileInfo& info : page) {
            const int64_t number = VersionOf(LastName(info.uri));
            if (number > newest->number || (number == newest->number && newest->location.empty())) {
              *newest = {number, folder + "/" + std::string(LastName(info.uri))};
            }
          }
          return true;
        });
    if (!listed.ok() && listed.error().kind == ErrorKind::kNotFound) return Status::Ok();
    return listed;
  }

  /// See that the store lets one of many writers win, before it gets its first table.
  Status CheckStore(const Context& context, const std::string& folder);

  /// Write version `number`; of many writers one wins. kConflict for the others.
  Status Claim(const Context& context, const std::string& location, const std::string& bytes);

  const std::string warehouse_;
  const Resources resources_;
  MetadataStore store_;
};

Status FilesystemCatalog::CheckStore(const Context& context, const std::string& folder) {
  CALVE_ASSIGN_OR_RETURN(const io::Capabilities store, files().CapabilitiesFor(folder));
  const Error refused = RefusedError(
      "a filesystem catalog needs storage where one of many writers of a file wins, and that at " +
      warehouse_ + " replaces a file that is there; use a sql catalog");
  if (!store.atomic_create) return refused;
  if (store.folders) return Status::Ok();
  // What speaks like S3 may ignore the condition. Others who try at the same time may delete ours.
  CALVE_RETURN_IF_ERROR(files().EnsureFolder(context, warehouse_));
  const std::string probe = folder + "/metadata/.calve-probe";
  bool kept = false;
  for (int tries = 0; tries < kProbesMax && !kept; ++tries) {
    Status made = files().CreateIfAbsent(context, probe, "?");
    const bool there = made.ok() || made.error().kind == ErrorKind::kAlreadyExists ||
                       made.error().kind == ErrorKind::kUnknownOutcome;
    if (!there) return made;
    Status again = files().CreateIfAbsent(context, probe, "?");
    kept = !again.ok() && again.error().kind == ErrorKind::kAlreadyExists;
    if (!again.ok() && !kept) return again;
  }
  CALVE_RETURN_IF_ERROR(files().Delete(context, probe));
  return kept ? Status::Ok() : Status(refused);
}

Status FilesystemCatalog::DropTable(const Context& context, const TableName& table) {
  const std::string folder = FolderOf(table.ns) + "/" + table.name + "/metadata";
  std::vector<Version> versions;
  Status listed =
      files().List(context, folder, {}, [&](std::span<const io::FileInfo> page) -> Result<bool> {
        for (const io::FileInfo& info : page) {
          const std::string name(LastName(info.uri));
          const int64_t number = VersionOf(name);
          if (number >= 0) versions.push_back({number, folder + "/" + name});
        }
        return true;
      });
  if (!listed.ok() && listed.error().kind != ErrorKind::kNotFound) return listed;
  if (versions.empty())
    return NotFoundError("there is no table " + table.ToString() + " in catalog " + name());
  // Oldest first: until the newest is gone it is the table, whole.
  std::sort(versions.begin(), versions.end(),
            [](const Version& a, const Version& b) { return a.number < b.number; });
  for (const Version& version : versions)
    CALVE_RETURN_IF_ERROR(files().Delete(context, version.location));
  return files().Delete(context, folder + "/" + std::string(kHint));
}

Status FilesystemCatalog::Claim(const Context& context, const std::string& location,
                                const std::string& bytes) {
  CALVE_RETURN_IF_ERROR(context.Step("catalog.before_swap"));
  Status created = files().CreateIfAbsent(context, location, bytes);
  if (created.ok()) {
    Status seen = context.Step("catalog.after_swap");
    return seen.ok() ? seen : UnknownOutcomeError(seen.error().message);
  }
  const bool taken = created.error().kind == ErrorKind::kAlreadyExists;
  if (!taken && created.error().kind != ErrorKind::kUnknownOutcome) return created;
  // Also a taken name may be ours: something on the way to the store has sent the request twice.
  Result<std::string> there = files().ReadFile(context, location);
  if (there.ok() && *there == bytes) return Status::Ok();
  if (there.ok() || taken)
    return ConflictError("another writer has made " + location + " meanwhile");
  return created;
}

CommitOutcome FilesystemCatalog::Commit(const Context& context,
                                        const std::vector<CatalogChange>& changes) {
  if (changes.size() != 1) {
    return Refused{RefusedError("a filesystem catalog commits one table at a time, not " +
                                std::to_string(changes.size()))};
  }
  const CatalogChange& change = changes.front();
  LoadedTable next;
  Status committed = [&]() -> Status {
    CALVE_ASSIGN_OR_RETURN(const Version version, FindVersion(context, change.table));
    std::optional<LoadedTable> base;
    if (!version.location.empty()) {
      CALVE_ASSIGN_OR_RETURN(base, store_.Load(context, version.location));
    }
    CALVE_ASSIGN_OR_RETURN(
        iceberg::TableMetadata metadata,
        iceberg::Apply(base.has_value() ? base->metadata.get() : nullptr, change.change,
                       {.now_ms = MillisSinceEpoch(context.clock->Now()),
                        .previous_location = version.location}));
    const std::string folder = FolderOf(change.table.ns) + "/" + change.table.name;
    CALVE_RETURN_IF_ERROR(CheckLocation(context, change.table, metadata.location));
    if (!base.has_value()) CALVE_RETURN_IF_ERROR(CheckStore(context, folder));
    // All writers of a version must race for one name, so the name follows from the version before:
    // a change of the codec is written with the old one.
    const bool gzip = base.has_value() && WantsGzip(*base->metadata);
    const int64_t number = base.has_value() ? version.number + 1 : 1;
    const std::string json = iceberg::SerializeTableMetadata(metadata);
    next.metadata_location = folder + "/metadata/" + VersionNames(number)[gzip ? 1 : 0];
    next.metadata = std::make_shared<const iceberg::TableMetadata>(std::move(metadata));
    CALVE_RETURN_IF_ERROR(
        Claim(context, next.metadata_location, gzip ? iceberg::CompressMetadata(json) : json));
    // The hint only saves readers a search: losing it, or an older one winning, harms nobody.
    Result<ByteCount> hinted =
        files().WriteFile(context, folder + "/metadata/" + std::string(kHint),
                          std::to_string(number), {.overwrite = io::OverwritePolicy::kReplace});
    if (!hinted.ok())
      context.log->Warn("the version hint was not written", {{"table", change.table.ToString()}});
    store_.PruneLog(context, base.has_value() ? &*base : nullptr, next);
    return Status::Ok();
  }();
  if (!committed.ok()) return OutcomeOf(std::move(committed).error());
  return Committed{{std::move(next)}};
}

}  // namespace

CALVE_PART(filesystem) {
  registry.Add({.type = "filesystem",
                .meaning = "Tables found by their folders, shared with Iceberg's Hadoop catalog",
                .part = config::MakePart<FilesystemOptions>("filesystem"),
                .make = [](const config::Node& node,
                           const Resources& resources) -> Result<std::unique_ptr<Catalog>> {
                  CALVE_ASSIGN_OR_RETURN(FilesystemOptions options,
                                         FilesystemOptions::Declaration().Parse(node));
                  std::string warehouse =
                      options.warehouse.empty() ? resources.warehouse : options.warehouse;
                  while (warehouse.ends_with('/')) warehouse.pop_back();
                  return std::make_unique<FilesystemCatalog>(std::move(warehouse), resources);
                }});
}

}  // namespace calve::catalog

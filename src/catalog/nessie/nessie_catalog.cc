#include <algorithm>
#include <set>
#include <utility>

#include "catalog/metadata_store.h"
#include "catalog/nessie/nessie_client.h"
#include "catalog/nessie/nessie_refs.h"
#include "catalog/registry.h"

namespace calve::catalog {
namespace {

using iceberg::Json;

constexpr int kTriesMax = 10;
constexpr const char* kTable = "ICEBERG_TABLE";
constexpr const char* kView = "ICEBERG_VIEW";
constexpr const char* kNamespace = "NAMESPACE";

struct NessieOptions {
  std::string uri;
  std::string branch = "main";
  std::string warehouse;
  std::string token;

  static config::Shape<NessieOptions> Declaration() {
    config::Shape<NessieOptions> shape(
        "nessie catalog",
        "Keep tables on a branch of Project Nessie, through its own API, version 2. Metadata files "
        "are written by calve; every change is a commit of Nessie's, of several tables at once if "
        "need be. Tables get gc.enabled=false, as Nessie's own clients do it: files that one "
        "branch "
        "no longer has another may. Branches are Nessie's, over all tables; those of Iceberg, in "
        "one table, are refused. To use Nessie's Iceberg REST door, take the catalog rest.");
    shape.Required("uri", &NessieOptions::uri, "The address of Nessie's API.",
                   {.example = "http://localhost:19120/api/v2"});
    shape.Optional("branch", &NessieOptions::branch,
                   "The branch that tables are read and changed on.");
    shape.Optional("warehouse", &NessieOptions::warehouse, "Where new tables go.",
                   {.default_text = "the project's warehouse"});
    shape.Optional("token", &NessieOptions::token, "A bearer token for Nessie.",
                   {.example = "${NESSIE_TOKEN}", .secret = true});
    return shape;
  }
};

std::string NounOf(const std::string& type) {
  return type == kTable ? "table" : type == kView ? "view" : "something else";
}

NessieKey KeyOf(const TableName& name) {
  NessieKey key = name.ns;
  key.push_back(name.name);
  return key;
}

Json KeyJson(const NessieKey& key) { return {{"elements", key}}; }

Json Put(const NessieKey& key, const std::string& id, Json content) {
  if (!id.empty()) content["id"] = id;
  return {{"type", "PUT"}, {"key", KeyJson(key)}, {"content", std::move(content)}};
}

Json Delete(const NessieKey& key) { return {{"type", "DELETE"}, {"key", KeyJson(key)}}; }

Json ContentOf(const LoadedTable& table) {
  const iceberg::TableMetadata& metadata = *table.metadata;
  return {{"type", kTable},
          {"metadataLocation", table.metadata_location},
          {"snapshotId", metadata.current_snapshot_id ? metadata.current_snapshot_id->value() : -1},
          {"schemaId", metadata.current_schema_id.value()},
          {"specId", metadata.default_spec_id.value()},
          {"sortOrderId", metadata.default_sort_order_id.value()}};
}

Json ContentOf(const LoadedView& view) {
  return {{"type", kView},
          {"metadataLocation", view.metadata_location},
          {"versionId", view.metadata->current_version_id},
          {"schemaId", view.metadata->current_version().schema_id.value()}};
}

Json ContentOf(const Namespace& ns, const std::map<std::string, std::string>& properties) {
  return {{"type", kNamespace}, {"elements", ns}, {"properties", Json(properties)}};
}

/// What keeps the files of a table from who would remove those that one branch no longer has.
void KeepFiles(iceberg::TableChange& change) {
  const bool creates =
      std::any_of(change.requirements.begin(), change.requirements.end(),
                  [](const auto& requirement) { return requirement->type() == "assert-create"; });
  if (creates) change.updates.push_back(iceberg::SetProperties({{"gc.enabled", "false"}}));
}

/// See that a change made no reference but main. Those that were there before may stay.
Status CheckRefs(const LoadedTable* base, const LoadedTable& next) {
  for (const auto& [name, ref] : next.metadata->refs) {
    if (name == iceberg::kMainBranch) continue;
    if (base != nullptr && base->metadata->refs.contains(name)) continue;
    return RefusedError("the branch or tag '" + name +
                        "' cannot be made in one table of a nessie catalog, whose branches span "
                        "all tables; make a branch of Nessie");
  }
  return Status::Ok();
}

/// What all objects on one Nessie share. Threads: any.
struct NessieStore {
  NessieStore(NessieOptions given, const Resources& resources)
      : name(resources.name), options(std::move(given)), metadata(*resources.files) {
    client = std::make_shared<NessieClient>(
        NessieSettings{.uri = options.uri, .token = options.token}, io::MakeHttpClient());
  }
  const std::string name;
  const NessieOptions options;
  MetadataStore metadata;
  std::shared_ptr<NessieClient> client;
};

class NessieCatalog : public Catalog {
 public:
  NessieCatalog(std::shared_ptr<NessieStore> store, std::string branch)
      : store_(std::move(store)),
        branch_(std::move(branch)),
        refs_(store_->client, branch_, [store = store_](const std::string& other) {
          return std::make_unique<NessieCatalog>(store, other);
        }) {}

  const std::string& name() const override { return store_->name; }
  Capabilities capabilities() const override {
    return {.multi_table = true,
            .refs = Capabilities::Refs::kNative,
            .views = true,
            .namespace_properties = true};
  }
  NativeRefs* native_refs() override { return &refs_; }

  Result<std::vector<Namespace>> ListNamespaces(const Context& context,
                                                const Namespace& parent) override;
  Status CreateNamespace(const Context& context, const Namespace& ns,
                         const std::map<std::string, std::string>& properties) override;
  Result<std::map<std::string, std::string>> LoadNamespace(const Context& context,
                                                           const Namespace& ns) override;
  Status DropNamespace(const Context& context, const Namespace& ns) override;
  Result<NamespaceUpdate> UpdateNamespace(
      const Context& context, const Namespace& ns, const std::vector<std::string>& removals,
      const std::map<std::string, std::string>& updates) override;

  Result<std::vector<TableName>> ListTables(const Context& context, const Namespace& ns) override {
    return List(context, ns, kTable);
  }
  Result<LoadedTable> LoadTable(const Context& context, const TableName& table) override;
  CommitOutcome Commit(const Context& context, const std::vector<CatalogChange>& changes) override;
  Status DropTable(const Context& context, const TableName& table) override {
    return Drop(context, table, kTable);
  }
  Status RenameTable(const Context& context, const TableName& from, const TableName& to) override {
    return Rename(context, from, to, kTable);
  }
  Result<LoadedTable> RegisterTable(const Context& context, const TableName& table,
                                    const std::string& metadata_location) override;
  Result<std::string> NewTableLocation(const Context& context, const TableName& table) override;

  Result<std::vector<TableName>> ListViews(const Context& context, const Namespace& ns) override {
    return List(context, ns, kView);
  }
  Result<LoadedView> LoadView(const Context& context, const TableName& view) override;
  Result<LoadedView> CommitView(const Context& context, const TableName& view,
                                const iceberg::ViewChange& change) override;
  Status DropView(const Context& context, const TableName& view) override {
    return Drop(context, view, kView);
  }
  Status RenameView(const Context& context, const TableName& from, const TableName& to) override {
    return Rename(context, from, to, kView);
  }
  Result<LoadedView> RegisterView(const Context& context, const TableName& view,
                                  const std::string& metadata_location) override;

 private:
  Error NoNamespace(const Namespace& ns) const {
    return NotFoundError("there is no namespace " + ToString(ns) + " in catalog " + name() +
                         " on branch " + branch_);
  }
  Error Missing(const TableName& wanted, const std::string& type) const {
    return NotFoundError("there is no " + NounOf(type) + " " + wanted.ToString() + " in catalog " +
                         name() + " on branch " + branch_);
  }
  /// The branch is not one of the things that may be missing.
  Error NoBranch(Error error) const {
    if (error.kind != ErrorKind::kNotFound) return error;
    return RefusedError(error.message + "; make the branch, or name another in calve.yaml");
  }

  Result<NessieContents> Read(const Context& context, const std::vector<NessieKey>& keys) {
    Result<NessieContents> contents = store_->client->Contents(context, branch_, keys);
    if (!contents.ok()) return NoBranch(std::move(contents).error());
    return contents;
  }
  /// What a key holds, when it is of a type; null otherwise. Fails with kAlreadyExists when it is of
  /// another.
  Result<const NessieContent*> FindOf(const NessieContents& contents, const TableName& name,
                                      const std::string& type) const;
  Status CommitOperations(const Context& context, const std::string& hash,
                          const std::string& message, const Json& operations) {
    return store_->client->Commit(context, branch_, hash, message, operations).status();
  }
  /// Read keys and commit what `compute(contents)` makes of them, again while others are first.
  template <typename Compute>
  Status Race(const Context& context, const std::vector<NessieKey>& keys,
              const std::string& message, const Compute& compute);

  Result<std::string> Locate(const Context& context, const TableName& name,
                             const std::string& type);
  Result<std::vector<TableName>> List(const Context& context, const Namespace& ns,
                                      const std::string& type);
  Status Drop(const Context& context, const TableName& name, const std::string& type);
  Status Rename(const Context& context, const TableName& from, const TableName& to,
                const std::string& type);
  /// Put something new under a name.
  Status Register(const Context& context, const TableName& name, const Json& content);

  struct PreparedChange {
    std::optional<LoadedTable> base;
    MetadataStore::Prepared prepared;
  };
  Status Prepare(const Context& context, const NessieContents& contents,
                 const std::vector<CatalogChange>& changes, std::vector<PreparedChange>& work);
  Status CommitChanges(const Context& context, const std::vector<CatalogChange>& changes,
                       std::vector<PreparedChange>& work);

  const std::shared_ptr<NessieStore> store_;
  const std::string branch_;
  NessieRefs refs_;
};

template <typename Compute>
Status NessieCatalog::Race(const Context& context, const std::vector<NessieKey>& keys,
                           const std::string& message, const Compute& compute) {
  for (int tries = 1;; ++tries) {
    CALVE_ASSIGN_OR_RETURN(const NessieContents contents, Read(context, keys));
    CALVE_ASSIGN_OR_RETURN(const Json operations, compute(contents));
    if (operations.empty()) return Status::Ok();
    Status done = CommitOperations(context, contents.hash, message, operations);
    if (done.ok() || done.error().kind != ErrorKind::kConflict) return done;
    if (tries == kTriesMax) return TransientError(done.error().message);
  }
}

Result<std::vector<Namespace>> NessieCatalog::ListNamespaces(const Context& context,
                                                             const Namespace& parent) {
  auto entries = store_->client->Entries(context, branch_, kNamespace, parent);
  if (!entries.ok()) return NoBranch(std::move(entries).error());
  std::set<Namespace> children;
  for (NessieEntry& entry : *entries) {
    entry.key.resize(parent.size() + 1);
    children.insert(std::move(entry.key));
  }
  return std::vector<Namespace>(children.begin(), children.end());
}

Status NessieCatalog::CreateNamespace(const Context& context, const Namespace& ns,
                                      const std::map<std::string, std::string>& properties) {
  return Race(context, {ns}, "make namespace " + ToString(ns),
              [&](const NessieContents& contents) -> Result<Json> {
                if (contents.Find(ns) != nullptr)
                  return AlreadyExistsError("namespace " + ToString(ns) + " exists already");
                return Json::array({Put(ns, "", ContentOf(ns, properties))});
              });
}

Result<std::map<std::string, std::string>> NessieCatalog::LoadNamespace(const Context& context,
                                                                        const Namespace& ns) {
  CALVE_ASSIGN_OR_RETURN(const NessieContents contents, Read(context, {ns}));
  const NessieContent* found = contents.Find(ns);
  if (found == nullptr || found->type != kNamespace) return NoNamespace(ns);
  return found->properties;
}

Status NessieCatalog::DropNamespace(const Context& context, const Namespace& ns) {
  return Race(context, {ns}, "drop namespace " + ToString(ns),
              [&](const NessieContents& contents) -> Result<Json> {
                const NessieContent* found = contents.Find(ns);
                if (found == nullptr || found->type != kNamespace) return NoNamespace(ns);
                return Json::array({Delete(ns)});
              });
}

Result<NamespaceUpdate> NessieCatalog::UpdateNamespace(
    const Context& context, const Namespace& ns, const std::vector<std::string>& removals,
    const std::map<std::string, std::string>& updates) {
  CALVE_RETURN_IF_ERROR(CheckRemovals(removals, updates));
  NamespaceUpdate update;
  const auto compute = [&](const NessieContents& contents) -> Result<Json> {
    const NessieContent* found = contents.Find(ns);
    if (found == nullptr || found->type != kNamespace) return NoNamespace(ns);
    update = {};
    auto properties = found->properties;
    for (const std::string& key : removals)
      (properties.erase(key) == 1 ? update.removed : update.missing).push_back(key);
    for (const auto& [key, value] : updates) {
      properties[key] = value;
      update.updated.push_back(key);
    }
    if (properties == found->properties) return Json::array();
    return Json::array({Put(ns, found->id, ContentOf(ns, properties))});
  };
  CALVE_RETURN_IF_ERROR(
      Race(context, {ns}, "change properties of namespace " + ToString(ns), compute));
  return update;
}

Result<std::vector<TableName>> NessieCatalog::List(const Context& context, const Namespace& ns,
                                                   const std::string& type) {
  auto entries = store_->client->Entries(context, branch_, type, ns);
  if (!entries.ok()) return NoBranch(std::move(entries).error());
  std::vector<TableName> names;
  for (NessieEntry& entry : *entries) {
    if (entry.key.size() == ns.size() + 1)
      names.push_back({.ns = ns, .name = std::move(entry.key.back())});
  }
  std::sort(names.begin(), names.end());
  return names;
}

Result<std::string> NessieCatalog::Locate(const Context& context, const TableName& name,
                                          const std::string& type) {
  const NessieKey key = KeyOf(name);
  CALVE_ASSIGN_OR_RETURN(const NessieContents contents, Read(context, {key}));
  const NessieContent* found = contents.Find(key);
  if (found == nullptr || found->type != type) return Missing(name, type);
  return found->metadata_location;
}

Result<LoadedTable> NessieCatalog::LoadTable(const Context& context, const TableName& table) {
  CALVE_ASSIGN_OR_RETURN(const std::string location, Locate(context, table, kTable));
  Result<LoadedTable> loaded = store_->metadata.Load(context, location);
  if (!loaded.ok() && loaded.error().kind == ErrorKind::kNotFound) {
    return DataError("Nessie has table " + table.ToString() + " on branch " + branch_ + " at " +
                     location + ", which is not there; restore the file, or drop the table there");
  }
  return loaded;
}

Result<LoadedView> NessieCatalog::LoadView(const Context& context, const TableName& view) {
  CALVE_ASSIGN_OR_RETURN(const std::string location, Locate(context, view, kView));
  Result<LoadedView> loaded = store_->metadata.LoadView(context, location);
  if (!loaded.ok() && loaded.error().kind == ErrorKind::kNotFound) {
    return DataError("Nessie has view " + view.ToString() + " on branch " + branch_ + " at " +
                     location + ", which is not there; restore the file, or drop the view there");
  }
  return loaded;
}

Result<const NessieContent*> NessieCatalog::FindOf(const NessieContents& contents,
                                                   const TableName& name,
                                                   const std::string& type) const {
  const NessieContent* found = contents.Find(KeyOf(name));
  if (found == nullptr || found->type == type) return found;
  return AlreadyExistsError(NounOf(found->type) + " " + name.ToString() + " exists already");
}

Status NessieCatalog::Prepare(const Context& context, const NessieContents& contents,
                              const std::vector<CatalogChange>& changes,
                              std::vector<PreparedChange>& work) {
  for (const CatalogChange& change : changes) {
    CALVE_ASSIGN_OR_RETURN(const NessieContent* found, FindOf(contents, change.table, kTable));
    PreparedChange item;
    if (found != nullptr) {
      CALVE_ASSIGN_OR_RETURN(item.base, store_->metadata.Load(context, found->metadata_location));
    }
    const LoadedTable* base = item.base ? &*item.base : nullptr;
    iceberg::TableChange kept = change.change;
    if (base == nullptr) KeepFiles(kept);
    CALVE_ASSIGN_OR_RETURN(item.prepared, store_->metadata.Prepare(context, base, kept));
    work.push_back(std::move(item));
    const PreparedChange& last = work.back();
    CALVE_RETURN_IF_ERROR(CheckRefs(last.base ? &*last.base : nullptr, last.prepared.table));
  }
  return Status::Ok();
}

Status NessieCatalog::CommitChanges(const Context& context,
                                    const std::vector<CatalogChange>& changes,
                                    std::vector<PreparedChange>& work) {
  std::vector<NessieKey> keys;
  std::string message = "change";
  for (const CatalogChange& change : changes) {
    keys.push_back(KeyOf(change.table));
    message += (keys.size() == 1 ? " " : ", ") + change.table.ToString();
  }
  CALVE_ASSIGN_OR_RETURN(const NessieContents contents, Read(context, keys));
  CALVE_RETURN_IF_ERROR(Prepare(context, contents, changes, work));
  Json operations = Json::array();
  for (size_t i = 0; i < changes.size(); ++i) {
    const NessieContent* found = contents.Find(keys[i]);
    operations.push_back(
        Put(keys[i], found == nullptr ? "" : found->id, ContentOf(work[i].prepared.table)));
  }
  CALVE_RETURN_IF_ERROR(context.Step("catalog.before_swap"));
  // The hash is that of the commit at which the tables were read: whoever changed one of them
  // since then makes this one fail; other tables do not matter.
  CALVE_RETURN_IF_ERROR(CommitOperations(context, contents.hash, message, operations));
  if (Status seen = context.Step("catalog.after_swap"); !seen.ok())
    return UnknownOutcomeError(seen.error().message);
  return Status::Ok();
}

CommitOutcome NessieCatalog::Commit(const Context& context,
                                    const std::vector<CatalogChange>& changes) {
  std::vector<PreparedChange> work;
  Status done = CommitChanges(context, changes, work);
  if (!done.ok()) {
    if (done.error().kind != ErrorKind::kUnknownOutcome) {
      for (const PreparedChange& change : work) store_->metadata.Forget(context, change.prepared);
    }
    return OutcomeOf(std::move(done).error());
  }
  Committed committed;
  for (PreparedChange& change : work) {
    store_->metadata.Accept(change.prepared.table);
    committed.tables.push_back(std::move(change.prepared.table));
  }
  return committed;
}

Status NessieCatalog::Drop(const Context& context, const TableName& name, const std::string& type) {
  const NessieKey key = KeyOf(name);
  return Race(context, {key}, "drop " + name.ToString(),
              [&](const NessieContents& contents) -> Result<Json> {
                const NessieContent* found = contents.Find(key);
                if (found == nullptr || found->type != type) return Missing(name, type);
                return Json::array({Delete(key)});
              });
}

Status NessieCatalog::Rename(const Context& context, const TableName& from, const TableName& to,
                             const std::string& type) {
  const NessieKey old_key = KeyOf(from);
  const NessieKey new_key = KeyOf(to);
  const auto compute = [&](const NessieContents& contents) -> Result<Json> {
    const NessieContent* found = contents.Find(old_key);
    if (found == nullptr || found->type != type) return Missing(from, type);
    if (from == to) return Json::array();
    if (const NessieContent* taken = contents.Find(new_key); taken != nullptr)
      return AlreadyExistsError(NounOf(taken->type) + " " + to.ToString() + " exists already");
    Json content;
    if (type == kTable) {
      CALVE_ASSIGN_OR_RETURN(const LoadedTable table,
                             store_->metadata.Load(context, found->metadata_location));
      content = ContentOf(table);
    } else {
      CALVE_ASSIGN_OR_RETURN(const LoadedView view,
                             store_->metadata.LoadView(context, found->metadata_location));
      content = ContentOf(view);
    }
    return Json::array({Delete(old_key), Put(new_key, found->id, std::move(content))});
  };
  return Race(context, {old_key, new_key}, "rename " + from.ToString() + " to " + to.ToString(),
              compute);
}

Status NessieCatalog::Register(const Context& context, const TableName& name, const Json& content) {
  const NessieKey key = KeyOf(name);
  return Race(context, {key}, "register " + name.ToString(),
              [&](const NessieContents& contents) -> Result<Json> {
                if (const NessieContent* taken = contents.Find(key); taken != nullptr) {
                  return AlreadyExistsError(NounOf(taken->type) + " " + name.ToString() +
                                            " exists already");
                }
                return Json::array({Put(key, "", content)});
              });
}

Result<LoadedTable> NessieCatalog::RegisterTable(const Context& context, const TableName& table,
                                                 const std::string& metadata_location) {
  CALVE_ASSIGN_OR_RETURN(LoadedTable loaded, store_->metadata.Load(context, metadata_location));
  CALVE_RETURN_IF_ERROR(Register(context, table, ContentOf(loaded)));
  return loaded;
}

Result<LoadedView> NessieCatalog::RegisterView(const Context& context, const TableName& view,
                                               const std::string& metadata_location) {
  CALVE_ASSIGN_OR_RETURN(LoadedView loaded, store_->metadata.LoadView(context, metadata_location));
  CALVE_RETURN_IF_ERROR(Register(context, view, ContentOf(loaded)));
  return loaded;
}

Result<LoadedView> NessieCatalog::CommitView(const Context& context, const TableName& view,
                                             const iceberg::ViewChange& change) {
  const NessieKey key = KeyOf(view);
  CALVE_ASSIGN_OR_RETURN(const NessieContents contents, Read(context, {key}));
  CALVE_ASSIGN_OR_RETURN(const NessieContent* found, FindOf(contents, view, kView));
  std::optional<LoadedView> base;
  if (found != nullptr) {
    CALVE_ASSIGN_OR_RETURN(base, store_->metadata.LoadView(context, found->metadata_location));
  }
  CALVE_ASSIGN_OR_RETURN(LoadedView next,
                         store_->metadata.PrepareView(context, base ? &*base : nullptr, change));
  const Json operations =
      Json::array({Put(key, found == nullptr ? "" : found->id, ContentOf(next))});
  Status done =
      CommitOperations(context, contents.hash, "change view " + view.ToString(), operations);
  if (done.ok()) return next;
  if (done.error().kind != ErrorKind::kUnknownOutcome)
    store_->metadata.ForgetFile(context, next.metadata_location);
  return std::move(done).error();
}

Result<std::string> NessieCatalog::NewTableLocation(const Context& context,
                                                    const TableName& table) {
  Result<std::map<std::string, std::string>> properties = LoadNamespace(context, table.ns);
  if (!properties.ok() && properties.error().kind != ErrorKind::kNotFound)
    return std::move(properties).error();
  if (!properties.ok() || !properties->contains("location"))
    return store_->options.warehouse + "/" + FolderOf(table);
  std::string folder = properties->at("location");
  while (folder.size() > 1 && folder.back() == '/') folder.pop_back();
  return folder + "/" + FolderOf({.ns = {}, .name = table.name});
}

}  // namespace

CALVE_PART(nessie) {
  registry.Add({.type = "nessie",
                .meaning = "Tables on a branch of Project Nessie, several of them changed at once",
                .part = config::MakePart<NessieOptions>("nessie"),
                .make = [](const config::Node& node,
                           const Resources& resources) -> Result<std::unique_ptr<Catalog>> {
                  CALVE_ASSIGN_OR_RETURN(NessieOptions options,
                                         NessieOptions::Declaration().Parse(node));
                  if (options.warehouse.empty()) options.warehouse = resources.warehouse;
                  while (options.warehouse.ends_with('/')) options.warehouse.pop_back();
                  while (options.uri.ends_with('/')) options.uri.pop_back();
                  const std::string branch = options.branch;
                  return std::make_unique<NessieCatalog>(
                      std::make_shared<NessieStore>(std::move(options), resources), branch);
                }});
}

}  // namespace calve::catalog

#include <algorithm>
#include <mutex>
#include <utility>

#include "base/retry.h"
#include "base/text.h"
#include "catalog/hive/hive_table.h"
#include "catalog/hive/metastore.h"
#include "catalog/metadata_store.h"
#include "catalog/registry.h"

namespace calve::catalog {
namespace {

namespace hms = hive_metastore;

constexpr const char* kLocation = "metadata_location";
constexpr size_t kTablesPerRequest = 200;

struct HiveOptions {
  std::string uri;
  std::string warehouse;
  bool lock = true;
  std::chrono::milliseconds lock_timeout{180'000};

  static config::Shape<HiveOptions> Declaration() {
    config::Shape<HiveOptions> shape(
        "hive catalog",
        "Keep the pointers of tables in a Hive Metastore, as Iceberg's own Hive catalog does, so "
        "that Spark, Trino, Flink and Hive find the same tables.");
    shape.Required("uri", &HiveOptions::uri,
                   "The metastore's address; several of one metastore are divided by commas.",
                   {.example = "thrift://metastore:9083"});
    shape.Optional("warehouse", &HiveOptions::warehouse, "Where new databases go.",
                   {.default_text = "the project's warehouse"});
    shape.Optional("lock", &HiveOptions::lock,
                   "Lock a table in the metastore while its pointer moves. Without, the metastore "
                   "must compare the pointer itself (Hive 4, or 2.3.10), which is tried out before "
                   "the first commit. All who write to a table must do the same.");
    shape.Optional("lock_timeout", &HiveOptions::lock_timeout,
                   "How long to wait for a lock that another holds.");
    shape.Check(
        "uri", [](const HiveOptions& options) { return ParseMetastoreUris(options.uri).status(); });
    return shape;
  }
};

class HiveCatalog : public Catalog {
 public:
  HiveCatalog(HiveOptions options, std::vector<MetastoreAddress> addresses, Resources resources)
      : options_(std::move(options)),
        addresses_(std::move(addresses)),
        resources_(std::move(resources)),
        store_(*resources_.files) {}

  const std::string& name() const override { return resources_.name; }
  Capabilities capabilities() const override { return {.namespace_properties = true}; }

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
  Result<std::vector<TableName>> ListTables(const Context& context, const Namespace& ns) override;
  Result<LoadedTable> LoadTable(const Context& context, const TableName& table) override;
  CommitOutcome Commit(const Context& context, const std::vector<CatalogChange>& changes) override;
  Status DropTable(const Context& context, const TableName& table) override;
  Status RenameTable(const Context& context, const TableName& from, const TableName& to) override;
  Result<LoadedTable> RegisterTable(const Context& context, const TableName& table,
                                    const std::string& metadata_location) override;
  Result<std::string> NewTableLocation(const Context& context, const TableName& table) override;

 private:
  using Client = Metastore::Client;

  Result<std::unique_ptr<Metastore>> Connect(const Context& context) const {
    return Metastore::Connect(context, addresses_);
  }
  /// Ask on a connection that was used before, or on a new one.
  Status Ask(const Context& context, const std::function<Status(Metastore&)>& ask);
  Status Read(const Context& context, const std::string& doing,
              const std::function<void(Client&)>& call);
  /// Change on a connection of its own: one that stood idle may have been closed by the other side,
  /// and then nobody knows whether the change got there.
  Status Change(const Context& context, const std::string& doing,
                const std::function<void(Client&)>& call);
  Result<hms::Database> LoadDatabase(const Context& context, const Namespace& ns);
  /// Fails with kNotFound when there is none, and kRefused when it is no Iceberg table.
  Result<hms::Table> LoadEntry(const Context& context, const TableName& table);
  Status CheckOneLevel(const Namespace& ns) const;
  Error NoNamespace(const Namespace& ns) const;
  Error NoTable(const TableName& table) const;

  Status CreateEntry(const Context& context, const TableName& table, const LoadedTable& made);
  /// Let the entry point at what was prepared, if it still points at `base`.
  Status Swap(const Context& context, const TableName& table, const LoadedTable& base,
              const LoadedTable& next);
  Status Alter(Metastore& metastore, const TableName& table, hms::Table entry,
               std::map<std::string, std::string> conditions);
  /// What became of a swap whose outcome is unknown.
  Status Look(const Context& context, const TableName& table, const LoadedTable& next,
              Error unknown, bool broken);
  /// See that the metastore compares what it is told to expect (HIVE-26882), on a table made for
  /// that.
  Status CheckComparison(const Context& context, const std::string& database,
                         const std::string& folder);

  const HiveOptions options_;
  const std::vector<MetastoreAddress> addresses_;
  const Resources resources_;
  MetadataStore store_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Metastore>> idle_;
  bool compares_ = false;
};

Status HiveCatalog::Ask(const Context& context, const std::function<Status(Metastore&)>& ask) {
  constexpr size_t kIdleMax = 8;
  const auto once = [&]() -> Status {
    CALVE_RETURN_IF_ERROR(context.CheckStop());
    std::unique_ptr<Metastore> metastore;
    {
      std::lock_guard lock(mutex_);
      if (!idle_.empty()) {
        metastore = std::move(idle_.back());
        idle_.pop_back();
      }
    }
    if (metastore == nullptr) {
      CALVE_ASSIGN_OR_RETURN(metastore, Connect(context));
    }
    Status read = ask(*metastore);
    if (metastore->is_broken()) return read;
    std::lock_guard lock(mutex_);
    if (idle_.size() < kIdleMax) idle_.push_back(std::move(metastore));
    return read;
  };
  return Retry(context, RetryPolicy{}, once);
}

Status HiveCatalog::Read(const Context& context, const std::string& doing,
                         const std::function<void(Client&)>& call) {
  return Ask(context, [&](Metastore& metastore) { return metastore.Read(doing, call); });
}

Status HiveCatalog::Change(const Context& context, const std::string& doing,
                           const std::function<void(Client&)>& call) {
  CALVE_ASSIGN_OR_RETURN(const auto metastore, Connect(context));
  return metastore->Change(doing, call);
}

Error HiveCatalog::NoNamespace(const Namespace& ns) const {
  return NotFoundError("there is no namespace " + ToString(ns) + " in catalog " + name());
}

Error HiveCatalog::NoTable(const TableName& table) const {
  return NotFoundError("there is no table " + table.ToString() + " in catalog " + name());
}

Status HiveCatalog::CheckOneLevel(const Namespace& ns) const {
  if (ns.size() == 1) return Status::Ok();
  return RefusedError(
      "a Hive Metastore has no namespaces in namespaces, expected one name, found " + ToString(ns));
}

Result<std::vector<Namespace>> HiveCatalog::ListNamespaces(const Context& context,
                                                           const Namespace& parent) {
  std::vector<Namespace> found;
  if (!parent.empty()) return found;
  std::vector<std::string> names;
  CALVE_RETURN_IF_ERROR(
      Read(context, "list databases", [&](Client& client) { client.get_all_databases(names); }));
  std::ranges::sort(names);
  for (std::string& name : names) found.push_back({std::move(name)});
  return found;
}

Result<hms::Database> HiveCatalog::LoadDatabase(const Context& context, const Namespace& ns) {
  if (ns.size() != 1) return NoNamespace(ns);
  hms::Database database;
  Status read = Read(context, "load namespace " + ToString(ns),
                     [&](Client& client) { client.get_database(database, ns.front()); });
  if (!read.ok() && read.error().kind == ErrorKind::kNotFound) return NoNamespace(ns);
  CALVE_RETURN_IF_ERROR(read);
  return database;
}

Result<std::map<std::string, std::string>> HiveCatalog::LoadNamespace(const Context& context,
                                                                      const Namespace& ns) {
  CALVE_ASSIGN_OR_RETURN(const hms::Database database, LoadDatabase(context, ns));
  std::map<std::string, std::string> properties = database.parameters;
  if (!database.locationUri.empty()) properties["location"] = database.locationUri;
  if (!database.description.empty()) properties["comment"] = database.description;
  return properties;
}

/// Hive keeps two properties in fields of their own.
void SetProperty(hms::Database& database, const std::string& key, const std::string& value) {
  if (key == "location") {
    database.locationUri = value;
  } else if (key == "comment") {
    database.description = value;
  } else {
    database.parameters[key] = value;
  }
}

Status HiveCatalog::CreateNamespace(const Context& context, const Namespace& ns,
                                    const std::map<std::string, std::string>& properties) {
  CALVE_RETURN_IF_ERROR(CheckOneLevel(ns));
  hms::Database database;
  database.name = ns.front();
  database.locationUri = options_.warehouse + "/" + ns.front() + ".db";
  for (const auto& [key, value] : properties) SetProperty(database, key, value);
  Status made = Change(context, "create namespace " + ToString(ns),
                       [&](Client& client) { client.create_database(database); });
  if (made.ok() || made.error().kind == ErrorKind::kTransient) return made;
  if (made.error().kind == ErrorKind::kAlreadyExists)
    return AlreadyExistsError("namespace " + ToString(ns) + " exists already");
  const bool lost = made.error().kind == ErrorKind::kUnknownOutcome;
  return lost && LoadDatabase(context, ns).ok() ? Status::Ok() : made;
}

Status HiveCatalog::DropNamespace(const Context& context, const Namespace& ns) {
  CALVE_RETURN_IF_ERROR(LoadDatabase(context, ns));
  Status dropped = Change(context, "drop namespace " + ToString(ns), [&](Client& client) {
    client.drop_database(ns.front(), /*deleteData=*/false, /*cascade=*/false);
  });
  if (dropped.ok() || dropped.error().kind != ErrorKind::kUnknownOutcome) return dropped;
  const auto there = LoadDatabase(context, ns);
  return !there.ok() && there.error().kind == ErrorKind::kNotFound ? Status::Ok() : dropped;
}

Result<NamespaceUpdate> HiveCatalog::UpdateNamespace(
    const Context& context, const Namespace& ns, const std::vector<std::string>& removals,
    const std::map<std::string, std::string>& updates) {
  CALVE_ASSIGN_OR_RETURN(hms::Database database, LoadDatabase(context, ns));
  NamespaceUpdate update;
  for (const std::string& key : removals) {
    if (updates.contains(key))
      return ConfigError("property " + Quote(key) + " cannot be removed and set at once");
    const bool was_there = database.parameters.erase(key) > 0;
    (was_there ? update.removed : update.missing).push_back(key);
  }
  for (const auto& [key, value] : updates) {
    SetProperty(database, key, value);
    update.updated.push_back(key);
  }
  CALVE_RETURN_IF_ERROR(
      Change(context, "change the properties of namespace " + ToString(ns),
             [&](Client& client) { client.alter_database(ns.front(), database); }));
  return update;
}

Result<std::vector<TableName>> HiveCatalog::ListTables(const Context& context,
                                                       const Namespace& ns) {
  CALVE_RETURN_IF_ERROR(LoadDatabase(context, ns));
  const std::string doing = "list the tables of " + ToString(ns);
  std::vector<std::string> names;
  CALVE_RETURN_IF_ERROR(
      Read(context, doing, [&](Client& client) { client.get_all_tables(names, ns.front()); }));
  std::vector<TableName> tables;
  for (size_t at = 0; at < names.size(); at += kTablesPerRequest) {
    const size_t end = std::min(names.size(), at + kTablesPerRequest);
    hms::GetTablesRequest some;
    some.dbName = ns.front();
    some.__set_tblNames(
        {names.begin() + static_cast<ptrdiff_t>(at), names.begin() + static_cast<ptrdiff_t>(end)});
    hms::GetTablesResult entries;
    CALVE_RETURN_IF_ERROR(Read(context, doing, [&](Client& client) {
      client.get_table_objects_by_name_req(entries, some);
    }));
    for (const hms::Table& entry : entries.tables) {
      if (IsIcebergTable(entry)) tables.push_back({ns, entry.tableName});
    }
  }
  std::ranges::sort(tables);
  return tables;
}

Result<hms::Table> HiveCatalog::LoadEntry(const Context& context, const TableName& table) {
  if (table.ns.size() != 1) return NoTable(table);
  hms::Table entry;
  Status read = Ask(context, [&](Metastore& metastore) {
    return metastore.GetTable(table.ns.front(), table.name, entry);
  });
  if (!read.ok() && read.error().kind == ErrorKind::kNotFound) return NoTable(table);
  CALVE_RETURN_IF_ERROR(read);
  if (IsIcebergTable(entry)) return entry;
  return RefusedError(table.ToString() + " in catalog " + name() +
                      " is no Iceberg table: expected table_type ICEBERG, found " +
                      Quote(ParameterOf(entry, "table_type")) + "; take another name");
}

Result<LoadedTable> HiveCatalog::LoadTable(const Context& context, const TableName& table) {
  CALVE_ASSIGN_OR_RETURN(const hms::Table entry, LoadEntry(context, table));
  const std::string location = ParameterOf(entry, kLocation);
  Result<LoadedTable> loaded = store_.Load(context, location);
  if (!loaded.ok() && loaded.error().kind == ErrorKind::kNotFound) {
    return DataError("the catalog has table " + table.ToString() + " at " + Quote(location) +
                     ", which is not there; restore the file, or run again if another program is "
                     "changing the table");
  }
  return loaded;
}

Status HiveCatalog::CreateEntry(const Context& context, const TableName& table,
                                const LoadedTable& made) {
  CALVE_RETURN_IF_ERROR(CheckOneLevel(table.ns));
  const hms::Table entry = NewHiveTable(table, *made.metadata, made.metadata_location,
                                        MillisSinceEpoch(context.clock->Now()));
  CALVE_RETURN_IF_ERROR(context.Step("catalog.before_swap"));
  CALVE_ASSIGN_OR_RETURN(const auto metastore, Connect(context));
  Status created = metastore->Change("create table " + table.ToString(),
                                     [&](Client& client) { client.create_table(entry); });
  if (created.ok()) return created;
  switch (created.error().kind) {
    case ErrorKind::kUnknownOutcome:
      return Look(context, table, made, created.error(), metastore->is_broken());
    case ErrorKind::kAlreadyExists:
      return AlreadyExistsError("table " + table.ToString() + " exists already");
    default:
      break;
  }
  // A metastore calls a missing database an invalid object.
  if (!LoadDatabase(context, table.ns).ok()) return NoNamespace(table.ns);
  return created;
}

Status HiveCatalog::Look(const Context& context, const TableName& table, const LoadedTable& next,
                         Error unknown, bool broken) {
  const Result<hms::Table> entry = LoadEntry(context.WithStop({}), table);
  if (entry.ok()) {
    const bool is_ours =
        ParameterOf(*entry, kLocation) == next.metadata_location ||
        ParameterOf(*entry, "previous_metadata_location") == next.metadata_location;
    if (is_ours) return Status::Ok();
  }
  const bool looked = entry.ok() || entry.error().kind == ErrorKind::kNotFound;
  // What the server has answered is over; what was cut off may still be carried out.
  if (looked && !broken) return RefusedError(unknown.message);
  return unknown;
}

Status HiveCatalog::Alter(Metastore& metastore, const TableName& table, hms::Table entry,
                          std::map<std::string, std::string> conditions) {
  hms::EnvironmentContext context;
  context.properties = std::move(conditions);
  context.properties["DO_NOT_UPDATE_STATS"] = "true";
  return metastore.Change("commit to table " + table.ToString(), [&](Client& client) {
    client.alter_table_with_environment_context(table.ns.front(), table.name, entry, context);
  });
}

Status HiveCatalog::CheckComparison(const Context& context, const std::string& database,
                                    const std::string& folder) {
  {
    std::lock_guard lock(mutex_);
    if (compares_) return Status::Ok();
  }
  const TableName probe{{database},
                        "calve_probe_" + NewRunId(context.clock->Now(), *context.random)};
  hms::Table entry;
  entry.dbName = database;
  entry.tableName = ToLower(probe.name);
  entry.owner = "calve";
  entry.tableType = "EXTERNAL_TABLE";
  entry.sd.location = folder;  // one that is there, so that none is made
  entry.parameters = {{"EXTERNAL", "TRUE"}, {kLocation, "a"}};
  CALVE_ASSIGN_OR_RETURN(const auto metastore, Connect(context));
  CALVE_RETURN_IF_ERROR(metastore->Change("try out the metastore",
                                          [&](Client& client) { client.create_table(entry); }));
  CALVE_RETURN_IF_ERROR(metastore->GetTable(database, probe.name, entry));
  Status altered =
      Alter(*metastore, probe, entry,
            {{"expected_parameter_key", kLocation}, {"expected_parameter_value", "b"}});
  CALVE_RETURN_IF_ERROR(metastore->Change("try out the metastore", [&](Client& client) {
    client.drop_table(database, probe.name, /*deleteData=*/false);
  }));
  if (altered.ok()) {
    return RefusedError(
        "catalog " + name() +
        ": this metastore does not compare a table's pointer before it moves it (HIVE-26882; Hive "
        "4 and 2.3.10 do), so that commits of others would be lost; set lock: true");
  }
  if (altered.error().kind != ErrorKind::kConflict) return altered;
  std::lock_guard lock(mutex_);
  compares_ = true;
  return Status::Ok();
}

Status HiveCatalog::Swap(const Context& context, const TableName& table, const LoadedTable& base,
                         const LoadedTable& next) {
  if (!options_.lock)
    CALVE_RETURN_IF_ERROR(CheckComparison(context, table.ns.front(), base.metadata->location));
  CALVE_ASSIGN_OR_RETURN(const auto metastore, Connect(context));
  std::unique_ptr<MetastoreLock> lock;
  if (options_.lock) {
    CALVE_ASSIGN_OR_RETURN(
        lock, MetastoreLock::Take(context, addresses_, *metastore, table.ns.front(), table.name,
                                  options_.lock_timeout));
  }
  // The entry is read under the lock: what others have changed in it is not to be undone.
  hms::Table entry;
  CALVE_RETURN_IF_ERROR(metastore->GetTable(table.ns.front(), table.name, entry));
  if (ParameterOf(entry, kLocation) != base.metadata_location)
    return ConflictError("another writer has changed " + table.ToString() + " meanwhile");
  PointHiveTable(entry, *base.metadata, *next.metadata, next.metadata_location);
  CALVE_RETURN_IF_ERROR(context.Step("catalog.before_swap"));
  std::map<std::string, std::string> conditions;
  if (lock != nullptr) {
    CALVE_RETURN_IF_ERROR(lock->Refresh());
  } else {
    conditions = {{"expected_parameter_key", kLocation},
                  {"expected_parameter_value", base.metadata_location}};
  }
  Status altered = Alter(*metastore, table, std::move(entry), std::move(conditions));
  // A lock that ran out meanwhile may have let another writer in between.
  if (altered.ok() && lock != nullptr && !lock->Refresh().ok()) {
    altered = UnknownOutcomeError("the lock on " + table.ToString() +
                                  " was lost while its pointer moved");
  }
  if (!altered.ok() && altered.error().kind == ErrorKind::kUnknownOutcome)
    return Look(context, table, next, altered.error(), metastore->is_broken());
  if (!altered.ok() && altered.error().kind == ErrorKind::kConflict) {
    // A request that was sent twice on its way finds its own pointer.
    const Status looked = Look(context, table, next, altered.error(), /*broken=*/false);
    return looked.ok() ? looked : altered;
  }
  return altered;
}

CommitOutcome HiveCatalog::Commit(const Context& context,
                                  const std::vector<CatalogChange>& changes) {
  if (changes.size() != 1) {
    return Refused{RefusedError("a hive catalog commits one table at a time, not " +
                                std::to_string(changes.size()))};
  }
  const TableName& table = changes.front().table;
  Result<LoadedTable> base = LoadTable(context, table);
  if (!base.ok() && base.error().kind != ErrorKind::kNotFound)
    return OutcomeOf(std::move(base).error());
  const LoadedTable* before = base.ok() ? &*base : nullptr;
  Result<MetadataStore::Prepared> prepared =
      store_.Prepare(context, before, changes.front().change);
  if (!prepared.ok()) return OutcomeOf(std::move(prepared).error());
  LoadedTable& next = prepared->table;
  Status done =
      before == nullptr ? CreateEntry(context, table, next) : Swap(context, table, *before, next);
  if (done.ok()) {
    Status seen = context.Step("catalog.after_swap");
    if (!seen.ok()) done = UnknownOutcomeError(seen.error().message);
  }
  if (!done.ok()) {
    if (done.error().kind != ErrorKind::kUnknownOutcome) store_.Forget(context, *prepared);
    return OutcomeOf(std::move(done).error());
  }
  store_.PruneLog(context, before, next);
  return Committed{{std::move(next)}};
}

Status HiveCatalog::DropTable(const Context& context, const TableName& table) {
  CALVE_RETURN_IF_ERROR(LoadEntry(context, table));
  Status dropped = Change(context, "drop table " + table.ToString(), [&](Client& client) {
    client.drop_table(table.ns.front(), table.name, /*deleteData=*/false);
  });
  if (dropped.ok() || dropped.error().kind != ErrorKind::kUnknownOutcome) return dropped;
  const auto there = LoadEntry(context, table);
  return !there.ok() && there.error().kind == ErrorKind::kNotFound ? Status::Ok() : dropped;
}

Status HiveCatalog::RenameTable(const Context& context, const TableName& from,
                                const TableName& to) {
  CALVE_RETURN_IF_ERROR(CheckOneLevel(to.ns));
  CALVE_ASSIGN_OR_RETURN(hms::Table entry, LoadEntry(context, from));
  CALVE_RETURN_IF_ERROR(LoadDatabase(context, to.ns));
  hms::Table taken;
  Status there = Ask(context, [&](Metastore& metastore) {
    return metastore.GetTable(to.ns.front(), to.name, taken);
  });
  if (there.ok()) return AlreadyExistsError("table " + to.ToString() + " exists already");
  if (there.error().kind != ErrorKind::kNotFound) return there;
  entry.dbName = to.ns.front();
  entry.tableName = to.name;
  CALVE_ASSIGN_OR_RETURN(const auto metastore, Connect(context));
  std::unique_ptr<MetastoreLock> lock;
  if (options_.lock) {
    CALVE_ASSIGN_OR_RETURN(
        lock, MetastoreLock::Take(context, addresses_, *metastore, from.ns.front(), from.name,
                                  options_.lock_timeout));
  }
  Status renamed = Alter(*metastore, from, std::move(entry), {});
  if (renamed.ok() || renamed.error().kind != ErrorKind::kUnknownOutcome) return renamed;
  return LoadEntry(context, to).ok() ? Status::Ok() : renamed;
}

Result<LoadedTable> HiveCatalog::RegisterTable(const Context& context, const TableName& table,
                                               const std::string& metadata_location) {
  CALVE_ASSIGN_OR_RETURN(LoadedTable loaded, store_.Load(context, metadata_location));
  CALVE_RETURN_IF_ERROR(CreateEntry(context, table, loaded));
  return loaded;
}

Result<std::string> HiveCatalog::NewTableLocation(const Context& context, const TableName& table) {
  CALVE_RETURN_IF_ERROR(CheckOneLevel(table.ns));
  const Result<hms::Database> database = LoadDatabase(context, table.ns);
  if (!database.ok() && database.error().kind != ErrorKind::kNotFound) return database.error();
  std::string folder = database.ok() ? database->locationUri : "";
  if (folder.empty()) folder = options_.warehouse + "/" + table.ns.front() + ".db";
  while (folder.size() > 1 && folder.back() == '/') folder.pop_back();
  return folder + "/" + table.name;
}

}  // namespace

CALVE_PART(hive) {
  registry.Add(
      {.type = "hive",
       .meaning = "Table pointers in a Hive Metastore, shared with Spark, Trino, Flink "
                  "and Hive",
       .part = config::MakePart<HiveOptions>("hive"),
       .make = [](const config::Node& node,
                  const Resources& resources) -> Result<std::unique_ptr<Catalog>> {
         CALVE_ASSIGN_OR_RETURN(HiveOptions options, HiveOptions::Declaration().Parse(node));
         CALVE_ASSIGN_OR_RETURN(auto addresses, ParseMetastoreUris(options.uri));
         if (options.warehouse.empty()) options.warehouse = resources.warehouse;
         while (options.warehouse.ends_with('/')) options.warehouse.pop_back();
         return std::make_unique<HiveCatalog>(std::move(options), std::move(addresses), resources);
       }});
}

}  // namespace calve::catalog

#include <mutex>
#include <utility>

#include "base/text.h"
#include "catalog/metadata_store.h"
#include "catalog/registry.h"
#include "io/sqlite.h"

namespace calve::catalog {
namespace {

struct SqlOptions {
  std::string path = "metadata/catalog.db";
  std::string warehouse;
  std::string catalog_name;

  static config::Shape<SqlOptions> Declaration() {
    config::Shape<SqlOptions> shape("sql catalog",
                                    "Keep the pointers of tables in a SQLite file, in the tables "
                                    "of Iceberg's JDBC catalog, so that Iceberg Java and "
                                    "PyIceberg can use the same file.");
    shape.Optional("path", &SqlOptions::path,
                   "The SQLite file; a relative path starts at the project's folder.");
    shape.Optional("warehouse", &SqlOptions::warehouse, "Where new tables go.",
                   {.default_text = "the project's warehouse"});
    shape.Optional(
        "catalog_name", &SqlOptions::catalog_name,
        "The name under which rows stand in the file: what Java and PyIceberg call the catalog.",
        {.default_text = "the catalog's name in calve.yaml"});
    return shape;
  }
};

// The JDBC catalog's own tables, version 1 (Iceberg Java, JdbcUtil).
constexpr const char* kCreateTables =
    "CREATE TABLE IF NOT EXISTS iceberg_tables ("
    "catalog_name VARCHAR(255) NOT NULL, table_namespace VARCHAR(255) NOT NULL, table_name "
    "VARCHAR(255) NOT NULL, "
    "metadata_location VARCHAR(1000), previous_metadata_location VARCHAR(1000), iceberg_type "
    "VARCHAR(5), "
    "PRIMARY KEY (catalog_name, table_namespace, table_name));"
    "CREATE TABLE IF NOT EXISTS iceberg_namespace_properties ("
    "catalog_name VARCHAR(255) NOT NULL, namespace VARCHAR(255) NOT NULL, property_key "
    "VARCHAR(255), "
    "property_value VARCHAR(1000), PRIMARY KEY (catalog_name, namespace, property_key));";

/// Java marks a namespace that has no table and no property by this one.
constexpr std::string_view kExists = "exists";

class SqlCatalog : public Catalog {
 public:
  SqlCatalog(SqlOptions options, Resources resources)
      : options_(std::move(options)), resources_(std::move(resources)), store_(*resources_.files) {}

  const std::string& name() const override { return resources_.name; }
  Capabilities capabilities() const override { return {.multi_table = true}; }

  Result<std::vector<Namespace>> ListNamespaces(const Context& context,
                                                const Namespace& parent) override;
  Status CreateNamespace(const Context& context, const Namespace& ns,
                         const std::map<std::string, std::string>& properties) override;
  Result<std::map<std::string, std::string>> LoadNamespace(const Context& context,
                                                           const Namespace& ns) override;
  Status DropNamespace(const Context& context, const Namespace& ns) override;
  Result<std::vector<TableName>> ListTables(const Context& context, const Namespace& ns) override;
  Result<LoadedTable> LoadTable(const Context& context, const TableName& table) override;
  CommitOutcome Commit(const Context& context, const std::vector<CatalogChange>& changes) override;
  Status DropTable(const Context& context, const TableName& table) override;
  Status RenameTable(const Context& context, const TableName& from, const TableName& to) override;
  Result<LoadedTable> RegisterTable(const Context& context, const TableName& table,
                                    const std::string& metadata_location) override;
  Result<std::string> NewTableLocation(const Context& context, const TableName& table) override;

 private:
  struct Change {
    TableName table;
    std::optional<LoadedTable> base;
    MetadataStore::Prepared prepared;
  };

  /// Open the file and see that its tables are there. Holds mutex_.
  Status Open(const Context& context);
  Result<io::SqliteStatement> Prepare(std::string_view sql);
  Result<std::optional<std::string>> FindLocation(const TableName& table);
  Result<bool> NamespaceExists(const Namespace& ns);
  Result<std::vector<std::string>> AllNamespaces();
  /// Move every pointer in one transaction.
  Status Swap(const Context& context, const std::vector<Change>& changes);
  Status InsertTable(const TableName& table, const std::string& location);

  const SqlOptions options_;
  const Resources resources_;
  MetadataStore store_;
  std::mutex mutex_;
  std::optional<io::SqliteDatabase> database_;
  bool has_type_column_ = true;
};

Status SqlCatalog::Open(const Context& context) {
  if (database_.has_value()) return Status::Ok();
  std::string path = options_.path;
  if (!path.starts_with('/')) path = resources_.project_folder + "/" + path;
  const std::string folder = path.substr(0, path.rfind('/'));
  CALVE_RETURN_IF_ERROR(resources_.files->EnsureFolder(context, folder));
  CALVE_ASSIGN_OR_RETURN(io::SqliteDatabase database, io::SqliteDatabase::Open(path));
  CALVE_RETURN_IF_ERROR(database.Execute(kCreateTables));
  // Version 0 of the schema has no iceberg_type: everything in it is a table.
  CALVE_ASSIGN_OR_RETURN(
      auto columns,
      io::SqliteStatement::Prepare(
          database,
          "SELECT count(*) FROM pragma_table_info('iceberg_tables') WHERE name = 'iceberg_type'"));
  CALVE_RETURN_IF_ERROR(columns.Step());
  has_type_column_ = columns.Integer(0) > 0;
  database_.emplace(std::move(database));
  return Status::Ok();
}

Result<io::SqliteStatement> SqlCatalog::Prepare(std::string_view sql) {
  std::string text(sql);
  const size_t mark = text.find("{is_table}");
  if (mark != std::string::npos) {
    text.replace(mark, 10,
                 has_type_column_ ? "(iceberg_type = 'TABLE' OR iceberg_type IS NULL)" : "1");
  }
  CALVE_ASSIGN_OR_RETURN(auto statement, io::SqliteStatement::Prepare(*database_, text));
  return statement;
}

Result<std::optional<std::string>> SqlCatalog::FindLocation(const TableName& table) {
  CALVE_ASSIGN_OR_RETURN(
      auto find, Prepare("SELECT metadata_location FROM iceberg_tables WHERE catalog_name = ? AND "
                         "table_namespace = ? AND table_name = ? AND {is_table}"));
  find.Bind(options_.catalog_name).Bind(ToString(table.ns)).Bind(table.name);
  CALVE_ASSIGN_OR_RETURN(const bool found, find.Step());
  if (!found) return std::optional<std::string>();
  return std::optional<std::string>(find.Text(0));
}

Result<std::vector<std::string>> SqlCatalog::AllNamespaces() {
  CALVE_ASSIGN_OR_RETURN(
      auto list,
      Prepare(
          "SELECT table_namespace FROM iceberg_tables WHERE catalog_name = ?1 UNION "
          "SELECT namespace FROM iceberg_namespace_properties WHERE catalog_name = ?1 ORDER BY 1"));
  list.Bind(options_.catalog_name);
  std::vector<std::string> names;
  while (true) {
    CALVE_ASSIGN_OR_RETURN(const bool more, list.Step());
    if (!more) return names;
    names.push_back(list.Text(0));
  }
}

Result<bool> SqlCatalog::NamespaceExists(const Namespace& ns) {
  const std::string wanted = ToString(ns);
  CALVE_ASSIGN_OR_RETURN(const std::vector<std::string> all, AllNamespaces());
  for (const std::string& name : all) {
    if (name == wanted || name.starts_with(wanted + ".")) return true;
  }
  return false;
}

Result<std::vector<Namespace>> SqlCatalog::ListNamespaces(const Context& context,
                                                          const Namespace& parent) {
  std::lock_guard lock(mutex_);
  CALVE_RETURN_IF_ERROR(Open(context));
  CALVE_ASSIGN_OR_RETURN(const std::vector<std::string> all, AllNamespaces());
  std::vector<Namespace> children;
  for (const std::string& dotted : all) {
    Namespace ns = Split(dotted, '.');
    if (ns.size() <= parent.size() || !std::equal(parent.begin(), parent.end(), ns.begin()))
      continue;
    ns.resize(parent.size() + 1);
    if (children.empty() || children.back() != ns) children.push_back(std::move(ns));
  }
  std::sort(children.begin(), children.end());
  children.erase(std::unique(children.begin(), children.end()), children.end());
  return children;
}

Status SqlCatalog::CreateNamespace(const Context& context, const Namespace& ns,
                                   const std::map<std::string, std::string>& properties) {
  std::lock_guard lock(mutex_);
  CALVE_RETURN_IF_ERROR(Open(context));
  CALVE_ASSIGN_OR_RETURN(auto transaction, io::SqliteTransaction::Begin(*database_));
  CALVE_ASSIGN_OR_RETURN(const bool exists, NamespaceExists(ns));
  if (exists) return AlreadyExistsError("namespace " + ToString(ns) + " exists already");
  std::map<std::string, std::string> rows = properties;
  rows.emplace(kExists, "true");
  for (const auto& [key, value] : rows) {
    CALVE_ASSIGN_OR_RETURN(auto insert,
                           Prepare("INSERT INTO iceberg_namespace_properties VALUES (?, ?, ?, ?)"));
    insert.Bind(options_.catalog_name).Bind(ToString(ns)).Bind(key).Bind(value);
    CALVE_RETURN_IF_ERROR(insert.Run());
  }
  return transaction.Commit();
}

Result<std::map<std::string, std::string>> SqlCatalog::LoadNamespace(const Context& context,
                                                                     const Namespace& ns) {
  std::lock_guard lock(mutex_);
  CALVE_RETURN_IF_ERROR(Open(context));
  CALVE_ASSIGN_OR_RETURN(const bool exists, NamespaceExists(ns));
  if (!exists)
    return NotFoundError("there is no namespace " + ToString(ns) + " in catalog " + name());
  CALVE_ASSIGN_OR_RETURN(
      auto list, Prepare("SELECT property_key, property_value FROM iceberg_namespace_properties "
                         "WHERE catalog_name = ? AND namespace = ?"));
  list.Bind(options_.catalog_name).Bind(ToString(ns));
  std::map<std::string, std::string> properties;
  while (true) {
    CALVE_ASSIGN_OR_RETURN(const bool more, list.Step());
    if (!more) return properties;
    if (list.Text(0) != kExists) properties.emplace(list.Text(0), list.Text(1));
  }
}

Status SqlCatalog::DropNamespace(const Context& context, const Namespace& ns) {
  std::lock_guard lock(mutex_);
  CALVE_RETURN_IF_ERROR(Open(context));
  CALVE_ASSIGN_OR_RETURN(auto transaction, io::SqliteTransaction::Begin(*database_));
  const std::string wanted = ToString(ns);
  CALVE_ASSIGN_OR_RETURN(const bool exists, NamespaceExists(ns));
  if (!exists) return NotFoundError("there is no namespace " + wanted + " in catalog " + name());
  CALVE_ASSIGN_OR_RETURN(const std::vector<std::string> all, AllNamespaces());
  for (const std::string& other : all) {
    if (other.starts_with(wanted + "."))
      return RefusedError("namespace " + wanted + " holds namespace " + other);
  }
  CALVE_ASSIGN_OR_RETURN(auto tables,
                         Prepare("SELECT table_name FROM iceberg_tables WHERE catalog_name = ? AND "
                                 "table_namespace = ? LIMIT 1"));
  tables.Bind(options_.catalog_name).Bind(wanted);
  CALVE_ASSIGN_OR_RETURN(const bool holds_table, tables.Step());
  if (holds_table) {
    return RefusedError("namespace " + wanted + " holds tables, " + tables.Text(0) +
                        " among them; drop them first");
  }
  CALVE_ASSIGN_OR_RETURN(
      auto remove,
      Prepare("DELETE FROM iceberg_namespace_properties WHERE catalog_name = ? AND namespace = ?"));
  remove.Bind(options_.catalog_name).Bind(wanted);
  CALVE_RETURN_IF_ERROR(remove.Run());
  return transaction.Commit();
}

Result<std::vector<TableName>> SqlCatalog::ListTables(const Context& context, const Namespace& ns) {
  std::lock_guard lock(mutex_);
  CALVE_RETURN_IF_ERROR(Open(context));
  CALVE_ASSIGN_OR_RETURN(auto list,
                         Prepare("SELECT table_name FROM iceberg_tables WHERE catalog_name = ? AND "
                                 "table_namespace = ? AND {is_table} ORDER BY table_name"));
  list.Bind(options_.catalog_name).Bind(ToString(ns));
  std::vector<TableName> tables;
  while (true) {
    CALVE_ASSIGN_OR_RETURN(const bool more, list.Step());
    if (!more) return tables;
    tables.push_back({ns, list.Text(0)});
  }
}

Result<LoadedTable> SqlCatalog::LoadTable(const Context& context, const TableName& table) {
  std::optional<std::string> location;
  {
    std::lock_guard lock(mutex_);
    CALVE_RETURN_IF_ERROR(Open(context));
    CALVE_ASSIGN_OR_RETURN(location, FindLocation(table));
  }
  if (!location.has_value()) {
    return NotFoundError("there is no table " + table.ToString() + " in catalog " + name());
  }
  Result<LoadedTable> loaded = store_.Load(context, *location);
  if (!loaded.ok() && loaded.error().kind == ErrorKind::kNotFound) {
    return DataError("the catalog has table " + table.ToString() + " at " + *location +
                     ", which is not there; restore the file, or run again if another program is "
                     "changing the table");
  }
  return loaded;
}

Status SqlCatalog::InsertTable(const TableName& table, const std::string& location) {
  CALVE_ASSIGN_OR_RETURN(const bool has_namespace, NamespaceExists(table.ns));
  if (!has_namespace) {
    return NotFoundError("there is no namespace " + ToString(table.ns) + " in catalog " + name());
  }
  CALVE_ASSIGN_OR_RETURN(
      auto insert,
      Prepare(has_type_column_
                  ? "INSERT INTO iceberg_tables (catalog_name, table_namespace, table_name, "
                    "metadata_location, "
                    "previous_metadata_location, iceberg_type) VALUES (?, ?, ?, ?, NULL, 'TABLE')"
                  : "INSERT INTO iceberg_tables (catalog_name, table_namespace, table_name, "
                    "metadata_location, "
                    "previous_metadata_location) VALUES (?, ?, ?, ?, NULL)"));
  insert.Bind(options_.catalog_name).Bind(ToString(table.ns)).Bind(table.name).Bind(location);
  Result<int64_t> inserted = insert.Run();
  if (!inserted.ok() && inserted.error().kind == ErrorKind::kAlreadyExists) {
    return AlreadyExistsError("table " + table.ToString() + " exists already");
  }
  return inserted.status();
}

Status SqlCatalog::Swap(const Context& context, const std::vector<Change>& changes) {
  std::lock_guard lock(mutex_);
  CALVE_ASSIGN_OR_RETURN(auto transaction, io::SqliteTransaction::Begin(*database_));
  for (const Change& change : changes) {
    const std::string& location = change.prepared.table.metadata_location;
    if (!change.base.has_value()) {
      CALVE_RETURN_IF_ERROR(InsertTable(change.table, location));
      continue;
    }
    CALVE_ASSIGN_OR_RETURN(
        auto update,
        Prepare(
            "UPDATE iceberg_tables SET metadata_location = ?, previous_metadata_location = ? WHERE "
            "catalog_name = ? "
            "AND table_namespace = ? AND table_name = ? AND metadata_location = ? AND {is_table}"));
    update.Bind(location)
        .Bind(change.base->metadata_location)
        .Bind(options_.catalog_name)
        .Bind(ToString(change.table.ns))
        .Bind(change.table.name)
        .Bind(change.base->metadata_location);
    CALVE_ASSIGN_OR_RETURN(const int64_t moved, update.Run());
    if (moved != 1)
      return ConflictError("another writer has changed " + change.table.ToString() + " meanwhile");
  }
  CALVE_RETURN_IF_ERROR(context.Step("catalog.before_swap"));
  CALVE_RETURN_IF_ERROR(transaction.Commit());
  if (Status seen = context.Step("catalog.after_swap"); !seen.ok()) {
    return UnknownOutcomeError(seen.error().message);
  }
  return Status::Ok();
}

CommitOutcome SqlCatalog::Commit(const Context& context,
                                 const std::vector<CatalogChange>& changes) {
  std::vector<Change> work;
  const auto prepare = [&]() -> Status {
    for (const CatalogChange& change : changes) {
      Change item{.table = change.table, .base = std::nullopt, .prepared = {}};
      Result<LoadedTable> base = LoadTable(context, change.table);
      if (base.ok()) {
        item.base = std::move(*base);
      } else if (base.error().kind != ErrorKind::kNotFound) {
        return std::move(base).error();
      }
      CALVE_ASSIGN_OR_RETURN(
          item.prepared,
          store_.Prepare(context, item.base.has_value() ? &*item.base : nullptr, change.change));
      work.push_back(std::move(item));
    }
    return Swap(context, work);
  };
  Status swapped = prepare();
  if (!swapped.ok()) {
    if (swapped.error().kind != ErrorKind::kUnknownOutcome) {
      for (const Change& change : work) store_.Forget(context, change.prepared);
    }
    return OutcomeOf(std::move(swapped).error());
  }
  Committed committed;
  for (Change& change : work) {
    store_.PruneLog(context, change.base.has_value() ? &*change.base : nullptr,
                    change.prepared.table);
    committed.tables.push_back(std::move(change.prepared.table));
  }
  return committed;
}

Status SqlCatalog::DropTable(const Context& context, const TableName& table) {
  std::lock_guard lock(mutex_);
  CALVE_RETURN_IF_ERROR(Open(context));
  CALVE_ASSIGN_OR_RETURN(
      auto remove,
      Prepare("DELETE FROM iceberg_tables WHERE catalog_name = ? AND table_namespace = ? "
              "AND table_name = ? AND {is_table}"));
  remove.Bind(options_.catalog_name).Bind(ToString(table.ns)).Bind(table.name);
  CALVE_ASSIGN_OR_RETURN(const int64_t removed, remove.Run());
  if (removed == 0)
    return NotFoundError("there is no table " + table.ToString() + " in catalog " + name());
  return Status::Ok();
}

Status SqlCatalog::RenameTable(const Context& context, const TableName& from, const TableName& to) {
  std::lock_guard lock(mutex_);
  CALVE_RETURN_IF_ERROR(Open(context));
  CALVE_ASSIGN_OR_RETURN(auto transaction, io::SqliteTransaction::Begin(*database_));
  CALVE_ASSIGN_OR_RETURN(const bool has_namespace, NamespaceExists(to.ns));
  if (!has_namespace)
    return NotFoundError("there is no namespace " + ToString(to.ns) + " in catalog " + name());
  CALVE_ASSIGN_OR_RETURN(const auto taken, FindLocation(to));
  if (taken.has_value()) return AlreadyExistsError("table " + to.ToString() + " exists already");
  CALVE_ASSIGN_OR_RETURN(auto rename,
                         Prepare("UPDATE iceberg_tables SET table_namespace = ?, table_name = ? "
                                 "WHERE catalog_name = ? AND "
                                 "table_namespace = ? AND table_name = ? AND {is_table}"));
  rename.Bind(ToString(to.ns))
      .Bind(to.name)
      .Bind(options_.catalog_name)
      .Bind(ToString(from.ns))
      .Bind(from.name);
  CALVE_ASSIGN_OR_RETURN(const int64_t renamed, rename.Run());
  if (renamed == 0)
    return NotFoundError("there is no table " + from.ToString() + " in catalog " + name());
  return transaction.Commit();
}

Result<LoadedTable> SqlCatalog::RegisterTable(const Context& context, const TableName& table,
                                              const std::string& metadata_location) {
  CALVE_ASSIGN_OR_RETURN(LoadedTable loaded, store_.Load(context, metadata_location));
  std::lock_guard lock(mutex_);
  CALVE_RETURN_IF_ERROR(Open(context));
  CALVE_ASSIGN_OR_RETURN(auto transaction, io::SqliteTransaction::Begin(*database_));
  CALVE_RETURN_IF_ERROR(InsertTable(table, metadata_location));
  CALVE_RETURN_IF_ERROR(transaction.Commit());
  return loaded;
}

Result<std::string> SqlCatalog::NewTableLocation(const Context& context, const TableName& table) {
  Result<std::map<std::string, std::string>> properties = LoadNamespace(context, table.ns);
  if (!properties.ok() && properties.error().kind != ErrorKind::kNotFound)
    return std::move(properties).error();
  std::string folder;
  if (properties.ok() && properties->contains("location")) {
    folder = properties->at("location");
  } else {
    folder = options_.warehouse + "/" + Join(table.ns, "/");
  }
  while (folder.size() > 1 && folder.back() == '/') folder.pop_back();
  return folder + "/" + table.name;
}

}  // namespace

CALVE_PART(sql) {
  registry.Add(
      {.type = "sql",
       .meaning =
           "Table pointers in a SQLite file, shared with Iceberg Java's JDBC catalog and PyIceberg",
       .part = config::MakePart<SqlOptions>("sql"),
       .make = [](const config::Node& node,
                  const Resources& resources) -> Result<std::unique_ptr<Catalog>> {
         CALVE_ASSIGN_OR_RETURN(SqlOptions options, SqlOptions::Declaration().Parse(node));
         if (options.warehouse.empty()) options.warehouse = resources.warehouse;
         if (options.catalog_name.empty()) options.catalog_name = resources.name;
         while (options.warehouse.ends_with('/')) options.warehouse.pop_back();
         return std::make_unique<SqlCatalog>(std::move(options), resources);
       }});
}

}  // namespace calve::catalog

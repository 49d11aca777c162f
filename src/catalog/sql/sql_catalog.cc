#include <mutex>
#include <utility>

#include "base/text.h"
#include "catalog/metadata_store.h"
#include "catalog/registry.h"
#include "catalog/sql/pointer_database.h"

namespace calve::catalog {
namespace {

struct SqlOptions {
  std::string path = "metadata/catalog.db";
  std::string uri;
  std::string warehouse;
  std::string catalog_name;

  static config::Shape<SqlOptions> Declaration() {
    config::Shape<SqlOptions> shape("sql catalog",
                                    "Keep the pointers of tables in a SQLite file or a PostgreSQL "
                                    "database, in the tables of Iceberg's JDBC catalog, so that "
                                    "Iceberg Java and PyIceberg can use the same.");
    shape.Optional("path", &SqlOptions::path,
                   "The SQLite file; a relative path starts at the project's folder.");
    shape.Optional(
        "uri", &SqlOptions::uri, "In place of path: a PostgreSQL database, as libpq writes it.",
        {.example = "postgresql://calve:${PGPASSWORD}@localhost:5432/lake", .secret = true});
    shape.AtMostOneOf({"path", "uri"});
    shape.Optional("warehouse", &SqlOptions::warehouse, "Where new tables go.",
                   {.default_text = "the project's warehouse"});
    shape.Optional("catalog_name", &SqlOptions::catalog_name,
                   "The name under which rows stand in the database: what Java and PyIceberg call "
                   "the catalog.",
                   {.default_text = "the catalog's name in calve.yaml"});
    return shape;
  }
};

// The JDBC catalog's own tables, version 1 (Iceberg Java, JdbcUtil).
constexpr const char* kCreateTables[] = {
    "CREATE TABLE IF NOT EXISTS iceberg_tables (catalog_name VARCHAR(255) NOT NULL, "
    "table_namespace VARCHAR(255) NOT NULL, table_name VARCHAR(255) NOT NULL, "
    "metadata_location VARCHAR(1000), previous_metadata_location VARCHAR(1000), "
    "iceberg_type VARCHAR(5), PRIMARY KEY (catalog_name, table_namespace, table_name))",
    "CREATE TABLE IF NOT EXISTS iceberg_namespace_properties (catalog_name VARCHAR(255) NOT NULL, "
    "namespace VARCHAR(255) NOT NULL, property_key VARCHAR(255), property_value VARCHAR(1000), "
    "PRIMARY KEY (catalog_name, namespace, property_key))"};

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
  struct PreparedChange {
    TableName table;
    std::optional<LoadedTable> base;
    MetadataStore::Prepared prepared;
  };

  using Row = PointerDatabase::Row;

  /// Open the database and see that its tables are there. Holds mutex_.
  Status Open(const Context& context);
  Status MakeTables(const Context& context);
  /// SQL in which {is_table} stands for the condition that tells tables from views.
  std::string Sql(std::string_view text) const;
  Result<std::vector<Row>> Query(const Context& context, std::string_view sql,
                                 const std::vector<std::string>& parameters);
  Result<int64_t> Change(const Context& context, std::string_view sql,
                         const std::vector<std::string>& parameters);
  Result<PointerTransaction> Begin(const Context& context) {
    return PointerTransaction::Begin(context, *database_);
  }
  Result<std::optional<std::string>> FindLocation(const Context& context, const TableName& table);
  Result<bool> NamespaceExists(const Context& context, const Namespace& ns);
  Result<std::vector<std::string>> AllNamespaces(const Context& context);
  /// Move every pointer in one transaction.
  Status Swap(const Context& context, const std::vector<PreparedChange>& changes);
  Status InsertTable(const Context& context, const TableName& table, const std::string& location);

  const SqlOptions options_;
  const Resources resources_;
  MetadataStore store_;
  std::mutex mutex_;
  std::unique_ptr<PointerDatabase> database_;
  bool has_type_column_ = true;
};

Status SqlCatalog::Open(const Context& context) {
  if (database_ != nullptr) return Status::Ok();
  if (!options_.uri.empty()) {
    CALVE_ASSIGN_OR_RETURN(database_, OpenPostgresPointers(context, options_.uri));
  } else {
    std::string path = options_.path;
    if (!path.starts_with('/')) path = resources_.project_folder + "/" + path;
    const std::string folder = path.substr(0, path.rfind('/'));
    CALVE_RETURN_IF_ERROR(resources_.files->EnsureFolder(context, folder));
    CALVE_ASSIGN_OR_RETURN(database_, OpenSqlitePointers(path));
  }
  Status made = MakeTables(context);
  if (!made.ok()) database_.reset();
  return made;
}

Status SqlCatalog::MakeTables(const Context& context) {
  for (const char* sql : kCreateTables) {
    // In PostgreSQL two that make a table at the same moment can collide in its own catalog.
    const auto made = database_->Change(context, sql, {});
    if (!made.ok() && made.error().kind != ErrorKind::kAlreadyExists) return made.status();
  }
  // Version 0 of the schema has no iceberg_type: everything in it is a table.
  CALVE_ASSIGN_OR_RETURN(has_type_column_,
                         database_->HasColumn(context, "iceberg_tables", "iceberg_type"));
  return Status::Ok();
}

std::string SqlCatalog::Sql(std::string_view text) const {
  std::string sql(text);
  const size_t mark = sql.find("{is_table}");
  if (mark != std::string::npos) {
    sql.replace(mark, 10,
                has_type_column_ ? "(iceberg_type = 'TABLE' OR iceberg_type IS NULL)" : "1 = 1");
  }
  return sql;
}

Result<std::vector<SqlCatalog::Row>> SqlCatalog::Query(const Context& context, std::string_view sql,
                                                       const std::vector<std::string>& parameters) {
  return database_->Query(context, Sql(sql), parameters);
}

Result<int64_t> SqlCatalog::Change(const Context& context, std::string_view sql,
                                   const std::vector<std::string>& parameters) {
  return database_->Change(context, Sql(sql), parameters);
}

Result<std::optional<std::string>> SqlCatalog::FindLocation(const Context& context,
                                                            const TableName& table) {
  CALVE_ASSIGN_OR_RETURN(
      const auto rows,
      Query(context,
            "SELECT metadata_location FROM iceberg_tables WHERE catalog_name = $1 AND "
            "table_namespace = $2 AND table_name = $3 AND {is_table}",
            {options_.catalog_name, ToString(table.ns), table.name}));
  if (rows.empty()) return std::optional<std::string>();
  return std::optional(rows[0][0].value_or(""));
}

Result<std::vector<std::string>> SqlCatalog::AllNamespaces(const Context& context) {
  CALVE_ASSIGN_OR_RETURN(const auto rows,
                         Query(context,
                               "SELECT table_namespace FROM iceberg_tables WHERE catalog_name = $1 "
                               "UNION SELECT namespace FROM iceberg_namespace_properties WHERE "
                               "catalog_name = $1",
                               {options_.catalog_name}));
  std::vector<std::string> names;
  for (const Row& row : rows) names.push_back(row[0].value_or(""));
  return names;
}

Result<bool> SqlCatalog::NamespaceExists(const Context& context, const Namespace& ns) {
  const std::string wanted = ToString(ns);
  CALVE_ASSIGN_OR_RETURN(const std::vector<std::string> all, AllNamespaces(context));
  for (const std::string& name : all) {
    if (name == wanted || name.starts_with(wanted + ".")) return true;
  }
  return false;
}

Result<std::vector<Namespace>> SqlCatalog::ListNamespaces(const Context& context,
                                                          const Namespace& parent) {
  std::lock_guard lock(mutex_);
  CALVE_RETURN_IF_ERROR(Open(context));
  CALVE_ASSIGN_OR_RETURN(const std::vector<std::string> all, AllNamespaces(context));
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
  CALVE_ASSIGN_OR_RETURN(auto transaction, Begin(context));
  CALVE_ASSIGN_OR_RETURN(const bool exists, NamespaceExists(context, ns));
  if (exists) return AlreadyExistsError("namespace " + ToString(ns) + " exists already");
  std::map<std::string, std::string> rows = properties;
  rows.emplace(kExists, "true");
  for (const auto& [key, value] : rows) {
    CALVE_RETURN_IF_ERROR(Change(context,
                                 "INSERT INTO iceberg_namespace_properties VALUES ($1, $2, $3, $4)",
                                 {options_.catalog_name, ToString(ns), key, value}));
  }
  return transaction.Commit(context);
}

Result<std::map<std::string, std::string>> SqlCatalog::LoadNamespace(const Context& context,
                                                                     const Namespace& ns) {
  std::lock_guard lock(mutex_);
  CALVE_RETURN_IF_ERROR(Open(context));
  CALVE_ASSIGN_OR_RETURN(const bool exists, NamespaceExists(context, ns));
  if (!exists)
    return NotFoundError("there is no namespace " + ToString(ns) + " in catalog " + name());
  CALVE_ASSIGN_OR_RETURN(
      const auto rows,
      Query(context,
            "SELECT property_key, property_value FROM iceberg_namespace_properties WHERE "
            "catalog_name = $1 AND namespace = $2",
            {options_.catalog_name, ToString(ns)}));
  std::map<std::string, std::string> properties;
  for (const Row& row : rows) {
    const std::string key = row[0].value_or("");
    if (key != kExists) properties.emplace(key, row[1].value_or(""));
  }
  return properties;
}

Status SqlCatalog::DropNamespace(const Context& context, const Namespace& ns) {
  std::lock_guard lock(mutex_);
  CALVE_RETURN_IF_ERROR(Open(context));
  CALVE_ASSIGN_OR_RETURN(auto transaction, Begin(context));
  const std::string wanted = ToString(ns);
  CALVE_ASSIGN_OR_RETURN(const bool exists, NamespaceExists(context, ns));
  if (!exists) return NotFoundError("there is no namespace " + wanted + " in catalog " + name());
  CALVE_ASSIGN_OR_RETURN(const std::vector<std::string> all, AllNamespaces(context));
  for (const std::string& other : all) {
    if (other.starts_with(wanted + "."))
      return RefusedError("namespace " + wanted + " holds namespace " + other);
  }
  CALVE_ASSIGN_OR_RETURN(const auto tables,
                         Query(context,
                               "SELECT table_name FROM iceberg_tables WHERE catalog_name = $1 AND "
                               "table_namespace = $2 LIMIT 1",
                               {options_.catalog_name, wanted}));
  if (!tables.empty()) {
    return RefusedError("namespace " + wanted + " holds tables, " + tables[0][0].value_or("") +
                        " among them; drop them first");
  }
  CALVE_RETURN_IF_ERROR(
      Change(context,
             "DELETE FROM iceberg_namespace_properties WHERE catalog_name = $1 AND namespace = $2",
             {options_.catalog_name, wanted}));
  return transaction.Commit(context);
}

Result<std::vector<TableName>> SqlCatalog::ListTables(const Context& context, const Namespace& ns) {
  std::lock_guard lock(mutex_);
  CALVE_RETURN_IF_ERROR(Open(context));
  CALVE_ASSIGN_OR_RETURN(const auto rows,
                         Query(context,
                               "SELECT table_name FROM iceberg_tables WHERE catalog_name = $1 AND "
                               "table_namespace = $2 AND {is_table}",
                               {options_.catalog_name, ToString(ns)}));
  std::vector<TableName> tables;
  for (const Row& row : rows) tables.push_back({ns, row[0].value_or("")});
  std::sort(tables.begin(), tables.end());
  return tables;
}

Result<LoadedTable> SqlCatalog::LoadTable(const Context& context, const TableName& table) {
  std::optional<std::string> location;
  {
    std::lock_guard lock(mutex_);
    CALVE_RETURN_IF_ERROR(Open(context));
    CALVE_ASSIGN_OR_RETURN(location, FindLocation(context, table));
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

Status SqlCatalog::InsertTable(const Context& context, const TableName& table,
                               const std::string& location) {
  CALVE_ASSIGN_OR_RETURN(const bool has_namespace, NamespaceExists(context, table.ns));
  if (!has_namespace) {
    return NotFoundError("there is no namespace " + ToString(table.ns) + " in catalog " + name());
  }
  const Result<int64_t> inserted = Change(
      context,
      std::string("INSERT INTO iceberg_tables (catalog_name, table_namespace, table_name, ") +
          (has_type_column_ ? "metadata_location, iceberg_type) VALUES ($1, $2, $3, $4, 'TABLE')"
                            : "metadata_location) VALUES ($1, $2, $3, $4)"),
      {options_.catalog_name, ToString(table.ns), table.name, location});
  if (!inserted.ok() && inserted.error().kind == ErrorKind::kAlreadyExists) {
    return AlreadyExistsError("table " + table.ToString() + " exists already");
  }
  return inserted.status();
}

Status SqlCatalog::Swap(const Context& context, const std::vector<PreparedChange>& changes) {
  std::lock_guard lock(mutex_);
  CALVE_ASSIGN_OR_RETURN(auto transaction, Begin(context));
  for (const PreparedChange& change : changes) {
    const std::string& location = change.prepared.table.metadata_location;
    if (!change.base.has_value()) {
      CALVE_RETURN_IF_ERROR(InsertTable(context, change.table, location));
      continue;
    }
    CALVE_ASSIGN_OR_RETURN(
        const int64_t moved,
        Change(context,
               "UPDATE iceberg_tables SET metadata_location = $1, previous_metadata_location = $2 "
               "WHERE catalog_name = $3 AND table_namespace = $4 AND table_name = $5 AND "
               "metadata_location = $6 AND {is_table}",
               {location, change.base->metadata_location, options_.catalog_name,
                ToString(change.table.ns), change.table.name, change.base->metadata_location}));
    if (moved != 1)
      return ConflictError("another writer has changed " + change.table.ToString() + " meanwhile");
  }
  CALVE_RETURN_IF_ERROR(context.Step("catalog.before_swap"));
  CALVE_RETURN_IF_ERROR(transaction.Commit(context));
  if (Status seen = context.Step("catalog.after_swap"); !seen.ok()) {
    return UnknownOutcomeError(seen.error().message);
  }
  return Status::Ok();
}

CommitOutcome SqlCatalog::Commit(const Context& context,
                                 const std::vector<CatalogChange>& changes) {
  std::vector<PreparedChange> work;
  const auto prepare = [&]() -> Status {
    for (const CatalogChange& change : changes) {
      PreparedChange item{.table = change.table, .base = std::nullopt, .prepared = {}};
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
      for (const PreparedChange& change : work) store_.Forget(context, change.prepared);
    }
    return OutcomeOf(std::move(swapped).error());
  }
  Committed committed;
  for (PreparedChange& change : work) {
    store_.PruneLog(context, change.base.has_value() ? &*change.base : nullptr,
                    change.prepared.table);
    committed.tables.push_back(std::move(change.prepared.table));
  }
  return committed;
}

Status SqlCatalog::DropTable(const Context& context, const TableName& table) {
  std::lock_guard lock(mutex_);
  CALVE_RETURN_IF_ERROR(Open(context));
  CALVE_ASSIGN_OR_RETURN(const int64_t removed,
                         Change(context,
                                "DELETE FROM iceberg_tables WHERE catalog_name = $1 AND "
                                "table_namespace = $2 AND table_name = $3 AND {is_table}",
                                {options_.catalog_name, ToString(table.ns), table.name}));
  if (removed == 0)
    return NotFoundError("there is no table " + table.ToString() + " in catalog " + name());
  return Status::Ok();
}

Status SqlCatalog::RenameTable(const Context& context, const TableName& from, const TableName& to) {
  std::lock_guard lock(mutex_);
  CALVE_RETURN_IF_ERROR(Open(context));
  CALVE_ASSIGN_OR_RETURN(auto transaction, Begin(context));
  CALVE_ASSIGN_OR_RETURN(const bool has_namespace, NamespaceExists(context, to.ns));
  if (!has_namespace)
    return NotFoundError("there is no namespace " + ToString(to.ns) + " in catalog " + name());
  CALVE_ASSIGN_OR_RETURN(const auto taken, FindLocation(context, to));
  if (taken.has_value()) return AlreadyExistsError("table " + to.ToString() + " exists already");
  CALVE_ASSIGN_OR_RETURN(
      const int64_t renamed,
      Change(context,
             "UPDATE iceberg_tables SET table_namespace = $1, table_name = $2 WHERE catalog_name = "
             "$3 AND table_namespace = $4 AND table_name = $5 AND {is_table}",
             {ToString(to.ns), to.name, options_.catalog_name, ToString(from.ns), from.name}));
  if (renamed == 0)
    return NotFoundError("there is no table " + from.ToString() + " in catalog " + name());
  return transaction.Commit(context);
}

Result<LoadedTable> SqlCatalog::RegisterTable(const Context& context, const TableName& table,
                                              const std::string& metadata_location) {
  CALVE_ASSIGN_OR_RETURN(LoadedTable loaded, store_.Load(context, metadata_location));
  std::lock_guard lock(mutex_);
  CALVE_RETURN_IF_ERROR(Open(context));
  CALVE_ASSIGN_OR_RETURN(auto transaction, Begin(context));
  CALVE_RETURN_IF_ERROR(InsertTable(context, table, metadata_location));
  CALVE_RETURN_IF_ERROR(transaction.Commit(context));
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
  registry.Add({.type = "sql",
                .meaning = "Table pointers in SQLite or PostgreSQL, shared with Iceberg Java's "
                           "JDBC catalog and PyIceberg",
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

#include <algorithm>
#include <atomic>
#include <mutex>
#include <nlohmann/json.hpp>
#include <utility>

#include "catalog/metadata_store.h"
#include "catalog/registry.h"
#include "catalog/sql/pointer_database.h"
#include "catalog/sql/pointer_rows.h"

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

constexpr int64_t kRequestLifetimeMs = 30 * 60'000;
constexpr int64_t kForgetEveryMs = 60'000;
constexpr size_t kKeyBytesMax = 255;

/// What all objects of one catalog share: the database, opened at the first call, and what is known
/// of metadata files. Threads: any.
class SqlStore {
 public:
  SqlStore(SqlOptions options, Resources resources)
      : options_(std::move(options)), resources_(std::move(resources)), store_(*resources_.files) {}

  const SqlOptions& options() const { return options_; }
  const std::string& name() const { return resources_.name; }
  MetadataStore& metadata() { return store_; }

  template <typename Work>
  Status Read(const Context& context, const Work& work) {
    CALVE_RETURN_IF_ERROR(Open(context));
    return database_->Read(context, [&](PointerSession& session) -> Status {
      PointerRows rows(session, scheme_);
      return work(rows);
    });
  }

  template <typename Work>
  Status Write(const Context& context, const Work& work) {
    CALVE_RETURN_IF_ERROR(Open(context));
    return database_->Write(context, [&](PointerSession& session) -> Status {
      PointerRows rows(session, scheme_);
      return work(rows);
    });
  }

  /// Fails with kRefused where rows do not tell views from tables.
  Status CheckViews(const Context& context) {
    CALVE_RETURN_IF_ERROR(Open(context));
    if (scheme_.has_types) return Status::Ok();
    return RefusedError(
        "the tables of catalog " + name() +
        " are of version 0 of Iceberg's JDBC catalog, which has no views; upgrade them: ALTER "
        "TABLE iceberg_tables ADD COLUMN iceberg_type VARCHAR(5)");
  }

  /// See that requests can be remembered.
  Status OpenRequests(const Context& context) {
    CALVE_RETURN_IF_ERROR(Open(context));
    std::lock_guard lock(mutex_);
    if (has_requests_) return Status::Ok();
    CALVE_RETURN_IF_ERROR(PointerRows::MakeRequestTable(context, *database_));
    has_requests_ = true;
    return Status::Ok();
  }

  /// Remember what a request came to, and now and then forget the old ones.
  Status Remember(PointerRows& rows, const std::string& key, const std::string& result,
                  int64_t now_ms) {
    int64_t last = forgot_at_ms_.load();
    if (now_ms - last >= kForgetEveryMs && forgot_at_ms_.compare_exchange_strong(last, now_ms))
      CALVE_RETURN_IF_ERROR(rows.ForgetRequests(now_ms - kRequestLifetimeMs));
    return rows.RememberRequest(key, result, now_ms);
  }

 private:
  Status Open(const Context& context) {
    if (opened_.load(std::memory_order_acquire)) return Status::Ok();
    std::lock_guard lock(mutex_);
    if (opened_) return Status::Ok();
    CALVE_ASSIGN_OR_RETURN(auto database, OpenDatabase(context));
    CALVE_RETURN_IF_ERROR(PointerRows::MakeTables(context, *database));
    // Version 0 of the tables has no iceberg_type: everything in it is a table.
    CALVE_ASSIGN_OR_RETURN(const bool has_types,
                           database->HasColumn(context, "iceberg_tables", "iceberg_type"));
    scheme_ = {.name = name(),
               .catalog_name = options_.catalog_name,
               .has_types = has_types,
               .bytewise = std::string(database->bytewise())};
    database_ = std::move(database);
    opened_.store(true, std::memory_order_release);
    return Status::Ok();
  }

  Result<std::unique_ptr<PointerDatabase>> OpenDatabase(const Context& context) {
    if (!options_.uri.empty()) return OpenPostgresPointers(context, options_.uri);
    std::string path = options_.path;
    if (!path.starts_with('/')) path = resources_.project_folder + "/" + path;
    CALVE_RETURN_IF_ERROR(resources_.files->EnsureFolder(context, path.substr(0, path.rfind('/'))));
    return OpenSqlitePointers(path);
  }

  const SqlOptions options_;
  const Resources resources_;
  MetadataStore store_;
  std::mutex mutex_;  ///< Of opening.
  std::atomic<bool> opened_ = false;
  std::unique_ptr<PointerDatabase> database_;
  PointerScheme scheme_;
  bool has_requests_ = false;
  std::atomic<int64_t> forgot_at_ms_ = 0;
};

/// What a change had answered, as it is remembered: metadata by its files.
struct Answer {
  std::vector<std::string> tables;
  std::optional<std::string> view;
  NamespaceUpdate properties;

  std::string ToJson() const {
    nlohmann::json json = {{"tables", tables}};
    if (view) json["view"] = *view;
    json["updated"] = properties.updated;
    json["removed"] = properties.removed;
    json["missing"] = properties.missing;
    return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  }

  static Result<Answer> FromJson(const std::string& text) {
    const nlohmann::json json = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
    const auto texts = [&](const char* key) {
      std::vector<std::string> values;
      for (const auto& value : json.value(key, nlohmann::json::array()))
        if (value.is_string()) values.push_back(value.get<std::string>());
      return values;
    };
    if (!json.is_object())
      return DataError("a row of calve_requests holds no JSON object in its column result");
    Answer answer{
        .tables = texts("tables"),
        .view = std::nullopt,
        .properties = {
            .updated = texts("updated"), .removed = texts("removed"), .missing = texts("missing")}};
    if (json.contains("view") && json["view"].is_string()) answer.view = json["view"];
    return answer;
  }
};

class SqlCatalog : public Catalog {
 public:
  SqlCatalog(std::shared_ptr<SqlStore> store, std::string key)
      : store_(std::move(store)), key_(std::move(key)) {}

  const std::string& name() const override { return store_->name(); }
  Capabilities capabilities() const override {
    return {.multi_table = true, .views = true, .namespace_properties = true};
  }

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
    return List(context, ns, PointerKind::kTable);
  }
  Result<LoadedTable> LoadTable(const Context& context, const TableName& table) override;
  CommitOutcome Commit(const Context& context, const std::vector<CatalogChange>& changes) override;
  Status DropTable(const Context& context, const TableName& table) override {
    return Drop(context, table, PointerKind::kTable);
  }
  Status RenameTable(const Context& context, const TableName& from, const TableName& to) override {
    return Rename(context, from, to, PointerKind::kTable);
  }
  Result<LoadedTable> RegisterTable(const Context& context, const TableName& table,
                                    const std::string& metadata_location) override;
  Result<std::string> NewTableLocation(const Context& context, const TableName& table) override;

  Result<std::vector<TableName>> ListViews(const Context& context, const Namespace& ns) override {
    return List(context, ns, PointerKind::kView);
  }
  Result<LoadedView> LoadView(const Context& context, const TableName& view) override;
  Result<LoadedView> CommitView(const Context& context, const TableName& view,
                                const iceberg::ViewChange& change) override;
  Status DropView(const Context& context, const TableName& view) override {
    return Drop(context, view, PointerKind::kView);
  }
  Status RenameView(const Context& context, const TableName& from, const TableName& to) override {
    return Rename(context, from, to, PointerKind::kView);
  }
  Result<LoadedView> RegisterView(const Context& context, const TableName& view,
                                  const std::string& metadata_location) override;

  std::unique_ptr<Catalog> ForRequest(std::string key) override {
    return std::make_unique<SqlCatalog>(store_, std::move(key));
  }
  Result<std::optional<Remembered>> FindRequest(const Context& context,
                                                const std::string& key) override;

 private:
  struct PreparedChange {
    TableName table;
    std::optional<LoadedTable> base;
    MetadataStore::Prepared prepared;
  };

  Result<std::vector<TableName>> List(const Context& context, const Namespace& ns,
                                      PointerKind kind);
  Status Drop(const Context& context, const TableName& name, PointerKind kind);
  Status Rename(const Context& context, const TableName& from, const TableName& to,
                PointerKind kind);
  /// Where the metadata of a table or view is; fails with kNotFound.
  Result<std::string> Locate(const Context& context, const TableName& name, PointerKind kind);
  /// Make a change in one transaction, with its answer remembered under the key of the request.
  /// `change` is called with PointerRows& and Answer&.
  template <typename Change>
  Status Write(const Context& context, const Change& change);
  /// What the request had answered before, when a try to make its change has failed: of two that
  /// were sent with one key the second is answered as the first.
  Result<Remembered> AnswerOr(const Context& context, Status failed);
  Status DoneOr(const Context& context, Status tried);
  /// Apply the changes and write their metadata files.
  Status Prepare(const Context& context, const std::vector<CatalogChange>& changes,
                 std::vector<PreparedChange>& work);
  /// Move every pointer in one transaction.
  Status Swap(const Context& context, const std::vector<PreparedChange>& changes);

  std::shared_ptr<SqlStore> store_;
  std::string key_;  ///< Of the request; empty: none.
};

/// The rows of several tables are locked in one order, so that no two transactions wait for each
/// other.
template <typename Change>
std::vector<const Change*> InOrder(const std::vector<Change>& changes) {
  std::vector<const Change*> ordered;
  for (const Change& change : changes) ordered.push_back(&change);
  std::sort(ordered.begin(), ordered.end(),
            [](const Change* a, const Change* b) { return a->table < b->table; });
  return ordered;
}

template <typename Change>
Status SqlCatalog::Write(const Context& context, const Change& change) {
  if (!key_.empty()) {
    if (key_.size() > kKeyBytesMax)
      return ConfigError("the key of a request has more than 255 bytes; send a shorter one");
    CALVE_RETURN_IF_ERROR(store_->OpenRequests(context));
  }
  const int64_t now_ms = MillisSinceEpoch(context.clock->Now());
  return store_->Write(context, [&](PointerRows& rows) -> Status {
    Answer answer;
    CALVE_RETURN_IF_ERROR(change(rows, answer));
    if (key_.empty()) return Status::Ok();
    return store_->Remember(rows, key_, answer.ToJson(), now_ms);
  });
}

Result<Remembered> SqlCatalog::AnswerOr(const Context& context, Status failed) {
  if (key_.empty()) return std::move(failed).error();
  auto known = FindRequest(context.WithStop({}), key_);
  if (known.ok() && known->has_value()) return std::move(**known);
  return std::move(failed).error();
}

Status SqlCatalog::DoneOr(const Context& context, Status tried) {
  return tried.ok() ? std::move(tried) : AnswerOr(context, std::move(tried)).status();
}

Result<std::optional<Remembered>> SqlCatalog::FindRequest(const Context& context,
                                                          const std::string& key) {
  CALVE_RETURN_IF_ERROR(store_->OpenRequests(context));
  std::optional<std::string> result;
  CALVE_RETURN_IF_ERROR(store_->Read(context, [&](PointerRows& rows) -> Status {
    CALVE_ASSIGN_OR_RETURN(result, rows.FindRequest(key));
    return Status::Ok();
  }));
  if (!result) return std::optional<Remembered>();
  CALVE_ASSIGN_OR_RETURN(Answer answer, Answer::FromJson(*result));
  Remembered remembered{.tables = {}, .view = {}, .properties = std::move(answer.properties)};
  for (const std::string& location : answer.tables) {
    CALVE_ASSIGN_OR_RETURN(LoadedTable table, store_->metadata().Load(context, location));
    remembered.tables.push_back(std::move(table));
  }
  if (answer.view) {
    CALVE_ASSIGN_OR_RETURN(remembered.view, store_->metadata().LoadView(context, *answer.view));
  }
  return std::optional(std::move(remembered));
}

Result<std::vector<Namespace>> SqlCatalog::ListNamespaces(const Context& context,
                                                          const Namespace& parent) {
  std::vector<Namespace> children;
  CALVE_RETURN_IF_ERROR(store_->Read(context, [&](PointerRows& rows) -> Status {
    CALVE_ASSIGN_OR_RETURN(children, rows.Namespaces(parent));
    return Status::Ok();
  }));
  return children;
}

Status SqlCatalog::CreateNamespace(const Context& context, const Namespace& ns,
                                   const std::map<std::string, std::string>& properties) {
  return DoneOr(context, Write(context, [&](PointerRows& rows, Answer&) {
                  return rows.InsertNamespace(ns, properties);
                }));
}

Result<std::map<std::string, std::string>> SqlCatalog::LoadNamespace(const Context& context,
                                                                     const Namespace& ns) {
  std::map<std::string, std::string> properties;
  CALVE_RETURN_IF_ERROR(store_->Read(context, [&](PointerRows& rows) -> Status {
    CALVE_ASSIGN_OR_RETURN(properties, rows.Properties(ns));
    return Status::Ok();
  }));
  return properties;
}

Status SqlCatalog::DropNamespace(const Context& context, const Namespace& ns) {
  return DoneOr(context, Write(context, [&](PointerRows& rows, Answer&) {
                  return rows.RemoveNamespace(ns);
                }));
}

Result<NamespaceUpdate> SqlCatalog::UpdateNamespace(
    const Context& context, const Namespace& ns, const std::vector<std::string>& removals,
    const std::map<std::string, std::string>& updates) {
  CALVE_RETURN_IF_ERROR(CheckRemovals(removals, updates));
  NamespaceUpdate update;
  Status written = Write(context, [&](PointerRows& rows, Answer& answer) -> Status {
    CALVE_ASSIGN_OR_RETURN(update, rows.UpdateProperties(ns, removals, updates));
    answer.properties = update;
    return Status::Ok();
  });
  if (written.ok()) return update;
  CALVE_ASSIGN_OR_RETURN(Remembered known, AnswerOr(context, std::move(written)));
  return std::move(known.properties);
}

Result<std::vector<TableName>> SqlCatalog::List(const Context& context, const Namespace& ns,
                                                PointerKind kind) {
  std::vector<TableName> names;
  CALVE_RETURN_IF_ERROR(store_->Read(context, [&](PointerRows& rows) -> Status {
    CALVE_ASSIGN_OR_RETURN(names, rows.List(ns, kind));
    return Status::Ok();
  }));
  return names;
}

Status SqlCatalog::Drop(const Context& context, const TableName& name, PointerKind kind) {
  return DoneOr(
      context, Write(context, [&](PointerRows& rows, Answer&) { return rows.Remove(name, kind); }));
}

Status SqlCatalog::Rename(const Context& context, const TableName& from, const TableName& to,
                          PointerKind kind) {
  return DoneOr(context, Write(context, [&](PointerRows& rows, Answer&) {
                  return rows.Rename(from, to, kind);
                }));
}

Result<std::string> SqlCatalog::Locate(const Context& context, const TableName& name,
                                       PointerKind kind) {
  std::string location;
  CALVE_RETURN_IF_ERROR(store_->Read(context, [&](PointerRows& rows) -> Status {
    CALVE_ASSIGN_OR_RETURN(const auto pointer, rows.Find(name));
    if (!pointer || pointer->kind != kind) return rows.Missing(name, kind);
    location = pointer->metadata_location;
    return Status::Ok();
  }));
  return location;
}

/// A pointer to a file that is gone is no table that is not there.
template <typename Loaded>
Result<Loaded> OrBroken(Result<Loaded> loaded, const TableName& name, const std::string& location) {
  if (loaded.ok() || loaded.error().kind != ErrorKind::kNotFound) return loaded;
  return DataError("the catalog has " + name.ToString() + " at " + location +
                   ", which is not there; restore the file, or run again if another program is "
                   "changing it");
}

Result<LoadedTable> SqlCatalog::LoadTable(const Context& context, const TableName& table) {
  CALVE_ASSIGN_OR_RETURN(const std::string location, Locate(context, table, PointerKind::kTable));
  return OrBroken(store_->metadata().Load(context, location), table, location);
}

Result<LoadedView> SqlCatalog::LoadView(const Context& context, const TableName& view) {
  CALVE_RETURN_IF_ERROR(store_->CheckViews(context));
  CALVE_ASSIGN_OR_RETURN(const std::string location, Locate(context, view, PointerKind::kView));
  return OrBroken(store_->metadata().LoadView(context, location), view, location);
}

Status SqlCatalog::Prepare(const Context& context, const std::vector<CatalogChange>& changes,
                           std::vector<PreparedChange>& work) {
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
        store_->metadata().Prepare(context, item.base ? &*item.base : nullptr, change.change));
    work.push_back(std::move(item));
  }
  return Status::Ok();
}

Status SqlCatalog::Swap(const Context& context, const std::vector<PreparedChange>& changes) {
  const auto ordered = InOrder(changes);
  CALVE_RETURN_IF_ERROR(Write(context, [&](PointerRows& rows, Answer& answer) -> Status {
    for (const PreparedChange* change : ordered) {
      const std::string& location = change->prepared.table.metadata_location;
      CALVE_RETURN_IF_ERROR(change->base
                                ? rows.Move(change->table, PointerKind::kTable,
                                            change->base->metadata_location, location)
                                : rows.Insert(change->table, {.metadata_location = location,
                                                              .kind = PointerKind::kTable}));
    }
    for (const PreparedChange& change : changes)
      answer.tables.push_back(change.prepared.table.metadata_location);
    return context.Step("catalog.before_swap");
  }));
  if (Status seen = context.Step("catalog.after_swap"); !seen.ok())
    return UnknownOutcomeError(seen.error().message);
  return Status::Ok();
}

CommitOutcome SqlCatalog::Commit(const Context& context,
                                 const std::vector<CatalogChange>& changes) {
  std::vector<PreparedChange> work;
  Status swapped = Prepare(context, changes, work);
  if (swapped.ok()) swapped = Swap(context, work);
  Committed committed;
  if (swapped.ok()) {
    for (PreparedChange& change : work) {
      store_->metadata().PruneLog(context, change.base ? &*change.base : nullptr,
                                  change.prepared.table);
      committed.tables.push_back(std::move(change.prepared.table));
    }
    return committed;
  }
  if (swapped.error().kind != ErrorKind::kUnknownOutcome) {
    for (const PreparedChange& change : work) store_->metadata().Forget(context, change.prepared);
  }
  Result<Remembered> known = AnswerOr(context, std::move(swapped));
  if (!known.ok()) return OutcomeOf(std::move(known).error());
  committed.tables = std::move(known->tables);
  return committed;
}

Result<LoadedTable> SqlCatalog::RegisterTable(const Context& context, const TableName& table,
                                              const std::string& metadata_location) {
  CALVE_ASSIGN_OR_RETURN(LoadedTable loaded, store_->metadata().Load(context, metadata_location));
  Status written = Write(context, [&](PointerRows& rows, Answer& answer) {
    answer.tables = {metadata_location};
    return rows.Insert(table,
                       {.metadata_location = metadata_location, .kind = PointerKind::kTable});
  });
  if (!written.ok()) CALVE_RETURN_IF_ERROR(AnswerOr(context, std::move(written)));
  return loaded;
}

Result<LoadedView> SqlCatalog::CommitView(const Context& context, const TableName& view,
                                          const iceberg::ViewChange& change) {
  CALVE_RETURN_IF_ERROR(store_->CheckViews(context));
  Result<LoadedView> base = LoadView(context, view);
  if (!base.ok() && base.error().kind != ErrorKind::kNotFound) return base;
  Result<LoadedView> prepared =
      store_->metadata().PrepareView(context, base.ok() ? &*base : nullptr, change);
  Status done = prepared.status();
  if (done.ok()) {
    const std::string& location = prepared->metadata_location;
    done = Write(context, [&](PointerRows& rows, Answer& answer) -> Status {
      answer.view = location;
      CALVE_RETURN_IF_ERROR(
          base.ok()
              ? rows.Move(view, PointerKind::kView, base->metadata_location, location)
              : rows.Insert(view, {.metadata_location = location, .kind = PointerKind::kView}));
      return context.Step("catalog.before_swap");
    });
    if (done.ok()) {
      if (Status seen = context.Step("catalog.after_swap"); !seen.ok())
        done = UnknownOutcomeError(seen.error().message);
    } else if (done.error().kind != ErrorKind::kUnknownOutcome) {
      store_->metadata().ForgetFile(context, location);
    }
    if (done.ok()) return prepared;
  }
  CALVE_ASSIGN_OR_RETURN(Remembered known, AnswerOr(context, std::move(done)));
  if (!known.view) return BugError("a request that changed a view remembers none");
  return std::move(*known.view);
}

Result<LoadedView> SqlCatalog::RegisterView(const Context& context, const TableName& view,
                                            const std::string& metadata_location) {
  CALVE_RETURN_IF_ERROR(store_->CheckViews(context));
  CALVE_ASSIGN_OR_RETURN(LoadedView loaded,
                         store_->metadata().LoadView(context, metadata_location));
  Status written = Write(context, [&](PointerRows& rows, Answer& answer) {
    answer.view = metadata_location;
    return rows.Insert(view, {.metadata_location = metadata_location, .kind = PointerKind::kView});
  });
  if (!written.ok()) CALVE_RETURN_IF_ERROR(AnswerOr(context, std::move(written)));
  return loaded;
}

Result<std::string> SqlCatalog::NewTableLocation(const Context& context, const TableName& table) {
  Result<std::map<std::string, std::string>> properties = LoadNamespace(context, table.ns);
  if (!properties.ok() && properties.error().kind != ErrorKind::kNotFound)
    return std::move(properties).error();
  if (!properties.ok() || !properties->contains("location"))
    return store_->options().warehouse + "/" + FolderOf(table);
  std::string folder = properties->at("location");
  while (folder.size() > 1 && folder.back() == '/') folder.pop_back();
  return folder + "/" + FolderOf({.ns = {}, .name = table.name});
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
                  return std::make_unique<SqlCatalog>(
                      std::make_shared<SqlStore>(std::move(options), resources), std::string());
                }});
}

}  // namespace calve::catalog

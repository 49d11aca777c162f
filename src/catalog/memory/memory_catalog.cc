#include <algorithm>
#include <mutex>
#include <set>
#include <utility>

#include "catalog/metadata_store.h"
#include "catalog/registry.h"

namespace calve::catalog {
namespace {

struct MemoryOptions {
  std::string warehouse;
  static config::Shape<MemoryOptions> Declaration() {
    config::Shape<MemoryOptions> shape(
        "memory catalog",
        "Keep the pointers of tables in this process only: for tests and trials.");
    shape.Optional("warehouse", &MemoryOptions::warehouse, "Where new tables go.",
                   {.default_text = "the project's warehouse"});
    return shape;
  }
};

constexpr int64_t kRequestLifetimeMs = 30 * 60'000;

/// What all objects of one catalog share, behind one mutex.
struct MemoryStore {
  struct Pointer {
    std::string location;
    bool is_view = false;
  };
  struct Request {
    Remembered answer;
    int64_t made_at_ms = 0;
  };

  MemoryStore(std::string warehouse_in, Resources resources_in)
      : warehouse(std::move(warehouse_in)),
        resources(std::move(resources_in)),
        metadata(*resources.files) {}

  const std::string warehouse;
  const Resources resources;
  MetadataStore metadata;
  std::mutex mutex;
  std::map<Namespace, std::map<std::string, std::string>> namespaces;
  std::map<TableName, Pointer> pointers;
  std::map<std::string, Request> requests;
};

class MemoryCatalog : public Catalog {
 public:
  MemoryCatalog(std::shared_ptr<MemoryStore> store, std::string key)
      : store_(std::move(store)), key_(std::move(key)) {}

  const std::string& name() const override { return store_->resources.name; }
  Capabilities capabilities() const override {
    return {.multi_table = true, .views = true, .namespace_properties = true};
  }

  Result<std::vector<Namespace>> ListNamespaces(const Context&, const Namespace& parent) override {
    std::lock_guard lock(store_->mutex);
    std::set<Namespace> children;
    for (const auto& [ns, properties] : store_->namespaces) {
      if (ns.size() <= parent.size() || !std::equal(parent.begin(), parent.end(), ns.begin()))
        continue;
      children.emplace(ns.begin(), ns.begin() + static_cast<ptrdiff_t>(parent.size()) + 1);
    }
    return std::vector<Namespace>(children.begin(), children.end());
  }

  Status CreateNamespace(const Context& context, const Namespace& ns,
                         const std::map<std::string, std::string>& properties) override {
    return Done(context, [&](Remembered&) -> Status {
      if (!store_->namespaces.emplace(ns, properties).second)
        return AlreadyExistsError("namespace " + ToString(ns) + " exists already");
      return Status::Ok();
    });
  }

  Result<std::map<std::string, std::string>> LoadNamespace(const Context&,
                                                           const Namespace& ns) override {
    std::lock_guard lock(store_->mutex);
    const auto found = store_->namespaces.find(ns);
    if (found == store_->namespaces.end()) return NoNamespace(ns);
    return found->second;
  }

  Status DropNamespace(const Context& context, const Namespace& ns) override {
    return Done(context, [&](Remembered&) -> Status {
      if (!store_->namespaces.contains(ns)) return NoNamespace(ns);
      for (const auto& [name, pointer] : store_->pointers) {
        if (name.ns == ns)
          return RefusedError("namespace " + ToString(ns) + " holds tables or views, " + name.name +
                              " among them; drop them first");
      }
      for (const auto& [other, properties] : store_->namespaces) {
        if (other.size() > ns.size() && std::equal(ns.begin(), ns.end(), other.begin()))
          return RefusedError("namespace " + ToString(ns) + " holds namespace " + ToString(other));
      }
      store_->namespaces.erase(ns);
      return Status::Ok();
    });
  }

  Result<NamespaceUpdate> UpdateNamespace(
      const Context& context, const Namespace& ns, const std::vector<std::string>& removals,
      const std::map<std::string, std::string>& updates) override {
    CALVE_RETURN_IF_ERROR(CheckRemovals(removals, updates));
    CALVE_ASSIGN_OR_RETURN(
        Remembered answer, Make(context, [&](Remembered& done) -> Status {
          const auto found = store_->namespaces.find(ns);
          if (found == store_->namespaces.end()) return NoNamespace(ns);
          for (const std::string& key : removals) {
            const bool was_there = found->second.erase(key) == 1;
            (was_there ? done.properties.removed : done.properties.missing).push_back(key);
          }
          for (const auto& [key, value] : updates) {
            found->second[key] = value;
            done.properties.updated.push_back(key);
          }
          return Status::Ok();
        }));
    return std::move(answer.properties);
  }

  Result<std::vector<TableName>> ListTables(const Context&, const Namespace& ns) override {
    return List(ns, /*views=*/false);
  }

  Result<LoadedTable> LoadTable(const Context& context, const TableName& table) override {
    CALVE_ASSIGN_OR_RETURN(const std::string location, Locate(table, /*view=*/false));
    return store_->metadata.Load(context, location);
  }

  CommitOutcome Commit(const Context& context, const std::vector<CatalogChange>& changes) override {
    std::vector<MetadataStore::Prepared> work;
    Result<Remembered> answer = [&]() -> Result<Remembered> {
      Status prepared = Prepare(context, changes, work);
      if (!prepared.ok()) return AnswerOr(std::move(prepared));
      return Make(context, [&](Remembered& done) { return Swap(context, changes, work, done); });
    }();
    for (const auto& prepared : work) {
      if (!MayBeUsed(answer, prepared.table.metadata_location))
        store_->metadata.Forget(context, prepared);
    }
    if (!answer.ok()) return OutcomeOf(std::move(answer).error());
    return Committed{.tables = std::move(answer->tables)};
  }

  Status DropTable(const Context& context, const TableName& table) override {
    return Drop(context, table, /*view=*/false);
  }

  Status RenameTable(const Context& context, const TableName& from, const TableName& to) override {
    return Rename(context, from, to, /*view=*/false);
  }

  Result<LoadedTable> RegisterTable(const Context& context, const TableName& table,
                                    const std::string& location) override {
    CALVE_ASSIGN_OR_RETURN(LoadedTable loaded, store_->metadata.Load(context, location));
    CALVE_RETURN_IF_ERROR(Done(context, [&](Remembered& done) {
      done.tables = {loaded};
      return Insert(table, {.location = location});
    }));
    return loaded;
  }

  Result<std::string> NewTableLocation(const Context&, const TableName& table) override {
    return store_->warehouse + "/" + FolderOf(table);
  }

  Result<std::vector<TableName>> ListViews(const Context&, const Namespace& ns) override {
    return List(ns, /*views=*/true);
  }

  Result<LoadedView> LoadView(const Context& context, const TableName& view) override {
    CALVE_ASSIGN_OR_RETURN(const std::string location, Locate(view, /*view=*/true));
    return store_->metadata.LoadView(context, location);
  }

  Result<LoadedView> CommitView(const Context& context, const TableName& view,
                                const iceberg::ViewChange& change) override {
    Result<LoadedView> base = LoadView(context, view);
    if (!base.ok() && base.error().kind != ErrorKind::kNotFound) return base;
    const std::string previous = base.ok() ? base->metadata_location : std::string();
    Result<LoadedView> prepared =
        store_->metadata.PrepareView(context, base.ok() ? &*base : nullptr, change);
    if (!prepared.ok()) {
      CALVE_ASSIGN_OR_RETURN(Remembered known, AnswerOr(prepared.status()));
      return std::move(*known.view);
    }
    Result<Remembered> answer = Make(context, [&](Remembered& done) -> Status {
      done.view = *prepared;
      const MemoryStore::Pointer next{.location = prepared->metadata_location, .is_view = true};
      if (previous.empty()) return Insert(view, next);
      const auto now = store_->pointers.find(view);
      if (now == store_->pointers.end() || now->second.location != previous)
        return ConflictError("another writer has changed " + view.ToString() + " meanwhile");
      now->second = next;
      return Status::Ok();
    });
    if (!MayBeUsed(answer, prepared->metadata_location))
      store_->metadata.ForgetFile(context, prepared->metadata_location);
    if (!answer.ok()) return std::move(answer).error();
    return std::move(*answer->view);
  }

  Status DropView(const Context& context, const TableName& view) override {
    return Drop(context, view, /*view=*/true);
  }

  Status RenameView(const Context& context, const TableName& from, const TableName& to) override {
    return Rename(context, from, to, /*view=*/true);
  }

  Result<LoadedView> RegisterView(const Context& context, const TableName& view,
                                  const std::string& location) override {
    CALVE_ASSIGN_OR_RETURN(LoadedView loaded, store_->metadata.LoadView(context, location));
    CALVE_RETURN_IF_ERROR(Done(context, [&](Remembered& done) {
      done.view = loaded;
      return Insert(view, {.location = location, .is_view = true});
    }));
    return loaded;
  }

  std::unique_ptr<Catalog> ForRequest(std::string key) override {
    return std::make_unique<MemoryCatalog>(store_, std::move(key));
  }

  Result<std::optional<Remembered>> FindRequest(const Context&, const std::string& key) override {
    std::lock_guard lock(store_->mutex);
    const auto found = store_->requests.find(key);
    if (found == store_->requests.end()) return std::optional<Remembered>();
    return std::optional(found->second.answer);
  }

 private:
  Error Missing(const TableName& name, bool view) const {
    return NotFoundError(std::string("there is no ") + (view ? "view " : "table ") +
                         name.ToString() + " in catalog " + this->name());
  }
  Error NoNamespace(const Namespace& ns) const {
    return NotFoundError("there is no namespace " + ToString(ns) + " in catalog " + name());
  }

  /// Whether a file that was written for a change is, or may be, what the change points to: not so
  /// where it failed, and where it had been made before under the same key.
  static bool MayBeUsed(const Result<Remembered>& answer, const std::string& location) {
    if (!answer.ok()) return answer.error().kind == ErrorKind::kUnknownOutcome;
    if (answer->view) return answer->view->metadata_location == location;
    return std::any_of(answer->tables.begin(), answer->tables.end(), [&](const LoadedTable& table) {
      return table.metadata_location == location;
    });
  }

  /// Make a change and remember its answer under the request's key; a request that is known is
  /// answered as it was.
  template <typename Change>
  Result<Remembered> Make(const Context& context, const Change& change) {
    std::lock_guard lock(store_->mutex);
    if (const auto known = store_->requests.find(key_); known != store_->requests.end())
      return known->second.answer;
    Remembered answer;
    CALVE_RETURN_IF_ERROR(change(answer));
    if (key_.empty()) return answer;
    const int64_t now_ms = MillisSinceEpoch(context.clock->Now());
    std::erase_if(store_->requests, [&](const auto& entry) {
      return entry.second.made_at_ms < now_ms - kRequestLifetimeMs;
    });
    store_->requests.emplace(key_, MemoryStore::Request{.answer = answer, .made_at_ms = now_ms});
    return answer;
  }

  template <typename Change>
  Status Done(const Context& context, const Change& change) {
    return Make(context, change).status();
  }

  Result<Remembered> AnswerOr(Status failed) {
    std::lock_guard lock(store_->mutex);
    const auto known = store_->requests.find(key_);
    if (known != store_->requests.end()) return known->second.answer;
    return std::move(failed).error();
  }

  Result<std::vector<TableName>> List(const Namespace& ns, bool views) {
    std::lock_guard lock(store_->mutex);
    std::vector<TableName> names;
    for (const auto& [name, pointer] : store_->pointers) {
      if (name.ns == ns && pointer.is_view == views) names.push_back(name);
    }
    return names;
  }

  Result<std::string> Locate(const TableName& name, bool view) {
    std::lock_guard lock(store_->mutex);
    const auto found = store_->pointers.find(name);
    if (found == store_->pointers.end() || found->second.is_view != view)
      return Missing(name, view);
    return found->second.location;
  }

  // What follows runs inside Make.

  Status Insert(const TableName& name, MemoryStore::Pointer pointer) {
    if (!store_->namespaces.contains(name.ns)) return NoNamespace(name.ns);
    const auto [at, inserted] = store_->pointers.emplace(name, std::move(pointer));
    if (inserted) return Status::Ok();
    return AlreadyExistsError((at->second.is_view ? "view " : "table ") + name.ToString() +
                              " exists already");
  }

  Status Drop(const Context& context, const TableName& name, bool view) {
    return Done(context, [&](Remembered&) -> Status {
      const auto found = store_->pointers.find(name);
      if (found == store_->pointers.end() || found->second.is_view != view)
        return Missing(name, view);
      store_->pointers.erase(found);
      return Status::Ok();
    });
  }

  Status Rename(const Context& context, const TableName& from, const TableName& to, bool view) {
    return Done(context, [&](Remembered&) -> Status {
      const auto found = store_->pointers.find(from);
      if (found == store_->pointers.end() || found->second.is_view != view)
        return Missing(from, view);
      if (from == to) return Status::Ok();
      CALVE_RETURN_IF_ERROR(Insert(to, found->second));
      store_->pointers.erase(found);
      return Status::Ok();
    });
  }

  Status Prepare(const Context& context, const std::vector<CatalogChange>& changes,
                 std::vector<MetadataStore::Prepared>& work) {
    for (const CatalogChange& change : changes) {
      Result<LoadedTable> base = LoadTable(context, change.table);
      if (!base.ok() && base.error().kind != ErrorKind::kNotFound) return std::move(base).error();
      CALVE_ASSIGN_OR_RETURN(
          auto prepared,
          store_->metadata.Prepare(context, base.ok() ? &*base : nullptr, change.change));
      work.push_back(std::move(prepared));
    }
    return Status::Ok();
  }

  Status Swap(const Context& context, const std::vector<CatalogChange>& changes,
              const std::vector<MetadataStore::Prepared>& work, Remembered& done) {
    for (size_t i = 0; i < changes.size(); ++i) {
      const TableName& table = changes[i].table;
      const auto now = store_->pointers.find(table);
      if (now != store_->pointers.end() && now->second.is_view)
        return AlreadyExistsError("view " + table.ToString() + " exists already");
      const std::string location =
          now == store_->pointers.end() ? std::string() : now->second.location;
      if (location != work[i].previous_location)
        return ConflictError("another writer has changed " + table.ToString() + " meanwhile");
      if (!store_->namespaces.contains(table.ns)) return NoNamespace(table.ns);
    }
    CALVE_RETURN_IF_ERROR(context.Step("catalog.before_swap"));
    for (size_t i = 0; i < changes.size(); ++i) {
      store_->pointers.insert_or_assign(
          changes[i].table, MemoryStore::Pointer{.location = work[i].table.metadata_location});
      done.tables.push_back(work[i].table);
    }
    if (Status seen = context.Step("catalog.after_swap"); !seen.ok())
      return UnknownOutcomeError(seen.error().message);
    return Status::Ok();
  }

  std::shared_ptr<MemoryStore> store_;
  std::string key_;  ///< Of the request; empty: none.
};

}  // namespace

CALVE_PART(memory) {
  registry.Add(
      {.type = "memory",
       .meaning = "Table pointers in this process only, for tests and trials",
       .part = config::MakePart<MemoryOptions>("memory"),
       .make = [](const config::Node& node,
                  const Resources& resources) -> Result<std::unique_ptr<Catalog>> {
         CALVE_ASSIGN_OR_RETURN(MemoryOptions options, MemoryOptions::Declaration().Parse(node));
         return std::make_unique<MemoryCatalog>(
             std::make_shared<MemoryStore>(
                 options.warehouse.empty() ? resources.warehouse : options.warehouse, resources),
             std::string());
       }});
}

}  // namespace calve::catalog

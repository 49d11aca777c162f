#include <mutex>
#include <set>
#include <utility>

#include "base/text.h"
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

class MemoryCatalog : public Catalog {
 public:
  MemoryCatalog(std::string warehouse, Resources resources)
      : warehouse_(std::move(warehouse)),
        resources_(std::move(resources)),
        store_(*resources_.files) {}

  const std::string& name() const override { return resources_.name; }
  Capabilities capabilities() const override { return {.multi_table = true}; }

  Result<std::vector<Namespace>> ListNamespaces(const Context&, const Namespace& parent) override {
    std::lock_guard lock(mutex_);
    std::set<Namespace> children;
    for (const auto& [ns, properties] : namespaces_) {
      if (ns.size() <= parent.size() || !std::equal(parent.begin(), parent.end(), ns.begin()))
        continue;
      children.emplace(ns.begin(), ns.begin() + static_cast<ptrdiff_t>(parent.size()) + 1);
    }
    return std::vector<Namespace>(children.begin(), children.end());
  }

  Status CreateNamespace(const Context&, const Namespace& ns,
                         const std::map<std::string, std::string>& properties) override {
    std::lock_guard lock(mutex_);
    if (!namespaces_.emplace(ns, properties).second)
      return AlreadyExistsError("namespace " + ToString(ns) + " exists already");
    return Status::Ok();
  }

  Result<std::map<std::string, std::string>> LoadNamespace(const Context&,
                                                           const Namespace& ns) override {
    std::lock_guard lock(mutex_);
    const auto found = namespaces_.find(ns);
    if (found == namespaces_.end()) return NoNamespace(ns);
    return found->second;
  }

  Status DropNamespace(const Context&, const Namespace& ns) override {
    std::lock_guard lock(mutex_);
    if (!namespaces_.contains(ns)) return NoNamespace(ns);
    for (const auto& [table, location] : tables_) {
      if (table.ns == ns)
        return RefusedError("namespace " + ToString(ns) + " holds tables, " + table.name +
                            " among them; drop them first");
    }
    for (const auto& [other, properties] : namespaces_) {
      if (other.size() > ns.size() && std::equal(ns.begin(), ns.end(), other.begin())) {
        return RefusedError("namespace " + ToString(ns) + " holds namespace " + ToString(other));
      }
    }
    namespaces_.erase(ns);
    return Status::Ok();
  }

  Result<std::vector<TableName>> ListTables(const Context&, const Namespace& ns) override {
    std::lock_guard lock(mutex_);
    std::vector<TableName> tables;
    for (const auto& [table, location] : tables_) {
      if (table.ns == ns) tables.push_back(table);
    }
    return tables;
  }

  Result<LoadedTable> LoadTable(const Context& context, const TableName& table) override {
    std::string location;
    {
      std::lock_guard lock(mutex_);
      const auto found = tables_.find(table);
      if (found == tables_.end()) return NoTable(table);
      location = found->second;
    }
    return store_.Load(context, location);
  }

  CommitOutcome Commit(const Context& context, const std::vector<CatalogChange>& changes) override {
    std::vector<MetadataStore::Prepared> work;
    Status swapped = [&]() -> Status {
      std::vector<std::optional<LoadedTable>> bases;
      for (const CatalogChange& change : changes) {
        Result<LoadedTable> base = LoadTable(context, change.table);
        if (!base.ok() && base.error().kind != ErrorKind::kNotFound) return std::move(base).error();
        CALVE_ASSIGN_OR_RETURN(
            auto prepared, store_.Prepare(context, base.ok() ? &*base : nullptr, change.change));
        work.push_back(std::move(prepared));
      }
      return Swap(context, changes, work);
    }();
    if (!swapped.ok()) {
      if (swapped.error().kind != ErrorKind::kUnknownOutcome) {
        for (const auto& prepared : work) store_.Forget(context, prepared);
      }
      return OutcomeOf(std::move(swapped).error());
    }
    Committed committed;
    for (auto& prepared : work) committed.tables.push_back(std::move(prepared.table));
    return committed;
  }

  Status DropTable(const Context&, const TableName& table) override {
    std::lock_guard lock(mutex_);
    if (tables_.erase(table) == 0) return NoTable(table);
    return Status::Ok();
  }

  Status RenameTable(const Context&, const TableName& from, const TableName& to) override {
    std::lock_guard lock(mutex_);
    if (!tables_.contains(from)) return NoTable(from);
    if (!namespaces_.contains(to.ns)) return NoNamespace(to.ns);
    if (tables_.contains(to))
      return AlreadyExistsError("table " + to.ToString() + " exists already");
    tables_.emplace(to, tables_.at(from));
    tables_.erase(from);
    return Status::Ok();
  }

  Result<LoadedTable> RegisterTable(const Context& context, const TableName& table,
                                    const std::string& location) override {
    CALVE_ASSIGN_OR_RETURN(LoadedTable loaded, store_.Load(context, location));
    std::lock_guard lock(mutex_);
    if (!namespaces_.contains(table.ns)) return NoNamespace(table.ns);
    if (!tables_.emplace(table, location).second)
      return AlreadyExistsError("table " + table.ToString() + " exists already");
    return loaded;
  }

  Result<std::string> NewTableLocation(const Context&, const TableName& table) override {
    return warehouse_ + "/" + Join(table.ns, "/") + "/" + table.name;
  }

 private:
  Error NoTable(const TableName& table) const {
    return NotFoundError("there is no table " + table.ToString() + " in catalog " + name());
  }
  Error NoNamespace(const Namespace& ns) const {
    return NotFoundError("there is no namespace " + ToString(ns) + " in catalog " + name());
  }

  Status Swap(const Context& context, const std::vector<CatalogChange>& changes,
              const std::vector<MetadataStore::Prepared>& work) {
    std::lock_guard lock(mutex_);
    for (size_t i = 0; i < changes.size(); ++i) {
      const TableName& table = changes[i].table;
      const auto now = tables_.find(table);
      const std::string location = now == tables_.end() ? std::string() : now->second;
      if (location != work[i].previous_location) {
        return ConflictError("another writer has changed " + table.ToString() + " meanwhile");
      }
      if (!namespaces_.contains(table.ns)) return NoNamespace(table.ns);
    }
    CALVE_RETURN_IF_ERROR(context.Step("catalog.before_swap"));
    for (size_t i = 0; i < changes.size(); ++i) {
      tables_.insert_or_assign(changes[i].table, work[i].table.metadata_location);
    }
    if (Status seen = context.Step("catalog.after_swap"); !seen.ok())
      return UnknownOutcomeError(seen.error().message);
    return Status::Ok();
  }

  const std::string warehouse_;
  const Resources resources_;
  MetadataStore store_;
  std::mutex mutex_;
  std::map<Namespace, std::map<std::string, std::string>> namespaces_;
  std::map<TableName, std::string> tables_;
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
             options.warehouse.empty() ? resources.warehouse : options.warehouse, resources);
       }});
}

}  // namespace calve::catalog

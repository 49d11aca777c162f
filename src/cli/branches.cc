#include "cli/branches.h"

#include "base/text.h"
#include "catalog/native_refs.h"

namespace calve::cli {
namespace {

Status Collect(Program& program, catalog::Catalog& catalog, const catalog::Namespace& parent,
               std::vector<Program::NamedTable>* tables) {
  CALVE_ASSIGN_OR_RETURN(const auto namespaces, catalog.ListNamespaces(program.context(), parent));
  for (const catalog::Namespace& ns : namespaces) {
    CALVE_ASSIGN_OR_RETURN(const auto names, catalog.ListTables(program.context(), ns));
    for (const catalog::TableName& name : names)
      tables->push_back({.catalog = &catalog, .name = name});
    CALVE_RETURN_IF_ERROR(Collect(program, catalog, ns, tables));
  }
  return Status::Ok();
}

/// The tables that a branch of the catalog's own has changed.
Status CollectChanged(Program& program, catalog::Catalog& catalog,
                      const catalog::NativeBranch& branch, std::vector<FoundBranch>* branches) {
  const Context& context = program.context();
  catalog::NativeRefs& refs = *catalog.native_refs();
  CALVE_ASSIGN_OR_RETURN(const catalog::NativeMerge merge,
                         refs.TryMerge(context, branch, refs.branch()));
  const auto there = refs.OnBranch(branch.name);
  for (const catalog::TableName& name : merge.changed) {
    Result<catalog::LoadedTable> loaded = there->LoadTable(context, name);
    // What is no table, or was dropped there, has no rows to look at.
    if (!loaded.ok() && loaded.error().kind == ErrorKind::kNotFound) continue;
    CALVE_RETURN_IF_ERROR(loaded);
    const Result<catalog::LoadedTable> main = catalog.LoadTable(context, name);
    if (!main.ok() && main.error().kind != ErrorKind::kNotFound) return main.status();
    FoundBranch found{.catalog = &catalog,
                      .table = name,
                      .branch = branch.name,
                      .loaded = std::move(*loaded),
                      .main = main.ok() ? main->metadata : nullptr,
                      .head = nullptr,
                      .conflict = {}};
    found.head = found.loaded.metadata->current_snapshot();
    if (found.head == nullptr) continue;
    for (const catalog::NativeConflict& conflict : merge.conflicts) {
      if (conflict.name == name) found.conflict = conflict.reason;
    }
    branches->push_back(std::move(found));
  }
  return Status::Ok();
}

Status CollectNative(Program& program, catalog::Catalog& catalog,
                     std::vector<FoundBranch>* branches) {
  catalog::NativeRefs& refs = *catalog.native_refs();
  CALVE_ASSIGN_OR_RETURN(const auto all, refs.ListRefs(program.context()));
  for (const catalog::NativeBranch& ref : all) {
    if (ref.is_tag || ref.name == refs.branch()) continue;
    CALVE_RETURN_IF_ERROR(CollectChanged(program, catalog, ref, branches));
  }
  return Status::Ok();
}

}  // namespace

Result<std::vector<Program::NamedTable>> AllTables(Program& program) {
  CALVE_ASSIGN_OR_RETURN(const config::LoadedProject* loaded, program.project());
  std::vector<Program::NamedTable> tables;
  for (const auto& [name, declared] : loaded->project.catalogs) {
    CALVE_ASSIGN_OR_RETURN(catalog::Catalog * catalog, program.Catalog(name));
    CALVE_RETURN_IF_ERROR(Collect(program, *catalog, {}, &tables));
  }
  return tables;
}

Result<std::vector<FoundBranch>> AllBranches(Program& program) {
  CALVE_ASSIGN_OR_RETURN(const auto tables, AllTables(program));
  std::vector<FoundBranch> branches;
  for (const Program::NamedTable& table : tables) {
    CALVE_ASSIGN_OR_RETURN(const auto loaded,
                           table.catalog->LoadTable(program.context(), table.name));
    for (const auto& [name, ref] : loaded.metadata->refs) {
      if (ref.kind != iceberg::SnapshotRef::Kind::kBranch || name == iceberg::kMainBranch) continue;
      branches.push_back({.catalog = table.catalog,
                          .table = table.name,
                          .branch = name,
                          .loaded = loaded,
                          .main = loaded.metadata,
                          .head = loaded.metadata->FindRef(name),
                          .conflict = {}});
    }
  }
  CALVE_ASSIGN_OR_RETURN(const config::LoadedProject* loaded, program.project());
  for (const auto& [name, declared] : loaded->project.catalogs) {
    CALVE_ASSIGN_OR_RETURN(catalog::Catalog * catalog, program.Catalog(name));
    if (catalog->native_refs() != nullptr)
      CALVE_RETURN_IF_ERROR(CollectNative(program, *catalog, &branches));
  }
  return branches;
}

Result<FoundBranch> FindBranch(Program& program, const std::string& branch,
                               const std::string& table) {
  CALVE_ASSIGN_OR_RETURN(const auto all, AllBranches(program));
  std::vector<std::string> known;
  std::vector<FoundBranch> found;
  for (const FoundBranch& candidate : all) {
    known.push_back(candidate.branch);
    const bool of_table = table.empty() || candidate.table.ToString() == table;
    if (candidate.branch == branch && of_table) found.push_back(candidate);
  }
  if (found.size() == 1) return std::move(found.front());
  if (found.empty()) {
    const std::string near = DidYouMean(branch, known);
    return NotFoundError("there is no branch '" + branch + "'" +
                         (near.empty() ? "; calve branch list shows those there are" : near));
  }
  return ConfigError("several tables have a branch '" + branch + "'; say which with --table " +
                     found[0].table.ToString() + " or --table " + found[1].table.ToString());
}

}  // namespace calve::cli

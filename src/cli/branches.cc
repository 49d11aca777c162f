#include "cli/branches.h"

#include "base/text.h"

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
      branches.push_back(
          {.catalog = table.catalog, .table = table.name, .branch = name, .loaded = loaded});
    }
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

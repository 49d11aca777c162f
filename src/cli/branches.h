#pragma once

#include <string>
#include <vector>

#include "cli/program.h"
#include "iceberg/metadata.h"

namespace calve::cli {

/// A branch of some table of the project.
struct FoundBranch {
  catalog::Catalog* catalog = nullptr;
  catalog::TableName table;
  std::string branch;
  catalog::LoadedTable loaded;
  const iceberg::Snapshot* head() const { return loaded.metadata->FindRef(branch); }
};

/// Every branch but main, in all catalogs of the project.
Result<std::vector<FoundBranch>> AllBranches(Program& program);
/// The branch of this name; `table` narrows the search when it is not empty. Fails with kNotFound
/// and the nearest names, with kConfig when several tables have one of that name.
Result<FoundBranch> FindBranch(Program& program, const std::string& branch,
                               const std::string& table);

/// Every table of the project.
Result<std::vector<Program::NamedTable>> AllTables(Program& program);

}  // namespace calve::cli

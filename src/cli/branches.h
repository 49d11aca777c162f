#pragma once

#include <string>
#include <vector>

#include "cli/program.h"
#include "iceberg/metadata.h"

namespace calve::cli {

/// A branch of some table of the project: of the table's own, or of its catalog's over all tables.
struct FoundBranch {
  catalog::Catalog* catalog = nullptr;
  catalog::TableName table;
  std::string branch;
  catalog::LoadedTable loaded;              ///< The table as the branch has it.
  iceberg::MetadataPtr main;                ///< As main has it; null when it is not there yet.
  const iceberg::Snapshot* head = nullptr;  ///< In `loaded`.
  std::string conflict;  ///< Why the catalog would not merge its branch; "" when it would.
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

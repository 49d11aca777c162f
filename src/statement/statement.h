#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "audit/contract.h"
#include "base/context.h"
#include "base/result.h"
#include "commit/committer.h"
#include "engine/catalog_resolver.h"
#include "engine/statement.h"
#include "load/load.h"
#include "load/registry.h"

namespace calve::statement {

/// What statements are given by the program. Everything outlives them.
struct Resources {
  engine::Engine* engine = nullptr;  ///< For the SQL that a person sends: locked.
  engine::CatalogResolver* resolver = nullptr;
  load::Resources load;
  const audit::Registry* checks = nullptr;
  /// The contract of a table, by its name: "sales.orders"; nothing where it has none.
  std::function<Result<std::optional<audit::Contract>>(const std::string& table)> contract;
  int parallelism = 2;
  ByteCount buffer_bytes_max{256 << 20};
};

/// What a statement came to.
struct Outcome {
  engine::Statement::Kind kind = engine::Statement::Kind::kQuery;
  std::string target;   ///< "sales.orders"
  bool changed = true;  ///< False: it was so already, or no row was concerned.
  /// Of a statement that changes rows; its `ending` says whether main holds them.
  load::Report load;
  int64_t rows_inserted = 0;
  int64_t rows_updated = 0;
  int64_t rows_deleted = 0;
};

/// Run a statement that changes a table, or which tables there are. `run`: its id, in the names of
/// what it writes and of its branch.
///
/// Rows are changed as a load changes them: staged on a branch, audited by the table's contract,
/// published; an audit that fails is an outcome, not an error, and leaves main as it was. Checks
/// that hold rows back in a load fail here, since a statement holds none back. When another writer
/// changes what the statement was computed from, it is computed anew (docs/adr/0028).
///
/// Fails with kConfig for SQL that does not fit the table, kData for values that do not, kNotFound,
/// kAlreadyExists, kTransient when other writers are faster again and again.
Result<Outcome> Run(const Context& context, const std::string& sql,
                    const engine::Statement& statement, const std::string& run,
                    const Resources& resources, load::Observer* observer);

}  // namespace calve::statement

#pragma once

#include <memory>
#include <string>

#include "commit/new_table.h"
#include "statement/statement.h"

namespace calve::statement {

/// Run a statement that changes rows. `new_table`: the table that comes with them; null: it is
/// there.
Result<Outcome> ChangeRows(const Context& context, const std::string& sql,
                           const engine::Statement& statement,
                           std::shared_ptr<const commit::NewTable> new_table,
                           const std::string& run, const Resources& resources,
                           load::Observer* observer);

}  // namespace calve::statement

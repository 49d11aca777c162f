#pragma once

#include <string>

#include "base/result.h"
#include "cli/exit_code.h"
#include "cli/program.h"
#include "engine/statement.h"

namespace calve::cli {

/// Run a statement that changes a table, or which tables there are, and show how it goes.
Result<ExitCode> RunStatement(Program& program, const std::string& sql,
                              const engine::Statement& statement);

}  // namespace calve::cli

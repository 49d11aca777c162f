#pragma once

#include <string>

#include "cli/program.h"

namespace calve::cli {

/// Remove what runs of a job have left in a table that died, or could not clean up: their branch
/// and their files.
Status SweepDeadRuns(Program& program, const Program::NamedTable& table, const std::string& job);

}  // namespace calve::cli

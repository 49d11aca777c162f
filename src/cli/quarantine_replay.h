#pragma once

#include <string>

#include "cli/exit_code.h"
#include "cli/program.h"

namespace calve::cli {

/// A table as SQL names it.
std::string SqlNameOf(const Program::NamedTable& table);

/// Let the rows that were held back from a table go the way of their jobs once more, as these are
/// now. `job`: of those of this job only; "": of all.
Result<ExitCode> ReplayQuarantine(Program& program, const Program::NamedTable& quarantine,
                                  const std::string& table, const std::string& job);

}  // namespace calve::cli

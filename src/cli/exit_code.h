#pragma once

#include <string>

#include "base/result.h"

namespace calve::cli {

/// What the program ends with; docs/reference/exit_codes.md says the same.
enum class ExitCode {
  kDone = 0,
  kFailed = 1,          ///< Something outside refused or broke; the message says what to do.
  kConfiguration = 2,   ///< The command line or a configuration file is wrong; nothing was run.
  kData = 3,            ///< The source's data is not what was declared.
  kAuditFailed = 4,     ///< Rows are on a branch, main is as it was.
  kBlocked = 5,         ///< A branch of the job waits for a decision.
  kUnknownOutcome = 6,  ///< Whether a commit was applied is not known; run again.
  kStopped = 130,       ///< Asked to stop.
};

ExitCode ExitCodeOf(const Error& error);

/// What a person is told of an error: its message, and to run again where nothing more is needed.
std::string MessageOf(const Error& error);

}  // namespace calve::cli

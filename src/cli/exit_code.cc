#include "cli/exit_code.h"

namespace calve::cli {

ExitCode ExitCodeOf(const Error& error) {
  switch (error.kind) {
    case ErrorKind::kConfig:
    case ErrorKind::kNotFound:
      return ExitCode::kConfiguration;
    case ErrorKind::kData:
      return ExitCode::kData;
    case ErrorKind::kUnknownOutcome:
      return ExitCode::kUnknownOutcome;
    case ErrorKind::kStopped:
      return ExitCode::kStopped;
    case ErrorKind::kAlreadyExists:
    case ErrorKind::kTransient:
    case ErrorKind::kConflict:
    case ErrorKind::kRefused:
    case ErrorKind::kBug:
      return ExitCode::kFailed;
  }
  return ExitCode::kFailed;
}

}  // namespace calve::cli

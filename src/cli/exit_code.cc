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

std::string MessageOf(const Error& error) {
  const bool told = error.message.find("again") != std::string::npos;
  if (error.kind == ErrorKind::kUnknownOutcome && !told)
    return error.message + "; run again: calve looks first";
  const bool passes = error.kind == ErrorKind::kTransient || error.kind == ErrorKind::kConflict;
  return passes && !told ? error.message + "; run again" : error.message;
}

}  // namespace calve::cli

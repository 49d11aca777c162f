#include "base/result.h"

namespace calve {

std::string_view ToString(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kConfig:
      return "config";
    case ErrorKind::kData:
      return "data";
    case ErrorKind::kNotFound:
      return "not_found";
    case ErrorKind::kAlreadyExists:
      return "already_exists";
    case ErrorKind::kTransient:
      return "transient";
    case ErrorKind::kConflict:
      return "conflict";
    case ErrorKind::kUnknownOutcome:
      return "unknown_outcome";
    case ErrorKind::kRefused:
      return "refused";
    case ErrorKind::kStopped:
      return "stopped";
    case ErrorKind::kBug:
      return "bug";
  }
  return "bug";
}

Error While(std::string_view doing, Error error) {
  error.message = std::string(doing) + ": " + error.message;
  return error;
}

}  // namespace calve

#include "source/adbc/failure.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "source/sql_state.h"

namespace calve::source::adbc {
namespace {

constexpr size_t kMessageBytesMax = 1000;

/// Drivers that say by no code that a login was refused.
bool IsLogin(const std::string& message) {
  constexpr std::array<std::string_view, 5> kWords = {"authentication failed", "ORA-01017",
                                                      "access denied", "invalid credentials",
                                                      "incorrect username or password"};
  const std::string said = ToLower(message);
  return std::any_of(kWords.begin(), kWords.end(), [&](std::string_view word) {
    return said.find(ToLower(word)) != std::string::npos;
  });
}

ErrorKind KindOf(AdbcStatusCode status) {
  switch (status) {
    case ADBC_STATUS_NOT_FOUND:
      return ErrorKind::kNotFound;
    case ADBC_STATUS_INVALID_ARGUMENT:
    case ADBC_STATUS_NOT_IMPLEMENTED:
      return ErrorKind::kConfig;
    case ADBC_STATUS_INVALID_DATA:
      return ErrorKind::kData;
    case ADBC_STATUS_IO:
    case ADBC_STATUS_TIMEOUT:
      return ErrorKind::kTransient;
    default:
      return ErrorKind::kRefused;
  }
}

std::string_view RemedyOf(ErrorKind kind, bool is_login) {
  if (is_login) return "; check username and password, then run again";
  if (kind == ErrorKind::kConfig)
    return "; mend table, columns, where, query or options of the source";
  if (kind == ErrorKind::kTransient)
    return "; see that the database runs and can be reached from here, then run again";
  if (kind == ErrorKind::kRefused)
    return "; see that url and options name the database, and that the user may read it";
  return "";
}

std::string WithoutSecrets(std::string message, const std::vector<std::string>& secrets) {
  for (const std::string& secret : secrets) {
    if (secret.empty()) continue;
    for (size_t at = message.find(secret); at != std::string::npos;
         at = message.find(secret, at + 3))
      message.replace(at, secret.size(), "***");
  }
  return message;
}

}  // namespace

std::string Failure::MessageOf(const AdbcError& error) {
  std::string text(Trim(error.message == nullptr ? "" : error.message));
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c == '\n' || c == '\r' || c == '\t'; }, ' ');
  if (text.size() > kMessageBytesMax) text = text.substr(0, kMessageBytesMax) + " ...";
  return text.empty() ? "the driver does not say why" : text;
}

std::string Failure::SqlStateOf(const AdbcError& error) {
  const std::string state(error.sqlstate, sizeof(error.sqlstate));
  const bool is_state = std::all_of(state.begin(), state.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z');
  });
  return is_state && state != "00000" ? state : "";
}

Error ErrorOf(const Context& context, AdbcStatusCode status, const AdbcError& error,
              const std::string& doing, const std::vector<std::string>& secrets) {
  if (context.stop.stop_requested()) return StoppedError("stopped on request");
  const std::string state = Failure::SqlStateOf(error);
  std::string message = WithoutSecrets(Failure::MessageOf(error), secrets);
  const bool is_login = state.starts_with("28") || status == ADBC_STATUS_UNAUTHENTICATED ||
                        (state.empty() && IsLogin(message));
  const ErrorKind kind = is_login        ? ErrorKind::kRefused
                         : state.empty() ? KindOf(status)
                                         : KindOfSqlState(state);
  if (!state.empty() && message.find(state) == std::string::npos)
    message += " (SQLSTATE " + state + ")";
  return {kind, doing + ": " + message + std::string(RemedyOf(kind, is_login))};
}

}  // namespace calve::source::adbc

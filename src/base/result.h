#pragma once

#include <cassert>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

namespace calve {

/// Say what the caller does about an error. A kind exists only because some caller treats it
/// differently.
enum class ErrorKind {
  /// The person fixes a configuration or a command line.
  kConfig,
  /// The input is not what was declared: quarantine it, or stop and name its place.
  kData,
  /// The thing asked for is not there: create it, or say so.
  kNotFound,
  /// The thing to make is there already: reload it.
  kAlreadyExists,
  /// The same call may succeed later: retry with a limit.
  kTransient,
  /// Somebody else was first, nothing was applied: reload, compute again, retry.
  kConflict,
  /// The call may or may not have been applied: delete nothing, reload and look.
  kUnknownOutcome,
  /// The outside says no and will go on saying no (rights, disk full, unsupported): stop.
  kRefused,
  /// The run was asked to stop.
  kStopped,
  /// One of our own promises broke: report it.
  kBug,
};

/// Name a kind in one lower-case word, as logs and --json print it.
std::string_view ToString(ErrorKind kind);

/// One sentence for a person: expected, found, what to do; with the place where it was found.
struct Error {
  ErrorKind kind;
  std::string message;

  bool operator==(const Error&) const = default;
};

/// The outcome of something that can fail and returns nothing else.
///
/// Dropping one is a compile error. Threads: a value, as any other.
class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(Error error) : error_(std::move(error)) {}  // NOLINT(google-explicit-constructor)

  static Status Ok() { return {}; }

  bool ok() const { return !error_.has_value(); }
  const Error& error() const& {
    assert(!ok());
    return *error_;
  }
  Error error() && {
    assert(!ok());
    return std::move(*error_);
  }

 private:
  std::optional<Error> error_;
};

/// A value, or the error that kept it from being made.
///
/// A temporary gives its value away rather than a reference into itself, so that
/// `for (const Row& row : Rows().value())` holds what it walks through.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::move(value)) {}      // NOLINT(google-explicit-constructor)
  Result(Error error) : state_(std::move(error)) {}  // NOLINT(google-explicit-constructor)
  // NOLINTNEXTLINE(google-explicit-constructor)
  Result(Status status) : state_(std::move(status).error()) {}
  template <typename U>
    requires(std::is_convertible_v<U&&, T> && !std::is_same_v<std::remove_cvref_t<U>, Result> &&
             !std::is_same_v<std::remove_cvref_t<U>, T> &&
             !std::is_same_v<std::remove_cvref_t<U>, Error> &&
             !std::is_same_v<std::remove_cvref_t<U>, Status>)
  Result(U&& value) : state_(T(std::forward<U>(value))) {}  // NOLINT(google-explicit-constructor)

  bool ok() const { return std::holds_alternative<T>(state_); }
  const Error& error() const& { return std::get<Error>(state_); }
  Error error() && { return std::get<Error>(std::move(state_)); }
  Status status() const& { return ok() ? Status::Ok() : Status(error()); }

  T& value() & { return std::get<T>(state_); }
  const T& value() const& { return std::get<T>(state_); }
  T value() && { return std::get<T>(std::move(state_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  T value_or(T fallback) && { return ok() ? std::move(*this).value() : std::move(fallback); }

 private:
  std::variant<T, Error> state_;
};

inline Error ConfigError(std::string message) { return {ErrorKind::kConfig, std::move(message)}; }
inline Error DataError(std::string message) { return {ErrorKind::kData, std::move(message)}; }
inline Error NotFoundError(std::string message) {
  return {ErrorKind::kNotFound, std::move(message)};
}
inline Error AlreadyExistsError(std::string message) {
  return {ErrorKind::kAlreadyExists, std::move(message)};
}
inline Error TransientError(std::string message) {
  return {ErrorKind::kTransient, std::move(message)};
}
inline Error ConflictError(std::string message) {
  return {ErrorKind::kConflict, std::move(message)};
}
inline Error UnknownOutcomeError(std::string message) {
  return {ErrorKind::kUnknownOutcome, std::move(message)};
}
inline Error RefusedError(std::string message) { return {ErrorKind::kRefused, std::move(message)}; }
inline Error StoppedError(std::string message) { return {ErrorKind::kStopped, std::move(message)}; }
inline Error BugError(std::string message) { return {ErrorKind::kBug, std::move(message)}; }

/// Put one frame of context before an error's sentence: While("load orders", e) reads "load orders:
/// <message>".
Error While(std::string_view doing, Error error);

/// Unwrap what the macros below are given. A room with a foreign status type adds an overload in
/// namespace calve beside the header that brings that type (columnar/arrow_status.h does so for
/// Arrow).
inline Status StatusOf(Status status) { return status; }
template <typename T>
Status StatusOf(const Result<T>& result) {
  return result.status();
}
template <typename T>
T ValueOf(Result<T>&& result) {
  return std::move(result).value();
}

}  // namespace calve

#define CALVE_CONCAT_INNER_(a, b) a##b
#define CALVE_CONCAT_(a, b) CALVE_CONCAT_INNER_(a, b)

/// Return from the function when `expression` (a Status, a Result, or what has a StatusOf overload)
/// failed.
#define CALVE_RETURN_IF_ERROR(expression)                 \
  do {                                                    \
    ::calve::Status calve_status_ = StatusOf(expression); \
    if (!calve_status_.ok()) [[unlikely]]                 \
      return std::move(calve_status_).error();            \
  } while (false)

/// Declare or assign `lhs` from a Result (or what has StatusOf and ValueOf overloads), or return
/// its error.
#define CALVE_ASSIGN_OR_RETURN(lhs, expression) \
  CALVE_ASSIGN_OR_RETURN_(CALVE_CONCAT_(calve_result_, __LINE__), lhs, expression)
#define CALVE_ASSIGN_OR_RETURN_(result, lhs, expression) \
  auto result = (expression);                            \
  if (!result.ok()) [[unlikely]]                         \
    return StatusOf(result).error();                     \
  lhs = ValueOf(std::move(result))

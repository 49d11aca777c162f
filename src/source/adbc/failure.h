#pragma once

// Arrow's own declarations of its C interface come before those of ADBC.
#include <arrow/c/abi.h>
// clang-format off
#include <arrow-adbc/adbc.h>
// clang-format on

#include <string>
#include <string_view>
#include <vector>

#include "base/context.h"
#include "base/result.h"

namespace calve::source::adbc {

/// What a call of a driver says when it fails.
class Failure {
 public:
  Failure() = default;
  ~Failure() {
    if (error_.release != nullptr) error_.release(&error_);
  }
  Failure(const Failure&) = delete;
  Failure& operator=(const Failure&) = delete;

  AdbcError* get() { return &error_; }
  /// The message on one line.
  std::string message() const { return MessageOf(error_); }
  static std::string MessageOf(const AdbcError& error);
  /// "" where the driver names none.
  static std::string SqlStateOf(const AdbcError& error);
  const AdbcError& error() const { return error_; }

 private:
  AdbcError error_ = ADBC_ERROR_INIT;
};

/// An error of a driver in our words: kTransient when the database cannot be reached, kNotFound,
/// kRefused on logins and rights, kConfig on what cannot be read. `secrets` are never said.
Error ErrorOf(const Context& context, AdbcStatusCode status, const AdbcError& error,
              const std::string& doing, const std::vector<std::string>& secrets);

}  // namespace calve::source::adbc

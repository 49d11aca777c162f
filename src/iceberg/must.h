#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>
#include <utility>

#include "base/result.h"

namespace calve::iceberg {

/// Unwrap a result in a test, which ends here when there is none.
template <typename T>
T Must(Result<T> result) {
  if (!result.ok()) {
    std::cerr << "expected a value, found the error: " << result.error().message << std::endl;
    std::abort();
  }
  return std::move(result).value();
}

/// The message of a failure in a test, "" when it did not fail.
template <typename T>
std::string MessageOf(const T& outcome) {
  return outcome.ok() ? "" : outcome.error().message;
}

}  // namespace calve::iceberg

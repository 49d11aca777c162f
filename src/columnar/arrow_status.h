#pragma once

#include <arrow/result.h>
#include <arrow/status.h>

#include "base/result.h"

namespace calve {

/// Translate Arrow's status: Invalid and TypeError are kData, IOError kTransient only where io said so, OutOfMemory and
/// NotImplemented kRefused, Cancelled kStopped. A calve error carried through Arrow (by io's bridge) comes out as it went in.
Status ToStatus(const arrow::Status& status);

template <typename T>
Status ToStatus(const arrow::Result<T>& result) {
  return ToStatus(result.status());
}
template <typename T>
T ToValue(arrow::Result<T>&& result) {
  return std::move(result).ValueUnsafe();
}

}  // namespace calve

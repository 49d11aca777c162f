#pragma once

#include <arrow/result.h>
#include <arrow/status.h>

#include "base/result.h"

namespace calve {

/// Translate Arrow's status: Invalid, TypeError, IOError (broken bytes) and the like are kData,
/// OutOfMemory and NotImplemented kRefused, Cancelled kStopped. A calve error carried through Arrow
/// (an ErrorCarrier, as io's bridge makes) comes out as it went in.
Status StatusOf(const arrow::Status& status);

template <typename T>
Status StatusOf(const arrow::Result<T>& result) {
  return StatusOf(result.status());
}
template <typename T>
T ValueOf(arrow::Result<T>&& result) {
  return std::move(result).ValueUnsafe();
}

namespace columnar {

/// Make Arrow's compute functions known. main and tests call it once, before anything else of this
/// room.
Status StartArrow();

}  // namespace columnar
}  // namespace calve

#pragma once

#include "base/result.h"

namespace calve {

/// An error of ours on its way through a foreign library's own status type, whose detail object
/// also derives from this.
///
/// io's Arrow bridge makes them; columnar/arrow_status.h finds them again by dynamic_cast. Neither
/// includes the other.
class ErrorCarrier {
 public:
  virtual ~ErrorCarrier() = default;
  virtual const Error& carried_error() const = 0;
};

}  // namespace calve

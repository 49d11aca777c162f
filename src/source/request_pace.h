#pragma once

#include <cstdint>
#include <mutex>

#include "base/context.h"
#include "base/result.h"
#include "base/time.h"

namespace calve::source {

/// Spaces the requests of a source out evenly, over all its readers and repeated requests. Threads:
/// any.
class RequestPace {
 public:
  /// 0: no limit.
  explicit RequestPace(int64_t requests_per_minute);

  /// Let two requests be at least so far apart.
  void SlowTo(Duration apart);
  /// Wait until the next request may be sent.
  Status Wait(const Context& context);

 private:
  std::mutex mutex_;
  Duration apart_{0};
  Duration next_request_{0};
};

}  // namespace calve::source

#include "source/request_pace.h"

#include <algorithm>
#include <chrono>

#include "base/retry.h"

namespace calve::source {

RequestPace::RequestPace(int64_t requests_per_minute) {
  if (requests_per_minute > 0) apart_ = Duration(std::chrono::minutes(1)) / requests_per_minute;
}

void RequestPace::SlowTo(Duration apart) {
  std::lock_guard lock(mutex_);
  if (apart <= apart_) return;
  // The request before was sent by the pace that it had.
  if (next_request_ > Duration(0)) next_request_ += apart - apart_;
  apart_ = apart;
}

Status RequestPace::Wait(const Context& context) {
  const Duration now = context.clock->Monotonic();
  Duration turn;
  {
    std::lock_guard lock(mutex_);
    if (apart_ == Duration(0)) return Status::Ok();
    turn = std::max(now, next_request_);
    next_request_ = turn + apart_;
  }
  if (turn <= now) return Status::Ok();
  return Sleep(context, std::chrono::ceil<std::chrono::milliseconds>(turn - now));
}

}  // namespace calve::source

#include "base/retry.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>

namespace calve {

Status Sleep(const Context& context, std::chrono::milliseconds duration) {
  std::mutex mutex;
  std::condition_variable_any stopped;
  std::unique_lock lock(mutex);
  stopped.wait_for(lock, context.stop, duration, [] { return false; });
  return context.CheckStop();
}

std::chrono::milliseconds RetryDelay(const Context& context, const RetryPolicy& policy,
                                     int attempt) {
  const int64_t doubled = policy.first.count() << std::min(attempt - 1, 20);
  const int64_t cap = std::min<int64_t>(doubled, policy.longest.count());
  return std::chrono::milliseconds(
      cap / 2 + static_cast<int64_t>(context.random->Below(static_cast<uint64_t>(cap / 2 + 1))));
}

}  // namespace calve

#pragma once

#include <chrono>
#include <functional>

#include "base/context.h"
#include "base/result.h"

namespace calve {

/// How often and how long one call is tried again. Waits double from `first` to `longest`, each
/// with full jitter.
struct RetryPolicy {
  int attempts_max = 5;
  std::chrono::milliseconds first{100};
  std::chrono::milliseconds longest{10'000};
};

/// Wait, or fail with kStopped when asked to stop.
Status Sleep(const Context& context, std::chrono::milliseconds duration);

/// The wait before attempt `attempt` (the second is 1), with jitter from the context's randomness.
std::chrono::milliseconds RetryDelay(const Context& context, const RetryPolicy& policy,
                                     int attempt);

/// Call until it succeeds, fails with a kind that `again` does not accept, or the attempts are used
/// up.
///
/// The one place of retries for a call: never put a retry in a retry. Returns the last error.
template <typename F>
auto Retry(
    const Context& context, const RetryPolicy& policy, F&& call,
    const std::function<bool(const Error&)>& again = [](const Error& e) {
      return e.kind == ErrorKind::kTransient;
    }) -> decltype(call()) {
  for (int attempt = 1;; ++attempt) {
    auto outcome = call();
    if (outcome.ok() || attempt >= policy.attempts_max || !again(outcome.error())) return outcome;
    Status slept = Sleep(context, RetryDelay(context, policy, attempt));
    if (!slept.ok()) return std::move(slept).error();
  }
}

}  // namespace calve

#pragma once

#include <functional>
#include <memory>
#include <stop_token>
#include <string_view>

#include "base/log.h"
#include "base/random.h"
#include "base/result.h"
#include "base/time.h"

namespace calve {

class Executor;
class MemoryBudget;

/// Told each named step that a load reaches, in order; a test makes it fail, wait or kill the
/// process there.
///
/// Steps are named `room.step`, such as `commit.before_swap`; docs/testing.md lists them.
/// Threads: any.
using StepObserver = std::function<Status(std::string_view step)>;

/// What everything that blocks is given first: time, chance, stop, log, the pool and the memory
/// budget.
///
/// A cheap value to copy; what it points to outlives it. Threads: any.
struct Context {
  Clock* clock = nullptr;
  Random* random = nullptr;
  Log* log = nullptr;
  Executor* executor = nullptr;  ///< CPU work and blocking reads; bounded.
  MemoryBudget* memory =
      nullptr;  ///< One budget for queues, Arrow and DuckDB; may be null in tests: no limit.
  std::stop_token stop;
  const StepObserver* steps = nullptr;

  /// Say that a named step is reached. Fails only when a test says so.
  Status Step(std::string_view name) const {
    return steps == nullptr ? Status::Ok() : (*steps)(name);
  }

  /// Fail with kStopped once the run was asked to stop.
  Status CheckStop() const {
    if (stop.stop_requested()) return StoppedError("stopped on request");
    return Status::Ok();
  }

  /// The same context with another stop token, for a stage of its own.
  Context WithStop(std::stop_token other) const {
    Context copy = *this;
    copy.stop = std::move(other);
    return copy;
  }
};

/// A complete context that owns its parts: a manual or system clock, a seeded random, no log, a
/// small pool. For tests and tools.
class OwnedContext {
 public:
  /// Take the machine's clock and `seed`.
  explicit OwnedContext(uint64_t seed = 1);
  /// Take a clock of the caller's.
  OwnedContext(std::unique_ptr<Clock> clock, uint64_t seed);
  ~OwnedContext();
  const Context& get() const { return context_; }
  const Context& operator*() const { return context_; }
  const Context* operator->() const { return &context_; }

 private:
  std::unique_ptr<Clock> clock_;
  Random random_;
  NullLog log_;
  std::unique_ptr<Executor> executor_;
  Context context_;
};

}  // namespace calve

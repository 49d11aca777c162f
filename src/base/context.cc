#include "base/context.h"

#include "base/executor.h"

namespace calve {

OwnedContext::OwnedContext(uint64_t seed) : OwnedContext(std::make_unique<SystemClock>(), seed) {}

OwnedContext::OwnedContext(std::unique_ptr<Clock> clock, uint64_t seed)
    : clock_(std::move(clock)),
      random_(seed),
      executor_(std::make_unique<Executor>(ExecutorOptions{.threads = 2})) {
  context_.clock = clock_.get();
  context_.random = &random_;
  context_.log = &log_;
  context_.executor = executor_.get();
}

OwnedContext::~OwnedContext() = default;

}  // namespace calve

#pragma once

#include <any>
#include <map>
#include <memory>
#include <mutex>

namespace calve::transform {

/// What the transforms of one step of a run share, one object a step: each thread of the run has a
/// transform of its own. Threads: any.
class SharedStates {
 public:
  /// The object of a step; the first who asks makes it.
  template <typename T>
  std::shared_ptr<T> Of(size_t step) {
    std::lock_guard lock(mutex_);
    std::any& state = states_[step];
    if (!state.has_value()) state = std::make_shared<T>();
    return std::any_cast<std::shared_ptr<T>>(state);
  }

 private:
  std::mutex mutex_;
  std::map<size_t, std::any> states_;
};

}  // namespace calve::transform

#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "base/result.h"

namespace calve {

struct ExecutorOptions {
  int threads = 2;
};

/// A bounded pool of threads. Threads: any may call.
///
/// Work given to it must not wait for other work in the same pool, except through ParallelFor,
/// whose caller works along and so never waits for a free thread.
class Executor {
 public:
  explicit Executor(ExecutorOptions options);
  ~Executor();
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;

  int threads() const { return static_cast<int>(threads_.size()); }

  /// Run work(0) ... work(count - 1), the caller taking part, and return the first error by index.
  ///
  /// After an error no further index is started; those under way end.
  Status ParallelFor(size_t count, const std::function<Status(size_t index)>& work);

 private:
  void Submit(std::function<void()> task);
  void Loop();

  std::mutex mutex_;
  std::condition_variable ready_;
  std::deque<std::function<void()>> tasks_;
  bool closing_ = false;
  std::vector<std::jthread> threads_;
};

}  // namespace calve

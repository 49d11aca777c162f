#include "base/executor.h"

#include <algorithm>
#include <atomic>
#include <memory>

namespace calve {

Executor::Executor(ExecutorOptions options) {
  const int count = std::max(1, options.threads);
  threads_.reserve(static_cast<size_t>(count));
  for (int i = 0; i < count; ++i) threads_.emplace_back([this] { Loop(); });
}

Executor::~Executor() {
  {
    std::lock_guard lock(mutex_);
    closing_ = true;
  }
  ready_.notify_all();
}

void Executor::Submit(std::function<void()> task) {
  {
    std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
  }
  ready_.notify_one();
}

void Executor::Loop() {
  while (true) {
    std::function<void()> task;
    {
      std::unique_lock lock(mutex_);
      ready_.wait(lock, [this] { return closing_ || !tasks_.empty(); });
      if (tasks_.empty()) return;
      task = std::move(tasks_.front());
      tasks_.pop_front();
    }
    task();
  }
}

Status Executor::ParallelFor(size_t count, const std::function<Status(size_t index)>& work) {
  struct Shared {
    std::atomic<size_t> next{0};
    std::mutex mutex;
    std::condition_variable done;
    size_t running = 0;
    bool closed = false;  // The caller has left: a helper that starts late must not touch `work`.
    size_t failed_index = SIZE_MAX;
    Status status;
  };
  auto shared = std::make_shared<Shared>();
  const auto drain = [count, &work](Shared& s) {
    while (true) {
      const size_t index = s.next.fetch_add(1);
      if (index >= count) return;
      Status status = work(index);
      if (!status.ok()) {
        std::lock_guard lock(s.mutex);
        s.next.store(count);
        if (index < s.failed_index) {
          s.failed_index = index;
          s.status = std::move(status);
        }
      }
    }
  };
  const size_t helpers = count <= 1 ? 0 : std::min(count - 1, threads_.size());
  for (size_t i = 0; i < helpers; ++i) {
    Submit([shared, drain] {
      {
        std::lock_guard lock(shared->mutex);
        if (shared->closed) return;
        ++shared->running;
      }
      drain(*shared);
      std::lock_guard lock(shared->mutex);
      --shared->running;
      shared->done.notify_all();
    });
  }
  drain(*shared);
  std::unique_lock lock(shared->mutex);
  shared->closed = true;
  shared->done.wait(lock, [&] { return shared->running == 0; });
  return shared->status;
}

}  // namespace calve

#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <stop_token>
#include <utility>

#include "base/strong.h"

namespace calve {

/// A queue between stages, bounded by bytes. Threads: any number push and pop.
///
/// A full queue blocks its producers; nothing is ever dropped. One item larger than the bound is
/// let in alone.
template <typename T>
class ByteQueue {
 public:
  explicit ByteQueue(ByteCount bound) : bound_(bound.value()) {}

  /// Wait for room and push. False when the queue was closed or `stop` was requested: the item was
  /// not taken.
  bool Push(T item, ByteCount bytes, const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    const bool woke = room_.wait(
        lock, stop, [&] { return closed_ || bytes_ == 0 || bytes_ + bytes.value() <= bound_; });
    if (!woke || closed_) return false;
    items_.emplace_back(std::move(item), bytes.value());
    bytes_ += bytes.value();
    lock.unlock();
    ready_.notify_one();
    return true;
  }

  /// Wait for an item. Empty once the queue is closed and drained, or `stop` was requested.
  std::optional<T> Pop(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    if (!ready_.wait(lock, stop, [&] { return closed_ || !items_.empty(); })) return std::nullopt;
    if (items_.empty()) return std::nullopt;
    auto [item, bytes] = std::move(items_.front());
    items_.pop_front();
    bytes_ -= bytes;
    lock.unlock();
    room_.notify_all();
    return std::move(item);
  }

  /// Say that nothing more comes: what is queued can still be popped.
  void Close() {
    {
      std::lock_guard lock(mutex_);
      closed_ = true;
    }
    room_.notify_all();
    ready_.notify_all();
  }

 private:
  const int64_t bound_;
  std::mutex mutex_;
  std::condition_variable_any room_;
  std::condition_variable_any ready_;
  std::deque<std::pair<T, int64_t>> items_;
  int64_t bytes_ = 0;
  bool closed_ = false;
};

}  // namespace calve

#include "base/memory.h"

#include <cassert>

namespace calve {

bool MemoryBudget::Reserve(ByteCount bytes, const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  const bool granted =
      freed_.wait(lock, stop, [&] { return used_ == 0 || used_ + bytes.value() <= limit_; });
  if (granted) used_ += bytes.value();
  return granted;
}

void MemoryBudget::Take(ByteCount bytes) {
  std::lock_guard lock(mutex_);
  used_ += bytes.value();
}

void MemoryBudget::Release(ByteCount bytes) {
  {
    std::lock_guard lock(mutex_);
    used_ -= bytes.value();
    assert(used_ >= 0);
  }
  freed_.notify_all();
}

void MemoryBudget::SetLimit(ByteCount limit) {
  {
    std::lock_guard lock(mutex_);
    limit_ = limit.value();
  }
  freed_.notify_all();
}

ByteCount MemoryBudget::limit() const {
  std::lock_guard lock(mutex_);
  return ByteCount(limit_);
}

ByteCount MemoryBudget::used() const {
  std::lock_guard lock(mutex_);
  return ByteCount(used_);
}

bool MemoryBudget::UnderPressure() const {
  std::lock_guard lock(mutex_);
  return used_ * 4 > limit_ * 3;
}

}  // namespace calve

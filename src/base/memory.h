#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <stop_token>

#include "base/strong.h"

namespace calve {

/// The one budget of bytes that queues and writers share. Threads: any.
///
/// A reservation that does not fit blocks until others give back; one that could never fit is let
/// in alone, so that a single large batch makes progress instead of a deadlock.
class MemoryBudget {
 public:
  explicit MemoryBudget(ByteCount limit) : limit_(limit.value()) {}

  /// Wait until `bytes` fit, then take them. False when stopped first (nothing is taken).
  bool Reserve(ByteCount bytes, const std::stop_token& stop);
  /// Take without waiting; for what is already in memory.
  void Take(ByteCount bytes);
  void Release(ByteCount bytes);

  /// For what is taken from now on.
  void SetLimit(ByteCount limit);
  ByteCount limit() const;
  ByteCount used() const;
  /// Whether holders should flush or spill: more than three quarters are taken.
  bool UnderPressure() const;

 private:
  mutable std::mutex mutex_;
  int64_t limit_;
  std::condition_variable_any freed_;
  int64_t used_ = 0;
};

}  // namespace calve

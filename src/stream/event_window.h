#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <unordered_set>
#include <vector>

namespace calve::stream {

/// The ids of the events that came last, by which a second delivery is known. Threads: any.
class EventWindow {
 public:
  /// 16 bytes of SHA-256 over topic and id.
  using Digest = std::array<uint64_t, 2>;
  static Digest DigestOf(const std::string& topic, const std::string& id);

  /// Remember `count` events that are durable.
  explicit EventWindow(int64_t count) : count_(static_cast<size_t>(count)) {}

  enum class Claim {
    kNew,       ///< The caller stores it, and says so by Settle.
    kUnderWay,  ///< Another caller is storing it.
    kStored,
  };
  /// Claim events together: where one is kUnderWay, none is claimed.
  std::vector<Claim> ClaimAll(const std::vector<Digest>& digests);
  /// End the claim of events that are durable now, or that could not be stored.
  void Settle(const std::vector<Digest>& digests, bool stored);

 private:
  struct Hash {
    size_t operator()(const Digest& digest) const { return digest[0]; }
  };
  void Remember(const Digest& digest);

  const size_t count_;
  std::mutex mutex_;
  std::unordered_set<Digest, Hash> under_way_;
  std::unordered_set<Digest, Hash> stored_;
  std::deque<Digest> order_;  ///< Of `stored_`, oldest first.
};

}  // namespace calve::stream

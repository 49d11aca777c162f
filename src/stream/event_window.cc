#include "stream/event_window.h"

#include <algorithm>
#include <cstring>

#include "base/digest.h"

namespace calve::stream {

EventWindow::Digest EventWindow::DigestOf(const std::string& topic, const std::string& id) {
  const std::string whole = Sha256(topic + "\n" + id);
  Digest digest{};
  std::memcpy(digest.data(), whole.data(), sizeof digest);
  return digest;
}

std::vector<EventWindow::Claim> EventWindow::ClaimAll(const std::vector<Digest>& digests) {
  std::vector<Claim> claims;
  std::lock_guard lock(mutex_);
  for (const Digest& digest : digests) {
    if (under_way_.contains(digest)) {
      claims.push_back(Claim::kUnderWay);
    } else {
      claims.push_back(stored_.contains(digest) ? Claim::kStored : Claim::kNew);
    }
  }
  if (std::find(claims.begin(), claims.end(), Claim::kUnderWay) != claims.end()) return claims;
  for (size_t i = 0; i < digests.size(); ++i) {
    // Twice in one request: once is enough.
    if (claims[i] == Claim::kNew && !under_way_.insert(digests[i]).second)
      claims[i] = Claim::kStored;
  }
  return claims;
}

void EventWindow::Settle(const std::vector<Digest>& digests, bool stored) {
  std::lock_guard lock(mutex_);
  for (const Digest& digest : digests) {
    under_way_.erase(digest);
    if (stored) Remember(digest);
  }
}

void EventWindow::Remember(const Digest& digest) {
  if (count_ == 0 || !stored_.insert(digest).second) return;
  order_.push_back(digest);
  if (order_.size() <= count_) return;
  stored_.erase(order_.front());
  order_.pop_front();
}

}  // namespace calve::stream

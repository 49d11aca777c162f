#include "load/iceberg/key_set.h"

#include <cstring>

namespace calve::load {

std::string_view KeySet::KeyAt(uint32_t place) const {
  const size_t at = place - 1;
  return {reinterpret_cast<const char*>(&words_[at] + 1), static_cast<size_t>(words_[at])};
}

size_t KeySet::Find(std::string_view key, uint32_t tag) const {
  const size_t mask = slots_.size() - 1;
  size_t at = tag & mask;
  while (slots_[at].place != 0 && (slots_[at].tag != tag || KeyAt(slots_[at].place) != key))
    at = (at + 1) & mask;
  return at;
}

bool KeySet::Insert(std::string_view key) {
  const uint32_t tag = TagOf(key);
  size_t at = Find(key, tag);
  if (slots_[at].place != 0) return false;
  if ((size_ + 1) * 4 > slots_.size() * 3) {
    Grow();
    at = Find(key, tag);
  }
  const size_t place = words_.size();
  words_.resize(place + 1 + (key.size() + 7) / 8);
  words_[place] = key.size();
  std::memcpy(&words_[place] + 1, key.data(), key.size());
  slots_[at] = {.tag = tag, .place = static_cast<uint32_t>(place + 1)};
  ++size_;
  return true;
}

void KeySet::Grow() {
  std::vector<Slot> old(slots_.size() * 2);
  old.swap(slots_);
  const size_t mask = slots_.size() - 1;
  for (const Slot& slot : old) {
    if (slot.place == 0) continue;
    size_t at = slot.tag & mask;
    while (slots_[at].place != 0) at = (at + 1) & mask;
    slots_[at] = slot;
  }
}

}  // namespace calve::load

#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

namespace calve::load {

/// A set of byte strings, exact and compact: the strings in one piece, and about a dozen bytes for
/// each besides. For one thread to fill; then any may ask.
class KeySet {
 public:
  KeySet() : slots_(kSlotsMin) {}

  /// False when the key is there already.
  bool Insert(std::string_view key);
  bool Contains(std::string_view key) const { return slots_[Find(key, TagOf(key))].place != 0; }
  size_t size() const { return size_; }
  /// What it takes in memory.
  int64_t bytes() const {
    return static_cast<int64_t>(slots_.capacity() * sizeof(Slot) +
                                words_.capacity() * sizeof(uint64_t));
  }

 private:
  static constexpr size_t kSlotsMin = 1024;
  struct Slot {
    uint32_t tag = 0;    ///< Of the key's hash.
    uint32_t place = 0;  ///< In words_, from 1; 0: free.
  };
  static uint32_t TagOf(std::string_view key) {
    const uint64_t hash = std::hash<std::string_view>()(key);
    return static_cast<uint32_t>(hash ^ (hash >> 32));
  }
  /// The slot of a key: the one that holds it, or the free one to put it into.
  size_t Find(std::string_view key, uint32_t tag) const;
  std::string_view KeyAt(uint32_t place) const;
  void Grow();

  std::vector<Slot> slots_;      ///< A power of two, probed one after another.
  std::vector<uint64_t> words_;  ///< Of each key its length, then its bytes.
  size_t size_ = 0;
};

}  // namespace calve::load

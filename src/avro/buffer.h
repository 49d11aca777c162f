#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>

namespace calve::avro {

/// Bytes that grow without being cleared first.
class Buffer {
 public:
  char* data() { return data_.get(); }
  size_t capacity() const { return capacity_; }
  std::string_view view(size_t size) const { return {data_.get(), size}; }

  /// Make room for `capacity` bytes, keeping the first `kept`.
  void Reserve(size_t capacity, size_t kept) {
    if (capacity <= capacity_) return;
    auto larger = std::make_unique_for_overwrite<char[]>(capacity);
    if (kept != 0) std::memcpy(larger.get(), data_.get(), kept);
    data_ = std::move(larger);
    capacity_ = capacity;
  }

 private:
  std::unique_ptr<char[]> data_;
  size_t capacity_ = 0;
};

}  // namespace calve::avro

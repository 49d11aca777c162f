#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>
#include <string_view>

namespace calve::avro {

/// Bytes that grow without being cleared first.
class Buffer {
 public:
  char* data() { return data_.get(); }
  size_t capacity() const { return capacity_; }
  std::string_view view(size_t size) const { return {data_.get(), size}; }

  /// Make room for `capacity` bytes, keeping what is there. Large buffers grow where they lie: a
  /// copy would take twice the memory for as long as it lasts.
  void Reserve(size_t capacity) {
    if (capacity <= capacity_) return;
    void* const larger = std::realloc(data_.get(), capacity);
    if (larger == nullptr) throw std::bad_alloc();
    static_cast<void>(data_.release());  // Realloc has freed it, or given it back.
    data_.reset(static_cast<char*>(larger));
    capacity_ = capacity;
  }

 private:
  struct Free {
    void operator()(char* data) const { std::free(data); }
  };
  std::unique_ptr<char, Free> data_;
  size_t capacity_ = 0;
};

}  // namespace calve::avro

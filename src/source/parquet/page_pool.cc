#include "source/parquet/page_pool.h"

#include <cstdint>
#include <string>

#include "base/text.h"

namespace calve::source {
namespace {

/// Pages of other writers have up to 100 MB.
constexpr int64_t kBytesAtOnceMax = 128 << 20;

class BoundedPool : public arrow::MemoryPool {
 public:
  using arrow::MemoryPool::Allocate;
  using arrow::MemoryPool::Free;
  using arrow::MemoryPool::Reallocate;

  arrow::Status Allocate(int64_t size, int64_t alignment, uint8_t** out) override {
    ARROW_RETURN_NOT_OK(Check(size));
    return pool_->Allocate(size, alignment, out);
  }
  arrow::Status Reallocate(int64_t old_size, int64_t new_size, int64_t alignment,
                           uint8_t** ptr) override {
    ARROW_RETURN_NOT_OK(Check(new_size));
    return pool_->Reallocate(old_size, new_size, alignment, ptr);
  }
  void Free(uint8_t* buffer, int64_t size, int64_t alignment) override {
    pool_->Free(buffer, size, alignment);
  }
  int64_t bytes_allocated() const override { return pool_->bytes_allocated(); }
  int64_t total_bytes_allocated() const override { return pool_->total_bytes_allocated(); }
  int64_t num_allocations() const override { return pool_->num_allocations(); }
  int64_t max_memory() const override { return pool_->max_memory(); }
  std::string backend_name() const override { return pool_->backend_name(); }

 private:
  static arrow::Status Check(int64_t size) {
    if (size <= kBytesAtOnceMax) return arrow::Status::OK();
    return arrow::Status::Invalid("a page or its values take ", FormatCount(size), " bytes, of ",
                                  FormatCount(kBytesAtOnceMax), " at most; write smaller pages");
  }

  arrow::MemoryPool* const pool_ = arrow::default_memory_pool();
};

}  // namespace

arrow::MemoryPool* PagePool() {
  static BoundedPool pool;
  return &pool;
}

}  // namespace calve::source

#include "source/parquet/page_pool.h"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "base/memory.h"
#include "base/text.h"

namespace calve::source {
namespace {

/// Pages of other writers have up to 100 MB.
constexpr int64_t kBytesAtOnceMax = 128 << 20;
/// Of the memory that a run has for rows, in quarters; the rest is for rows on their way.
constexpr int64_t kQuarters = 3;
/// So much a run may have, however small its budget.
constexpr int64_t kBytesOfAllMin = 64 << 20;
/// Less than this is not counted: the buffers of many columns are no page that lies about itself.
constexpr int64_t kLarge = 1 << 20;

class BoundedPool : public arrow::MemoryPool {
 public:
  explicit BoundedPool(int64_t bytes_max) : bytes_max_(bytes_max) {}

  using arrow::MemoryPool::Allocate;
  using arrow::MemoryPool::Free;
  using arrow::MemoryPool::Reallocate;

  arrow::Status Allocate(int64_t size, int64_t alignment, uint8_t** out) override {
    ARROW_RETURN_NOT_OK(Take(size));
    return Taken(size, pool_->Allocate(size, alignment, out));
  }
  arrow::Status Reallocate(int64_t old_size, int64_t new_size, int64_t alignment,
                           uint8_t** ptr) override {
    // Both are there while one is copied into the other.
    ARROW_RETURN_NOT_OK(Take(new_size));
    arrow::Status moved = pool_->Reallocate(old_size, new_size, alignment, ptr);
    if (moved.ok()) Give(old_size);
    return Taken(new_size, std::move(moved));
  }
  void Free(uint8_t* buffer, int64_t size, int64_t alignment) override {
    pool_->Free(buffer, size, alignment);
    Give(size);
  }
  int64_t bytes_allocated() const override { return pool_->bytes_allocated(); }
  int64_t total_bytes_allocated() const override { return pool_->total_bytes_allocated(); }
  int64_t num_allocations() const override { return pool_->num_allocations(); }
  int64_t max_memory() const override { return pool_->max_memory(); }
  std::string backend_name() const override { return pool_->backend_name(); }

 private:
  /// Count a piece before it is there.
  arrow::Status Take(int64_t size) {
    if (size > kBytesAtOnceMax) {
      return arrow::Status::Invalid("a page or its values take ", FormatCount(size), " bytes, of ",
                                    FormatCount(kBytesAtOnceMax), " at most; write smaller pages");
    }
    if (size < kLarge) return arrow::Status::OK();
    if (large_.fetch_add(size) + size <= bytes_max_) return arrow::Status::OK();
    Give(size);
    return arrow::Status::Invalid("pages and their values take more than the ",
                                  FormatCount(bytes_max_),
                                  " bytes that the run has for them; write smaller pages, or raise "
                                  "memory_limit");
  }
  void Give(int64_t size) {
    if (size >= kLarge) large_ -= size;
  }
  /// Take back what was counted where the piece did not come.
  arrow::Status Taken(int64_t size, arrow::Status status) {
    if (!status.ok()) Give(size);
    return status;
  }

  const int64_t bytes_max_;
  std::atomic<int64_t> large_ = 0;
  arrow::MemoryPool* const pool_ = arrow::default_memory_pool();
};

}  // namespace

arrow::MemoryPool* PagePool(const Context& context) {
  const int64_t bytes_max =
      context.memory == nullptr
          ? std::numeric_limits<int64_t>::max()
          : std::max<int64_t>(context.memory->limit().value() / 4 * kQuarters, kBytesOfAllMin);
  static std::mutex mutex;
  static std::map<int64_t, std::unique_ptr<BoundedPool>> pools;  // One a budget, never removed.
  std::lock_guard lock(mutex);
  auto& pool = pools[bytes_max];
  if (pool == nullptr) pool = std::make_unique<BoundedPool>(bytes_max);
  return pool.get();
}

}  // namespace calve::source

#include <roaring/roaring.h>

#include <algorithm>
#include <cstring>

#include "iceberg/deletion_vector.h"
#include "iceberg/roaring_check.h"

namespace calve::iceberg {
namespace {

constexpr uint32_t kKeyMax = 0x7ffffffe;

/// Iceberg Java keeps its bitmaps in an array by key and so writes empty ones where keys are
/// missing. Far beyond what a file has of rows, at this key, they are left out, which the format
/// allows.
constexpr uint32_t kFilledKeysMax = 4096;

roaring_bitmap_t* Of(void* bitmap) { return static_cast<roaring_bitmap_t*>(bitmap); }

uint32_t HighOf(int64_t position) { return static_cast<uint32_t>(position >> 32); }
uint32_t LowOf(int64_t position) { return static_cast<uint32_t>(position); }
int64_t PositionOf(uint32_t high, uint32_t low) { return int64_t{high} << 32 | low; }

template <typename T>
void AppendNumber(T value, std::string* out) {
  out->append(reinterpret_cast<const char*>(&value), sizeof(value));
}

template <typename T>
T NumberAt(std::string_view bytes, size_t at) {
  T value;
  std::memcpy(&value, bytes.data() + at, sizeof(value));
  return value;
}

void AppendBitmap(uint32_t key, const roaring_bitmap_t* bitmap, std::string* out) {
  AppendNumber(key, out);
  const size_t begin = out->size();
  out->resize(begin + roaring_bitmap_portable_size_in_bytes(bitmap));
  roaring_bitmap_portable_serialize(bitmap, out->data() + begin);
}

}  // namespace

void PositionSet::Free::operator()(void* bitmap) const { roaring_bitmap_free(Of(bitmap)); }

PositionSet::PositionSet() = default;
PositionSet::PositionSet(PositionSet&& other) noexcept = default;
PositionSet::~PositionSet() = default;

PositionSet::PositionSet(const PositionSet& other) {
  for (const auto& [key, bitmap] : other.bitmaps_) {
    bitmaps_.emplace(key, Bitmap(roaring_bitmap_copy(Of(bitmap.get()))));
  }
}

PositionSet& PositionSet::operator=(PositionSet other) noexcept {
  bitmaps_.swap(other.bitmaps_);
  return *this;
}

PositionSet::Bitmap& PositionSet::At(uint32_t key) {
  Bitmap& bitmap = bitmaps_[key];
  if (bitmap == nullptr) bitmap.reset(roaring_bitmap_create());
  return bitmap;
}

bool PositionSet::Add(int64_t position) {
  if (position < 0 || position > kPositionMax) return false;
  roaring_bitmap_add(Of(At(HighOf(position)).get()), LowOf(position));
  return true;
}

void PositionSet::AddRange(int64_t first, int64_t end) {
  first = std::max<int64_t>(first, 0);
  end = std::min(end, kPositionMax + 1);
  while (first < end) {
    const int64_t last = std::min(end - 1, PositionOf(HighOf(first), UINT32_MAX));
    roaring_bitmap_add_range_closed(Of(At(HighOf(first)).get()), LowOf(first), LowOf(last));
    first = last + 1;
  }
}

void PositionSet::Union(const PositionSet& other) {
  for (const auto& [key, bitmap] : other.bitmaps_) {
    roaring_bitmap_or_inplace(Of(At(key).get()), Of(bitmap.get()));
  }
}

bool PositionSet::Contains(int64_t position) const {
  if (position < 0) return false;
  const auto found = bitmaps_.find(HighOf(position));
  return found != bitmaps_.end() &&
         roaring_bitmap_contains(Of(found->second.get()), LowOf(position));
}

int64_t PositionSet::Cardinality() const {
  uint64_t count = 0;
  for (const auto& [key, bitmap] : bitmaps_)
    count += roaring_bitmap_get_cardinality(Of(bitmap.get()));
  return static_cast<int64_t>(count);
}

size_t PositionSet::CopyFrom(int64_t from, std::span<int64_t> out) const {
  from = std::max<int64_t>(from, 0);
  size_t count = 0;
  for (auto entry = bitmaps_.lower_bound(HighOf(from));
       entry != bitmaps_.end() && count < out.size(); ++entry) {
    roaring_uint32_iterator_t values;
    roaring_init_iterator(Of(entry->second.get()), &values);
    if (entry->first == HighOf(from))
      roaring_move_uint32_iterator_equalorlarger(&values, LowOf(from));
    for (; values.has_value && count < out.size(); roaring_advance_uint32_iterator(&values)) {
      out[count++] = PositionOf(entry->first, values.current_value);
    }
  }
  return count;
}

bool PositionSet::operator==(const PositionSet& other) const {
  return std::equal(bitmaps_.begin(), bitmaps_.end(), other.bitmaps_.begin(), other.bitmaps_.end(),
                    [](const auto& a, const auto& b) {
                      return a.first == b.first &&
                             roaring_bitmap_equals(Of(a.second.get()), Of(b.second.get()));
                    });
}

std::string PositionSet::Serialize() const {
  const uint32_t highest = bitmaps_.empty() ? 0 : bitmaps_.rbegin()->first;
  const bool fill = highest <= kFilledKeysMax;
  std::string bytes;
  AppendNumber<uint64_t>(fill && !bitmaps_.empty() ? highest + 1 : bitmaps_.size(), &bytes);
  const Bitmap empty(roaring_bitmap_create());
  uint32_t next = 0;
  for (const auto& [key, bitmap] : bitmaps_) {
    for (; fill && next < key; ++next) AppendBitmap(next, Of(empty.get()), &bytes);
    const Bitmap compact(roaring_bitmap_copy(Of(bitmap.get())));
    roaring_bitmap_run_optimize(Of(compact.get()));
    AppendBitmap(key, Of(compact.get()), &bytes);
    next = key + 1;
  }
  return bytes;
}

Result<PositionSet> PositionSet::Deserialize(std::string_view bytes) {
  constexpr size_t kCountBytes = sizeof(uint64_t);
  constexpr size_t kKeyBytes = sizeof(uint32_t);
  if (bytes.size() < kCountBytes) return DataError("expected positions, found fewer than 8 bytes");
  const auto count = NumberAt<uint64_t>(bytes, 0);
  bytes.remove_prefix(kCountBytes);
  PositionSet positions;
  int64_t last_key = -1;
  for (uint64_t i = 0; i < count; ++i) {
    if (bytes.size() < kKeyBytes)
      return DataError("expected as many bitmaps as counted, found the end of the positions");
    const auto key = NumberAt<uint32_t>(bytes, 0);
    if (key <= last_key || key > kKeyMax)
      return DataError("expected bitmaps by ascending key, found key " + std::to_string(key));
    bytes.remove_prefix(kKeyBytes);
    CALVE_ASSIGN_OR_RETURN(const size_t size, CheckRoaring(bytes));
    if (!IsEmptyRoaring(bytes.substr(0, size))) {
      Bitmap bitmap(roaring_bitmap_portable_deserialize_safe(bytes.data(), size));
      if (bitmap == nullptr)
        return DataError("expected a roaring bitmap, found one that cannot be read");
      positions.bitmaps_.emplace(key, std::move(bitmap));
    }
    bytes.remove_prefix(size);
    last_key = key;
  }
  if (!bytes.empty())
    return DataError("expected the end of the positions, found " + std::to_string(bytes.size()) +
                     " more bytes");
  return positions;
}

}  // namespace calve::iceberg

#include "iceberg/roaring_check.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <vector>

namespace calve::iceberg {
namespace {

constexpr uint32_t kCookieWithRuns = 12347;
constexpr uint32_t kCookieWithoutRuns = 12346;
constexpr uint32_t kContainersMax = 1 << 16;
constexpr uint32_t kOffsetsFromContainers =
    4;  ///< A bitmap with runs has offsets from so many containers on.
constexpr uint32_t kArrayValuesMax = 4096;
constexpr size_t kBitsetBytes = 8192;

/// Walks the bytes; little-endian numbers; the first read beyond the end fails all that follow.
class Walker {
 public:
  explicit Walker(std::string_view bytes) : bytes_(bytes) {}

  template <typename T>
  T Read() {
    T value{};
    const std::string_view raw = Take(sizeof(T));
    if (raw.size() == sizeof(T)) std::memcpy(&value, raw.data(), sizeof(T));
    return value;
  }
  std::string_view Take(size_t size) {
    if (size > bytes_.size() - at_) {
      ok_ = false;
      at_ = bytes_.size();
      return {};
    }
    at_ += size;
    return bytes_.substr(at_ - size, size);
  }
  bool ok() const { return ok_; }
  size_t at() const { return at_; }

 private:
  std::string_view bytes_;
  size_t at_ = 0;
  bool ok_ = true;
};

struct Container {
  uint16_t key = 0;
  uint32_t cardinality = 0;
  bool is_run = false;
};

bool IsSoundArray(Walker& walker, uint32_t cardinality) {
  int32_t last = -1;
  for (uint32_t i = 0; i < cardinality; ++i) {
    const int32_t value = walker.Read<uint16_t>();
    if (!walker.ok() || value <= last) return false;
    last = value;
  }
  return true;
}

bool IsSoundBitset(Walker& walker, uint32_t cardinality) {
  const std::string_view bits = walker.Take(kBitsetBytes);
  uint32_t ones = 0;
  for (size_t i = 0; i < bits.size(); i += sizeof(uint64_t)) {
    uint64_t word;
    std::memcpy(&word, bits.data() + i, sizeof(word));
    ones += static_cast<uint32_t>(std::popcount(word));
  }
  return walker.ok() && ones == cardinality;
}

bool IsSoundRunList(Walker& walker, uint32_t cardinality) {
  const uint32_t runs = walker.Read<uint16_t>();
  uint32_t values = 0;
  int32_t last = -1;
  for (uint32_t i = 0; i < runs; ++i) {
    const int32_t first = walker.Read<uint16_t>();
    const int32_t more = walker.Read<uint16_t>();
    if (!walker.ok() || first <= last || first + more > UINT16_MAX) return false;
    last = first + more;
    values += static_cast<uint32_t>(more) + 1;
  }
  return walker.ok() && values == cardinality;
}

bool IsSound(Walker& walker, const Container& container) {
  if (container.is_run) return IsSoundRunList(walker, container.cardinality);
  if (container.cardinality <= kArrayValuesMax) return IsSoundArray(walker, container.cardinality);
  return IsSoundBitset(walker, container.cardinality);
}

Error Corrupt(std::string_view what) {
  return DataError("expected a roaring bitmap in the portable format, found " + std::string(what) +
                   "; the file is damaged or was written wrongly");
}

/// Read the part before the containers: which there are and how many values each has.
Result<std::vector<Container>> ReadHeader(Walker& walker) {
  const uint32_t cookie = walker.Read<uint32_t>();
  const bool has_runs = (cookie & 0xffff) == kCookieWithRuns;
  if (!has_runs && cookie != kCookieWithoutRuns) return Corrupt("another cookie");
  const uint32_t count = has_runs ? (cookie >> 16) + 1 : walker.Read<uint32_t>();
  if (count > kContainersMax) return Corrupt("too many containers");
  const std::string_view run_flags = has_runs ? walker.Take((count + 7) / 8) : std::string_view();
  if (!walker.ok()) return Corrupt("its end in the header");
  std::vector<Container> containers;
  for (uint32_t i = 0; i < count; ++i) {
    Container container;
    container.key = walker.Read<uint16_t>();
    container.cardinality = uint32_t{walker.Read<uint16_t>()} + 1;
    container.is_run = has_runs && (static_cast<uint8_t>(run_flags[i / 8]) >> (i % 8) & 1) != 0;
    if (!walker.ok()) return Corrupt("its end in the header");
    if (i != 0 && container.key <= containers.back().key) return Corrupt("containers out of order");
    containers.push_back(container);
  }
  if (!has_runs || count >= kOffsetsFromContainers) walker.Take(size_t{count} * sizeof(uint32_t));
  if (!walker.ok()) return Corrupt("its end in the header");
  return containers;
}

}  // namespace

Result<size_t> CheckRoaring(std::string_view bytes) {
  Walker walker(bytes);
  CALVE_ASSIGN_OR_RETURN(const std::vector<Container> containers, ReadHeader(walker));
  for (const Container& container : containers) {
    if (!IsSound(walker, container))
      return Corrupt("a container that is cut, out of order or of another cardinality");
  }
  return walker.at();
}

bool IsEmptyRoaring(std::string_view checked) {
  uint32_t words[2] = {};
  std::memcpy(words, checked.data(), std::min(checked.size(), sizeof(words)));
  return words[0] == kCookieWithoutRuns && words[1] == 0;
}

}  // namespace calve::iceberg

#include "source/mysql/key_ranges.h"

#include <algorithm>
#include <utility>

namespace calve::source::mysql {
namespace {

/// A range of 64 bits is halved this often until one key is left, for each of several dense places.
constexpr int kHalvingsMax = 256;

}  // namespace

Result<std::vector<KeyRange>> PartKeys(
    KeyRange all, int64_t parts, const std::function<Result<int64_t>(Key first, Key last)>& count) {
  if (parts <= 1 || all.first >= all.last) return std::vector<KeyRange>{all};
  CALVE_ASSIGN_OR_RETURN(all.rows, count(all.first, all.last));
  const int64_t enough = std::max<int64_t>(1, all.rows / parts);
  std::vector<KeyRange> ranges = {all};
  for (int i = 0; i < kHalvingsMax; ++i) {
    const auto largest =
        std::max_element(ranges.begin(), ranges.end(),
                         [](const KeyRange& a, const KeyRange& b) { return a.rows < b.rows; });
    if (largest->rows <= enough + enough / 2 || largest->first == largest->last) break;
    const Key middle = largest->first + (largest->last - largest->first) / 2;
    KeyRange upper{.first = middle + 1, .last = largest->last};
    largest->last = middle;
    CALVE_ASSIGN_OR_RETURN(largest->rows, count(largest->first, largest->last));
    CALVE_ASSIGN_OR_RETURN(upper.rows, count(upper.first, upper.last));
    ranges.insert(largest + 1, upper);
  }
  // Neighbours that hold little are read as one.
  std::vector<KeyRange> merged;
  for (const KeyRange& range : ranges) {
    if (!merged.empty() && merged.back().rows + range.rows <= enough) {
      merged.back().last = range.last;
      merged.back().rows += range.rows;
    } else {
      merged.push_back(range);
    }
  }
  return merged;
}

Key ParseKey(const std::string& text) {
  Key key = 0;
  for (const char c : text) {
    if (c >= '0' && c <= '9') key = key * 10 + (c - '0');
  }
  return text.starts_with('-') ? -key : key;
}

std::string PrintKey(Key key) {
  if (key == 0) return "0";
  std::string digits;
  for (Key rest = key < 0 ? -key : key; rest > 0; rest /= 10)
    digits += static_cast<char>('0' + static_cast<int>(rest % 10));
  if (key < 0) digits += '-';
  std::reverse(digits.begin(), digits.end());
  return digits;
}

}  // namespace calve::source::mysql

#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"

namespace calve::source::mysql {

/// Wide enough for the keys of every column of integers.
__extension__ typedef __int128 Key;

/// Keys of about so many rows.
struct KeyRange {
  Key first = 0;
  Key last = 0;
  int64_t rows = 0;
};

/// Part a range of keys into about `parts` that hold about as many rows each, however uneven the
/// keys lie. `count` estimates the rows between two keys, both included.
Result<std::vector<KeyRange>> PartKeys(
    KeyRange all, int64_t parts, const std::function<Result<int64_t>(Key first, Key last)>& count);

/// Read a whole number; 0 for what is none.
Key ParseKey(const std::string& text);
std::string PrintKey(Key key);

}  // namespace calve::source::mysql

#pragma once

#include <cstddef>
#include <string_view>

#include "base/result.h"

namespace calve::iceberg {

/// Check a 32-bit roaring bitmap in the portable format at the begin of `bytes`, and tell how many
/// bytes it takes.
///
/// The library that reads these bitmaps believes what they say inside: order of keys and values,
/// cardinalities. So nothing reaches it that did not pass here. Fails with kData.
/// (RoaringFormatSpec, General layout)
Result<size_t> CheckRoaring(std::string_view bytes);

/// Whether a bitmap that passed CheckRoaring holds no value.
bool IsEmptyRoaring(std::string_view checked);

}  // namespace calve::iceberg

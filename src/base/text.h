#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/strong.h"

namespace calve {

/// Put a text in double quotes, with quotes, backslashes and control characters escaped as JSON
/// does.
std::string Quote(std::string_view text);
/// Group digits by thousands: 2,104,551.
std::string FormatCount(int64_t n);
/// Print a size with a binary-free unit that people read: 412 MB, 1.3 GB, 17 B.
std::string FormatBytes(ByteCount bytes);
std::string Join(std::span<const std::string> parts, std::string_view separator);
std::vector<std::string> Split(std::string_view text, char separator);
std::string_view Trim(std::string_view text);
std::string ToLower(std::string_view ascii);
/// Read a whole decimal number; nothing when anything else stands there or it does not fit.
std::optional<int64_t> ParseInteger(std::string_view text);
bool IsValidUtf8(std::string_view bytes);

/// The names nearest to a misspelt one, best first, at most `count`; empty when none is near enough
/// to be meant.
std::vector<std::string> NearestNames(std::string_view misspelt, std::span<const std::string> known,
                                      size_t count = 3);
/// "; did you mean 'x'?" or "; did you mean 'x' or 'y'?", or "" when nothing is near.
std::string DidYouMean(std::string_view misspelt, std::span<const std::string> known);

}  // namespace calve

#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace calve::writer {

/// The first `length` code points of a string: a lower bound of it.
std::string TruncateStringDown(std::string_view text, int length);
/// A string of at most `length` code points that is not below `text`; nothing when there is none. The last code point that can be
/// raised is raised, over the surrogates (Iceberg spec, Appendix D: bounds).
std::optional<std::string> TruncateStringUp(std::string_view text, int length);

/// The first `length` bytes.
std::string TruncateBytesDown(std::string_view bytes, int length);
/// At most `length` bytes that are not below `bytes`; nothing when all of them are 0xff.
std::optional<std::string> TruncateBytesUp(std::string_view bytes, int length);

}  // namespace calve::writer

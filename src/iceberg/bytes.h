#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "iceberg/value.h"

namespace calve::iceberg {

/// Print bytes in base64 with padding.
std::string ToBase64(std::string_view bytes);
/// Read base64 with padding; nothing when it is malformed.
std::optional<std::string> FromBase64(std::string_view text);
/// Print bytes as lower-case hexadecimal digits.
std::string ToHex(std::string_view bytes);
/// Read hexadecimal digits of either case; nothing when malformed.
std::optional<std::string> FromHex(std::string_view text);
/// Read 8-4-4-4-12 hexadecimal digits; nothing when malformed.
std::optional<Uuid> ParseUuid(std::string_view text);

}  // namespace calve::iceberg

#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "source/decimal_policy.h"

namespace calve::source::postgresql {

/// Wide enough for 38 digits.
__extension__ typedef __int128 Int128;

/// The unscaled value of a numeric as the server sends it; nothing where the size cannot hold it
/// exactly, and for what is no number.
std::optional<Int128> ReadNumeric(std::string_view value, const DecimalSize& size);

/// A numeric as the server prints it: "12.50", "NaN", "-Infinity".
std::string PrintNumeric(std::string_view value);

}  // namespace calve::source::postgresql

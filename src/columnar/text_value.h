#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "iceberg/value.h"

namespace calve::columnar {

/// How numbers, dates and times are written in a text source. Without `date_formats` and
/// `timestamp_formats` ISO 8601 is read.
struct TextFormats {
  char decimal = '.';
  char thousands = 0;                          ///< Between groups of digits; 0: none is allowed.
  std::vector<std::string> date_formats;       ///< As strptime: %Y %y %m %d %e %b; tried in order.
  std::vector<std::string> timestamp_formats;  ///< Also %H %I %M %S %f %p %z; tried in order.
  /// Minutes east of UTC of timestamps without zone, when they are read as timestamps with zone;
  /// nothing: they are refused.
  std::optional<int> zone_minutes;
  bool operator==(const TextFormats&) const = default;
};

/// See that the formats are what the readers below understand, and say all of a date or time: no
/// unknown directive, no date without a year.
Status CheckFormats(const TextFormats& formats);

// Each reads a whole text exactly, or gives nothing. Blanks around a value do not belong to it and
// are refused.

std::optional<int64_t> ReadInteger(std::string_view text, const TextFormats& formats);
/// The unscaled value at `scale`; digits beyond the scale must be zeros. At most 38 digits.
std::optional<iceberg::Int128> ReadDecimal(std::string_view text, int precision, int scale,
                                           const TextFormats& formats);
/// A whole number that a double would round is refused.
std::optional<double> ReadDouble(std::string_view text, const TextFormats& formats);
/// Whether the double nearest to a number is that number as far as doubles print: 0.1 is, and
/// 9007199254740993 is not.
bool IsExactDouble(std::string_view text, const TextFormats& formats);
std::optional<bool> ReadBoolean(std::string_view text);
/// Days since 1970-01-01, years 0001 to 9999.
std::optional<int32_t> ReadDate(std::string_view text, const TextFormats& formats);
/// Units of `per_second` (1,000,000 or 1,000,000,000) since midnight; a finer value than the unit
/// is refused, unless its digits are zeros.
std::optional<int64_t> ReadTime(std::string_view text, int64_t per_second);
/// Units since 1970-01-01T00:00:00, in UTC when `zoned`. A zone is required when `zoned` (see
/// TextFormats::zone_minutes), and refused when not.
std::optional<int64_t> ReadTimestamp(std::string_view text, bool zoned, int64_t per_second,
                                     const TextFormats& formats);
std::optional<iceberg::Uuid> ReadUuid(std::string_view text);
/// Bytes in base64.
std::optional<std::string> ReadBytes(std::string_view text);

}  // namespace calve::columnar

#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "iceberg/value.h"

namespace calve::iceberg {

/// Print with `scale` digits after the point: 1234 at scale 2 is 12.34.
std::string DecimalToText(Decimal decimal, int scale);
/// Read a plain or scientific decimal exactly. Fails with kData when digits would be lost at
/// `scale` or `precision` is exceeded.
Result<Decimal> ParseDecimal(std::string_view text, int precision, int scale);
/// Whether the unscaled value has at most `precision` digits.
bool FitsPrecision(Decimal decimal, int precision);

/// Encode as two's complement, big-endian, in the fewest bytes (spec, Appendix D).
std::string DecimalToBytes(Decimal decimal);
/// Encode as two's complement, big-endian, in `width` bytes, as Avro's and Parquet's fixed decimals
/// are; the value must fit.
std::string DecimalToFixedBytes(Decimal decimal, size_t width);
/// Decode two's complement, big-endian, of any width; nothing when it is empty or needs more than
/// 128 bits.
std::optional<Decimal> DecimalFromBytes(std::string_view bytes);
/// The fewest bytes that hold every decimal of `precision` (spec, Appendix A: decimal in Avro).
size_t DecimalWidth(int precision);

}  // namespace calve::iceberg

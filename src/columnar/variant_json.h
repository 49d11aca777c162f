#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "columnar/convert.h"
#include "iceberg/schema.h"

namespace calve::columnar {

/// How deep objects and arrays may lie in each other.
inline constexpr int kVariantDepthMax = 1000;
/// The longest text that is made of one variant: names that many objects share are spelled out.
inline constexpr size_t kVariantTextBytesMax = size_t{1} << 30;

/// Print a variant as JSON without loss, on one line without blanks, fields in the variant's order.
///
/// Whole numbers and decimals have all their digits, decimals their scale; floats the fewest digits
/// that read back as the same, and a point or an exponent always. What JSON has no type for is
/// text: dates and times in ISO 8601 (zoned ones in UTC with +00:00), binary in base64, uuids in
/// 8-4-4-4-12 digits, and "NaN", "Infinity" and "-Infinity", as Spark's to_json spells them.
///
/// Fails with kData when the bytes are no variant, an object has two fields of one name, or depth
/// or length is exceeded.
Result<std::string> VariantToJson(std::string_view metadata, std::string_view value,
                                  size_t text_bytes_max = kVariantTextBytesMax);

/// Put the JSON text of each variant (large_utf8) in place of the struct that holds it (see
/// ToArrowType), at every depth. `rows` is of the exact schema of `schema`. A broken variant fails
/// with kData naming its column.
Result<Batch> WithVariantText(const Batch& rows, const iceberg::Schema& schema);

/// Whether a type is variant, or has one within.
bool HoldsVariant(const iceberg::Type& type);

}  // namespace calve::columnar

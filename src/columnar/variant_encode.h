#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace calve::columnar {

/// The most bytes that the names or the value of one variant take: what one value of a column may.
inline constexpr size_t kVariantBytesMax = (size_t{1} << 31) - 1;

/// Encodes JSON texts as variants (Parquet spec, VariantEncoding.md), without loss.
///
/// Whole numbers take the fewest bytes; those beyond 64 bits, and numbers with a point, are
/// decimals of the digits and scale that are written; numbers with an exponent are doubles. Names
/// have their ids in the order in which they come, as Spark gives them, and the metadata says
/// sorted where that order is the bytes'. For one thread.
class VariantEncoder {
 public:
  explicit VariantEncoder(size_t bytes_max = kVariantBytesMax);
  ~VariantEncoder();

  /// Encode one text. Fails with kData when it is no JSON, an object has two fields of one name, a
  /// number has more digits than a decimal's 38 or is beyond a double, or depth
  /// (kVariantDepthMax) or size is exceeded.
  Status Encode(std::string_view json);
  /// Of the text that was encoded last, until the next.
  std::string_view metadata() const;
  std::string_view value() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace calve::columnar

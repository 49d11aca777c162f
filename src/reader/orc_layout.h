#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace calve::reader {

/// A stripe, as the file's footer places it. Lengths are in bytes, as stored.
struct OrcStripe {
  int64_t offset = 0;
  int64_t index_length = 0;  ///< Of the streams that come first.
  int64_t footer_offset = 0;
  int64_t footer_length = 0;
  int64_t rows = 0;
};

/// A type of the file's tree of types, whose number is the column's number in stripes.
struct OrcType {
  uint64_t kind = 0;
  std::vector<uint64_t> children;
  uint64_t precision = 0;  ///< Of decimals; 0: the writer did not say.
  uint64_t scale = 0;
};

constexpr uint64_t kOrcTimestamp = 9;
constexpr uint64_t kOrcStruct = 12;
constexpr uint64_t kOrcTimestampInstant = 18;

/// What of an ORC file lies where (ORC Specification v1, File Tail).
struct OrcLayout {
  uint64_t compression = 0;
  uint64_t chunk_bytes_max = 0;  ///< Of a decompressed chunk of a stream.
  std::vector<OrcType> types;    ///< The first is the root.
  std::vector<OrcStripe> stripes;
};

/// Read a file's tail in the form in which ORC's library hands it on. Fails with kData when it
/// makes no sense.
Result<OrcLayout> ParseOrcTail(std::string_view tail);

/// Read a file's footer, decompressed: its types and stripes. Fails with kData when it makes no
/// sense.
Status ParseOrcFooter(std::string_view footer, OrcLayout* layout);

enum class OrcStreamKind : uint64_t { kPresent = 0, kData = 1, kSecondary = 5 };

/// What of one stripe lies where (ORC Specification v1, Stripe Footer).
struct OrcStripeFooter {
  struct Stream {
    uint64_t kind = 0;
    uint64_t column = 0;
    int64_t offset = 0;  ///< In the file.
    int64_t length = 0;
  };

  std::vector<Stream> streams;
  std::vector<uint64_t> encodings;  ///< By column.
  std::string writer_zone;          ///< Empty when the writer did not say.

  /// The stream of a column, or null.
  const Stream* Find(uint64_t column, OrcStreamKind kind) const;

  /// See that the streams fill the stripe, each of them once and of a column that is there, and
  /// that every column has an encoding: the format has no checksums, and one that is taken for
  /// another gives other values. Fails with kData.
  Status CheckStreams(const OrcStripe& stripe, size_t columns) const;
};

/// Read a stripe's footer, decompressed. Fails with kData when it makes no sense or places a stream
/// outside of the stripe.
Result<OrcStripeFooter> ParseOrcStripeFooter(std::string_view footer, const OrcStripe& stripe);

}  // namespace calve::reader

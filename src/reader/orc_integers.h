#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"
#include "reader/orc_stream.h"

namespace calve::reader {

enum class OrcRuns { kVersion1, kVersion2 };
enum class OrcSign { kSigned, kUnsigned };

/// The integers of one stream (ORC Specification v1, Integer Run Length Encoding, versions 1 and
/// 2), run by run. Sums that leave 64 bits wrap around. Threads: one.
class OrcIntegers {
 public:
  OrcIntegers(OrcStream stream, OrcRuns runs, OrcSign sign)
      : stream_(std::move(stream)), runs_(runs), sign_(sign) {}

  /// Fill `out`. Fails with kData when the stream ends before or is broken.
  Status Read(std::span<int64_t> out);
  /// What is left of the run, or the next one; empty at the end of the stream. Fails with kData
  /// when the stream is broken.
  Status ReadRun(std::vector<int64_t>* out);

 private:
  /// The first two bytes of most runs of version 2.
  struct Header {
    uint8_t width_code;
    size_t length;
  };

  void DecodeRun();
  void DecodeVersion1();
  void DecodeShortRepeat(uint8_t first);
  void DecodeDirect(Header header);
  void DecodePatchedBase(Header header);
  void DecodeDelta(Header header);
  uint64_t NextBigEndian(int bytes);
  uint64_t Unfold(uint64_t stored) const;

  OrcStream stream_;
  OrcRuns runs_;
  OrcSign sign_;
  std::vector<uint64_t> run_;
  size_t at_ = 0;  ///< In the run.
};

}  // namespace calve::reader

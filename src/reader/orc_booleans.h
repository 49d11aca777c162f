#pragma once

#include <cstdint>
#include <span>

#include "base/result.h"
#include "reader/orc_stream.h"

namespace calve::reader {

/// The booleans of one stream (ORC Specification v1, Boolean Run Length Encoding): bits from the
/// highest on, in runs of bytes. Threads: one.
class OrcBooleans {
 public:
  explicit OrcBooleans(OrcStream stream) : stream_(std::move(stream)) {}

  /// Fill `out` with 0 and 1. Fails with kData when the stream ends before or is broken.
  Status Read(std::span<uint8_t> out);

 private:
  uint8_t NextByte();

  OrcStream stream_;
  int same_left_ = 0;      ///< Bytes that are as the one before.
  int literals_left_ = 0;  ///< Bytes that stand for themselves.
  uint8_t byte_ = 0;
  int bits_left_ = 0;
};

}  // namespace calve::reader

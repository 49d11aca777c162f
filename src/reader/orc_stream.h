#pragma once

#include <arrow/buffer.h>
#include <arrow/util/compression.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "reader/orc_layout.h"

namespace calve::reader {

/// How the streams of a file are stored.
struct OrcCompression {
  std::shared_ptr<arrow::util::Codec> codec;  ///< Null: as they are.
  int64_t chunk_bytes_max = 0;

  /// Find the codec of a file; nothing when there is none here (LZO, Brotli). Fails with kData when
  /// chunks are larger than ORC can say.
  static Result<std::optional<OrcCompression>> Of(const OrcLayout& layout);
};

/// The bytes of one stream, decompressed chunk by chunk (ORC Specification v1, Compression).
///
/// The first fault sticks: from then on reads return zero, and status() tells. So a caller reads a
/// whole run and checks once. Memory: the stream as stored and one chunk. Threads: one.
class OrcStream {
 public:
  OrcStream(std::string stored, OrcCompression compression);

  uint8_t Next() {
    if (at_ == end_ && !Refill()) [[unlikely]]
      return PastEnd();
    return *at_++;
  }

  /// Whether nothing is left; also at a fault.
  bool AtEnd() { return at_ == end_ && !Refill(); }

  /// Read a base-128 varint.
  uint64_t NextVarint();

  /// Say that what was read makes no sense.
  void Fail(std::string message);
  const Status& status() const { return status_; }

  /// Read what is left. Fails with kData beyond `limit` bytes.
  Result<std::string> ReadRest(size_t limit);

 private:
  bool Refill();
  bool Decompress(const uint8_t* chunk, int64_t length);
  arrow::Result<int64_t> DecompressZstd(const uint8_t* chunk, int64_t length);
  uint8_t PastEnd();

  OrcCompression compression_;
  std::shared_ptr<arrow::Buffer> stored_;
  int64_t stored_at_ = 0;
  std::unique_ptr<uint8_t[]> chunk_;
  std::shared_ptr<arrow::util::Decompressor> zstd_;
  const uint8_t* at_ = nullptr;
  const uint8_t* end_ = nullptr;
  Status status_;
};

}  // namespace calve::reader

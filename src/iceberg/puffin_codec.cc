#include "iceberg/puffin_codec.h"

#include <lz4frame.h>

#include <algorithm>
#include <memory>

#include "avro/codec.h"
#include "base/text.h"

namespace calve::iceberg {
namespace {

Error TooLarge(size_t bytes_max) {
  return DataError("expected at most " + FormatBytes(ByteCount(static_cast<int64_t>(bytes_max))) +
                   " decompressed, found more");
}

struct FreeLz4 {
  void operator()(LZ4F_dctx* context) const { LZ4F_freeDecompressionContext(context); }
};

/// Decompress one LZ4 frame, which must be all of `stored`.
Result<std::string> DecompressLz4(std::string_view stored, size_t bytes_max) {
  LZ4F_dctx* created = nullptr;
  if (LZ4F_isError(LZ4F_createDecompressionContext(&created, LZ4F_VERSION)))
    return BugError("lz4 could not start");
  const std::unique_ptr<LZ4F_dctx, FreeLz4> context(created);
  std::string bytes;
  size_t size = 0;
  while (true) {
    // One byte more than allowed tells a frame that is too large from one that just fits.
    bytes.resize(std::min(bytes_max + 1, std::max(bytes.size() * 2, stored.size() * 4 + 64)));
    size_t room = bytes.size() - size;
    size_t taken = stored.size();
    const size_t hint =
        LZ4F_decompress(context.get(), bytes.data() + size, &room, stored.data(), &taken, nullptr);
    if (LZ4F_isError(hint))
      return DataError(std::string("an lz4 frame is corrupt: ") + LZ4F_getErrorName(hint));
    size += room;
    stored.remove_prefix(taken);
    if (size > bytes_max) return TooLarge(bytes_max);
    if (hint == 0) break;
    if (size < bytes.size() && stored.empty()) return DataError("an lz4 frame ends too soon");
  }
  if (!stored.empty()) return DataError("an lz4 frame has bytes after its end");
  bytes.resize(size);
  return bytes;
}

}  // namespace

std::string_view ToString(PuffinCodec codec) {
  switch (codec) {
    case PuffinCodec::kNone:
      return "";
    case PuffinCodec::kLz4:
      return "lz4";
    case PuffinCodec::kZstd:
      return "zstd";
  }
  return "";
}

Result<PuffinCodec> ParsePuffinCodec(std::string_view name) {
  if (name == "lz4") return PuffinCodec::kLz4;
  if (name == "zstd") return PuffinCodec::kZstd;
  return DataError("expected compression-codec lz4 or zstd, found " + Quote(name));
}

Result<std::string> Decompress(PuffinCodec codec, std::string_view stored, size_t bytes_max) {
  switch (codec) {
    case PuffinCodec::kNone:
      if (stored.size() > bytes_max) return TooLarge(bytes_max);
      return std::string(stored);
    case PuffinCodec::kLz4:
      return DecompressLz4(stored, bytes_max);
    case PuffinCodec::kZstd: {
      const auto zstd = avro::Codec::Make(avro::CodecName::kZstandard);
      CALVE_ASSIGN_OR_RETURN(const std::string_view bytes, zstd->Decompress(stored, bytes_max));
      return std::string(bytes);
    }
  }
  return BugError("an unknown Puffin codec");
}

Result<std::string> Compress(PuffinCodec codec, std::string_view bytes) {
  switch (codec) {
    case PuffinCodec::kNone:
      return std::string(bytes);
    case PuffinCodec::kLz4:
      return RefusedError("expected codec zstd or none for writing a Puffin blob, found lz4");
    case PuffinCodec::kZstd: {
      const auto zstd = avro::Codec::Make(avro::CodecName::kZstandard);
      CALVE_ASSIGN_OR_RETURN(const std::string_view stored, zstd->Compress(bytes));
      return std::string(stored);
    }
  }
  return BugError("an unknown Puffin codec");
}

}  // namespace calve::iceberg

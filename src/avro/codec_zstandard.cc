#include <zstd.h>

#include <algorithm>

#include "avro/buffer.h"
#include "avro/codecs.h"

namespace calve::avro {
namespace {

constexpr size_t kTrustedBytes = 1 << 20;  ///< A declared size is believed up to here at once.

/// RFC 8878 frames.
class ZstandardCodec : public Codec {
 public:
  explicit ZstandardCodec(int level) : level_(level) {}
  ~ZstandardCodec() override {
    ZSTD_freeCCtx(compressor_);
    ZSTD_freeDCtx(decompressor_);
  }
  ZstandardCodec(const ZstandardCodec&) = delete;
  ZstandardCodec& operator=(const ZstandardCodec&) = delete;

  Result<std::string_view> Compress(std::string_view block) override {
    if (compressor_ == nullptr) compressor_ = ZSTD_createCCtx();
    buffer_.Reserve(ZSTD_compressBound(block.size()));
    const size_t size = ZSTD_compressCCtx(compressor_, buffer_.data(), buffer_.capacity(),
                                          block.data(), block.size(), level_);
    if (ZSTD_isError(size)) return BugError(std::string("zstandard: ") + ZSTD_getErrorName(size));
    return buffer_.view(size);
  }

  Result<std::string_view> Decompress(std::string_view block, size_t bytes_max) override {
    if (decompressor_ == nullptr) decompressor_ = ZSTD_createDCtx();
    ZSTD_DCtx_reset(decompressor_, ZSTD_reset_session_only);
    buffer_.Reserve(std::min(bytes_max, FirstGuess(block)) + 1);
    ZSTD_inBuffer in{block.data(), block.size(), 0};
    ZSTD_outBuffer out{buffer_.data(), buffer_.capacity(), 0};
    while (true) {
      const size_t hint = ZSTD_decompressStream(decompressor_, &out, &in);
      if (ZSTD_isError(hint)) {
        return DataError(std::string("a zstandard block is corrupt: ") + ZSTD_getErrorName(hint));
      }
      if (out.pos > bytes_max) return TooLarge(bytes_max);
      if (hint == 0 && in.pos == in.size) return buffer_.view(out.pos);
      if (out.pos < out.size) {
        if (in.pos == in.size) return DataError("a zstandard block ends too soon");
        continue;
      }
      buffer_.Reserve(std::min(bytes_max, buffer_.capacity() * 2) + 1);
      out.dst = buffer_.data();
      out.size = buffer_.capacity();
    }
  }

 private:
  static size_t FirstGuess(std::string_view block) {
    const unsigned long long size = ZSTD_getFrameContentSize(block.data(), block.size());
    if (size == ZSTD_CONTENTSIZE_UNKNOWN || size == ZSTD_CONTENTSIZE_ERROR) return block.size() * 4;
    return static_cast<size_t>(
        std::min<unsigned long long>(size, kTrustedBytes + block.size() * 64));
  }

  int level_;
  ZSTD_CCtx* compressor_ = nullptr;
  ZSTD_DCtx* decompressor_ = nullptr;
  Buffer buffer_;
};

}  // namespace

std::unique_ptr<Codec> MakeZstandardCodec(int level) {
  return std::make_unique<ZstandardCodec>(level);
}

}  // namespace calve::avro

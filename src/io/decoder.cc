#include "io/decoder.h"

#include <bzlib.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <limits>

namespace calve::io {
namespace {

constexpr int kWindowLogMax = 27;  // 128 MB
constexpr uint64_t kXzMemoryBytesMax = 192 << 20;

unsigned int Bounded(size_t size) {
  return static_cast<unsigned int>(std::min<size_t>(size, std::numeric_limits<int>::max()));
}

Error OutOfMemory() { return RefusedError("there is not enough memory to decompress it"); }

/// gzip with any number of members, or bare deflate data. Zeros after the last member are padding.
class ZlibDecoder : public Decoder {
 public:
  enum class Form { kGzip, kBare };

  explicit ZlibDecoder(Form form) : form_(form) {}
  ~ZlibDecoder() override { inflateEnd(&stream_); }

  Status Start() {
    const int bits = form_ == Form::kGzip ? 16 + MAX_WBITS : -MAX_WBITS;
    return inflateInit2(&stream_, bits) == Z_OK ? Status::Ok() : Status(OutOfMemory());
  }

  Result<Progress> Decode(std::span<const char> in, std::span<char> out, bool) override {
    if (between_) {
      if (form_ == Form::kBare || in.empty()) return Progress{};
      if (in.front() == '\0') return SkipPadding(in);
      if (padding_) return DataError("bytes that are not gzip follow its end");
      between_ = false;
      inflateReset(&stream_);
    }
    begun_ = begun_ || !in.empty();
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(in.data()));
    stream_.avail_in = Bounded(in.size());
    stream_.next_out = reinterpret_cast<Bytef*>(out.data());
    stream_.avail_out = Bounded(out.size());
    const uInt in_before = stream_.avail_in;
    const uInt out_before = stream_.avail_out;
    const int code = inflate(&stream_, Z_NO_FLUSH);
    if (code == Z_MEM_ERROR) return OutOfMemory();
    if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR) {
      return DataError(std::string("the compressed data is damaged: ") +
                       (stream_.msg == nullptr ? "it does not decode" : stream_.msg));
    }
    between_ = code == Z_STREAM_END;
    return Progress{in_before - stream_.avail_in, out_before - stream_.avail_out};
  }

  bool may_end() const override { return begun_ && between_; }

 private:
  Progress SkipPadding(std::span<const char> in) {
    padding_ = true;
    const auto other = std::ranges::find_if(in, [](char c) { return c != '\0'; });
    return {static_cast<size_t>(other - in.begin()), 0};
  }

  const Form form_;
  z_stream stream_{};
  bool begun_ = false;
  bool between_ = false;  // a member has ended and no other has begun
  bool padding_ = false;
};

class ZstdDecoder : public Decoder {
 public:
  ZstdDecoder() : context_(ZSTD_createDCtx(), &ZSTD_freeDCtx) {
    ZSTD_DCtx_setParameter(context_.get(), ZSTD_d_windowLogMax, kWindowLogMax);
  }

  Result<Progress> Decode(std::span<const char> in, std::span<char> out, bool) override {
    begun_ = begun_ || !in.empty();
    ZSTD_inBuffer from{in.data(), in.size(), 0};
    ZSTD_outBuffer to{out.data(), out.size(), 0};
    const size_t code = ZSTD_decompressStream(context_.get(), &to, &from);
    if (ZSTD_isError(code)) {
      return DataError(std::string("the compressed data is damaged: ") + ZSTD_getErrorName(code));
    }
    if (from.pos != 0 || to.pos != 0) between_ = code == 0;
    return Progress{from.pos, to.pos};
  }

  bool may_end() const override { return begun_ && between_; }

 private:
  std::unique_ptr<ZSTD_DCtx, size_t (*)(ZSTD_DCtx*)> context_;
  bool begun_ = false;
  bool between_ = false;
};

class Bzip2Decoder : public Decoder {
 public:
  ~Bzip2Decoder() override {
    if (started_) BZ2_bzDecompressEnd(&stream_);
  }

  Result<Progress> Decode(std::span<const char> in, std::span<char> out, bool) override {
    if (!started_) {
      if (in.empty()) return Progress{};
      stream_ = {};
      if (BZ2_bzDecompressInit(&stream_, 0, 0) != BZ_OK) return OutOfMemory();
      started_ = true;
    }
    stream_.next_in = const_cast<char*>(in.data());
    stream_.avail_in = Bounded(in.size());
    stream_.next_out = out.data();
    stream_.avail_out = Bounded(out.size());
    const unsigned int in_before = stream_.avail_in;
    const unsigned int out_before = stream_.avail_out;
    const int code = BZ2_bzDecompress(&stream_);
    if (code == BZ_MEM_ERROR) return OutOfMemory();
    if (code != BZ_OK && code != BZ_STREAM_END) {
      return DataError(code == BZ_DATA_ERROR_MAGIC
                           ? "bytes that are not bzip2 stand where it starts"
                           : "the compressed data is damaged");
    }
    if (code == BZ_STREAM_END) {
      BZ2_bzDecompressEnd(&stream_);
      started_ = false;
      ended_one_ = true;
    }
    return Progress{in_before - stream_.avail_in, out_before - stream_.avail_out};
  }

  bool may_end() const override { return ended_one_ && !started_; }

 private:
  bz_stream stream_{};
  bool started_ = false;
  bool ended_one_ = false;
};

class XzDecoder : public Decoder {
 public:
  ~XzDecoder() override { lzma_end(&stream_); }

  Status Start() {
    const lzma_ret code = lzma_stream_decoder(&stream_, kXzMemoryBytesMax, LZMA_CONCATENATED);
    return code == LZMA_OK ? Status::Ok() : Status(OutOfMemory());
  }

  Result<Progress> Decode(std::span<const char> in, std::span<char> out, bool last) override {
    if (ended_) return Progress{};
    stream_.next_in = reinterpret_cast<const uint8_t*>(in.data());
    stream_.avail_in = in.size();
    stream_.next_out = reinterpret_cast<uint8_t*>(out.data());
    stream_.avail_out = out.size();
    const lzma_ret code = lzma_code(&stream_, last ? LZMA_FINISH : LZMA_RUN);
    if (code == LZMA_MEM_ERROR) return OutOfMemory();
    if (code == LZMA_MEMLIMIT_ERROR) {
      return RefusedError("it asks for more memory to be decompressed than the limit of 192 MB");
    }
    if (code != LZMA_OK && code != LZMA_STREAM_END && code != LZMA_BUF_ERROR) {
      return DataError(code == LZMA_FORMAT_ERROR ? "bytes that are not xz stand where it starts"
                                                 : "the compressed data is damaged");
    }
    ended_ = code == LZMA_STREAM_END;
    return Progress{in.size() - stream_.avail_in, out.size() - stream_.avail_out};
  }

  bool may_end() const override { return ended_; }

 private:
  lzma_stream stream_ = LZMA_STREAM_INIT;
  bool ended_ = false;
};

Result<std::unique_ptr<Decoder>> MakeZlib(ZlibDecoder::Form form) {
  auto decoder = std::make_unique<ZlibDecoder>(form);
  CALVE_RETURN_IF_ERROR(decoder->Start());
  return decoder;
}

}  // namespace

Result<std::unique_ptr<Decoder>> MakeDeflateDecoder() { return MakeZlib(ZlibDecoder::Form::kBare); }

Result<std::unique_ptr<Decoder>> MakeDecoder(Compression compression) {
  switch (compression) {
    case Compression::kGzip:
      return MakeZlib(ZlibDecoder::Form::kGzip);
    case Compression::kZstd:
      return std::make_unique<ZstdDecoder>();
    case Compression::kBzip2:
      return std::make_unique<Bzip2Decoder>();
    case Compression::kXz: {
      auto decoder = std::make_unique<XzDecoder>();
      CALVE_RETURN_IF_ERROR(decoder->Start());
      return decoder;
    }
    case Compression::kNone:
    case Compression::kZip:
      break;
  }
  return BugError("there is no decoder for " + std::string(ToString(compression)));
}

}  // namespace calve::io

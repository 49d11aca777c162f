#include <zlib.h>

#include <algorithm>
#include <limits>

#include "avro/buffer.h"
#include "avro/codecs.h"

namespace calve::avro {
namespace {

constexpr int kRawDeflate = -15;  ///< No zlib header, no checksum, 32 kB window.

/// Writers exist that cut a zlib stream's header but leave some of its 4-byte checksum.
constexpr size_t kStrayBytesMax = 4;

/// RFC 1951 streams. zlib takes at most 4 GB at a time, far above what a block may have.
class DeflateCodec : public Codec {
 public:
  explicit DeflateCodec(int level) : level_(level) {}
  ~DeflateCodec() override {
    if (deflating_) deflateEnd(&deflate_);
    if (inflating_) inflateEnd(&inflate_);
  }
  DeflateCodec(const DeflateCodec&) = delete;
  DeflateCodec& operator=(const DeflateCodec&) = delete;

  Result<std::string_view> Compress(std::string_view block) override {
    CALVE_RETURN_IF_ERROR(CheckSize(block));
    const int begun = deflating_ ? deflateReset(&deflate_)
                                 : deflateInit2(&deflate_, level_, Z_DEFLATED, kRawDeflate,
                                                MAX_MEM_LEVEL, Z_DEFAULT_STRATEGY);
    if (begun != Z_OK)
      return BugError("deflate could not start at level " + std::to_string(level_));
    deflating_ = true;
    const size_t bound = deflateBound(&deflate_, block.size());
    buffer_.Reserve(bound);
    SetInput(deflate_, block);
    SetOutput(deflate_, 0);
    if (deflate(&deflate_, Z_FINISH) != Z_STREAM_END) return BugError("deflate did not finish");
    return buffer_.view(deflate_.total_out);
  }

  Result<std::string_view> Decompress(std::string_view block, size_t bytes_max) override {
    CALVE_RETURN_IF_ERROR(CheckSize(block));
    const int begun = inflating_ ? inflateReset(&inflate_) : inflateInit2(&inflate_, kRawDeflate);
    if (begun != Z_OK) return BugError("inflate could not start");
    inflating_ = true;
    SetInput(inflate_, block);
    buffer_.Reserve(std::min(bytes_max, block.size() * 4 + 1024) + 1);
    size_t size = 0;
    while (true) {
      SetOutput(inflate_, size);
      const int state = inflate(&inflate_, Z_NO_FLUSH);
      size = inflate_.total_out;
      if (size > bytes_max) return TooLarge(bytes_max);
      if (state == Z_STREAM_END) break;
      if (state != Z_OK && state != Z_BUF_ERROR) return DataError("a deflate block is corrupt");
      if (inflate_.avail_out != 0) return DataError("a deflate block ends too soon");
      buffer_.Reserve(std::min(bytes_max, buffer_.capacity() * 2) + 1);
    }
    if (inflate_.avail_in > kStrayBytesMax) {
      return DataError("a deflate block has bytes after its end");
    }
    return buffer_.view(size);
  }

 private:
  static Status CheckSize(std::string_view block) {
    if (block.size() <= std::numeric_limits<uInt>::max() / 2) return Status::Ok();
    return RefusedError("expected a block below 2 GB for deflate, found " +
                        std::to_string(block.size()) + " bytes");
  }
  static void SetInput(z_stream& stream, std::string_view block) {
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(block.data()));
    stream.avail_in = static_cast<uInt>(block.size());
  }
  void SetOutput(z_stream& stream, size_t size) {
    const size_t room =
        std::min<size_t>(buffer_.capacity() - size, std::numeric_limits<uInt>::max());
    stream.next_out = reinterpret_cast<Bytef*>(buffer_.data() + size);
    stream.avail_out = static_cast<uInt>(room);
  }

  int level_;
  z_stream deflate_{};
  z_stream inflate_{};
  bool deflating_ = false;
  bool inflating_ = false;
  Buffer buffer_;
};

}  // namespace

std::unique_ptr<Codec> MakeDeflateCodec(int level) { return std::make_unique<DeflateCodec>(level); }

}  // namespace calve::avro

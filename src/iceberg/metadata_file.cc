#include <fmt/format.h>
#include <zlib.h>
#include <zstd.h>

#include <charconv>
#include <memory>

#include "iceberg/metadata.h"

namespace calve::iceberg {
namespace {

constexpr int kGzipWindowBits = 15 + 16;
constexpr size_t kInflatedMax = size_t{2}
                                << 30;  // bytes; metadata of a million snapshots is well below

bool IsGzip(std::string_view bytes) { return bytes.starts_with("\x1f\x8b"); }

/// Ends a zlib stream whatever happens.
class Inflater {
 public:
  Inflater() : ready_(inflateInit2(&stream_, kGzipWindowBits) == Z_OK) {}
  ~Inflater() {
    if (ready_) inflateEnd(&stream_);
  }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  bool ready() const { return ready_; }
  z_stream& stream() { return stream_; }

 private:
  z_stream stream_ = {};
  bool ready_;
};

Error Broken(std::string_view codec, size_t offset) {
  return DataError(
      fmt::format("expected whole {} data, found a fault near byte {} of the compressed metadata",
                  codec, offset));
}

Error TooLarge() {
  return DataError(fmt::format(
      "expected metadata of at most {} bytes, found more after decompression", kInflatedMax));
}

/// Some writers compress metadata with zstd, which the specification does not name.
Result<std::string> DecompressZstd(std::string_view bytes) {
  const std::unique_ptr<ZSTD_DCtx, decltype(&ZSTD_freeDCtx)> context(ZSTD_createDCtx(),
                                                                     ZSTD_freeDCtx);
  if (context == nullptr) return TransientError("no memory to decompress metadata");
  ZSTD_inBuffer in = {bytes.data(), bytes.size(), 0};
  std::string text;
  std::string block(ZSTD_DStreamOutSize(), '\0');
  size_t left = 1;
  while (left != 0) {
    ZSTD_outBuffer out = {block.data(), block.size(), 0};
    left = ZSTD_decompressStream(context.get(), &out, &in);
    if (ZSTD_isError(left) != 0) return Broken("zstd", in.pos);
    if (left != 0 && in.pos == in.size && out.pos == 0) return Broken("zstd", in.pos);
    text.append(block, 0, out.pos);
    if (text.size() > kInflatedMax) return TooLarge();
  }
  return text;
}

}  // namespace

Result<std::string> DecompressMetadata(std::string_view bytes) {
  if (bytes.starts_with("\x28\xb5\x2f\xfd")) return DecompressZstd(bytes);
  if (!IsGzip(bytes)) return std::string(bytes);
  if (bytes.size() > kInflatedMax) return TooLarge();
  Inflater inflater;
  if (!inflater.ready()) return TransientError("no memory to decompress metadata");
  z_stream& stream = inflater.stream();
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  std::string text;
  char block[64 * 1024];
  int code = Z_OK;
  while (code != Z_STREAM_END) {
    stream.next_out = reinterpret_cast<Bytef*>(block);
    stream.avail_out = sizeof(block);
    code = inflate(&stream, Z_NO_FLUSH);
    if (code != Z_OK && code != Z_STREAM_END) return Broken("gzip", bytes.size() - stream.avail_in);
    text.append(block, sizeof(block) - stream.avail_out);
    if (text.size() > kInflatedMax) return TooLarge();
  }
  return text;
}

std::string CompressMetadata(std::string_view json) {
  z_stream stream = {};
  std::string bytes;
  if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kGzipWindowBits, 8,
                   Z_DEFAULT_STRATEGY) != Z_OK) {
    return std::string(json);  // Readers go by the bytes, so that plain metadata is right too.
  }
  bytes.resize(deflateBound(&stream, json.size()));
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(json.data()));
  stream.avail_in = static_cast<uInt>(json.size());
  stream.next_out = reinterpret_cast<Bytef*>(bytes.data());
  stream.avail_out = static_cast<uInt>(bytes.size());
  deflate(&stream, Z_FINISH);
  bytes.resize(stream.total_out);
  deflateEnd(&stream);
  return bytes;
}

std::string NextMetadataFileName(std::string_view previous, std::string_view uuid, bool gzip) {
  const size_t slash = previous.rfind('/');
  std::string_view name = slash == std::string_view::npos ? previous : previous.substr(slash + 1);
  if (name.starts_with('v')) name.remove_prefix(1);
  int64_t version = -1;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), version);
  if (error != std::errc() || version < 0) version = -1;
  return fmt::format("{:05}-{}{}.metadata.json", version + 1, uuid, gzip ? ".gz" : "");
}

}  // namespace calve::iceberg

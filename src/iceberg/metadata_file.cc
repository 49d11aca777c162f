#include <fmt/format.h>
#include <zlib.h>

#include <charconv>

#include "iceberg/metadata.h"

namespace calve::iceberg {
namespace {

constexpr int kGzipWindowBits = 15 + 16;
constexpr size_t kInflatedMax = size_t{2} << 30;  // bytes; metadata of a million snapshots is well below

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

Error BrokenGzip(size_t offset) {
  return DataError(fmt::format("expected whole gzip data, found a fault near byte {} of the compressed "
                               "metadata",
                               offset));
}

}  // namespace

Result<std::string> DecompressMetadata(std::string_view bytes) {
  if (!IsGzip(bytes)) return std::string(bytes);
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
    if (code != Z_OK && code != Z_STREAM_END) return BrokenGzip(bytes.size() - stream.avail_in);
    text.append(block, sizeof(block) - stream.avail_out);
    if (text.size() > kInflatedMax) {
      return DataError(fmt::format("expected metadata of at most {} bytes, found more after decompression",
                                   kInflatedMax));
    }
  }
  return text;
}

std::string CompressMetadata(std::string_view json) {
  z_stream stream = {};
  std::string bytes;
  if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kGzipWindowBits, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
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

#include "reader/orc_stream.h"

#include <fmt/format.h>

#include <utility>

#include "columnar/arrow_status.h"

namespace calve::reader {
namespace {

/// A chunk's header has 23 bits for its length, and a chunk is never stored longer than it is.
constexpr uint64_t kChunkBytesMax = 1 << 23;
constexpr int64_t kHeaderBytes = 3;

std::optional<arrow::Compression::type> CodecOf(uint64_t compression) {
  switch (compression) {
    case 0:
      return arrow::Compression::UNCOMPRESSED;
    case 1:
      return arrow::Compression::GZIP;
    case 2:
      return arrow::Compression::SNAPPY;
    case 4:
      return arrow::Compression::LZ4;
    case 5:
      return arrow::Compression::ZSTD;
    default:
      return std::nullopt;
  }
}

}  // namespace

Result<std::optional<OrcCompression>> OrcCompression::Of(const OrcLayout& layout) {
  const std::optional<arrow::Compression::type> type = CodecOf(layout.compression);
  if (!type) return std::optional<OrcCompression>();
  if (*type == arrow::Compression::UNCOMPRESSED) return std::optional(OrcCompression{});
  if (layout.chunk_bytes_max > kChunkBytesMax) {
    return DataError(
        fmt::format("the ORC file says that its chunks have {} bytes, at most {} make sense",
                    layout.chunk_bytes_max, kChunkBytesMax));
  }
  // ORC's zlib is bare deflate.
  arrow::util::GZipCodecOptions deflate;
  deflate.gzip_format = arrow::util::GZipFormat::DEFLATE;
  auto made = *type == arrow::Compression::GZIP ? arrow::util::Codec::Create(*type, deflate)
                                                : arrow::util::Codec::Create(*type);
  CALVE_ASSIGN_OR_RETURN(std::shared_ptr<arrow::util::Codec> codec, std::move(made));
  return std::optional(
      OrcCompression{std::move(codec), static_cast<int64_t>(layout.chunk_bytes_max)});
}

OrcStream::OrcStream(std::string stored, OrcCompression compression)
    : compression_(std::move(compression)), stored_(arrow::Buffer::FromString(std::move(stored))) {}

void OrcStream::Fail(std::string message) {
  if (status_.ok()) status_ = DataError(std::move(message));
  at_ = end_;
  stored_at_ = stored_->size();
}

uint8_t OrcStream::PastEnd() {
  Fail("a stream of the ORC file ends before its last value");
  return 0;
}

/// Go to the next byte there is; false at the end and at a fault.
bool OrcStream::Refill() {
  while (at_ == end_ && stored_at_ < stored_->size()) {
    const uint8_t* stored = stored_->data() + stored_at_;
    const int64_t left = stored_->size() - stored_at_;
    if (compression_.codec == nullptr) {
      at_ = stored;
      end_ = stored + left;
      stored_at_ += left;
      return true;
    }
    const int64_t header =
        left < kHeaderBytes ? -1 : stored[0] | (stored[1] << 8) | (stored[2] << 16);
    const int64_t length = header >> 1;
    if (header < 0 || length > left - kHeaderBytes) {
      Fail("a stream of the ORC file ends within a compressed chunk");
      return false;
    }
    stored_at_ += kHeaderBytes + length;
    at_ = stored + kHeaderBytes;
    end_ = at_ + length;
    const bool is_original = (header & 1) != 0;
    if (!is_original && !Decompress(at_, length)) return false;
  }
  return at_ != end_;
}

bool OrcStream::Decompress(const uint8_t* chunk, int64_t length) {
  const int64_t bytes_max = compression_.chunk_bytes_max;
  if (chunk_ == nullptr) chunk_ = std::make_unique_for_overwrite<uint8_t[]>(bytes_max);
  const arrow::Result<int64_t> size =
      compression_.codec->compression_type() == arrow::Compression::ZSTD
          ? DecompressZstd(chunk, length)
          : compression_.codec->Decompress(length, chunk, bytes_max, chunk_.get());
  if (!size.ok() || *size < 0 || *size > bytes_max) {
    Fail("a compressed chunk of the ORC file is broken" +
         (size.ok() ? std::string() : ": " + size.status().message()));
    return false;
  }
  at_ = chunk_.get();
  end_ = at_ + *size;
  return true;
}

/// As a whole, Arrow takes a frame only when its size is known beforehand.
arrow::Result<int64_t> OrcStream::DecompressZstd(const uint8_t* chunk, int64_t length) {
  if (zstd_ == nullptr) {
    ARROW_ASSIGN_OR_RAISE(zstd_, compression_.codec->MakeDecompressor());
  } else {
    ARROW_RETURN_NOT_OK(zstd_->Reset());
  }
  ARROW_ASSIGN_OR_RAISE(
      const auto done,
      zstd_->Decompress(length, chunk, compression_.chunk_bytes_max, chunk_.get()));
  if (zstd_->IsFinished() && done.bytes_read == length) return done.bytes_written;
  return arrow::Status::IOError("it is cut, or larger than the file says");
}

uint64_t OrcStream::NextVarint() {
  uint64_t value = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    const uint8_t byte = Next();
    value |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
  Fail("a number in the ORC file is wider than 64 bits");
  return 0;
}

Result<std::string> OrcStream::ReadRest(size_t limit) {
  std::string rest;
  while (at_ != end_ || Refill()) {
    if (static_cast<size_t>(end_ - at_) > limit - rest.size())
      return DataError(fmt::format("a footer in the ORC file is larger than {} bytes", limit));
    rest.append(reinterpret_cast<const char*>(at_), end_ - at_);
    at_ = end_;
  }
  CALVE_RETURN_IF_ERROR(status_);
  return rest;
}

}  // namespace calve::reader

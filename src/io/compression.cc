#include "io/compression.h"

#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "base/text.h"
#include "io/decoder.h"
#include "io/zip.h"

namespace calve::io {
namespace {

constexpr int64_t kRatioCountsAfterBytes = 64 << 20;
constexpr int64_t kGzipBytesMax = 1 << 30;  // zlib counts in 32 bits
constexpr int kZstdLevel = 3;

struct Form {
  Compression compression;
  std::string_view name;
  std::string_view ending;
  std::string_view magic;
};

constexpr std::array<Form, 5> kForms{{
    {Compression::kGzip, "gzip", "gz", "\x1f\x8b\x08"},
    {Compression::kZstd, "zstd", "zst", "\x28\xb5\x2f\xfd"},
    {Compression::kBzip2, "bzip2", "bz2", "BZh"},
    {Compression::kXz,
     "xz",
     "xz",
     {"\xfd"
      "7zXZ\0",
      6}},
    {Compression::kZip, "zip", "zip", "PK\x03\x04"},
}};

bool LooksLikeBzip2(std::string_view head) {  // "BZh" alone could start a text
  return head.size() >= 10 && head[3] >= '1' && head[3] <= '9' &&
         (head.substr(4, 6) == "1AY&SY" || head.substr(4, 6) == "\x17rE8P\x90");
}

/// The bytes of a file, or of a part of it, in order.
class FileStream : public InputStream {
 public:
  FileStream(std::shared_ptr<InputFile> file, int64_t offset, int64_t length, size_t buffer_bytes)
      : file_(std::move(file)),
        offset_(offset),
        end_(offset + length),
        buffer_bytes_(buffer_bytes) {}

  Result<size_t> Read(std::span<char> out) override {
    if (out.empty()) return size_t{0};
    if (at_ == buffered_.size()) {
      if (out.size() >= buffer_bytes_) return ReadDirectly(out);
      buffered_.resize(buffer_bytes_);
      CALVE_ASSIGN_OR_RETURN(const size_t got, ReadDirectly(buffered_));
      buffered_.resize(got);
      at_ = 0;
    }
    const size_t count = std::min(out.size(), buffered_.size() - at_);
    if (count != 0) std::memcpy(out.data(), buffered_.data() + at_, count);
    at_ += count;
    return count;
  }

 private:
  Result<size_t> ReadDirectly(std::span<char> out) {
    const auto left = static_cast<size_t>(end_ - offset_);
    out = out.first(std::min(out.size(), left));
    if (out.empty()) return size_t{0};
    CALVE_ASSIGN_OR_RETURN(const size_t got, file_->ReadInto(offset_, out));
    if (got < out.size()) {
      return DataError(Quote(file_->uri()) + ": expected it to end at offset " +
                       std::to_string(end_) + ", found its end at " +
                       std::to_string(offset_ + static_cast<int64_t>(got)) +
                       "; it was cut while it was read");
    }
    offset_ += static_cast<int64_t>(got);
    return got;
  }

  std::shared_ptr<InputFile> file_;
  int64_t offset_;
  const int64_t end_;
  const size_t buffer_bytes_;
  std::string buffered_;
  size_t at_ = 0;
};

/// What a stream must come to, when that is known beforehand.
struct Expected {
  int64_t bytes;
  uint32_t crc;
};

/// A compressed stream, decompressed within limits.
class DecodedStream : public InputStream {
 public:
  DecodedStream(std::string uri, std::unique_ptr<InputStream> in, std::unique_ptr<Decoder> decoder,
                const StreamOptions& options, int64_t start)
      : uri_(std::move(uri)),
        in_(std::move(in)),
        decoder_(std::move(decoder)),
        options_(options),
        start_(start),
        buffer_(std::min<size_t>(static_cast<size_t>(options.buffer_bytes.value()), 256 << 10),
                '\0') {}

  void Expect(Expected expected) { expected_ = expected; }

  Result<size_t> Read(std::span<char> out) override {
    if (out.empty()) return size_t{0};
    while (!ended_) {
      if (at_ == filled_ && !last_) CALVE_RETURN_IF_ERROR(Fill());
      const std::span<const char> in(buffer_.data() + at_, filled_ - at_);
      auto step = decoder_->Decode(in, out, last_);
      if (!step.ok()) return Placed(std::move(step).error());
      at_ += step->consumed;
      consumed_ += static_cast<int64_t>(step->consumed);
      produced_ += static_cast<int64_t>(step->produced);
      CALVE_RETURN_IF_ERROR(CheckLimits());
      if (step->produced != 0) {
        if (expected_) crc_ = Crc(crc_, out.first(step->produced));
        return step->produced;
      }
      if (step->consumed == 0 && (last_ || at_ != filled_)) CALVE_RETURN_IF_ERROR(End());
    }
    return size_t{0};
  }

 private:
  static uint32_t Crc(uint32_t so_far, std::span<const char> bytes) {
    return static_cast<uint32_t>(
        crc32_z(so_far, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
  }

  Error Placed(Error error) const {
    error.message =
        Quote(uri_) + " at offset " + std::to_string(start_ + consumed_) + ": " + error.message;
    if (error.kind == ErrorKind::kData) error.message += "; fetch the file or write it again";
    return error;
  }

  Status Fill() {
    CALVE_ASSIGN_OR_RETURN(filled_, in_->Read(buffer_));
    at_ = 0;
    last_ = filled_ == 0;
    return Status::Ok();
  }

  Status CheckLimits() const {
    if (produced_ > options_.output_bytes_max.value()) {
      return Placed(RefusedError("it decompresses to more than the limit of " +
                                 FormatBytes(options_.output_bytes_max)));
    }
    if (produced_ > kRatioCountsAfterBytes &&
        produced_ / std::max<int64_t>(1, consumed_) > options_.ratio_max) {
      return Placed(
          RefusedError("it decompresses to more than " + FormatCount(options_.ratio_max) +
                       " times its size, which looks like an attack; decompress it yourself "
                       "if it is not"));
    }
    return Status::Ok();
  }

  Status End() {
    ended_ = true;
    if (!decoder_->may_end() || at_ != filled_) {
      return Placed(DataError("the compressed data ends too soon; the file was cut short"));
    }
    if (expected_ && (produced_ != expected_->bytes || crc_ != expected_->crc)) {
      return Placed(DataError("the compressed data is damaged: its check sum or size is wrong"));
    }
    return Status::Ok();
  }

  const std::string uri_;
  std::unique_ptr<InputStream> in_;
  std::unique_ptr<Decoder> decoder_;
  const StreamOptions options_;
  const int64_t start_;
  std::string buffer_;
  size_t at_ = 0;
  size_t filled_ = 0;
  bool last_ = false;
  bool ended_ = false;
  int64_t consumed_ = 0;
  int64_t produced_ = 0;
  std::optional<Expected> expected_;
  uint32_t crc_ = 0;
};

/// A decoder for what needs none: bytes stored as they are.
class CopyDecoder : public Decoder {
 public:
  Result<Progress> Decode(std::span<const char> in, std::span<char> out, bool) override {
    const size_t count = std::min(in.size(), out.size());
    if (count != 0) std::memcpy(out.data(), in.data(), count);
    return Progress{count, count};
  }
  bool may_end() const override { return true; }
};

Result<std::unique_ptr<InputStream>> OpenZip(std::shared_ptr<InputFile> file,
                                             const StreamOptions& options) {
  CALVE_ASSIGN_OR_RETURN(const ZipEntry entry, FindOnlyZipEntry(*file));
  return OpenZipEntry(std::move(file), entry, options);
}

Result<Compression> Detect(InputFile& file) {
  std::string head(16, '\0');
  CALVE_ASSIGN_OR_RETURN(const size_t got, file.ReadInto(0, head));
  head.resize(got);
  const Compression shown = CompressionOfBytes(head);
  const Compression promised = CompressionOfName(file.uri());
  if (shown == Compression::kNone && promised != Compression::kNone) {
    return DataError(Quote(file.uri()) + ": expected " + std::string(ToString(promised)) +
                     " data as its name says, found " +
                     (got == 0 ? "an empty file" : "something else") +
                     "; rename it or set its compression");
  }
  return shown;
}

Result<std::string> Gzip(std::string_view bytes) {
  if (static_cast<int64_t>(bytes.size()) > kGzipBytesMax) {
    return RefusedError("expected at most " + FormatBytes(ByteCount(kGzipBytesMax)) +
                        " to compress at once, found " +
                        FormatBytes(ByteCount(static_cast<int64_t>(bytes.size()))));
  }
  z_stream stream{};
  if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 16 + MAX_WBITS, 8,
                   Z_DEFAULT_STRATEGY) != Z_OK) {
    return RefusedError("there is not enough memory to compress");
  }
  std::string out(deflateBound(&stream, bytes.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int code = deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  if (code != Z_STREAM_END) return BugError("zlib stopped before the end");
  return out;
}

/// One frame with a check sum, so that damage does not go unseen.
Result<std::string> Zstd(std::string_view bytes) {
  const std::unique_ptr<ZSTD_CCtx, size_t (*)(ZSTD_CCtx*)> context(ZSTD_createCCtx(),
                                                                   &ZSTD_freeCCtx);
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_compressionLevel, kZstdLevel);
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_checksumFlag, 1);
  std::string out(ZSTD_compressBound(bytes.size()), '\0');
  const size_t size =
      ZSTD_compress2(context.get(), out.data(), out.size(), bytes.data(), bytes.size());
  if (ZSTD_isError(size)) return RefusedError(std::string("zstd: ") + ZSTD_getErrorName(size));
  out.resize(size);
  return out;
}

}  // namespace

Result<std::unique_ptr<InputStream>> OpenZipEntry(std::shared_ptr<InputFile> file,
                                                  const ZipEntry& entry,
                                                  const StreamOptions& options) {
  std::unique_ptr<Decoder> decoder = std::make_unique<CopyDecoder>();
  if (entry.deflated) {
    CALVE_ASSIGN_OR_RETURN(decoder, MakeDeflateDecoder());
  }
  const std::string uri = file->uri();
  auto bytes = std::make_unique<FileStream>(std::move(file), entry.offset, entry.compressed_bytes,
                                            static_cast<size_t>(options.buffer_bytes.value()));
  auto stream = std::make_unique<DecodedStream>(uri, std::move(bytes), std::move(decoder), options,
                                                entry.offset);
  stream->Expect({entry.bytes, entry.crc});
  return stream;
}

std::string_view ToString(Compression compression) {
  for (const Form& form : kForms) {
    if (form.compression == compression) return form.name;
  }
  return "none";
}

Result<Compression> ParseCompression(std::string_view name) {
  const std::string wanted = ToLower(name);
  if (wanted == "none") return Compression::kNone;
  std::vector<std::string> known{"none"};
  for (const Form& form : kForms) {
    if (wanted == form.name || wanted == form.ending) return form.compression;
    known.emplace_back(form.name);
  }
  return ConfigError("unknown compression " + Quote(name) + DidYouMean(name, known) +
                     "; known are " + Join(known, ", "));
}

Compression CompressionOfName(std::string_view uri) {
  const size_t dot = uri.rfind('.');
  if (dot == std::string_view::npos) return Compression::kNone;
  const std::string ending = ToLower(uri.substr(dot + 1));
  for (const Form& form : kForms) {
    if (ending == form.ending) return form.compression;
  }
  return Compression::kNone;
}

Compression CompressionOfBytes(std::string_view head) {
  for (const Form& form : kForms) {
    if (!head.starts_with(form.magic)) continue;
    if (form.compression != Compression::kBzip2 || LooksLikeBzip2(head)) return form.compression;
  }
  if (head.starts_with("PK\x05\x06")) return Compression::kZip;  // an archive of no files
  return Compression::kNone;
}

Result<std::unique_ptr<InputStream>> OpenStream(std::shared_ptr<InputFile> file,
                                                const StreamOptions& options) {
  Compression compression = Compression::kNone;
  if (options.compression) {
    compression = *options.compression;
  } else {
    CALVE_ASSIGN_OR_RETURN(compression, Detect(*file));
  }
  if (compression == Compression::kZip) return OpenZip(std::move(file), options);
  const std::string uri = file->uri();
  const int64_t size = file->size().value();
  auto bytes = std::make_unique<FileStream>(std::move(file), 0, size,
                                            static_cast<size_t>(options.buffer_bytes.value()));
  if (compression == Compression::kNone) return bytes;
  CALVE_ASSIGN_OR_RETURN(auto decoder, MakeDecoder(compression));
  return std::make_unique<DecodedStream>(uri, std::move(bytes), std::move(decoder), options, 0);
}

Result<std::string> Decompress(Compression compression, std::string_view bytes, ByteCount limit) {
  const auto bound = static_cast<size_t>(limit.value());
  const auto too_large = [&] {
    return RefusedError("the data decompresses to more than the limit of " + FormatBytes(limit));
  };
  if (compression == Compression::kNone) {
    if (bytes.size() > bound) return too_large();
    return std::string(bytes);
  }
  CALVE_ASSIGN_OR_RETURN(auto decoder, MakeDecoder(compression));
  std::string out;
  std::string piece(256 << 10, '\0');
  std::span<const char> in(bytes);
  while (true) {
    auto step = decoder->Decode(in, piece, true);
    if (!step.ok()) return step.error();
    in = in.subspan(step->consumed);
    out.append(piece, 0, step->produced);
    if (out.size() > bound) return too_large();
    if (step->consumed == 0 && step->produced == 0) break;
  }
  if (!decoder->may_end() || !in.empty()) {
    return DataError("the " + std::string(ToString(compression)) + " data ends too soon");
  }
  return out;
}

Result<std::string> Compress(Compression compression, std::string_view bytes) {
  switch (compression) {
    case Compression::kNone:
      return std::string(bytes);
    case Compression::kGzip:
      return Gzip(bytes);
    case Compression::kZstd:
      return Zstd(bytes);
    case Compression::kBzip2:
    case Compression::kXz:
    case Compression::kZip:
      break;
  }
  return BugError("calve does not write " + std::string(ToString(compression)));
}

}  // namespace calve::io

#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "io/file_system.h"

namespace calve::io {

struct ZipEntry;

/// Bytes in order, from the start. One thread.
class InputStream {
 public:
  virtual ~InputStream() = default;
  /// Read at least one byte and at most out.size(); 0 only at the end.
  virtual Result<size_t> Read(std::span<char> out) = 0;
};

enum class Compression { kNone, kGzip, kZstd, kBzip2, kXz, kZip };

/// none, gzip, zstd, bzip2, xz, zip.
std::string_view ToString(Compression compression);
/// Take a name that people write (none, gz, gzip, zst, zstd, bz2, bzip2, xz, zip). Fails with
/// kConfig, naming the known ones.
Result<Compression> ParseCompression(std::string_view name);
/// The compression that a file's ending says; kNone when it says nothing.
Compression CompressionOfName(std::string_view uri);
/// The compression that the first bytes (16 are enough) say; kNone when they say nothing.
Compression CompressionOfBytes(std::string_view head);

struct StreamOptions {
  /// Unset: the first bytes decide; an ending that promises a compression which the bytes do not
  /// show fails with kData.
  std::optional<Compression> compression;
  ByteCount output_bytes_max{int64_t{1} << 44};  ///< More fails with kRefused.
  /// Output over input, counted after the first 64 MB of output; more fails with kRefused.
  int64_t ratio_max = 2000;
  ByteCount buffer_bytes{4 << 20};  ///< How much is read from the file at once.
};

/// Read a file from its start to its end, decompressed. Memory is bounded by the buffer and the
/// codec's window (at most 128 MB).
///
/// Members that follow each other (gzip, bzip2, xz, zstd frames) read as one. A zip archive must
/// hold exactly one file. Input that ends too soon or fails its check sum is kData, with the offset
/// in the compressed file.
Result<std::unique_ptr<InputStream>> OpenStream(std::shared_ptr<InputFile> file,
                                                const StreamOptions& options = {});

/// Open one file of a zip archive, which LocateZipEntry has found; more or other bytes than the
/// archive promises are kData.
Result<std::unique_ptr<InputStream>> OpenZipEntry(std::shared_ptr<InputFile> file,
                                                  const ZipEntry& entry,
                                                  const StreamOptions& options = {});

/// Decompress bytes in memory, to at most `limit`. Every compression but kZip.
Result<std::string> Decompress(Compression compression, std::string_view bytes, ByteCount limit);
/// Compress bytes in memory: kNone, kGzip and kZstd.
Result<std::string> Compress(Compression compression, std::string_view bytes);

}  // namespace calve::io

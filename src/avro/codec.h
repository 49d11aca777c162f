#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace calve::avro {

/// How an object container file compresses its blocks (Avro spec, Required and Optional Codecs).
enum class CodecName { kNull, kDeflate, kSnappy, kZstandard };

/// Print as `avro.codec` has it: "null", "deflate", "snappy", "zstandard".
std::string_view ToString(CodecName name);
/// Parse `avro.codec`. Fails with kRefused for bzip2, xz and unknown names, and says what is
/// readable.
Result<CodecName> ParseCodecName(std::string_view name);

/// Compresses and decompresses blocks; keeps its working memory between calls. Threads: one.
class Codec {
 public:
  virtual ~Codec() = default;

  /// Compress a block. The view holds until the next call.
  virtual Result<std::string_view> Compress(std::string_view block) = 0;
  /// Decompress a block to at most `bytes_max` bytes. The view holds until the next call, and for
  /// the null codec is `block` itself. Fails with kData when corrupt or too large.
  virtual Result<std::string_view> Decompress(std::string_view block, size_t bytes_max) = 0;

  /// Make a codec; `level` is the library's own scale, the usual one when absent
  /// (deflate 6, zstandard 3).
  static std::unique_ptr<Codec> Make(CodecName name, std::optional<int> level = std::nullopt);
};

}  // namespace calve::avro

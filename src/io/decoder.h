#pragma once

#include <memory>
#include <span>
#include <string>

#include "io/compression.h"

namespace calve::io {

/// One compressed format, step by step. One thread.
class Decoder {
 public:
  struct Progress {
    size_t consumed = 0;
    size_t produced = 0;
  };

  virtual ~Decoder() = default;

  /// Decode some of `in` into `out`; `last` says that `in` reaches the end of the file.
  ///
  /// Without progress more input or more room is needed. Fails with kData when the bytes are not
  /// what the format allows, and with kRefused when they ask for too much memory; the message says
  /// what is wrong and leaves the place to the caller.
  virtual Result<Progress> Decode(std::span<const char> in, std::span<char> out, bool last) = 0;

  /// Whether the input may end here: everything that was begun is whole, and something was there.
  virtual bool may_end() const = 0;
};

/// Make the decoder of gzip, zstd, bzip2 or xz.
Result<std::unique_ptr<Decoder>> MakeDecoder(Compression compression);

/// Make the decoder of bare deflate data, as in zip archives. What follows its end is not consumed.
Result<std::unique_ptr<Decoder>> MakeDeflateDecoder();

}  // namespace calve::io

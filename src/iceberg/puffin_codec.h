#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "iceberg/puffin.h"

namespace calve::iceberg {

/// Name a codec as `compression-codec` has it: "lz4", "zstd"; "" for none.
std::string_view ToString(PuffinCodec codec);
/// Parse `compression-codec`. Fails with kData, naming the codecs that there are.
Result<PuffinCodec> ParsePuffinCodec(std::string_view name);

/// Decompress to at most `bytes_max` bytes. Fails with kData.
Result<std::string> Decompress(PuffinCodec codec, std::string_view stored, size_t bytes_max);
/// Compress. Fails with kRefused for lz4, which is only read.
Result<std::string> Compress(PuffinCodec codec, std::string_view bytes);

}  // namespace calve::iceberg

#pragma once

#include <cstdint>

#include "base/result.h"

namespace parquet {
class FileMetaData;
}

namespace calve::source {

/// See that a file's footer fits the file of `file_bytes` and itself: that its rows are those of its
/// row groups, and that the pages of every column lie in the file, in a codec that is had here. The
/// format has no checksum over it, and the library reads what it finds. Fails with kData; throws
/// what the library throws on types and codecs that it does not know.
Status CheckFooter(const parquet::FileMetaData& footer, int64_t file_bytes);

}  // namespace calve::source

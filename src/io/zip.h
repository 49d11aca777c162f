#pragma once

#include <cstdint>
#include <string>

#include "io/file_system.h"

namespace calve::io {

/// Where the bytes of one file lie in a zip archive.
struct ZipEntry {
  std::string name;
  int64_t offset = 0;  ///< Of the (compressed) bytes in the archive.
  int64_t compressed_bytes = 0;
  int64_t bytes = 0;
  uint32_t crc = 0;
  bool deflated = false;  ///< Otherwise stored as they are.
};

/// Find the only file of an archive; folders and the notes that macOS adds do not count.
///
/// Fails with kData when it is no whole zip archive or holds no file or several, and with kRefused
/// when the file is encrypted or compressed in a way other than deflate. Reads zip64 as well.
Result<ZipEntry> FindOnlyZipEntry(InputFile& file);

}  // namespace calve::io

#pragma once

#include <cstdint>
#include <string>
#include <vector>

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
  int64_t header = 0;     ///< Where its own header lies.
  uint64_t flags = 0;     ///< As stored (APPNOTE 4.4.4).
  uint64_t method = 0;    ///< As stored (APPNOTE 4.4.5).
};

/// List the files of an archive, still without `offset`; folders and the notes that macOS adds do not
/// count. Fails with kData when it is no whole zip archive. Reads zip64 as well.
Result<std::vector<ZipEntry>> ListZipEntries(InputFile& file);

/// Fill in `offset`. Fails with kData when the entry is encrypted, compressed in a way other than
/// deflate, or not where the archive says.
Status LocateZipEntry(InputFile& file, ZipEntry* entry);

/// Find the only file of an archive, as ListZipEntries and LocateZipEntry do. Fails with kData when
/// there is none, or several.
Result<ZipEntry> FindOnlyZipEntry(InputFile& file);

}  // namespace calve::io

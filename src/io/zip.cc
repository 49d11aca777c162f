#include "io/zip.h"

#include <algorithm>
#include <utility>

#include "base/text.h"

namespace calve::io {
namespace {

// PKWARE's APPNOTE.TXT 6.3.10; sections are named at each record.
constexpr uint32_t kLocalHeader = 0x04034b50;         // 4.3.7
constexpr uint32_t kCentralHeader = 0x02014b50;       // 4.3.12
constexpr uint32_t kEndRecord = 0x06054b50;           // 4.3.16
constexpr uint32_t kEndRecord64 = 0x06064b50;         // 4.3.14
constexpr uint32_t kEndRecord64Locator = 0x07064b50;  // 4.3.15
constexpr int64_t kEndRecordBytes = 22;
constexpr int64_t kCommentBytesMax = 65'535;
constexpr int64_t kCentralHeaderBytes = 46;
constexpr int64_t kLocalHeaderBytes = 30;
constexpr int64_t kDirectoryBytesMax = 64 << 20;
constexpr uint32_t kInZip64 = 0xffffffff;

uint64_t Little(std::string_view bytes, size_t offset, size_t width) {
  uint64_t value = 0;
  for (size_t i = width; i-- > 0;) {
    value = value << 8 | static_cast<unsigned char>(bytes[offset + i]);
  }
  return value;
}

Error Damaged(const InputFile& file, const std::string& what) {
  return DataError(Quote(file.uri()) + " is no whole zip archive: " + what);
}

struct Directory {
  int64_t offset = 0;
  int64_t bytes = 0;
};

/// Read what zip64 says in place of fields that are too small (4.3.14, 4.3.15).
Status ReadZip64(InputFile& file, int64_t end_record, Directory& directory) {
  CALVE_ASSIGN_OR_RETURN(const std::string locator,
                         file.ReadAt(std::max<int64_t>(0, end_record - 20), 20));
  if (Little(locator, 0, 4) != kEndRecord64Locator) return Status::Ok();
  const auto at = static_cast<int64_t>(Little(locator, 8, 8));
  CALVE_ASSIGN_OR_RETURN(const std::string record, file.ReadAt(at, 56));
  if (Little(record, 0, 4) != kEndRecord64)
    return Damaged(file, "its zip64 record is not where it should be");
  directory.bytes = static_cast<int64_t>(Little(record, 40, 8));
  directory.offset = static_cast<int64_t>(Little(record, 48, 8));
  return Status::Ok();
}

Result<Directory> FindDirectory(InputFile& file) {
  const int64_t size = file.size().value();
  const int64_t tail_bytes = std::min(size, kEndRecordBytes + kCommentBytesMax);
  CALVE_ASSIGN_OR_RETURN(const std::string tail, file.ReadAt(size - tail_bytes, tail_bytes));
  for (int64_t at = tail_bytes - kEndRecordBytes; at >= 0; --at) {
    const auto here = static_cast<size_t>(at);
    if (Little(tail, here, 4) != kEndRecord) continue;
    Directory directory{static_cast<int64_t>(Little(tail, here + 16, 4)),
                        static_cast<int64_t>(Little(tail, here + 12, 4))};
    if (size - tail_bytes + at >= 20) {
      CALVE_RETURN_IF_ERROR(ReadZip64(file, size - tail_bytes + at, directory));
    }
    if (directory.offset < 0 || directory.bytes < 0 || directory.offset > size ||
        directory.bytes > size - directory.offset) {
      return Damaged(file, "its directory lies outside of it");
    }
    return directory;
  }
  return Damaged(file, "its end is missing; it may have been cut short");
}

/// Take the 64-bit fields of an entry's zip64 extra field (4.5.3), which stand only for those that
/// did not fit.
void ApplyZip64(std::string_view extra, ZipEntry& entry, int64_t& local_header) {
  for (size_t at = 0; at + 4 <= extra.size();) {
    const uint64_t id = Little(extra, at, 2);
    const size_t length = Little(extra, at + 2, 2);
    size_t field = at + 4;
    const size_t end = std::min(extra.size(), field + length);
    at = field + length;
    if (id != 1) continue;
    for (int64_t* value : {&entry.bytes, &entry.compressed_bytes, &local_header}) {
      if (*value != kInZip64 || field + 8 > end) continue;
      *value = static_cast<int64_t>(Little(extra, field, 8));
      field += 8;
    }
  }
}

bool Counts(std::string_view name) {
  return !name.ends_with('/') && !name.starts_with("__MACOSX/");
}

/// Find the bytes of an entry: they follow its local header, whose length the directory does not
/// tell.
Status Locate(InputFile& file, ZipEntry& entry) {
  const int64_t size = file.size().value();
  if (entry.header < 0 || entry.header > size - kLocalHeaderBytes) {
    return Damaged(file, "an entry lies outside of it");
  }
  CALVE_ASSIGN_OR_RETURN(const std::string header, file.ReadAt(entry.header, kLocalHeaderBytes));
  if (Little(header, 0, 4) != kLocalHeader)
    return Damaged(file, "an entry is not where it should be");
  entry.offset = entry.header + kLocalHeaderBytes + static_cast<int64_t>(Little(header, 26, 2)) +
                 static_cast<int64_t>(Little(header, 28, 2));
  if (entry.compressed_bytes < 0 || entry.bytes < 0 || entry.offset > size ||
      entry.compressed_bytes > size - entry.offset) {
    return Damaged(file, "the entry " + Quote(entry.name) + " is longer than the archive");
  }
  return Status::Ok();
}

Status CheckReadable(const InputFile& file, const ZipEntry& entry) {
  const std::string place = Quote(file.uri()) + ", entry " + Quote(entry.name) + ": ";
  if ((entry.flags & 1) != 0)
    return DataError(place + "it is encrypted; give it without a password");
  if (entry.method != 0 && entry.method != 8) {
    return DataError(place + "expected it stored or deflated, found method " +
                     std::to_string(entry.method) + "; pack it again as an ordinary zip");
  }
  return Status::Ok();
}

}  // namespace

Result<std::vector<ZipEntry>> ListZipEntries(InputFile& file) {
  CALVE_ASSIGN_OR_RETURN(const Directory directory, FindDirectory(file));
  if (directory.bytes > kDirectoryBytesMax) {
    return DataError(Quote(file.uri()) + ": expected an archive with few files, found very many");
  }
  CALVE_ASSIGN_OR_RETURN(const std::string bytes, file.ReadAt(directory.offset, directory.bytes));
  std::vector<ZipEntry> entries;
  size_t at = 0;
  while (at + kCentralHeaderBytes <= bytes.size() && Little(bytes, at, 4) == kCentralHeader) {
    const size_t name_bytes = Little(bytes, at + 28, 2);
    const size_t extra_bytes = Little(bytes, at + 30, 2);
    const size_t comment_bytes = Little(bytes, at + 32, 2);
    const size_t name_at = at + kCentralHeaderBytes;
    if (name_at + name_bytes + extra_bytes > bytes.size())
      return Damaged(file, "its directory is cut short");
    ZipEntry entry{.name = bytes.substr(name_at, name_bytes),
                   .compressed_bytes = static_cast<int64_t>(Little(bytes, at + 20, 4)),
                   .bytes = static_cast<int64_t>(Little(bytes, at + 24, 4)),
                   .crc = static_cast<uint32_t>(Little(bytes, at + 16, 4)),
                   .deflated = Little(bytes, at + 10, 2) == 8,
                   .header = static_cast<int64_t>(Little(bytes, at + 42, 4)),
                   .flags = Little(bytes, at + 8, 2),
                   .method = Little(bytes, at + 10, 2)};
    ApplyZip64(std::string_view(bytes).substr(name_at + name_bytes, extra_bytes), entry,
               entry.header);
    if (Counts(entry.name)) entries.push_back(std::move(entry));
    at = name_at + name_bytes + extra_bytes + comment_bytes;
  }
  if (at != bytes.size()) return Damaged(file, "its directory is damaged");
  return entries;
}

Status LocateZipEntry(InputFile& file, ZipEntry* entry) {
  CALVE_RETURN_IF_ERROR(CheckReadable(file, *entry));
  return Locate(file, *entry);
}

Result<ZipEntry> FindOnlyZipEntry(InputFile& file) {
  CALVE_ASSIGN_OR_RETURN(std::vector<ZipEntry> entries, ListZipEntries(file));
  if (entries.size() > 1) {
    return DataError(Quote(file.uri()) + ": expected an archive with one file, found " +
                     Quote(entries[0].name) + " and " + Quote(entries[1].name) +
                     "; unpack it first");
  }
  if (entries.empty())
    return DataError(Quote(file.uri()) + ": expected an archive with one file, found none");
  CALVE_RETURN_IF_ERROR(LocateZipEntry(file, &entries.front()));
  return std::move(entries.front());
}

}  // namespace calve::io

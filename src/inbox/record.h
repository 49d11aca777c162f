#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time.h"

namespace calve::inbox {

using Headers = std::vector<std::pair<std::string, std::string>>;

/// One event of a topic.
struct Record {
  int64_t offset = 0;  ///< Its place in the topic: 0, 1, 2 ... Given by the writer.
  Timestamp arrived;
  std::string key;  ///< The event's id; may be empty.
  Headers headers;
  std::string body;

  bool operator==(const Record&) const = default;
};

/// A segment is a file of records, named by its first offset: 20 digits and ".log". All numbers are
/// little-endian.
///
///     8 bytes    kSegmentHead
///     a record:
///       u32      bytes that follow the checksum
///       u32      CRC-32C of what follows
///       i64      offset
///       i64      bytes of this file that were synced when the record was written
///       i64      time of arrival, microseconds since 1970, UTC
///       u32 + n  key
///       u16      headers, each u16 + n name, u32 + n value
///       n        body
inline constexpr std::string_view kSegmentHead = "calvein1";

/// What stands before a record's checksummed bytes.
inline constexpr size_t kFrameBytes = 8;
/// No record is longer; a length above it is none.
inline constexpr size_t kRecordBytesMax = 128 << 20;

/// Add a record to `out`.
void Encode(const Record& record, int64_t synced_bytes, std::string& out);

/// A record read from the front of some bytes.
struct Decoded {
  Record record;
  int64_t synced_bytes = 0;
  size_t length = 0;  ///< Of the whole, with its frame.
};

/// Read the record at the front of `bytes`; nothing when there is none that is whole.
std::optional<Decoded> Decode(std::string_view bytes);

/// The length of the record at the front of `bytes`, with its frame, by its first four bytes;
/// nothing when it can be none.
std::optional<size_t> LengthOf(std::string_view bytes);

}  // namespace calve::inbox

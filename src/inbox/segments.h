#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "inbox/record.h"
#include "io/plain_file.h"

namespace calve::inbox {

/// A file of a topic's folder and the offset of its first record.
struct Segment {
  std::string path;
  int64_t first = 0;
};

std::string SegmentPath(const std::string& folder, int64_t first);

/// The segments of a topic, in order; none when the topic has none yet.
Result<std::vector<Segment>> ListSegments(const std::string& folder);

/// Reads the records of one segment from the front, through a buffer of bounded size.
class SegmentScan {
 public:
  /// Fails with kData when the file is none of ours; one that is shorter than its head is empty.
  static Result<SegmentScan> Open(const Segment& segment);

  /// The next record; nothing at the end or where what follows is not whole: at() tells where.
  Result<std::optional<Decoded>> Next();
  /// Where the record that Next will read begins.
  int64_t at() const { return at_; }
  const io::PlainFile& file() const { return file_; }
  /// Read again what was read ahead: it may have been taken back since.
  void Forget() {
    buffer_.clear();
    buffer_at_ = at_;
  }

 private:
  SegmentScan(io::PlainFile file, int64_t at) : file_(std::move(file)), at_(at) {}
  /// Have `length` bytes at at_ in the buffer, or those that there are.
  Result<std::string_view> Fill(size_t length);

  io::PlainFile file_;
  int64_t at_;
  std::string buffer_;
  int64_t buffer_at_ = 0;  ///< Where in the file the buffer begins.
};

/// How far a topic is on disk: the offset after its last synced record, in the file `synced` of its
/// folder. Written after each sync and never synced itself, so after a power cut it may be behind,
/// and never ahead.
class SyncedMark {
 public:
  static Result<SyncedMark> OpenToWrite(const std::string& folder);
  Status Write(int64_t end);
  /// Nothing when there is none, or none that is whole.
  static Result<std::optional<int64_t>> Read(const std::string& folder);

 private:
  explicit SyncedMark(io::PlainFile file) : file_(std::move(file)) {}
  io::PlainFile file_;
};

/// The lock that the writer of a topic holds.
std::string LockPath(const std::string& folder);

}  // namespace calve::inbox

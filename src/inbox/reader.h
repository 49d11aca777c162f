#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "inbox/record.h"
#include "inbox/segments.h"

namespace calve::inbox {

/// What a topic has on disk.
struct Extent {
  int64_t first = 0;  ///< The first offset that is still there.
  int64_t end = 0;    ///< The offset after the last one.
};

/// Reads one topic, while its writer writes or when there is none. Any number of processes.
/// For one thread.
class Reader {
 public:
  /// Read from `offset` on. A topic that nobody has written to is empty.
  Reader(std::string folder, int64_t offset) : folder_(std::move(folder)), next_(offset) {}

  Result<Extent> Measure() const;
  /// The next record that is on disk; nothing when there is none yet: ask again. Fails with
  /// kNotFound when the offset was trimmed away, with kData when its record is broken.
  Result<std::optional<Record>> Next();
  /// The offset that Next will read.
  int64_t offset() const { return next_; }

 private:
  Status Find();

  std::string folder_;
  int64_t next_;
  int64_t end_ = 0;  ///< Known to be on disk up to here.
  std::optional<SegmentScan> scan_;
  int64_t scan_next_ = 0;  ///< The offset that the scan reads next.
};

/// The topics of an inbox, by the names of their folders, sorted.
Result<std::vector<std::string>> TopicsIn(const std::string& inbox);

}  // namespace calve::inbox

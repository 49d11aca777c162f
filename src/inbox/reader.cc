#include "inbox/reader.h"

#include <fmt/format.h>

#include <algorithm>

#include "io/lock_file.h"

namespace calve::inbox {
namespace {

/// The end of a topic that nobody writes: what is whole in its last segment, after putting it on
/// disk.
Result<int64_t> EndOf(const Segment& last) {
  CALVE_ASSIGN_OR_RETURN(SegmentScan scan, SegmentScan::Open(last));
  CALVE_RETURN_IF_ERROR(scan.file().Sync());
  int64_t end = last.first;
  while (true) {
    CALVE_ASSIGN_OR_RETURN(const std::optional<Decoded> decoded, scan.Next());
    if (!decoded.has_value() || decoded->record.offset != end) return end;
    ++end;
  }
}

}  // namespace

Result<Extent> Reader::Measure() const {
  // The lock first: a writer that ends meanwhile has left its mark.
  const bool is_written = io::IsHeld(LockPath(folder_));
  CALVE_ASSIGN_OR_RETURN(const std::vector<Segment> segments, ListSegments(folder_));
  if (segments.empty()) return Extent{};
  Extent extent{.first = segments.front().first, .end = segments.front().first};
  CALVE_ASSIGN_OR_RETURN(const std::optional<int64_t> marked, SyncedMark::Read(folder_));
  extent.end = std::max(extent.end, marked.value_or(0));
  if (is_written) return extent;
  CALVE_ASSIGN_OR_RETURN(const int64_t found, EndOf(segments.back()));
  extent.end = std::max(extent.end, found);
  return extent;
}

/// Open the segment that has the next record, at its front.
Status Reader::Find() {
  CALVE_ASSIGN_OR_RETURN(const std::vector<Segment> segments, ListSegments(folder_));
  const auto after =
      std::upper_bound(segments.begin(), segments.end(), next_,
                       [](int64_t offset, const Segment& s) { return offset < s.first; });
  if (after == segments.begin()) {
    return NotFoundError(fmt::format(
        "{}: the record of offset {} was removed; the first that is there has offset {}", folder_,
        next_, segments.empty() ? 0 : segments.front().first));
  }
  CALVE_ASSIGN_OR_RETURN(SegmentScan scan, SegmentScan::Open(*std::prev(after)));
  scan_.emplace(std::move(scan));
  scan_next_ = std::prev(after)->first;
  return Status::Ok();
}

Result<std::optional<Record>> Reader::Next() {
  if (next_ >= end_) {
    CALVE_ASSIGN_OR_RETURN(const Extent extent, Measure());
    end_ = extent.end;
    if (scan_.has_value()) scan_->Forget();
    if (next_ >= end_ && next_ >= extent.first) return std::optional<Record>();
  }
  bool searched = false;
  while (true) {
    if (!scan_.has_value()) {
      CALVE_RETURN_IF_ERROR(Find());
      searched = true;
    }
    CALVE_ASSIGN_OR_RETURN(std::optional<Decoded> decoded, scan_->Next());
    if (decoded.has_value() && decoded->record.offset == scan_next_) {
      if (scan_next_++ < next_) continue;
      ++next_;
      return std::optional<Record>(std::move(decoded->record));
    }
    // The end of a segment, whose successor has the record; or the record is broken.
    if (searched) {
      return DataError(fmt::format(
          "{}: the record of offset {} at byte {} is broken, and had been put on disk; restore the "
          "file from a copy, or read on from another offset",
          scan_->file().path(), scan_next_, scan_->at()));
    }
    scan_.reset();
  }
}

Result<std::vector<std::string>> TopicsIn(const std::string& inbox) {
  std::vector<std::string> topics;
  CALVE_ASSIGN_OR_RETURN(const std::vector<std::string> names, io::NamesIn(inbox));
  for (const std::string& name : names) {
    CALVE_ASSIGN_OR_RETURN(const std::vector<Segment> segments, ListSegments(inbox + "/" + name));
    if (!segments.empty()) topics.push_back(name);
  }
  return topics;
}

}  // namespace calve::inbox

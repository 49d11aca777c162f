#include "inbox/segments.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <span>

#include "base/text.h"

namespace calve::inbox {
namespace {

constexpr size_t kReadBytes = 256 << 10;
constexpr std::string_view kEnding = ".log";
constexpr size_t kDigits = 20;

}  // namespace

std::string SegmentPath(const std::string& folder, int64_t first) {
  return fmt::format("{}/{:020}{}", folder, first, kEnding);
}

std::string LockPath(const std::string& folder) { return folder + "/writer.lock"; }

Result<std::vector<Segment>> ListSegments(const std::string& folder) {
  std::vector<Segment> segments;
  CALVE_ASSIGN_OR_RETURN(const std::vector<std::string> names, io::NamesIn(folder));
  for (const std::string& name : names) {
    if (name.size() != kDigits + kEnding.size() || !name.ends_with(kEnding)) continue;
    const std::optional<int64_t> first = ParseInteger(name.substr(0, kDigits));
    if (first.has_value()) segments.push_back({folder + "/" + name, *first});
  }
  return segments;
}

Result<SegmentScan> SegmentScan::Open(const Segment& segment) {
  CALVE_ASSIGN_OR_RETURN(io::PlainFile file,
                         io::PlainFile::Open(segment.path, io::PlainFile::Opening::kRead));
  std::array<char, kSegmentHead.size()> head{};
  CALVE_ASSIGN_OR_RETURN(const size_t read, file.ReadAt(0, head));
  if (read == head.size() && std::string_view(head.data(), read) != kSegmentHead)
    return DataError(segment.path +
                     ": expected a segment of an inbox, version 1; use the calve that wrote it");
  return SegmentScan(std::move(file), static_cast<int64_t>(kSegmentHead.size()));
}

Result<std::string_view> SegmentScan::Fill(size_t length) {
  const auto begin = static_cast<size_t>(at_ - buffer_at_);
  if (buffer_.size() >= begin + length) return std::string_view(buffer_).substr(begin);
  buffer_.erase(0, std::min(begin, buffer_.size()));
  buffer_at_ = at_;
  const size_t had = buffer_.size();
  buffer_.resize(std::max(length, had + kReadBytes));
  CALVE_ASSIGN_OR_RETURN(const size_t read, file_.ReadAt(buffer_at_ + static_cast<int64_t>(had),
                                                         std::span(buffer_).subspan(had)));
  buffer_.resize(had + read);
  return std::string_view(buffer_);
}

Result<std::optional<Decoded>> SegmentScan::Next() {
  CALVE_ASSIGN_OR_RETURN(std::string_view bytes, Fill(kFrameBytes));
  const std::optional<size_t> length = LengthOf(bytes);
  if (!length.has_value()) return std::optional<Decoded>();
  CALVE_ASSIGN_OR_RETURN(bytes, Fill(*length));
  std::optional<Decoded> decoded = Decode(bytes);
  if (decoded.has_value()) at_ += static_cast<int64_t>(decoded->length);
  return decoded;
}

Result<SyncedMark> SyncedMark::OpenToWrite(const std::string& folder) {
  CALVE_ASSIGN_OR_RETURN(
      io::PlainFile file,
      io::PlainFile::Open(folder + "/synced", io::PlainFile::Opening::kMakeOrChange));
  return SyncedMark(std::move(file));
}

Status SyncedMark::Write(int64_t end) {
  // Twice, so that whoever reads it half written sees that.
  const std::array<int64_t, 2> both = {end, ~end};
  return file_.WriteAt(0, {reinterpret_cast<const char*>(both.data()), sizeof both});
}

Result<std::optional<int64_t>> SyncedMark::Read(const std::string& folder) {
  constexpr int kTriesMax = 100;
  const Result<io::PlainFile> file =
      io::PlainFile::Open(folder + "/synced", io::PlainFile::Opening::kRead);
  if (!file.ok() && file.error().kind == ErrorKind::kNotFound) return std::optional<int64_t>();
  CALVE_RETURN_IF_ERROR(file.status());
  for (int attempt = 0; attempt < kTriesMax; ++attempt) {
    std::array<int64_t, 2> both{};
    CALVE_ASSIGN_OR_RETURN(
        const size_t read,
        file->ReadAt(0, std::span(reinterpret_cast<char*>(both.data()), sizeof both)));
    if (read == sizeof both && both[0] == ~both[1]) return std::optional<int64_t>(both[0]);
  }
  return std::optional<int64_t>();
}

}  // namespace calve::inbox

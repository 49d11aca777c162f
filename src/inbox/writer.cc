#include "inbox/writer.h"

#include <fmt/format.h>

#include <utility>

namespace calve::inbox {
namespace {

/// What a record takes in memory and on disk, about.
int64_t BytesOf(const std::vector<Record>& records) {
  constexpr size_t kBeside = 100;
  size_t bytes = 0;
  for (const Record& record : records) bytes += record.key.size() + record.body.size() + kBeside;
  return static_cast<int64_t>(bytes);
}

Error Broken(const std::string& path, int64_t at, int64_t offset) {
  return DataError(fmt::format(
      "{}: the record of offset {} at byte {} is broken, and had been put on disk; restore the "
      "file from a copy, or move the topic's folder away to go on without it",
      path, offset, at));
}

/// Whether a whole record behind `begin` says that the file was on disk beyond there.
Result<bool> WasSyncedBeyond(const io::PlainFile& file, int64_t begin, int64_t size) {
  std::string bytes(static_cast<size_t>(size - begin), '\0');
  CALVE_ASSIGN_OR_RETURN(const size_t read, file.ReadAt(begin, bytes));
  bytes.resize(read);
  for (size_t at = 1; at + kFrameBytes < bytes.size(); ++at) {
    const std::string_view rest = std::string_view(bytes).substr(at);
    const std::optional<size_t> length = LengthOf(rest);
    if (!length.has_value() || *length > rest.size()) continue;
    const std::optional<Decoded> decoded = Decode(rest);
    if (decoded.has_value() && decoded->synced_bytes > begin) return true;
  }
  return false;
}

}  // namespace

Result<std::unique_ptr<Writer>> Writer::Open(const std::string& folder, WriterOptions options) {
  CALVE_RETURN_IF_ERROR(io::MakeFolder(folder));
  CALVE_ASSIGN_OR_RETURN(io::LockFile lock, io::LockFile::Acquire(LockPath(folder)));
  CALVE_ASSIGN_OR_RETURN(SyncedMark mark, SyncedMark::OpenToWrite(folder));
  std::unique_ptr<Writer> writer(new Writer(folder, options, std::move(lock), std::move(mark)));
  CALVE_RETURN_IF_ERROR(writer->Recover());
  return writer;
}

Status Writer::Recover() {
  CALVE_ASSIGN_OR_RETURN(segments_, ListSegments(folder_));
  CALVE_ASSIGN_OR_RETURN(const std::optional<int64_t> marked, SyncedMark::Read(folder_));
  if (segments_.empty()) {
    if (marked.value_or(0) > 0)
      return DataError(
          fmt::format("{}: {} records were here, and there is no segment; restore the "
                      "files from a copy, or move the folder away",
                      folder_, *marked));
    return Begin(0);
  }
  return RecoverLast(segments_.back(), marked);
}

Status Writer::RecoverLast(const Segment& last, std::optional<int64_t> marked) {
  CALVE_ASSIGN_OR_RETURN(SegmentScan scan, SegmentScan::Open(last));
  end_ = last.first;
  while (true) {
    CALVE_ASSIGN_OR_RETURN(const std::optional<Decoded> decoded, scan.Next());
    if (!decoded.has_value() || decoded->record.offset != end_) break;
    ++end_;
    size_ = scan.at();
  }
  if (size_ == 0) size_ = static_cast<int64_t>(kSegmentHead.size());
  CALVE_ASSIGN_OR_RETURN(file_, io::PlainFile::Open(last.path, io::PlainFile::Opening::kChange));
  CALVE_ASSIGN_OR_RETURN(const int64_t size, file_->Size());
  if (size < static_cast<int64_t>(kSegmentHead.size()))
    CALVE_RETURN_IF_ERROR(file_->WriteAt(0, kSegmentHead));
  bool had_more = marked.value_or(0) > end_;
  if (!had_more && size > size_) {
    CALVE_ASSIGN_OR_RETURN(had_more, WasSyncedBeyond(*file_, size_, size));
  }
  if (had_more) return Broken(last.path, size_, end_);
  if (size > size_) CALVE_RETURN_IF_ERROR(file_->Cut(size_));
  // Records that a killed process wrote and did not sync are whole: they stay.
  CALVE_RETURN_IF_ERROR(file_->Sync());
  return mark_.Write(end_);
}

/// Begin a segment; it is in place, on disk, before anything is written to it.
Status Writer::Begin(int64_t first) {
  const Segment segment{SegmentPath(folder_, first), first};
  CALVE_ASSIGN_OR_RETURN(io::PlainFile file,
                         io::PlainFile::Open(segment.path, io::PlainFile::Opening::kMakeOrChange));
  CALVE_RETURN_IF_ERROR(file.WriteAt(0, kSegmentHead));
  CALVE_RETURN_IF_ERROR(file.Sync());
  CALVE_RETURN_IF_ERROR(io::SyncFolder(folder_));
  file_ = std::move(file);
  size_ = static_cast<int64_t>(kSegmentHead.size());
  std::lock_guard lock(mutex_);
  segments_.push_back(segment);
  return Status::Ok();
}

Status Writer::Write(const std::vector<Batch>& batches, int64_t first) {
  if (size_ >= options_.segment_bytes_max.value()) CALVE_RETURN_IF_ERROR(Begin(first));
  encoded_.clear();
  for (const Batch& batch : batches) {
    for (const Record& record : batch.records) Encode(record, size_, encoded_);
  }
  CALVE_RETURN_IF_ERROR(file_->WriteAt(size_, encoded_));
  CALVE_RETURN_IF_ERROR(file_->Sync());
  size_ += static_cast<int64_t>(encoded_.size());
  constexpr size_t kKept = 4 << 20;
  if (encoded_.capacity() > kKept) std::string().swap(encoded_);
  return Status::Ok();
}

Status Writer::WriteOrTakeBack(const std::vector<Batch>& batches, int64_t first) {
  if (broken_.has_value()) return *broken_;
  Status written = Write(batches, first);
  if (written.ok()) return written;
  // What is half there must not be found by a later start: it was answered by an error.
  Status taken_back = file_->Cut(size_);
  if (taken_back.ok()) taken_back = file_->Sync();
  if (!taken_back.ok())
    broken_ = RefusedError("the inbox takes nothing more until it is opened again: " +
                           taken_back.error().message);
  return written;
}

void Writer::WriteAll(std::unique_lock<std::mutex>& lock) {
  while (!waiting_.empty()) {
    std::vector<Batch> batches = std::exchange(waiting_, {});
    int64_t next = end_;
    int64_t bytes = 0;
    for (Batch& batch : batches) {
      for (Record& record : batch.records) record.offset = next++;
      bytes += batch.bytes;
    }
    const int64_t first = end_;
    lock.unlock();
    const Status written = WriteOrTakeBack(batches, first);
    if (written.ok()) (void)mark_.Write(next);
    lock.lock();
    if (written.ok()) end_ = next;
    waiting_bytes_ -= bytes;
    lock.unlock();
    int64_t offset = first;
    for (Batch& batch : batches) {
      batch.done(written.ok() ? Result<int64_t>(offset) : Result<int64_t>(written));
      offset += static_cast<int64_t>(batch.records.size());
    }
    batches.clear();
    lock.lock();
  }
}

void Writer::Append(std::vector<Record> records, Done done) {
  std::unique_lock lock(mutex_);
  const int64_t bytes = BytesOf(records);
  waiting_bytes_ += bytes;
  waiting_.push_back({std::move(records), std::move(done), bytes});
  if (writing_) return;
  writing_ = true;
  WriteAll(lock);
  writing_ = false;
}

Result<int64_t> Writer::Append(std::vector<Record> records) {
  std::mutex mutex;
  std::condition_variable told;
  std::optional<Result<int64_t>> outcome;
  Append(std::move(records), [&](Result<int64_t> first) {
    std::lock_guard lock(mutex);
    outcome = std::move(first);
    told.notify_one();
  });
  std::unique_lock lock(mutex);
  told.wait(lock, [&] { return outcome.has_value(); });
  return *std::move(outcome);
}

Status Writer::Trim(int64_t offset) {
  std::lock_guard lock(mutex_);
  bool removed = false;
  while (segments_.size() > 1 && segments_[1].first <= offset) {
    CALVE_RETURN_IF_ERROR(io::RemoveFile(segments_.front().path));
    segments_.erase(segments_.begin());
    removed = true;
  }
  return removed ? io::SyncFolder(folder_) : Status::Ok();
}

int64_t Writer::first_offset() const {
  std::lock_guard lock(mutex_);
  return segments_.front().first;
}

int64_t Writer::end_offset() const {
  std::lock_guard lock(mutex_);
  return end_;
}

ByteCount Writer::waiting() const {
  std::lock_guard lock(mutex_);
  return ByteCount(waiting_bytes_);
}

}  // namespace calve::inbox

#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/strong.h"
#include "inbox/record.h"
#include "inbox/segments.h"
#include "io/lock_file.h"
#include "io/plain_file.h"

namespace calve::inbox {

struct WriterOptions {
  ByteCount segment_bytes_max{64 << 20};  ///< A new segment is begun above it.
};

/// Appends to one topic, which lies in a folder of its own. One process writes a topic.
///
/// One sync serves all who wait for one: whoever appends while nobody writes becomes the one who
/// writes and syncs, for others too until none is left, on its own thread. Threads: any.
class Writer {
 public:
  /// Told the offset of the first record, once all are on disk; or why they are not, and are not in
  /// the topic.
  using Done = std::function<void(Result<int64_t> first)>;

  /// Make the folder if need be, and cut what a crash left half written at the topic's end. Fails
  /// with kAlreadyExists when another process writes the topic, with kData when a record is broken
  /// that once was on disk.
  static Result<std::unique_ptr<Writer>> Open(const std::string& folder,
                                              WriterOptions options = {});

  /// Append records, whose offsets the writer gives, all or none. `done` is called once, on this or
  /// another thread that appends.
  void Append(std::vector<Record> records, Done done);
  /// The same, and wait.
  Result<int64_t> Append(std::vector<Record> records);

  /// Remove the segments all of whose records are before `offset`; the last one stays.
  Status Trim(int64_t offset);

  int64_t first_offset() const;
  /// The offset after the last record on disk.
  int64_t end_offset() const;
  /// What was given and is not yet on disk.
  ByteCount waiting() const;

 private:
  struct Batch {
    std::vector<Record> records;
    Done done;
    int64_t bytes = 0;
  };

  Writer(std::string folder, WriterOptions options, io::LockFile lock, SyncedMark mark)
      : folder_(std::move(folder)),
        options_(options),
        lock_(std::move(lock)),
        mark_(std::move(mark)) {}
  Status Recover();
  Status RecoverLast(const Segment& last, std::optional<int64_t> marked);
  Status Begin(int64_t first);
  Status Write(const std::vector<Batch>& batches, int64_t first);
  Status WriteOrTakeBack(const std::vector<Batch>& batches, int64_t first);
  void WriteAll(std::unique_lock<std::mutex>& lock);

  const std::string folder_;
  const WriterOptions options_;
  io::LockFile lock_;

  // Of the one who writes.
  SyncedMark mark_;
  std::optional<io::PlainFile> file_;
  int64_t size_ = 0;  ///< Of the file, all of it on disk.
  std::string encoded_;
  std::optional<Error>
      broken_;  ///< The file is not known to be whole: nothing is written any more.

  mutable std::mutex mutex_;
  std::vector<Segment> segments_;
  std::vector<Batch> waiting_;
  int64_t waiting_bytes_ = 0;
  int64_t end_ = 0;
  bool writing_ = false;
};

}  // namespace calve::inbox

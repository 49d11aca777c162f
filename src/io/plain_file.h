#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/strong.h"
#include "io/system_call.h"

namespace calve::io {

/// A local file that is written in place and synced when its owner says so: for logs, which a
/// FileSystem of whole files is not made for. For one thread, but ReadAt.
class PlainFile {
 public:
  enum class Opening { kRead, kChange, kMakeOrChange, kMake };
  /// Fails with kNotFound when it must be there, with kAlreadyExists when it must not.
  static Result<PlainFile> Open(const std::string& path, Opening opening);

  const std::string& path() const { return path_; }
  Result<int64_t> Size() const;
  Status WriteAt(int64_t offset, std::string_view bytes);
  /// Fill `out`; less only at the end of the file.
  Result<size_t> ReadAt(int64_t offset, std::span<char> out) const;
  Status Cut(int64_t size);
  /// Return once the bytes of the file, and its size, are on disk.
  Status Sync() const;

 private:
  PlainFile(Descriptor file, std::string path) : file_(std::move(file)), path_(std::move(path)) {}
  Descriptor file_;
  std::string path_;
};

/// Make a folder and what is missing above it; return once all of it is on disk.
Status MakeFolder(const std::string& path);
/// Return once the names in a folder are on disk.
Status SyncFolder(const std::string& path);
/// The names of what is in a folder, sorted; none when there is no such folder.
Result<std::vector<std::string>> NamesIn(const std::string& folder);
Status RemoveFile(const std::string& path);
/// What this user may still write to the disk on which `path` lies.
Result<ByteCount> FreeBytes(const std::string& path);

}  // namespace calve::io

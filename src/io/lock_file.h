#pragma once

#include <string>
#include <utility>

#include "base/result.h"

namespace calve::io {

/// A file that this process holds while it lives: the system lets go of it when the process ends,
/// however it ends. Local disks only.
class LockFile {
 public:
  /// Make the file if need be and hold it. Fails with kAlreadyExists when another process does.
  static Result<LockFile> Acquire(const std::string& path);
  LockFile(LockFile&& other) noexcept
      : descriptor_(std::exchange(other.descriptor_, -1)), path_(std::move(other.path_)) {}
  LockFile& operator=(LockFile&&) = delete;
  /// Let go of the file and remove it.
  ~LockFile();

 private:
  LockFile(int descriptor, std::string path) : descriptor_(descriptor), path_(std::move(path)) {}
  int descriptor_;
  std::string path_;
};

/// Whether some process holds the file now; false when there is none.
bool IsHeld(const std::string& path);

/// Remove the file that a dead process has left; ok when there is none. Fails with kAlreadyExists
/// when a living process holds it.
Status RemoveLock(const std::string& path);

}  // namespace calve::io

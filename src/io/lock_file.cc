#include "io/lock_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "io/system_call.h"

namespace calve::io {
namespace {

/// Whether the open file still has the name `path`: its last holder may have removed it just now.
bool IsNamed(int descriptor, const std::string& path) {
  struct stat held{};
  struct stat named{};
  return ::fstat(descriptor, &held) == 0 && ::stat(path.c_str(), &named) == 0 &&
         held.st_dev == named.st_dev && held.st_ino == named.st_ino;
}

}  // namespace

Result<LockFile> LockFile::Acquire(const std::string& path) {
  constexpr int kTriesMax = 100;
  for (int attempt = 0; attempt < kTriesMax; ++attempt) {
    Descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
    if (!file.open()) return SystemError(errno, "make the lock", path);
    if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno != EWOULDBLOCK) return SystemError(errno, "hold the lock", path);
      break;
    }
    if (IsNamed(file.get(), path)) return LockFile(file.Release(), path);
  }
  return AlreadyExistsError("another process holds " + path);
}

LockFile::~LockFile() {
  if (descriptor_ < 0) return;
  ::unlink(path_.c_str());
  ::close(descriptor_);
}

bool IsHeld(const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  // Shared, so that two who ask at once do not take each other for the holder.
  return file.open() && ::flock(file.get(), LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

Status RemoveLock(const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.open()) return Status::Ok();
  if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0)
    return AlreadyExistsError("another process holds " + path);
  if (IsNamed(file.get(), path) && ::unlink(path.c_str()) != 0 && errno != ENOENT)
    return SystemError(errno, "remove the lock", path);
  return Status::Ok();
}

}  // namespace calve::io

#include "io/lock_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace calve::io {

Result<LockFile> LockFile::Acquire(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (descriptor < 0)
    return RefusedError("cannot make the lock " + path + ": " + std::strerror(errno));
  LockFile lock(descriptor, path);
  if (::flock(descriptor, LOCK_EX | LOCK_NB) == 0) return lock;
  lock.descriptor_ = -1;
  ::close(descriptor);
  return AlreadyExistsError("another process holds " + path);
}

LockFile::~LockFile() {
  if (descriptor_ < 0) return;
  ::unlink(path_.c_str());
  ::close(descriptor_);
}

bool IsHeld(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (descriptor < 0) return false;
  const bool held = ::flock(descriptor, LOCK_EX | LOCK_NB) != 0;
  ::close(descriptor);
  return held;
}

}  // namespace calve::io

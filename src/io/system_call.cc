#include "io/system_call.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <utility>

#include "base/text.h"

namespace calve::io {
namespace {

constexpr size_t kReadBytesMax = 1 << 30;  // one system call's worth

}  // namespace

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  if (this != &other) {
    (void)Close();
    fd_ = other.Release();
  }
  return *this;
}

Descriptor::~Descriptor() { (void)Close(); }

int Descriptor::Release() { return std::exchange(fd_, -1); }

bool Descriptor::Close() { return fd_ < 0 || ::close(Release()) == 0; }

Error SystemError(int error_number, std::string_view doing, std::string_view path) {
  char buffer[256];
  const char* said = ::strerror_r(error_number, buffer, sizeof buffer);  // the GNU form
  std::string message = "cannot " + std::string(doing) + " " + Quote(path) + ": ";
  switch (error_number) {
    case ENOENT:
    case ENOTDIR:
      return NotFoundError(message + said);
    case EEXIST:
      return AlreadyExistsError(message + "a file is there already");
    case ENOSPC:
      return RefusedError(message + "the disk is full; free some space and run again");
    case EDQUOT:
      return RefusedError(message + "the disk quota is used up; free some space and run again");
    case EACCES:
    case EPERM:
      return RefusedError(message + said + "; give this user the right to it");
    case EROFS:
      return RefusedError(message +
                          "the file system is mounted read-only; make it writable and run again");
    case EMFILE:
    case ENFILE:
      return RefusedError(message + "too many files are open; raise the limit (ulimit -n)");
    case EISDIR:
      return RefusedError(message + "it is a folder, expected a file");
    case ENAMETOOLONG:
    case ELOOP:
    case EINVAL:
      return ConfigError(message + said);
    case EAGAIN:
    case EINTR:
    case ESTALE:
    case EBUSY:
    case ETIMEDOUT:
      return TransientError(message + said);
    case EIO:
      return RefusedError(message + said + "; check the disk and run again");
    default:
      return RefusedError(message + said);
  }
}

Result<Descriptor> OpenSpool() {
  std::error_code ignored;
  std::string name = (std::filesystem::temp_directory_path(ignored) / "calve-XXXXXX").string();
  Descriptor file(::mkostemp(name.data(), O_CLOEXEC));
  if (!file.open()) return SystemError(errno, "create a temporary file like", name);
  ::unlink(name.c_str());
  return file;
}

bool WriteFully(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      return false;
    }
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return true;
}

Result<size_t> ReadFully(int fd, int64_t offset, std::span<char> out, std::string_view path) {
  size_t filled = 0;
  while (filled < out.size()) {
    const size_t asked = std::min(out.size() - filled, kReadBytesMax);
    const ssize_t got =
        ::pread(fd, out.data() + filled, asked, offset + static_cast<int64_t>(filled));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return SystemError(errno, "read", path);
    if (got == 0) break;
    filled += static_cast<size_t>(got);
  }
  return filled;
}

}  // namespace calve::io

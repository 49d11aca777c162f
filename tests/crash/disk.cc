// A disk that forgets. Preloaded into a program, this library notes every change that the program
// makes below one folder, and which of them fsync has put on disk. When the power goes, it takes
// back what was not put on disk: of each file a tail of its writes, of each folder a tail of its
// entries, drawn by a seed. POSIX promises no more than that.
//
//   DISK_FOLDER   the folder that is watched, a real path
//   DISK_KEPT     a folder on the same disk, outside, where deleted files wait for their return
//   DISK_SEED     draws what is lost
//   DISK_CUT_AT   the power goes before the n-th change; "exit": when the program ends by itself.
//                 It always goes when the program kills itself (kill(getpid(), SIGKILL)).
//   DISK_REPORT   a line is added to this file at the end: changes, bytes written, changes dropped,
//                 changes refused
//   DISK_LIES     "file" or "folder": fsync of those in a warehouse does nothing. The test of the
//                 test: it must see rows lost.
//   DISK_BYTES    the disk is full after so many bytes
//   DISK_REFUSED  changes of what starts with this path fail, as on a disk that is mounted read-only,
//                 closed to this user or broken: from the DISK_REFUSED_AT-th of them on (else the
//                 first), DISK_REFUSED_TIMES times (else always), with DISK_ERRNO (a number)
//
// Not watched: SQLite's shared memory (-shm) and the locks of processes, which nobody expects to
// survive, and writes through mmap, which nothing here does.

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdarg>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <random>
#include <string>
#include <vector>

namespace {

/// The call that this library stands in front of.
template <typename F>
F* Next(const char* name) {
  return reinterpret_cast<F*>(dlsym(RTLD_NEXT, name));
}
#define NEXT(name) (Next<decltype(name)>(#name))

std::string Variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

using Inode = std::pair<dev_t, ino_t>;

class Disk {
 public:
  std::recursive_mutex mutex;

  bool Watches(const std::string& path) const {
    return !folder_.empty() && path.starts_with(folder_ + "/") && !path.ends_with("-shm") &&
           !path.ends_with(".lock");
  }

  static std::string PathOf(int fd) {
    char path[4096];
    const std::string link = "/proc/self/fd/" + std::to_string(fd);
    const ssize_t length = ::readlink(link.c_str(), path, sizeof path);
    return length < 0 ? "" : std::string(path, static_cast<size_t>(length));
  }

  /// Count a change; the power may go before it.
  void Count() {
    if (++changes_ == cut_at_) Cut(/*and_die=*/true);
  }

  bool TakeSpace(size_t bytes) {
    if (bytes_max_ >= 0 && bytes_ + static_cast<long>(bytes) > bytes_max_) {
      ++refused_count_;
      return false;
    }
    bytes_ += static_cast<long>(bytes);
    return true;
  }

  /// Whether a change of `path` fails; errno then says how.
  bool Refuses(const std::string& path) {
    if (refused_.empty() || !path.starts_with(refused_)) return false;
    if (++refusable_ < refused_at_ || (refused_times_ > 0 && refused_count_ >= refused_times_))
      return false;
    ++refused_count_;
    errno = refused_errno_;
    return true;
  }

  /// Before bytes [offset, offset + length) of a file change, or it is cut to `offset` (length -1).
  void BeforeContents(int fd, off_t offset, ssize_t length) {
    struct stat now{};
    if (::fstat(fd, &now) != 0) return;
    const Inode inode{now.st_dev, now.st_ino};
    // Never closed: closing any descriptor of a file would let go of SQLite's locks on it.
    int& own = own_descriptors_[inode];
    if (own == 0)
      own = NEXT(open)(("/proc/self/fd/" + std::to_string(fd)).c_str(), O_RDWR | O_CLOEXEC);
    const off_t end = length < 0 ? now.st_size : std::min<off_t>(offset + length, now.st_size);
    std::string before(static_cast<size_t>(std::max<off_t>(end - offset, 0)), '\0');
    if (!before.empty() && ::pread(own, before.data(), before.size(), offset) < 0) std::abort();
    unsynced_[inode].push_back([own = own, offset, before, size = now.st_size] {
      if (!before.empty()) NEXT(pwrite)(own, before.data(), before.size(), offset);
      NEXT(ftruncate)(own, size);
    });
  }

  /// After the entry `path` of a folder has changed; `take_back` makes it as it was.
  void AfterEntry(const std::string& path, std::function<void()> take_back) {
    const std::string parent = path.substr(0, path.rfind('/'));
    struct stat found{};
    if (::stat(parent.c_str(), &found) == 0)
      unsynced_[{found.st_dev, found.st_ino}].push_back(std::move(take_back));
  }

  /// A second name for what is at `path`, so that it can come back; "" when nothing is there.
  std::string Keep(const std::string& path) {
    const std::string kept = kept_ + "/" + std::to_string(++kept_count_);
    return NEXT(link)(path.c_str(), kept.c_str()) == 0 ? kept : "";
  }

  void Synced(int fd, const std::string& path) {
    struct stat now{};
    if (::fstat(fd, &now) != 0) return;
    const bool lie =
        (lies_ == "file" && S_ISREG(now.st_mode)) || (lies_ == "folder" && S_ISDIR(now.st_mode));
    if (lie && path.find("/warehouse") != std::string::npos) return;
    unsynced_.erase({now.st_dev, now.st_ino});
  }

  /// The power goes. Nothing of this process changes a file any more.
  void Cut(bool and_die) {
    mutex.lock();
    int dropped = 0;
    for (auto& [inode, changes] : unsynced_) {
      const size_t reached = random_() % 2 == 0 ? 0 : random_() % (changes.size() + 1);
      for (; changes.size() > reached; changes.pop_back(), ++dropped) changes.back()();
    }
    unsynced_.clear();
    Report(dropped);
    if (and_die) NEXT(kill)(::getpid(), SIGKILL);
    mutex.unlock();
  }

  /// The program ends by itself.
  void End() {
    if (cut_at_exit_) {
      Cut(/*and_die=*/false);
    } else {
      Report(0);
    }
  }

 private:
  void Report(int dropped) {
    if (report_.empty()) return;
    const std::string line = "changes " + std::to_string(changes_) + " bytes " +
                             std::to_string(bytes_) + " dropped " + std::to_string(dropped) +
                             " refused " + std::to_string(refused_count_) + "\n";
    const int report = NEXT(open)(report_.c_str(), O_WRONLY | O_APPEND | O_CREAT, 0644);
    NEXT(write)(report, line.data(), line.size());
    NEXT(close)(report);
  }

  const std::string folder_ = Variable("DISK_FOLDER");
  const std::string kept_ = Variable("DISK_KEPT");
  const std::string report_ = Variable("DISK_REPORT");
  const std::string lies_ = Variable("DISK_LIES");
  const std::string refused_ = Variable("DISK_REFUSED");
  const long refused_at_ = std::atol(Variable("DISK_REFUSED_AT").c_str());
  const long refused_times_ = std::atol(Variable("DISK_REFUSED_TIMES").c_str());
  const int refused_errno_ = std::atoi(Variable("DISK_ERRNO").c_str());
  long refusable_ = 0;
  long refused_count_ = 0;
  const bool cut_at_exit_ = Variable("DISK_CUT_AT") == "exit";
  const long cut_at_ = std::atol(Variable("DISK_CUT_AT").c_str());
  const long bytes_max_ =
      Variable("DISK_BYTES").empty() ? -1 : std::atol(Variable("DISK_BYTES").c_str());
  long bytes_ = 0;
  std::mt19937_64 random_{std::strtoull(Variable("DISK_SEED").c_str(), nullptr, 10)};
  long changes_ = 0;
  long kept_count_ = 0;
  /// By file its writes, by folder its entries, in their order, as what takes them back.
  std::map<Inode, std::vector<std::function<void()>>> unsynced_;
  std::map<Inode, int> own_descriptors_;
};

/// Never destroyed: other threads and destructors write until the end.
Disk& TheDisk() {
  static Disk& disk = *new Disk;
  return disk;
}

struct AtExit {
  ~AtExit() { TheDisk().End(); }
} at_exit;

bool IsThere(const std::string& path) {
  struct stat found{};
  return ::lstat(path.c_str(), &found) == 0;
}

void Remove(const std::string& path) { NEXT(unlink)(path.c_str()); }

/// Goes through unlinkat and rmdir, which nobody stands in front of.
void RemoveWhole(const std::string& path) {
  std::error_code ignored;
  std::filesystem::remove_all(path, ignored);
}

template <typename Call>
int Open(const char* path, int flags, Call call) {
  if ((flags & O_ACCMODE) != O_RDONLY && TheDisk().Watches(path)) {
    std::lock_guard lock(TheDisk().mutex);
    if (TheDisk().Refuses(path)) return -1;
  }
  const bool changes = (flags & (O_CREAT | O_TRUNC)) != 0 && (flags & O_TMPFILE) != O_TMPFILE;
  if (!changes || !TheDisk().Watches(path)) return call();
  std::lock_guard lock(TheDisk().mutex);
  const std::string name = path;
  const bool there = IsThere(name);
  if (there && (flags & O_TRUNC) != 0) {
    const int before = NEXT(open)(path, O_RDWR | O_CLOEXEC);
    if (before >= 0) TheDisk().BeforeContents(before, 0, -1);
  }
  if (!there) TheDisk().Count();
  const int fd = call();
  if (fd >= 0 && !there) TheDisk().AfterEntry(name, [name] { Remove(name); });
  return fd;
}

/// Bytes written where the file stands, or at `offset`.
template <typename Call>
ssize_t Write(int fd, size_t length, off_t offset, Call call) {
  const std::string path = Disk::PathOf(fd);
  if (!TheDisk().Watches(path)) return call();
  std::lock_guard lock(TheDisk().mutex);
  TheDisk().Count();
  if (TheDisk().Refuses(path)) return -1;
  if (!TheDisk().TakeSpace(length)) {
    errno = ENOSPC;
    return -1;
  }
  if (offset < 0) offset = ::lseek(fd, 0, SEEK_CUR);
  TheDisk().BeforeContents(fd, offset, static_cast<ssize_t>(length));
  return call();
}

template <typename Call>
int Truncate(int fd, off_t size, Call call) {
  const std::string path = Disk::PathOf(fd);
  if (!TheDisk().Watches(path)) return call();
  std::lock_guard lock(TheDisk().mutex);
  TheDisk().Count();
  if (TheDisk().Refuses(path)) return -1;
  TheDisk().BeforeContents(fd, size, -1);
  return call();
}

template <typename Call>
int Sync(int fd, Call call) {
  const std::string path = Disk::PathOf(fd);
  if (!TheDisk().Watches(path + "/")) return call();
  std::lock_guard lock(TheDisk().mutex);
  TheDisk().Count();
  if (TheDisk().Refuses(path)) return -1;
  TheDisk().Synced(fd, path);
  return 0;  // The machine itself stays up: its own disk need not be waited for.
}

template <typename Call>
int Name(const std::string& path, Call call) {
  if (!TheDisk().Watches(path)) return call();
  std::lock_guard lock(TheDisk().mutex);
  TheDisk().Count();
  if (TheDisk().Refuses(path)) return -1;
  const int made = call();
  if (made == 0) TheDisk().AfterEntry(path, [path] { Remove(path); });
  return made;
}

template <typename Call>
int Rename(const std::string& from, const std::string& to, Call call) {
  if (!TheDisk().Watches(to)) return call();
  std::lock_guard lock(TheDisk().mutex);
  TheDisk().Count();
  if (TheDisk().Refuses(to)) return -1;
  const std::string kept = TheDisk().Keep(to);
  const int renamed = call();
  if (renamed != 0) return renamed;
  TheDisk().AfterEntry(to, [from, to, kept] {
    NEXT(rename)(to.c_str(), from.c_str());
    if (!kept.empty()) NEXT(link)(kept.c_str(), to.c_str());
  });
  return 0;
}

}  // namespace

extern "C" {

int open(const char* path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  const mode_t mode = va_arg(more, mode_t);
  va_end(more);
  return Open(path, flags, [&] { return NEXT(open)(path, flags, mode); });
}
int open64(const char* path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  const mode_t mode = va_arg(more, mode_t);
  va_end(more);
  return Open(path, flags, [&] { return NEXT(open64)(path, flags, mode); });
}

ssize_t write(int fd, const void* bytes, size_t length) {
  return Write(fd, length, -1, [&] { return NEXT(write)(fd, bytes, length); });
}
ssize_t pwrite(int fd, const void* bytes, size_t length, off_t offset) {
  return Write(fd, length, offset, [&] { return NEXT(pwrite)(fd, bytes, length, offset); });
}
ssize_t pwrite64(int fd, const void* bytes, size_t length, off64_t offset) {
  return Write(fd, length, offset, [&] { return NEXT(pwrite64)(fd, bytes, length, offset); });
}
int ftruncate(int fd, off_t size) noexcept {
  return Truncate(fd, size, [&] { return NEXT(ftruncate)(fd, size); });
}
int ftruncate64(int fd, off64_t size) noexcept {
  return Truncate(fd, size, [&] { return NEXT(ftruncate64)(fd, size); });
}
int fsync(int fd) {
  return Sync(fd, [&] { return NEXT(fsync)(fd); });
}
int fdatasync(int fd) {
  return Sync(fd, [&] { return NEXT(fdatasync)(fd); });
}

int link(const char* from, const char* to) noexcept {
  return Name(to, [&] { return NEXT(link)(from, to); });
}
int linkat(int from_folder, const char* from, int to_folder, const char* to, int flags) noexcept {
  return Name(to, [&] { return NEXT(linkat)(from_folder, from, to_folder, to, flags); });
}
int mkdir(const char* path, mode_t mode) noexcept {
  if (!TheDisk().Watches(path)) return NEXT(mkdir)(path, mode);
  std::lock_guard lock(TheDisk().mutex);
  TheDisk().Count();
  if (!IsThere(path) && TheDisk().Refuses(path)) return -1;
  const int made = NEXT(mkdir)(path, mode);
  if (made == 0) TheDisk().AfterEntry(path, [folder = std::string(path)] { RemoveWhole(folder); });
  return made;
}
int unlink(const char* path) noexcept {
  if (!TheDisk().Watches(path)) return NEXT(unlink)(path);
  std::lock_guard lock(TheDisk().mutex);
  TheDisk().Count();
  const std::string name = path;
  if (IsThere(name) && TheDisk().Refuses(name)) return -1;
  const std::string kept = TheDisk().Keep(name);
  const int removed = NEXT(unlink)(path);
  if (removed == 0)
    TheDisk().AfterEntry(name, [name, kept] { NEXT(link)(kept.c_str(), name.c_str()); });
  return removed;
}
int rename(const char* from, const char* to) noexcept {
  return Rename(from, to, [&] { return NEXT(rename)(from, to); });
}
int renameat2(int from_folder, const char* from, int to_folder, const char* to,
              unsigned flags) noexcept {
  return Rename(from, to, [&] { return NEXT(renameat2)(from_folder, from, to_folder, to, flags); });
}

int kill(pid_t process, int signal) noexcept {
  if (process == ::getpid() && signal == SIGKILL) TheDisk().Cut(/*and_die=*/true);
  return NEXT(kill)(process, signal);
}

}  // extern "C"

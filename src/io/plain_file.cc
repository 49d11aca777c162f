#include "io/plain_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

namespace calve::io {
namespace {

int FlagsOf(PlainFile::Opening opening) {
  switch (opening) {
    case PlainFile::Opening::kRead:
      return O_RDONLY;
    case PlainFile::Opening::kChange:
      return O_RDWR;
    case PlainFile::Opening::kMakeOrChange:
      return O_RDWR | O_CREAT;
    case PlainFile::Opening::kMake:
      return O_RDWR | O_CREAT | O_EXCL;
  }
  return O_RDONLY;
}

std::string FolderOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

Result<PlainFile> PlainFile::Open(const std::string& path, Opening opening) {
  Descriptor file(::open(path.c_str(), FlagsOf(opening) | O_CLOEXEC, 0644));
  if (!file.open()) return SystemError(errno, "open", path);
  return PlainFile(std::move(file), path);
}

Result<int64_t> PlainFile::Size() const {
  struct stat found{};
  if (::fstat(file_.get(), &found) != 0) return SystemError(errno, "measure", path_);
  return int64_t{found.st_size};
}

Status PlainFile::WriteAt(int64_t offset, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::pwrite(file_.get(), bytes.data(), bytes.size(), offset);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return SystemError(errno, "write", path_);
    bytes.remove_prefix(static_cast<size_t>(written));
    offset += written;
  }
  return Status::Ok();
}

Result<size_t> PlainFile::ReadAt(int64_t offset, std::span<char> out) const {
  return ReadFully(file_.get(), offset, out, path_);
}

Status PlainFile::Cut(int64_t size) {
  if (::ftruncate(file_.get(), size) == 0) return Status::Ok();
  return SystemError(errno, "cut", path_);
}

Status PlainFile::Sync() const {
  if (::fdatasync(file_.get()) == 0) return Status::Ok();
  return SystemError(errno, "put on disk", path_);
}

Status MakeFolder(const std::string& path) {
  struct stat found{};
  if (::stat(path.c_str(), &found) != 0) {
    CALVE_RETURN_IF_ERROR(MakeFolder(FolderOf(path)));
    if (::mkdir(path.c_str(), 0755) != 0 && errno != EEXIST)
      return SystemError(errno, "make folder", path);
  } else if (!S_ISDIR(found.st_mode)) {
    return RefusedError("cannot make folder " + path +
                        ": a file of that name is there; move it away and run again");
  }
  return SyncFolder(FolderOf(path));  // Whoever made it may not have come that far.
}

Status SyncFolder(const std::string& path) {
  const Descriptor folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder.open()) return SystemError(errno, "open folder", path);
  if (::fsync(folder.get()) == 0 || errno == EINVAL || errno == ENOTSUP) return Status::Ok();
  return SystemError(errno, "put on disk the folder", path);
}

Result<std::vector<std::string>> NamesIn(const std::string& folder) {
  std::vector<std::string> names;
  std::error_code failed;
  std::filesystem::directory_iterator at(folder, failed);
  for (; !failed && at != std::filesystem::directory_iterator(); at.increment(failed))
    names.push_back(at->path().filename().string());
  if (failed && failed != std::errc::no_such_file_or_directory)
    return SystemError(failed.value(), "list folder", folder);
  std::sort(names.begin(), names.end());
  return names;
}

Status RemoveFile(const std::string& path) {
  if (::unlink(path.c_str()) == 0) return Status::Ok();
  return SystemError(errno, "remove", path);
}

Result<ByteCount> FreeBytes(const std::string& path) {
  struct statvfs found{};
  if (::statvfs(path.c_str(), &found) != 0) return SystemError(errno, "measure the disk of", path);
  return ByteCount(static_cast<int64_t>(found.f_bavail * found.f_frsize));
}

}  // namespace calve::io

#include "io/local/durable.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <utility>

#include "base/text.h"
#include "io/uri.h"

namespace calve::io {
namespace {

constexpr size_t kBufferBytes = 256 << 10;
constexpr size_t kKnownFoldersMax = 100'000;
constexpr mode_t kFileMode = 0666;  // less the user's umask
constexpr mode_t kFolderMode = 0777;

std::string FolderOf(const std::string& path) {
  std::string folder = ParentUri(path);
  return folder.empty() ? (path.starts_with('/') ? "/" : ".") : folder;
}

bool IsFolder(const std::string& path) {
  struct stat found{};
  return ::stat(path.c_str(), &found) == 0 && S_ISDIR(found.st_mode);
}

/// A file that gets its name when it is whole and on disk.
class DurableFile : public OutputFile {
 public:
  DurableFile(const Context& context, std::string uri, std::string path, Naming naming)
      : context_(context), uri_(std::move(uri)), path_(std::move(path)), naming_(naming) {}
  ~DurableFile() override { Abort(); }

  Status Open() {
    if (naming_ == Naming::kUnnamedThenLink && OpenUnnamed()) return Status::Ok();
    if (naming_ == Naming::kUnnamedThenLink) naming_ = Naming::kNamedThenLink;
    temporary_ = FolderOf(path_) + "/.calve-" + NewUuidString(*context_.random) + ".tmp";
    file_ =
        Descriptor(::open(temporary_.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, kFileMode));
    if (!file_.open()) {
      temporary_.clear();
      return SystemError(errno, "create", path_);
    }
    return Status::Ok();
  }

  const std::string& uri() const override { return uri_; }
  ByteCount position() const override { return ByteCount(position_); }

  Status Write(std::string_view bytes) override {
    if (!file_.open()) return BugError(Quote(uri_) + " was written to after it was closed");
    CALVE_RETURN_IF_ERROR(context_.CheckStop());
    position_ += static_cast<int64_t>(bytes.size());
    if (buffer_.size() + bytes.size() > kBufferBytes) CALVE_RETURN_IF_ERROR(Flush());
    if (bytes.size() > kBufferBytes) return WriteNow(bytes);
    buffer_ += bytes;
    return Status::Ok();
  }

  Result<ByteCount> Close() override {
    if (!file_.open()) return BugError(Quote(uri_) + " was closed twice, or after a failure");
    Status closed = Finish();
    if (!closed.ok()) {
      Abort();
      return std::move(closed).error();
    }
    return ByteCount(position_);
  }

  void Abort() override {
    (void)file_.Close();
    if (!temporary_.empty()) ::unlink(temporary_.c_str());
    temporary_.clear();
  }

 private:
  /// Open a file without a name. False when this place has none, or could not name it later.
  bool OpenUnnamed() {
    file_ =
        Descriptor(::open(FolderOf(path_).c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, kFileMode));
    if (file_.open() && ::access(OwnLink().c_str(), F_OK) != 0) (void)file_.Close();
    return file_.open();
  }

  std::string OwnLink() const { return "/proc/self/fd/" + std::to_string(file_.get()); }

  Status WriteNow(std::string_view bytes) {
    if (WriteFully(file_.get(), bytes)) return Status::Ok();
    Error error = SystemError(errno, "write to", path_);
    Abort();
    return error;
  }

  Status Flush() {
    CALVE_RETURN_IF_ERROR(WriteNow(buffer_));
    buffer_.clear();
    return Status::Ok();
  }

  Status Finish() {
    CALVE_RETURN_IF_ERROR(Flush());
    if (::fsync(file_.get()) != 0) return SystemError(errno, "put on disk", path_);
    CALVE_RETURN_IF_ERROR(context_.Step("io.before_name"));
    CALVE_RETURN_IF_ERROR(Name());
    const bool closed = file_.Close();
    CALVE_RETURN_IF_ERROR(context_.Step("io.before_folder_sync"));
    Status synced = DurableFolders::Sync(FolderOf(path_));
    if (closed && synced.ok()) return Status::Ok();
    return UnknownOutcomeError(Quote(path_) +
                               " has its name, but the system could not put that on disk; " +
                               (synced.ok() ? "closing it failed" : synced.error().message));
  }

  Status Name() {
    switch (naming_) {
      case Naming::kUnnamedThenLink:
        if (::linkat(AT_FDCWD, OwnLink().c_str(), AT_FDCWD, path_.c_str(), AT_SYMLINK_FOLLOW) ==
            0) {
          return Status::Ok();
        }
        return SystemError(errno, "create", path_);
      case Naming::kNamedThenLink:
        return NameWithoutReplacing();
      case Naming::kNamedThenRename:
        if (::rename(temporary_.c_str(), path_.c_str()) != 0) {
          return SystemError(errno, "create", path_);
        }
        temporary_.clear();
        return Status::Ok();
    }
    return BugError("a naming that is not listed");
  }

  Status NameWithoutReplacing() {
    if (::link(temporary_.c_str(), path_.c_str()) == 0) {
      ::unlink(temporary_.c_str());
      temporary_.clear();
      return Status::Ok();
    }
    if (errno != EPERM && errno != EOPNOTSUPP && errno != ENOSYS) {
      return SystemError(errno, "create", path_);
    }
    // File systems without links (FAT, some network drives) may still rename without replacing.
    if (::renameat2(AT_FDCWD, temporary_.c_str(), AT_FDCWD, path_.c_str(), RENAME_NOREPLACE) == 0) {
      temporary_.clear();
      return Status::Ok();
    }
    if (errno == EEXIST) return SystemError(errno, "create", path_);
    return RefusedError("cannot create " + Quote(path_) +
                        ": this file system can neither link nor rename without replacing, so "
                        "two writers could overwrite each other; use another place");
  }

  Context context_;
  std::string uri_;
  std::string path_;
  Naming naming_;
  Descriptor file_;
  std::string temporary_;  // its name until it gets its own; "" when it has none
  std::string buffer_;
  int64_t position_ = 0;
};

}  // namespace

Status DurableFolders::Sync(const std::string& path) {
  Descriptor folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder.open()) {
    // A folder that may be entered but not listed cannot be opened; its owner made it durable.
    return errno == EACCES ? Status::Ok() : Status(SystemError(errno, "open folder", path));
  }
  if (::fsync(folder.get()) == 0 || errno == EINVAL || errno == ENOTSUP || errno == EROFS) {
    return Status::Ok();  // the last three: this file system does not sync folders
  }
  return SystemError(errno, "put on disk the folder", path);
}

Result<Made> DurableFolders::Ensure(const std::string& path) {
  std::string folder = path;
  while (folder.size() > 1 && folder.ends_with('/')) folder.pop_back();
  std::lock_guard lock(mutex_);
  return EnsureOne(folder);
}

Result<Made> DurableFolders::EnsureOne(const std::string& path) {
  if (path == "/" || path == ".") return Made::kBefore;
  const bool there = IsFolder(path);
  if (there && known_.contains(path)) return Made::kBefore;
  CALVE_RETURN_IF_ERROR(EnsureOne(FolderOf(path)));
  Made made = Made::kBefore;
  if (!there) {
    if (::mkdir(path.c_str(), kFolderMode) == 0) {
      made = Made::kNow;
    } else if (errno != EEXIST) {
      return SystemError(errno, "create folder", path);
    } else if (!IsFolder(path)) {
      return RefusedError("cannot create folder " + Quote(path) +
                          ": a file of that name is there; move it away and run again");
    }
  }
  // Also when another process made it: its sync may still be under way.
  CALVE_RETURN_IF_ERROR(Sync(FolderOf(path)));
  if (known_.size() >= kKnownFoldersMax) known_.clear();
  known_.insert(path);
  return made;
}

Result<std::unique_ptr<OutputFile>> OpenDurable(const Context& context, const std::string& uri,
                                                const std::string& path, Naming naming) {
  auto file = std::make_unique<DurableFile>(context, uri, path, naming);
  CALVE_RETURN_IF_ERROR(file->Open());
  return file;
}

}  // namespace calve::io

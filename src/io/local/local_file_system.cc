#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <set>
#include <utility>

#include "base/text.h"
#include "io/local/durable.h"
#include "io/registry.h"
#include "io/system_call.h"
#include "io/uri.h"

namespace calve::io {
namespace {

constexpr size_t kPageFiles = 1000;

Result<std::string> PathOf(const std::string& text) {
  CALVE_ASSIGN_OR_RETURN(Uri uri, ParseUri(text));
  return std::move(uri.path);
}

Timestamp ModifiedAt(const struct stat& found) {
  return Timestamp(std::chrono::seconds(found.st_mtim.tv_sec) +
                   std::chrono::microseconds(found.st_mtim.tv_nsec / 1000));
}

FileInfo Describe(std::string uri, const struct stat& found) {
  const bool folder = S_ISDIR(found.st_mode);
  return {.uri = std::move(uri),
          .kind = folder ? FileKind::kFolder : FileKind::kFile,
          .size = ByteCount(folder ? 0 : found.st_size),
          .modified = ModifiedAt(found),
          .etag = ""};
}

class LocalInput : public InputFile {
 public:
  LocalInput(const Context& context, std::string uri, Descriptor file, int64_t size)
      : stop_(context.stop), uri_(std::move(uri)), file_(std::move(file)), size_(size) {}

  const std::string& uri() const override { return uri_; }
  ByteCount size() const override { return ByteCount(size_); }

  Result<size_t> ReadInto(int64_t offset, std::span<char> out) override {
    if (stop_.stop_requested()) return StoppedError("stopped on request");
    return ReadFully(file_.get(), offset, out, uri_);
  }

 private:
  std::stop_token stop_;
  std::string uri_;
  Descriptor file_;
  int64_t size_;
};

/// One walk over a folder, page by page.
class Listing {
 public:
  Listing(const Context& context, const ListOptions& options, const ListPage& page)
      : context_(context), options_(options), page_(page) {}

  Status Walk(const std::string& uri, const std::string& path) {
    pending_.emplace_back(uri, path);
    bool top = true;
    while (!pending_.empty() && more_) {
      auto [folder_uri, folder_path] = std::move(pending_.back());
      pending_.pop_back();
      CALVE_RETURN_IF_ERROR(WalkOne(folder_uri, folder_path, top));
      top = false;
    }
    return more_ ? Emit() : Status::Ok();
  }

 private:
  Status WalkOne(const std::string& uri, const std::string& path, bool top) {
    DIR* opened = ::opendir(path.c_str());
    if (opened == nullptr) {
      if (errno == ENOENT && !top) return Status::Ok();  // deleted while we walk
      return SystemError(errno, "list", path);
    }
    const std::unique_ptr<DIR, int (*)(DIR*)> folder(opened, ::closedir);
    while (more_) {
      errno = 0;
      const dirent* entry = ::readdir(folder.get());
      if (entry == nullptr)
        return errno == 0 ? Status::Ok() : Status(SystemError(errno, "list", path));
      const std::string_view name = entry->d_name;
      if (name == "." || name == "..") continue;
      CALVE_RETURN_IF_ERROR(Take(::dirfd(folder.get()), uri, path, entry->d_name));
    }
    return Status::Ok();
  }

  Status Take(int folder, const std::string& uri, const std::string& path, const char* name) {
    struct stat found{};
    if (::fstatat(folder, name, &found, AT_SYMLINK_NOFOLLOW) != 0) return Skipped(path, name);
    const bool link = S_ISLNK(found.st_mode);
    if (link && ::fstatat(folder, name, &found, 0) != 0) return Skipped(path, name);
    if (!S_ISDIR(found.st_mode) && !S_ISREG(found.st_mode)) return Status::Ok();
    std::string entry_uri = JoinUri(uri, name);
    if (options_.recursive && S_ISDIR(found.st_mode)) {
      if (!link) pending_.emplace_back(std::move(entry_uri), JoinUri(path, name));
      return Status::Ok();
    }
    found_.push_back(Describe(std::move(entry_uri), found));
    return found_.size() >= kPageFiles ? Emit() : Status::Ok();
  }

  /// Pass over an entry that was deleted meanwhile, or a link that leads nowhere; fail for all
  /// else.
  static Status Skipped(const std::string& path, const char* name) {
    if (errno == ENOENT || errno == ELOOP) return Status::Ok();
    return SystemError(errno, "look at", JoinUri(path, name));
  }

  Status Emit() {
    CALVE_RETURN_IF_ERROR(context_.CheckStop());
    if (found_.empty()) return Status::Ok();
    CALVE_ASSIGN_OR_RETURN(more_, page_(found_));
    found_.clear();
    return Status::Ok();
  }

  const Context& context_;
  const ListOptions& options_;
  const ListPage& page_;
  std::vector<std::pair<std::string, std::string>> pending_;  // address, path
  std::vector<FileInfo> found_;
  bool more_ = true;
};

/// Files on this machine. What it wrote is on disk, name and contents, when Close() returns.
class LocalFileSystem : public FileSystem {
 public:
  Result<std::unique_ptr<InputFile>> OpenInput(const Context& context, const std::string& uri,
                                               const InputOptions&) override {
    CALVE_ASSIGN_OR_RETURN(const std::string path, PathOf(uri));
    // Without O_NONBLOCK a pipe that nobody writes to would hold us here for ever.
    Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!file.open()) return SystemError(errno, "open for reading", path);
    struct stat found{};
    if (::fstat(file.get(), &found) != 0) return SystemError(errno, "open for reading", path);
    if (S_ISDIR(found.st_mode)) return SystemError(EISDIR, "open for reading", path);
    if (!S_ISREG(found.st_mode)) {
      return RefusedError("cannot open for reading " + Quote(path) +
                          ": expected a plain file, found a pipe or a device");
    }
    return std::make_unique<LocalInput>(context, uri, std::move(file), found.st_size);
  }

  Result<std::unique_ptr<OutputFile>> OpenOutput(const Context& context, const std::string& uri,
                                                 const OutputOptions& options) override {
    CALVE_ASSIGN_OR_RETURN(const std::string path, PathOf(uri));
    if (path.ends_with('/'))
      return ConfigError("cannot create " + Quote(uri) + ": it names a folder");
    const std::string folder = ParentUri(path);
    if (!folder.empty()) CALVE_RETURN_IF_ERROR(folders_.Ensure(folder));
    if (options.overwrite == OverwritePolicy::kReplace) {
      return OpenDurable(context, uri, path, Naming::kNamedThenRename);
    }
    struct stat found{};
    if (::lstat(path.c_str(), &found) == 0) return SystemError(EEXIST, "create", path);
    return OpenDurable(context, uri, path, Naming::kUnnamedThenLink);
  }

  Result<FileInfo> Stat(const Context&, const std::string& uri) override {
    CALVE_ASSIGN_OR_RETURN(const std::string path, PathOf(uri));
    struct stat found{};
    if (::stat(path.c_str(), &found) != 0) return SystemError(errno, "look at", path);
    return Describe(uri, found);
  }

  Status List(const Context& context, const std::string& folder, const ListOptions& options,
              const ListPage& page) override {
    CALVE_ASSIGN_OR_RETURN(const std::string path, PathOf(folder));
    return Listing(context, options, page).Walk(folder, path);
  }

  Status Delete(const Context&, const std::string& uri) override {
    std::set<std::string> folders;
    CALVE_RETURN_IF_ERROR(Unlink(uri, &folders));
    return folders.empty() ? Status::Ok() : DurableFolders::Sync(*folders.begin());
  }

  /// With one sync a folder: when this returns, no power cut brings a file back.
  Status DeleteAll(const Context& context, std::span<const std::string> uris) override {
    std::optional<Error> first;
    size_t failed = 0;
    const auto note = [&](Status status) {
      if (status.ok()) return;
      ++failed;
      if (!first) first = std::move(status).error();
    };
    std::set<std::string> folders;
    for (const std::string& uri : uris) {
      CALVE_RETURN_IF_ERROR(context.CheckStop());
      note(Unlink(uri, &folders));
    }
    for (const std::string& folder : folders) note(DurableFolders::Sync(folder));
    if (!first) return Status::Ok();
    return While("delete " + FormatCount(static_cast<int64_t>(uris.size())) + " files, of which " +
                     FormatCount(static_cast<int64_t>(failed)) + " failed",
                 *std::move(first));
  }

  Status DeleteEmptyFolder(const Context&, const std::string& uri) override {
    CALVE_ASSIGN_OR_RETURN(const std::string path, PathOf(uri));
    if (::rmdir(path.c_str()) == 0 || errno == ENOENT) return Status::Ok();
    if (errno == ENOTEMPTY || errno == EEXIST) {
      return RefusedError("cannot delete folder " + Quote(path) + ": it is not empty");
    }
    if (errno == ENOTDIR) {
      return RefusedError("cannot delete folder " + Quote(path) + ": it is a file, or lies in one");
    }
    return SystemError(errno, "delete folder", path);
  }

  Status CreateIfAbsent(const Context& context, const std::string& uri,
                        std::string_view bytes) override {
    return StatusOf(WriteFile(context, uri, bytes, {.overwrite = OverwritePolicy::kFail}));
  }

  Result<Made> EnsureFolder(const Context&, const std::string& uri) override {
    CALVE_ASSIGN_OR_RETURN(const std::string path, PathOf(uri));
    return folders_.Ensure(path);
  }

  Result<Capabilities> CapabilitiesFor(const std::string&) override { return Capabilities{}; }

 private:
  /// Take the name away, and note the folder that has changed. A file that is gone already may have
  /// gone without being synced.
  static Status Unlink(const std::string& uri, std::set<std::string>* folders) {
    CALVE_ASSIGN_OR_RETURN(const std::string path, PathOf(uri));
    std::string folder = ParentUri(path);
    if (folder.empty()) folder = ".";
    if (::unlink(path.c_str()) != 0) {
      if (errno != ENOENT && errno != ENOTDIR) return SystemError(errno, "delete", path);
      struct stat found{};
      if (::stat(folder.c_str(), &found) != 0 || !S_ISDIR(found.st_mode)) return Status::Ok();
    }
    folders->insert(std::move(folder));
    return Status::Ok();
  }

  DurableFolders folders_;
};

}  // namespace

CALVE_PART(local) {
  registry.Add({.name = "local",
                .schemes = {"", "file"},
                .open = [](const Properties&) -> Result<std::unique_ptr<FileSystem>> {
                  return std::make_unique<LocalFileSystem>();
                }});
}

}  // namespace calve::io

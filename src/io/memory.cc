#include "io/memory.h"

#include <algorithm>
#include <cstring>
#include <set>

#include "base/text.h"
#include "io/registry.h"
#include "io/uri.h"

namespace calve::io {
namespace {

constexpr size_t kPageFiles = 1000;

struct Stored {
  std::shared_ptr<const std::string> bytes;
  Timestamp modified;
  int64_t version = 0;
};

/// The name under which a file is kept: authority and path.
Result<std::string> KeyOf(const std::string& text) {
  CALVE_ASSIGN_OR_RETURN(Uri uri, ParseUri(text));
  return uri.path.empty() ? uri.authority : uri.authority + "/" + uri.path;
}

std::string WithSlash(std::string key) {
  if (!key.ends_with('/')) key += '/';
  return key;
}

FileInfo Describe(std::string uri, const Stored& stored) {
  return {.uri = std::move(uri),
          .kind = FileKind::kFile,
          .size = ByteCount(static_cast<int64_t>(stored.bytes->size())),
          .modified = stored.modified,
          .etag = std::to_string(stored.version)};
}

class MemoryInput : public InputFile {
 public:
  MemoryInput(std::string uri, std::shared_ptr<const std::string> bytes, std::stop_token stop)
      : uri_(std::move(uri)), bytes_(std::move(bytes)), stop_(std::move(stop)) {}

  const std::string& uri() const override { return uri_; }
  ByteCount size() const override { return ByteCount(static_cast<int64_t>(bytes_->size())); }

  Result<size_t> ReadInto(int64_t offset, std::span<char> out) override {
    if (stop_.stop_requested()) return StoppedError("stopped on request");
    if (offset < 0) return DataError(Quote(uri_) + ": asked to read at a negative offset");
    const auto start = std::min(static_cast<size_t>(offset), bytes_->size());
    const size_t length = std::min(out.size(), bytes_->size() - start);
    if (length != 0) std::memcpy(out.data(), bytes_->data() + start, length);
    return length;
  }

 private:
  std::string uri_;
  std::shared_ptr<const std::string> bytes_;
  std::stop_token stop_;
};

}  // namespace

struct MemoryFileSystem::Files {
  std::mutex mutex;
  std::map<std::string, Stored> by_key;
  int64_t versions = 0;

  Status Put(const Context& context, const std::string& uri, const std::string& key,
             std::string bytes, OverwritePolicy overwrite) {
    std::lock_guard lock(mutex);
    if (overwrite == OverwritePolicy::kFail && by_key.contains(key)) {
      return AlreadyExistsError("cannot create " + Quote(uri) + ": a file is there already");
    }
    by_key[key] = {std::make_shared<const std::string>(std::move(bytes)), context.clock->Now(),
                   ++versions};
    return Status::Ok();
  }
};

namespace {

template <typename Files>
class MemoryOutput : public OutputFile {
 public:
  MemoryOutput(Context context, std::string uri, std::string key, std::shared_ptr<Files> files,
               OverwritePolicy overwrite)
      : context_(std::move(context)),
        uri_(std::move(uri)),
        key_(std::move(key)),
        files_(std::move(files)),
        overwrite_(overwrite) {}

  const std::string& uri() const override { return uri_; }
  ByteCount position() const override { return ByteCount(static_cast<int64_t>(bytes_.size())); }

  Status Write(std::string_view bytes) override {
    if (closed_) return BugError(Quote(uri_) + " was written to after it was closed");
    CALVE_RETURN_IF_ERROR(context_.CheckStop());
    bytes_ += bytes;
    return Status::Ok();
  }

  Result<ByteCount> Close() override {
    if (closed_) return BugError(Quote(uri_) + " was closed twice");
    closed_ = true;
    const ByteCount size = position();
    CALVE_RETURN_IF_ERROR(files_->Put(context_, uri_, key_, bytes_, overwrite_));
    return size;
  }

  void Abort() override { closed_ = true; }

 private:
  Context context_;
  std::string uri_;
  std::string key_;
  std::shared_ptr<Files> files_;
  OverwritePolicy overwrite_;
  std::string bytes_;
  bool closed_ = false;
};

}  // namespace

MemoryFileSystem::MemoryFileSystem() : files_(std::make_shared<Files>()) {}
MemoryFileSystem::~MemoryFileSystem() = default;

Result<std::unique_ptr<InputFile>> MemoryFileSystem::OpenInput(const Context& context,
                                                               const std::string& uri,
                                                               const InputOptions&) {
  CALVE_ASSIGN_OR_RETURN(const std::string key, KeyOf(uri));
  std::lock_guard lock(files_->mutex);
  const auto found = files_->by_key.find(key);
  if (found == files_->by_key.end()) {
    return NotFoundError("cannot open " + Quote(uri) + " for reading: no file is there");
  }
  return std::make_unique<MemoryInput>(uri, found->second.bytes, context.stop);
}

Result<std::unique_ptr<OutputFile>> MemoryFileSystem::OpenOutput(const Context& context,
                                                                 const std::string& uri,
                                                                 const OutputOptions& options) {
  CALVE_ASSIGN_OR_RETURN(std::string key, KeyOf(uri));
  if (key.ends_with('/')) return ConfigError("cannot create " + Quote(uri) + ": it names a folder");
  std::lock_guard lock(files_->mutex);
  if (options.overwrite == OverwritePolicy::kFail && files_->by_key.contains(key)) {
    return AlreadyExistsError("cannot create " + Quote(uri) + ": a file is there already");
  }
  return std::make_unique<MemoryOutput<Files>>(context, uri, std::move(key), files_,
                                               options.overwrite);
}

Result<FileInfo> MemoryFileSystem::Stat(const Context&, const std::string& uri) {
  CALVE_ASSIGN_OR_RETURN(const std::string key, KeyOf(uri));
  std::lock_guard lock(files_->mutex);
  const auto file = files_->by_key.find(key);
  if (file != files_->by_key.end()) return Describe(uri, file->second);
  const std::string below = WithSlash(key);
  const auto inside = files_->by_key.lower_bound(below);
  if (inside != files_->by_key.end() && inside->first.starts_with(below)) {
    return FileInfo{.uri = uri, .kind = FileKind::kFolder, .modified = {}, .etag = ""};
  }
  return NotFoundError("nothing is at " + Quote(uri));
}

Status MemoryFileSystem::List(const Context& context, const std::string& folder,
                              const ListOptions& options, const ListPage& page) {
  CALVE_ASSIGN_OR_RETURN(const std::string key, KeyOf(folder));
  const std::string below = WithSlash(key);
  std::vector<FileInfo> found;
  {
    std::lock_guard lock(files_->mutex);
    std::set<std::string> folders;
    for (auto at = files_->by_key.lower_bound(below);
         at != files_->by_key.end() && at->first.starts_with(below); ++at) {
      const std::string relative = at->first.substr(below.size());
      const size_t slash = relative.find('/');
      if (options.recursive || slash == std::string::npos) {
        found.push_back(Describe(Below(folder, relative), at->second));
      } else if (folders.insert(relative.substr(0, slash)).second) {
        found.push_back({.uri = Below(folder, relative.substr(0, slash)),
                         .kind = FileKind::kFolder,
                         .modified = {},
                         .etag = ""});
      }
    }
  }
  for (size_t start = 0; start < found.size(); start += kPageFiles) {
    CALVE_RETURN_IF_ERROR(context.CheckStop());
    const size_t count = std::min(kPageFiles, found.size() - start);
    CALVE_ASSIGN_OR_RETURN(const bool more, page(std::span(found).subspan(start, count)));
    if (!more) break;
  }
  return Status::Ok();
}

Status MemoryFileSystem::Delete(const Context&, const std::string& uri) {
  CALVE_ASSIGN_OR_RETURN(const std::string key, KeyOf(uri));
  std::lock_guard lock(files_->mutex);
  files_->by_key.erase(key);
  return Status::Ok();
}

Status MemoryFileSystem::DeleteEmptyFolder(const Context&, const std::string& uri) {
  CALVE_ASSIGN_OR_RETURN(const std::string key, KeyOf(uri));
  const std::string below = WithSlash(key);
  std::lock_guard lock(files_->mutex);
  const auto inside = files_->by_key.lower_bound(below);
  if (inside != files_->by_key.end() && inside->first.starts_with(below)) {
    return RefusedError("cannot delete folder " + Quote(uri) + ": it is not empty");
  }
  return Status::Ok();
}

Status MemoryFileSystem::CreateIfAbsent(const Context& context, const std::string& uri,
                                        std::string_view bytes) {
  CALVE_ASSIGN_OR_RETURN(const std::string key, KeyOf(uri));
  return files_->Put(context, uri, key, std::string(bytes), OverwritePolicy::kFail);
}

Result<Made> MemoryFileSystem::EnsureFolder(const Context&, const std::string& uri) {
  CALVE_RETURN_IF_ERROR(KeyOf(uri));
  return Made::kBefore;
}

Result<Capabilities> MemoryFileSystem::CapabilitiesFor(const std::string&) {
  return Capabilities{.folders = false};
}

CALVE_PART(memory) {
  registry.Add({.name = "memory",
                .schemes = {"memory"},
                .open = [](const Properties&) -> Result<std::unique_ptr<FileSystem>> {
                  return std::make_unique<MemoryFileSystem>();
                }});
}

}  // namespace calve::io

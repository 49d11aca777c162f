#include "io/arrow_files.h"

#include <algorithm>
#include <cerrno>

#include <arrow/io/interfaces.h>
#include <arrow/util/io_util.h>

#include "base/text.h"
#include "io/uri.h"

namespace calve::io {
namespace {

constexpr size_t kPageFiles = 1000;

/// Make Arrow's status an error of ours: "cannot <doing> <uri>: <what it says, without the
/// secrets>".
Error FromArrow(const arrow::Status& status, std::string_view doing, const std::string& uri,
                const std::vector<std::string>& secrets) {
  std::string said = status.message();
  for (const std::string& secret : secrets) {
    for (size_t at = said.find(secret); at != std::string::npos; at = said.find(secret, at)) {
      said.replace(at, secret.size(), "***");
    }
  }
  const std::string message = "cannot " + std::string(doing) + " " + Quote(uri) + ": " + said;
  const int number = arrow::internal::ErrnoFromStatus(status);
  if (number == ENOENT) return NotFoundError(message);
  if (number == EEXIST) return AlreadyExistsError(message);
  const std::string lower = ToLower(said);
  const auto says = [&](std::string_view word) { return lower.find(word) != std::string::npos; };
  if (says("not found") || says("404")) return NotFoundError(message);
  if (says("denied") || says("unauth") || says("forbidden") || says("401") || says("403") ||
      !status.IsIOError()) {
    return RefusedError(message + "; check the credentials and their rights");
  }
  return TransientError(message);
}

/// A folder's path as Arrow takes it.
std::string WithoutSlash(std::string path) {
  while (path.ends_with('/')) path.pop_back();
  return path;
}

class ArrowInput : public InputFile {
 public:
  ArrowInput(const Context& context, std::string uri,
             std::shared_ptr<arrow::io::RandomAccessFile> file, int64_t size,
             std::vector<std::string> secrets)
      : stop_(context.stop),
        uri_(std::move(uri)),
        file_(std::move(file)),
        size_(size),
        secrets_(std::move(secrets)) {}

  const std::string& uri() const override { return uri_; }
  ByteCount size() const override { return ByteCount(size_); }

  Result<size_t> ReadInto(int64_t offset, std::span<char> out) override {
    if (stop_.stop_requested()) return StoppedError("stopped on request");
    if (offset < 0) return DataError(Quote(uri_) + ": asked to read at a negative offset");
    const int64_t there = std::max<int64_t>(0, size_ - offset);
    const int64_t asked = std::min(there, static_cast<int64_t>(out.size()));
    if (asked == 0) return size_t{0};
    auto got = file_->ReadAt(offset, asked, out.data());
    if (!got.ok()) return FromArrow(got.status(), "read", uri_, secrets_);
    return static_cast<size_t>(*got);
  }

 private:
  const std::stop_token stop_;
  const std::string uri_;
  const std::shared_ptr<arrow::io::RandomAccessFile> file_;
  const int64_t size_;
  const std::vector<std::string> secrets_;
};

class ArrowOutput : public OutputFile {
 public:
  ArrowOutput(const Context& context, std::string uri,
              std::shared_ptr<arrow::io::OutputStream> stream, std::vector<std::string> secrets)
      : context_(context),
        uri_(std::move(uri)),
        stream_(std::move(stream)),
        secrets_(std::move(secrets)) {}
  ~ArrowOutput() override { Abort(); }

  const std::string& uri() const override { return uri_; }
  ByteCount position() const override { return ByteCount(position_); }

  Status Write(std::string_view bytes) override {
    if (stream_ == nullptr) return BugError(Quote(uri_) + " was written to after it was closed");
    CALVE_RETURN_IF_ERROR(context_.CheckStop());
    const arrow::Status written = stream_->Write(bytes.data(), static_cast<int64_t>(bytes.size()));
    if (!written.ok()) return FromArrow(written, "write to", uri_, secrets_);
    position_ += static_cast<int64_t>(bytes.size());
    return Status::Ok();
  }

  Result<ByteCount> Close() override {
    if (stream_ == nullptr) return BugError(Quote(uri_) + " was closed twice");
    CALVE_RETURN_IF_ERROR(context_.Step("io.before_name"));
    const arrow::Status closed = std::exchange(stream_, nullptr)->Close();
    if (closed.ok()) return ByteCount(position_);
    Error error = FromArrow(closed, "finish", uri_, secrets_);
    if (error.kind == ErrorKind::kTransient) error.kind = ErrorKind::kUnknownOutcome;
    return error;
  }

  void Abort() override {
    if (stream_ != nullptr) (void)std::exchange(stream_, nullptr)->Abort();
  }

 private:
  const Context context_;
  const std::string uri_;
  std::shared_ptr<arrow::io::OutputStream> stream_;
  const std::vector<std::string> secrets_;
  int64_t position_ = 0;
};

FileInfo Describe(std::string uri, const arrow::fs::FileInfo& info) {
  const bool folder = info.type() == arrow::fs::FileType::Directory;
  FileInfo described{.uri = std::move(uri),
                     .kind = folder ? FileKind::kFolder : FileKind::kFile,
                     .size = ByteCount(folder ? 0 : std::max<int64_t>(0, info.size()))};
  if (info.mtime() != arrow::fs::kNoTime) {
    described.modified = std::chrono::time_point_cast<std::chrono::microseconds>(info.mtime());
  }
  return described;
}

}  // namespace

Result<std::unique_ptr<InputFile>> ArrowFiles::OpenInput(const Context& context,
                                                         const std::string& uri,
                                                         const InputOptions& options) {
  CALVE_ASSIGN_OR_RETURN(const ArrowPlace place, resolve_(uri));
  arrow::fs::FileInfo info(place.path, arrow::fs::FileType::File);
  if (options.size) info.set_size(options.size->value());
  auto file =
      options.size ? place.files->OpenInputFile(info) : place.files->OpenInputFile(place.path);
  if (!file.ok()) return FromArrow(file.status(), "open for reading", uri, secrets_);
  auto size = (*file)->GetSize();
  if (!size.ok()) return FromArrow(size.status(), "open for reading", uri, secrets_);
  return std::make_unique<ArrowInput>(context, uri, *file, *size, secrets_);
}

Result<std::unique_ptr<OutputFile>> ArrowFiles::OpenOutput(const Context& context,
                                                           const std::string& uri,
                                                           const OutputOptions& options) {
  CALVE_ASSIGN_OR_RETURN(const ArrowPlace place, resolve_(uri));
  if (uri.ends_with('/')) return RefusedError(Quote(uri) + " is a folder, expected a file");
  if (options.overwrite == OverwritePolicy::kFail) {
    CALVE_ASSIGN_OR_RETURN(const bool there, Exists(context, uri));
    if (there)
      return AlreadyExistsError("cannot create " + Quote(uri) + ": an object is there already");
  }
  auto stream = place.files->OpenOutputStream(place.path);
  if (!stream.ok()) return FromArrow(stream.status(), "create", uri, secrets_);
  return std::make_unique<ArrowOutput>(context, uri, *stream, secrets_);
}

Result<FileInfo> ArrowFiles::Stat(const Context& context, const std::string& uri) {
  CALVE_RETURN_IF_ERROR(context.CheckStop());
  CALVE_ASSIGN_OR_RETURN(const ArrowPlace place, resolve_(uri));
  auto info = place.files->GetFileInfo(WithoutSlash(place.path));
  if (!info.ok()) return FromArrow(info.status(), "look at", uri, secrets_);
  if (info->type() == arrow::fs::FileType::NotFound)
    return NotFoundError("nothing is at " + Quote(uri));
  return Describe(uri, *info);
}

Status ArrowFiles::List(const Context& context, const std::string& folder,
                        const ListOptions& options, const ListPage& page) {
  CALVE_ASSIGN_OR_RETURN(const ArrowPlace place, resolve_(folder));
  arrow::fs::FileSelector selector;
  selector.base_dir = WithoutSlash(place.path);
  selector.recursive = options.recursive;
  selector.allow_not_found = true;
  auto listed = place.files->GetFileInfo(selector);
  if (!listed.ok()) return FromArrow(listed.status(), "list", folder, secrets_);
  std::vector<FileInfo> found;
  for (const arrow::fs::FileInfo& info : *listed) {
    if (options.recursive && info.type() == arrow::fs::FileType::Directory) continue;
    const std::string relative = info.path().substr(selector.base_dir.size() + 1);
    found.push_back(Describe(Below(folder, relative), info));
  }
  for (size_t start = 0; start < found.size(); start += kPageFiles) {
    CALVE_RETURN_IF_ERROR(context.CheckStop());
    const size_t count = std::min(kPageFiles, found.size() - start);
    CALVE_ASSIGN_OR_RETURN(const bool more, page(std::span(found).subspan(start, count)));
    if (!more) break;
  }
  return Status::Ok();
}

Status ArrowFiles::Delete(const Context& context, const std::string& uri) {
  auto info = Stat(context, uri);
  if (!info.ok()) return info.error().kind == ErrorKind::kNotFound ? Status::Ok() : info.status();
  if (info->kind == FileKind::kFolder) return Status::Ok();  // no file of that name is there
  CALVE_ASSIGN_OR_RETURN(const ArrowPlace place, resolve_(uri));
  const arrow::Status deleted = place.files->DeleteFile(place.path);
  if (deleted.ok()) return Status::Ok();
  Error error = FromArrow(deleted, "delete", uri, secrets_);
  return error.kind == ErrorKind::kNotFound ? Status::Ok() : Status(std::move(error));
}

Status ArrowFiles::DeleteEmptyFolder(const Context& context, const std::string& uri) {
  bool empty = true;
  CALVE_RETURN_IF_ERROR(List(context, uri, {}, [&](auto) -> Result<bool> {
    empty = false;
    return false;
  }));
  if (!empty) return RefusedError("cannot delete folder " + Quote(uri) + ": it is not empty");
  // A marker may stay: Arrow would delete it with everything that has come to lie below meanwhile.
  return Status::Ok();
}

Status ArrowFiles::CreateIfAbsent(const Context&, const std::string& uri, std::string_view) {
  return RefusedError(
      "cannot create " + Quote(uri) +
      " so that only one writer wins: calve makes no conditional writes to this store; keep the "
      "table in a catalog (sql, rest) instead of the filesystem catalog");
}

Result<Made> ArrowFiles::EnsureFolder(const Context& context, const std::string& uri) {
  CALVE_ASSIGN_OR_RETURN(const ArrowPlace place, resolve_(uri));
  const std::string bucket = place.path.substr(0, place.path.find('/'));
  CALVE_RETURN_IF_ERROR(context.CheckStop());
  auto info = place.files->GetFileInfo(bucket);
  if (!info.ok()) return FromArrow(info.status(), "look at the bucket of", uri, secrets_);
  if (info->type() != arrow::fs::FileType::NotFound) return Made::kBefore;
  const arrow::Status made = place.files->CreateDir(bucket, false);
  if (!made.ok()) return FromArrow(made, "make the bucket of", uri, secrets_);
  return Made::kNow;
}

Result<Capabilities> ArrowFiles::CapabilitiesFor(const std::string&) {
  return Capabilities{.atomic_create = false, .folders = false};
}

}  // namespace calve::io

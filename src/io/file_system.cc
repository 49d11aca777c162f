#include "io/file_system.h"

#include <algorithm>

#include "base/text.h"

namespace calve::io {
namespace {

Error EndedEarly(const InputFile& file, int64_t offset, int64_t length, size_t found) {
  return DataError(Quote(file.uri()) + ": expected " + FormatCount(length) + " bytes at offset " +
                   std::to_string(offset) + ", found " + FormatCount(static_cast<int64_t>(found)) +
                   "; the file is cut short, or was replaced while it was read");
}

}  // namespace

Result<std::string> InputFile::ReadAt(int64_t offset, int64_t length) {
  if (offset < 0 || length < 0) {
    return DataError(Quote(uri()) + ": asked for " + std::to_string(length) + " bytes at offset " +
                     std::to_string(offset) + ", which no file has");
  }
  if (length > size().value() - std::min(offset, size().value())) {  // before memory is taken
    return EndedEarly(*this, offset, length,
                      static_cast<size_t>(std::max<int64_t>(0, size().value() - offset)));
  }
  std::string bytes(static_cast<size_t>(length), '\0');
  CALVE_ASSIGN_OR_RETURN(const size_t found, ReadInto(offset, bytes));
  if (found != bytes.size()) return EndedEarly(*this, offset, length, found);
  return bytes;
}

Result<std::string> InputFile::ReadAll(ByteCount limit) {
  if (size() > limit) {
    return DataError(Quote(uri()) + ": expected at most " + FormatBytes(limit) + ", found " +
                     FormatBytes(size()));
  }
  return ReadAt(0, size().value());
}

Status FileSystem::DeleteAll(const Context& context, std::span<const std::string> uris) {
  std::optional<Error> first;
  size_t failed = 0;
  for (const std::string& uri : uris) {
    CALVE_RETURN_IF_ERROR(context.CheckStop());
    Status deleted = Delete(context, uri);
    if (deleted.ok()) continue;
    ++failed;
    if (!first) first = deleted.error();
  }
  if (!first) return Status::Ok();
  return While("delete " + FormatCount(static_cast<int64_t>(uris.size())) + " files, of which " +
                   FormatCount(static_cast<int64_t>(failed)) + " failed",
               *std::move(first));
}

Result<bool> FileSystem::Exists(const Context& context, const std::string& uri) {
  auto info = Stat(context, uri);
  if (info.ok()) return true;
  if (info.error().kind == ErrorKind::kNotFound) return false;
  return info.error();
}

Result<std::vector<FileInfo>> FileSystem::ListAll(const Context& context, const std::string& folder,
                                                  const ListOptions& options) {
  std::vector<FileInfo> all;
  CALVE_RETURN_IF_ERROR(
      List(context, folder, options, [&](std::span<const FileInfo> page) -> Result<bool> {
        all.insert(all.end(), page.begin(), page.end());
        return true;
      }));
  std::sort(all.begin(), all.end(),
            [](const FileInfo& a, const FileInfo& b) { return a.uri < b.uri; });
  return all;
}

Result<std::string> FileSystem::ReadFile(const Context& context, const std::string& uri,
                                         ByteCount limit) {
  CALVE_ASSIGN_OR_RETURN(auto file, OpenInput(context, uri));
  return file->ReadAll(limit);
}

Result<ByteCount> FileSystem::WriteFile(const Context& context, const std::string& uri,
                                        std::string_view bytes, const OutputOptions& options) {
  CALVE_ASSIGN_OR_RETURN(auto file, OpenOutput(context, uri, options));
  CALVE_RETURN_IF_ERROR(file->Write(bytes));
  return file->Close();
}

}  // namespace calve::io

#include "catalog/table_files.h"

namespace calve::catalog {
namespace {

Result<std::unique_ptr<io::InputFile>> Open(const Context& context, io::FileSystem& files,
                                            const std::string& uri, int64_t size_hint) {
  io::InputOptions options;
  if (size_hint > 0) options.size = ByteCount(size_hint);
  return files.OpenInput(context, uri, options);
}

}  // namespace

Result<std::string> TableFiles::Read(const Context& context, const std::string& uri,
                                     int64_t size_hint) {
  CALVE_ASSIGN_OR_RETURN(const auto file, Open(context, files_, uri, size_hint));
  return file->ReadAll();
}

Result<std::string> TableFiles::ReadRange(const Context& context, const std::string& uri,
                                          int64_t offset, int64_t length) {
  CALVE_ASSIGN_OR_RETURN(const auto file, Open(context, files_, uri, 0));
  return file->ReadAt(offset, length);
}

Status TableFiles::Write(const Context& context, const std::string& uri, std::string_view bytes) {
  CALVE_RETURN_IF_ERROR(files_.WriteFile(context, uri, bytes));
  return Status::Ok();
}

}  // namespace calve::catalog

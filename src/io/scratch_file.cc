#include "io/scratch_file.h"

#include <fcntl.h>

#include <cerrno>
#include <utility>

namespace calve::io {
namespace {

constexpr std::string_view kName = "a temporary file";

}  // namespace

Result<int64_t> ScratchFile::Append(std::string_view bytes) {
  if (!file_.open()) {
    CALVE_ASSIGN_OR_RETURN(file_, OpenSpool());
  }
  if (!WriteFully(file_.get(), bytes)) return SystemError(errno, "write to", kName);
  return std::exchange(end_, end_ + static_cast<int64_t>(bytes.size()));
}

Status ScratchFile::ReadAt(int64_t offset, std::span<char> out) const {
  CALVE_ASSIGN_OR_RETURN(const size_t read, ReadFully(file_.get(), offset, out, kName));
  if (read == out.size()) return Status::Ok();
  return BugError("a temporary file holds less than was written to it");
}

void ScratchFile::Discard(int64_t offset, int64_t length) {
  ::fallocate(file_.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, length);
}

}  // namespace calve::io

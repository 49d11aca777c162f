#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "base/result.h"
#include "io/system_call.h"

namespace calve::io {

/// Bytes set aside on the local disk, where temporary files lie (TMPDIR), in a file without a name:
/// it is gone with the process, however that ends. For one thread.
///
/// The file is made at the first Append(). Fails with kRefused when the disk is full.
class ScratchFile {
 public:
  /// Add bytes at the end; give where they begin.
  Result<int64_t> Append(std::string_view bytes);
  /// Fill `out` with what was appended at `offset`.
  Status ReadAt(int64_t offset, std::span<char> out) const;
  /// Give their room back to the disk, where its file system can.
  void Discard(int64_t offset, int64_t length);

 private:
  Descriptor file_;
  int64_t end_ = 0;
};

}  // namespace calve::io

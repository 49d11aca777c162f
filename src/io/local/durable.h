#pragma once

#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "base/result.h"
#include "io/file_system.h"
#include "io/system_call.h"

namespace calve::io {

/// Folders whose entries are known to be on disk, so that each is synced once. Threads: any.
class DurableFolders {
 public:
  /// Make `path` and what is missing above it, and see that all their entries are on disk.
  ///
  /// Fails with kRefused when a file is in the way.
  Result<Made> Ensure(const std::string& path);

  /// Put the entries of the folder `path` on disk.
  static Status Sync(const std::string& path);

 private:
  Result<Made> EnsureOne(const std::string& path);

  std::mutex mutex_;
  std::set<std::string> known_;
};

/// How a file gets its name once its bytes are on disk.
enum class Naming {
  kUnnamedThenLink,  ///< No name until it is whole; a crash leaves nothing behind. Linux's
                     ///< O_TMPFILE.
  kNamedThenLink,    ///< A temporary name in the same folder, then a link that never replaces.
  kNamedThenRename,  ///< A temporary name in the same folder, then a rename over what is there.
};

/// Start to write the file `path`, in a folder that exists, kept durable by `folders`.
///
/// kUnnamedThenLink turns into kNamedThenLink where the system has no unnamed files.
Result<std::unique_ptr<OutputFile>> OpenDurable(const Context& context, const std::string& uri,
                                                const std::string& path, Naming naming);

}  // namespace calve::io

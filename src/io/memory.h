#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "io/file_system.h"

namespace calve::io {

/// Files in memory under memory://, for tests and small runs. Threads: any.
///
/// A file is seen once its Close() returned; open readers keep the bytes they opened, as on a local
/// disk. Folders exist only by the files in them.
class MemoryFileSystem : public FileSystem {
 public:
  MemoryFileSystem();
  ~MemoryFileSystem() override;

  Result<std::unique_ptr<InputFile>> OpenInput(const Context& context, const std::string& uri,
                                               const InputOptions& options = {}) override;
  Result<std::unique_ptr<OutputFile>> OpenOutput(const Context& context, const std::string& uri,
                                                 const OutputOptions& options = {}) override;
  Result<FileInfo> Stat(const Context& context, const std::string& uri) override;
  Status List(const Context& context, const std::string& folder, const ListOptions& options,
              const ListPage& page) override;
  Status Delete(const Context& context, const std::string& uri) override;
  Status DeleteEmptyFolder(const Context& context, const std::string& uri) override;
  Status CreateIfAbsent(const Context& context, const std::string& uri,
                        std::string_view bytes) override;
  Result<Made> EnsureFolder(const Context& context, const std::string& uri) override;
  Result<Capabilities> CapabilitiesFor(const std::string& uri) override;

 private:
  struct Files;
  std::shared_ptr<Files> files_;  // shared with open outputs, which may outlive the file system
};

}  // namespace calve::io

#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <arrow/filesystem/filesystem.h>

#include "io/file_system.h"

namespace calve::io {

/// Where Arrow finds an address.
struct ArrowPlace {
  std::shared_ptr<arrow::fs::FileSystem> files;
  std::string path;  ///< bucket/key
};

/// One of Arrow's file systems for object stores under our interface. Threads: any.
///
/// It has no conditional writes: CreateIfAbsent() is refused, and OverwritePolicy::kFail looks
/// before it writes, so that two writers of one name at once are not kept apart. Names of data
/// files are unique, so this suffices for them.
class ArrowFiles : public FileSystem {
 public:
  using Resolve = std::function<Result<ArrowPlace>(const std::string& uri)>;

  /// `secrets` are left out of what Arrow says.
  ArrowFiles(Resolve resolve, std::vector<std::string> secrets)
      : resolve_(std::move(resolve)), secrets_(std::move(secrets)) {}

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
  const Resolve resolve_;
  const std::vector<std::string> secrets_;
};

}  // namespace calve::io

#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "io/file_system.h"
#include "io/registry.h"

namespace calve::io {

/// All storage behind one FileSystem: picks by scheme, and by the longest prefix that has
/// properties. Threads: any.
///
/// A file system is opened at its first use and kept. This is what main makes and hands to every
/// room; a test hands out a FaultyFileSystem around one instead.
class FileSystemSet : public FileSystem {
 public:
  /// Serve every storage of the program; `properties` apply where no prefix says more.
  explicit FileSystemSet(Properties properties = {});

  /// Use `properties` (over the general ones) for addresses that start with `prefix`, from now on.
  ///
  /// The longest matching prefix wins; it ends at a path separator or at the end of the address, so
  /// that s3://a does not serve s3://ab. REST catalogs vend credentials in this form; calling it
  /// again with newer ones replaces them for files opened later.
  void SetProperties(const std::string& prefix, Properties properties);

  /// Use what `live` says at each moment, over the properties that hold there otherwise, for
  /// addresses that start with `prefix`, from now on: for the credentials that REST catalogs vend.
  void SetLiveProperties(const std::string& prefix, std::shared_ptr<LiveProperties> live);

  /// Serve one scheme by a file system of the caller's, in place of the program's own.
  void Mount(const std::string& scheme, std::shared_ptr<FileSystem> files);

  Result<std::unique_ptr<InputFile>> OpenInput(const Context& context, const std::string& uri,
                                               const InputOptions& options = {}) override;
  Result<std::unique_ptr<OutputFile>> OpenOutput(const Context& context, const std::string& uri,
                                                 const OutputOptions& options = {}) override;
  Result<FileInfo> Stat(const Context& context, const std::string& uri) override;
  Status List(const Context& context, const std::string& folder, const ListOptions& options,
              const ListPage& page) override;
  Status Delete(const Context& context, const std::string& uri) override;
  Status DeleteAll(const Context& context, std::span<const std::string> uris) override;
  Status DeleteEmptyFolder(const Context& context, const std::string& uri) override;
  Status CreateIfAbsent(const Context& context, const std::string& uri,
                        std::string_view bytes) override;
  Result<Made> EnsureFolder(const Context& context, const std::string& uri) override;
  Result<Capabilities> CapabilitiesFor(const std::string& uri) override;

 private:
  /// Where live properties hold, and what was opened with them last.
  struct Live {
    std::shared_ptr<LiveProperties> source;
    std::shared_ptr<const Properties> used;
    std::shared_ptr<FileSystem> files;
  };

  /// `context` null: with the fixed properties alone.
  Result<std::shared_ptr<FileSystem>> For(const Context* context, const std::string& uri);
  Result<std::shared_ptr<FileSystem>> OpenLive(const Context& context, const Storage& storage,
                                               const std::string& prefix,
                                               const Properties& otherwise);
  /// What holds for an address, live properties aside. Holds mutex_.
  std::pair<std::string, Properties> FixedProperties(const std::string& address) const;
  std::string Key(const std::string& prefix) const;

  Registry registry_;
  std::mutex mutex_;
  std::map<std::string, Properties> by_prefix_;
  std::map<std::string, Live> live_;
  std::map<std::string, std::shared_ptr<FileSystem>> mounted_;
  std::map<std::pair<std::string, std::string>, std::shared_ptr<FileSystem>>
      opened_;  // storage name, prefix
};

/// Stop what cloud SDKs started, once, when no file is open any more; ok when none was used. Only
/// main calls it.
void ShutdownCloud();

}  // namespace calve::io

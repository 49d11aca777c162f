#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/registry.h"
#include "base/result.h"
#include "io/file_system.h"

namespace calve::io {

/// Storage keys as Iceberg names them (s3.endpoint, s3.region, gcs.oauth2.token, adls.sas-token
/// ...). Values may be secret: they are never printed.
using Properties = std::map<std::string, std::string>;

/// One kind of storage: the schemes it serves and how it is opened with its properties.
struct Storage {
  std::string name;                  ///< s3
  std::vector<std::string> schemes;  ///< s3, s3a, s3n
  std::function<Result<std::unique_ptr<FileSystem>>(const Properties& properties)> open;
  std::function<void()> shutdown = nullptr;  ///< Stop what a cloud library started; may be null.
};

/// Every kind of storage in this program, filled by RegisterParts().
class Registry {
 public:
  void Add(Storage storage);
  /// The storage of a lower-case scheme, or null.
  const Storage* Find(const std::string& scheme) const;
  const std::vector<Storage>& storages() const { return storages_; }

 private:
  std::vector<Storage> storages_;
};

/// Add every part of this room. The build writes its body.
void RegisterParts(Registry& registry);

}  // namespace calve::io

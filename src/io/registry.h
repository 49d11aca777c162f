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

/// Properties that change while they are in use, such as credentials that a catalog gives for a
/// while. Threads: any.
class LiveProperties {
 public:
  virtual ~LiveProperties() = default;
  /// What holds now, renewed in here before it runs out; the same object as long as nothing has
  /// changed.
  virtual Result<std::shared_ptr<const Properties>> Now(const Context& context) = 0;
  /// The storage did not take `refused`: get others. The same object when there are none.
  virtual Result<std::shared_ptr<const Properties>> Renew(
      const Context& context, const std::shared_ptr<const Properties>& refused) = 0;
};

/// One kind of storage: the schemes it serves and how it is opened with its properties.
struct Storage {
  std::string name;                  ///< s3
  std::vector<std::string> schemes;  ///< s3, s3a, s3n
  std::function<Result<std::unique_ptr<FileSystem>>(const Properties& properties)> open;
  /// Open it so that files that are open already follow `live`, whose present state is part of
  /// `properties`. Null: they keep what they were opened with.
  std::function<Result<std::unique_ptr<FileSystem>>(const Properties& properties,
                                                    std::shared_ptr<LiveProperties> live)>
      open_live = nullptr;
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

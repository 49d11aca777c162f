#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/context.h"
#include "base/result.h"

namespace calve::iceberg {

/// How this room reaches bytes; load and catalog give it one made of io's file systems. Threads:
/// any, at once.
///
/// URIs are passed exactly as the metadata holds them.
class Files {
 public:
  virtual ~Files() = default;

  /// Read a whole file. `size_hint` in bytes saves a look-up when the caller knows it; 0 means
  /// unknown. Fails with kNotFound, kTransient or kRefused.
  virtual Result<std::string> Read(const Context& context, const std::string& uri,
                                   int64_t size_hint) = 0;
  /// Read `length` bytes from `offset`; fewer is an error.
  virtual Result<std::string> ReadRange(const Context& context, const std::string& uri,
                                        int64_t offset, int64_t length) = 0;
  /// Write a file that does not exist yet; durable on return.
  virtual Status Write(const Context& context, const std::string& uri, std::string_view bytes) = 0;
};

}  // namespace calve::iceberg

#pragma once

#include <string>

#include "base/context.h"
#include "iceberg/files.h"
#include "io/file_system.h"

namespace calve::catalog {

/// Iceberg's files over io's file system. Threads: any.
class TableFiles : public iceberg::Files {
 public:
  explicit TableFiles(io::FileSystem& files) : files_(files) {}
  Result<std::string> Read(const Context& context, const std::string& uri,
                           int64_t size_hint) override;
  Result<std::string> ReadRange(const Context& context, const std::string& uri, int64_t offset,
                                int64_t length) override;
  Status Write(const Context& context, const std::string& uri, std::string_view bytes) override;

 private:
  io::FileSystem& files_;
};

}  // namespace calve::catalog

#pragma once

#include <functional>
#include <memory>
#include <string>

#include "source/file_set.h"
#include "source/registry.h"
#include "source/source.h"

namespace calve::source {

/// Makes a source of resources in which the options that HeldFile::Point has set find its file.
using MakeSource = std::function<std::unique_ptr<Source>(const Resources& resources)>;

/// One file of rows that were held back, in memory, for sources that read files.
class HeldFile {
 public:
  /// Put a row at the end, on a line of its own. It may go over several lines.
  void Add(const HeldText::Row& row);
  /// Let `options` name this file and nothing else.
  static void Point(FileOptions* options);
  /// The source that reads it.
  std::unique_ptr<Source> Open(const MakeSource& make) &&;

 private:
  std::string text_;
  FirstOrigins origins_;
  int64_t line_ = 1;
};

}  // namespace calve::source

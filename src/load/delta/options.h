#pragma once

#include <string>
#include <vector>

#include "config/option.h"

namespace calve::load::delta {

enum class WriteMode { kAppend, kOverwrite };
config::Names<WriteMode> NamesOf(WriteMode);

/// The delta loader's options.
struct DeltaOptions {
  std::string location;
  std::string table;
  WriteMode write_mode = WriteMode::kAppend;
  bool allow_empty = false;
  std::vector<std::string> partition_by;

  static config::Shape<DeltaOptions> Declaration();
  /// The table's folder, without a slash at its end; `folder` is where relative paths begin.
  std::string Location(const std::string& folder) const;
  /// As contracts and messages call the table.
  std::string Name() const;
};

}  // namespace calve::load::delta

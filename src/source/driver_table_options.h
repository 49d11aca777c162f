#pragma once

#include <map>
#include <string>
#include <vector>

#include "source/table_options.h"

namespace calve::source {

/// Options of every source that reads a database by the driver that its maker gives.
struct DriverTableOptions : TableOptions {
  std::string schema;
  std::string chunk_column;
  std::vector<std::string> session;
  std::string numeric = "string";
  std::map<std::string, std::string> types;

  static config::Shape<DriverTableOptions> Declaration();
};

/// See that each column that `types` names is there. Fails with kConfig, with the nearest.
Status CheckTypesOf(const std::map<std::string, std::string>& types, const std::string& relation,
                    const std::vector<std::string>& columns);

}  // namespace calve::source

#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "config/option.h"
#include "transform/transform.h"

namespace calve::transform {

/// Rename, select, drop and order columns; the rows stay.
struct ColumnMappingOptions {
  std::map<std::string, std::string> rename;
  std::vector<std::string> select;
  std::vector<std::string> drop;
  std::vector<std::string> order;
  static config::Shape<ColumnMappingOptions> Declaration();
};

Result<std::unique_ptr<Transform>> MakeColumnMapping(const ColumnMappingOptions& options,
                                                     const std::shared_ptr<arrow::Schema>& input);

}  // namespace calve::transform

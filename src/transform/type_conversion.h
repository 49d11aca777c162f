#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "config/option.h"
#include "transform/transform.h"

namespace calve::transform {

/// Turn text columns into exact types. A text that is no value of its type makes the row a reject.
struct TypeConversionOptions {
  std::vector<std::string> date_columns;
  std::vector<std::string> numeric_columns;
  std::map<std::string, std::string> types;
  std::vector<std::string> date_formats;
  std::vector<std::string> timestamp_formats;
  std::string decimal = ".";
  std::string thousands;
  static config::Shape<TypeConversionOptions> Declaration();
};

Result<std::unique_ptr<Transform>> MakeTypeConversion(const TypeConversionOptions& options,
                                                      const std::shared_ptr<arrow::Schema>& input);

}  // namespace calve::transform

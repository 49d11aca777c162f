#pragma once

#include <optional>
#include <string>

#include "base/result.h"

namespace calve::source {

/// Of a decimal of at most 38 digits.
struct DecimalSize {
  int precision = 38;
  int scale = 0;
};

/// What decimals become for which a table has no type: `string` (nothing), or decimal(p, s). Fails
/// with kConfig on others; `option` is the name of what says it.
Result<std::optional<DecimalSize>> ParseDecimalPolicy(const std::string& text,
                                                      const std::string& option);

}  // namespace calve::source

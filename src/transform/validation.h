#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/context.h"
#include "config/option.h"
#include "engine/engine.h"
#include "transform/transform.h"

namespace calve::transform {

/// A condition that rows must fulfil before they go on.
struct ValidationRule {
  std::string name;
  std::string sql;
  static config::Shape<ValidationRule> Declaration();
};

/// Reject rows that break a rule; a contract's checks judge what is left.
struct ValidationOptions {
  std::vector<ValidationRule> rules;
  std::vector<std::string> required_columns;
  static config::Shape<ValidationOptions> Declaration();
};

Result<std::unique_ptr<Transform>> MakeValidation(const Context& context,
                                                  const ValidationOptions& options,
                                                  const std::shared_ptr<arrow::Schema>& input,
                                                  engine::Engine& engine);

}  // namespace calve::transform

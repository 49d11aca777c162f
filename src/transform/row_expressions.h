#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/context.h"
#include "base/result.h"
#include "columnar/traced_batch.h"
#include "engine/engine.h"

namespace calve::transform {

/// Expressions over the rows of batches. For one thread.
class RowExpressions {
 public:
  /// Compile expressions. Fails with kConfig naming `user`, such as "sql transformer", and the
  /// expression.
  static Result<RowExpressions> Compile(const Context& context, engine::Engine& engine,
                                        const std::shared_ptr<arrow::Schema>& input,
                                        const std::vector<std::string>& expressions,
                                        const std::vector<std::string>& names, std::string user);

  const std::shared_ptr<arrow::Schema>& schema() const { return compiled_->schema(); }
  /// See that a result is true or false; `sql` is its expression, for the message.
  Status RequireCondition(int index, const std::string& sql) const;
  /// Evaluate them for the rows of a batch. A row for which one fails becomes a reject of the batch
  /// and leaves it, so that the results are those of the rows that stay.
  Result<columnar::Batch> Evaluate(const Context& context, columnar::TracedBatch* batch);

 private:
  RowExpressions(std::unique_ptr<engine::BatchExpressions> compiled, std::string user)
      : compiled_(std::move(compiled)), user_(std::move(user)) {}

  std::unique_ptr<engine::BatchExpressions> compiled_;
  std::string user_;
};

}  // namespace calve::transform

#include "transform/row_expressions.h"

#include <utility>

#include "config/fault.h"

namespace calve::transform {
namespace {

/// Evaluates by halving around the rows that fail: a few of them cost a few evaluations, not one a
/// row.
class Evaluation {
 public:
  Evaluation(const Context& context, engine::BatchExpressions& expressions,
             const columnar::TracedBatch& batch)
      : context_(context), expressions_(expressions), batch_(batch) {}

  Status Evaluate(int64_t begin, int64_t end) {
    Result<columnar::Batch> results =
        expressions_.Evaluate(context_, batch_.rows->Slice(begin, end - begin));
    if (results.ok()) {
      pieces.push_back(std::move(*results));
      for (int64_t row = begin; row < end; ++row) kept.push_back(row);
      return Status::Ok();
    }
    if (results.error().kind != ErrorKind::kData || end - begin == 0)
      return std::move(results).error();
    if (end - begin == 1) {
      rejects.push_back(batch_.RejectOf(begin, "", results.error().message));
      return Status::Ok();
    }
    const int64_t middle = begin + (end - begin) / 2;
    CALVE_RETURN_IF_ERROR(Evaluate(begin, middle));
    return Evaluate(middle, end);
  }

  std::vector<columnar::Batch> pieces;
  std::vector<int64_t> kept;
  std::vector<columnar::Reject> rejects;

 private:
  const Context& context_;
  engine::BatchExpressions& expressions_;
  const columnar::TracedBatch& batch_;
};

/// What is wrong with expressions that do not compile together: each is tried alone.
Status FaultsOf(const Context& context, engine::Engine& engine,
                const std::shared_ptr<arrow::Schema>& input,
                const std::vector<std::string>& expressions, const std::vector<std::string>& names,
                const std::string& user) {
  config::Faults faults;
  for (size_t i = 0; i < expressions.size(); ++i) {
    const auto alone = engine.Compile(context, input, {expressions[i]}, {names[i]});
    if (alone.ok()) continue;
    if (alone.error().kind != ErrorKind::kConfig) return While(user, alone.error());
    faults.Add({}, user + ": " + alone.error().message);
  }
  return faults.ToStatus();
}

}  // namespace

Result<RowExpressions> RowExpressions::Compile(const Context& context, engine::Engine& engine,
                                               const std::shared_ptr<arrow::Schema>& input,
                                               const std::vector<std::string>& expressions,
                                               const std::vector<std::string>& names,
                                               std::string user) {
  Result<std::unique_ptr<engine::BatchExpressions>> compiled =
      engine.Compile(context, input, expressions, names);
  if (!compiled.ok()) {
    CALVE_RETURN_IF_ERROR(FaultsOf(context, engine, input, expressions, names, user));
    return While(user, std::move(compiled).error());
  }
  return RowExpressions(std::move(*compiled), std::move(user));
}

Status RowExpressions::RequireCondition(int index, const std::string& sql) const {
  const auto& field = *schema()->field(index);
  if (field.type()->id() == arrow::Type::BOOL) return Status::Ok();
  return ConfigError(user_ + ": " + field.name() +
                     " is no condition: expected SQL that is true or false for each row, found " +
                     sql + ", which is " + field.type()->ToString());
}

Result<columnar::Batch> RowExpressions::Evaluate(const Context& context,
                                                 columnar::TracedBatch* batch) {
  Evaluation evaluation(context, *compiled_, *batch);
  CALVE_RETURN_IF_ERROR(evaluation.Evaluate(0, batch->rows->num_rows()));
  if (!evaluation.rejects.empty()) {
    CALVE_ASSIGN_OR_RETURN(*batch, columnar::TakeRows(std::move(*batch), evaluation.kept));
    for (columnar::Reject& reject : evaluation.rejects) batch->rejects.push_back(std::move(reject));
  }
  return columnar::Concatenate(schema(), evaluation.pieces);
}

}  // namespace calve::transform

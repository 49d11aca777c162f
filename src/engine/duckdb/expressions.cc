#include "engine/duckdb/expressions.h"

#include <fmt/format.h>

#include <duckdb/execution/column_binding_resolver.hpp>
#include <duckdb/optimizer/optimizer.hpp>
#include <duckdb/parser/query_node/select_node.hpp>
#include <duckdb/parser/statement/select_statement.hpp>
#include <duckdb/parser/tableref/basetableref.hpp>
#include <duckdb/planner/expression/bound_reference_expression.hpp>
#include <duckdb/planner/expression_iterator.hpp>
#include <duckdb/planner/operator/logical_projection.hpp>
#include <duckdb/planner/planner.hpp>

#include <set>

#include "base/text.h"
#include "engine/duckdb/arrow_input.h"

namespace calve::engine {
namespace {

/// What DuckDB puts before an expression that it parses alone.
constexpr size_t kParsedPrefix = sizeof("SELECT ") - 1;

/// A bound plan that is one projection over the rows.
struct Bound {
  duckdb::unique_ptr<duckdb::LogicalOperator> plan;
  duckdb::vector<duckdb::column_t>
      columns;  ///< Positions in the input of what the expressions read.
  const duckdb::vector<duckdb::unique_ptr<duckdb::Expression>>& expressions() const {
    return plan->expressions;
  }
};

duckdb::unique_ptr<duckdb::ParsedExpression> ParseOne(const std::string& text) {
  auto parsed = duckdb::Parser::ParseExpressionList(text);
  if (parsed.size() != 1)
    throw duckdb::BinderException("expected one expression, found %d", parsed.size());
  return std::move(parsed[0]);
}

duckdb::unique_ptr<duckdb::SQLStatement> SelectOf(const std::vector<std::string>& expressions) {
  auto node = duckdb::make_uniq<duckdb::SelectNode>();
  for (const auto& text : expressions) node->select_list.push_back(ParseOne(text));
  auto rows = duckdb::make_uniq<duckdb::BaseTableRef>();
  rows->table_name = kExpressionRows;
  node->from_table = std::move(rows);
  auto statement = duckdb::make_uniq<duckdb::SelectStatement>();
  statement->node = std::move(node);
  return statement;
}

/// Throws DuckDB's exceptions.
Bound Bind(duckdb::ClientContext& client, const std::vector<std::string>& expressions) {
  Bound bound;
  client.RunFunctionInTransaction([&] {
    duckdb::Planner planner(client);
    planner.CreatePlan(SelectOf(expressions));
    bound.plan = std::move(planner.plan);
    const bool is_projection =
        bound.plan->type == duckdb::LogicalOperatorType::LOGICAL_PROJECTION &&
        bound.plan->children[0]->type == duckdb::LogicalOperatorType::LOGICAL_GET;
    if (!is_projection || bound.plan->expressions.size() != expressions.size()) {
      throw duckdb::BinderException(
          "expected an expression over one row, without aggregates, windows, subqueries or *");
    }
    duckdb::Optimizer(*planner.binder, client).rewriter.VisitOperator(*bound.plan);
    duckdb::ColumnBindingResolver resolver;
    resolver.VisitOperator(*bound.plan);
    bound.plan->ResolveOperatorTypes();
  });
  for (const auto& column : bound.plan->children[0]->Cast<duckdb::LogicalGet>().GetColumnIds()) {
    bound.columns.push_back(column.GetPrimaryIndex());
  }
  return bound;
}

/// Bind, and name the expression that cannot be.
Result<Bound> BindOrExplain(RunningQuery& query, const std::vector<std::string>& expressions) {
  try {
    return Bind(query.client(), expressions);
  } catch (const std::exception& all) {
    for (const auto& expression : expressions) {
      try {
        Bind(query.client(), {expression});
      } catch (const std::exception& one) {
        const SqlText text(expression);
        return While(
            "expression " + Quote(expression),
            Translate(duckdb::ErrorData(one), Phase::kBind, &text, &query.state(), kParsedPrefix));
      }
    }
    return Translate(duckdb::ErrorData(all), Phase::kBind, nullptr, &query.state());
  }
}

class DuckDbExpressions : public BatchExpressions {
 public:
  DuckDbExpressions(std::unique_ptr<RunningQuery> query, Bound bound,
                    std::vector<std::string> texts, std::shared_ptr<arrow::Schema> input,
                    std::unique_ptr<ArrowOutput> output)
      : query_(std::move(query)),
        bound_(std::move(bound)),
        texts_(std::move(texts)),
        input_(std::move(input)),
        output_(std::move(output)) {}

  /// Throws DuckDB's exceptions.
  void Prepare() {
    auto& client = query_->client();
    auto columns = std::make_shared<ArrowColumns>(client, *ForDuckDb(*input_));
    duckdb::vector<duckdb::LogicalType> read;
    for (auto& column : bound_.columns) {
      const bool known = column < columns->types().size();
      if (!known) column = duckdb::COLUMN_IDENTIFIER_ROW_ID;
      read.push_back(known ? columns->types()[column] : duckdb::LogicalType::BIGINT);
    }
    duckdb::vector<duckdb::LogicalType> results;
    executor_ = std::make_unique<duckdb::ExpressionExecutor>(client);
    for (const auto& expression : bound_.expressions()) {
      results.push_back(expression->return_type);
      executor_->AddExpression(*expression);
    }
    rows_.Initialize(client, read);
    results_.Initialize(client, results);
    cursor_ = std::make_unique<ArrowCursor>(client, std::move(columns), bound_.columns);
  }

  const std::shared_ptr<arrow::Schema>& schema() const override { return output_->schema(); }

  Result<columnar::Batch> Evaluate(const Context& context, const columnar::Batch& batch) override {
    CALVE_RETURN_IF_ERROR(context.CheckStop());
    if (!batch->schema()->Equals(*input_, false)) {
      return BugError("the batch has other columns than the expressions were compiled for");
    }
    Result<columnar::Batch> result = columnar::Batch();
    const Status ran = Guarded(Phase::kRun, nullptr, &query_->state(), [&]() -> Status {
      // A transaction of its own gives each batch its own now().
      query_->client().RunFunctionInTransaction([&] { result = EvaluateRows(*batch); });
      return Status::Ok();
    });
    if (!ran.ok()) return ran;
    return result;
  }

 private:
  Result<columnar::Batch> EvaluateRows(const arrow::RecordBatch& batch) {
    CALVE_ASSIGN_OR_RETURN(const columnar::Batch rows, ForDuckDb(batch.Slice(0)));
    cursor_->SetBatch(rows);
    if (batch.num_rows() == 0) {
      results_.Reset();
      output_->Append(results_);
      return output_->Finish();
    }
    while (true) {
      rows_.Reset();
      if (!cursor_->Next(rows_)) break;
      results_.Reset();
      executor_->SetChunk(rows_);
      results_.SetCardinality(rows_.size());
      for (size_t i = 0; i < texts_.size(); ++i) {
        try {
          executor_->ExecuteExpression(i, results_.data[i]);
        } catch (const std::exception& thrown) {
          return Explain(i, thrown);
        }
      }
      output_->Append(results_);
    }
    return output_->Finish();
  }

  /// Find the first row that the expression refuses, and say so.
  Error Explain(size_t expression, const std::exception& all) {
    if (output_->rows() > 0)
      static_cast<void>(output_->Finish());  // what was evaluated before is of no use
    const duckdb::ErrorData whole(all);
    for (size_t row = 0; row < rows_.size(); ++row) {
      duckdb::SelectionVector one(1);
      one.set_index(0, row);
      duckdb::DataChunk chunk;
      chunk.InitializeEmpty(rows_.GetTypes());
      chunk.Slice(rows_, one, 1);
      duckdb::Vector ignored(bound_.expressions()[expression]->return_type);
      executor_->SetChunk(chunk);
      try {
        executor_->ExecuteExpression(expression, ignored);
      } catch (const std::exception& thrown) {
        const Error error =
            Translate(duckdb::ErrorData(thrown), Phase::kRun, nullptr, &query_->state());
        // Of a batch of one row the row need not be said: the caller knows it.
        if (rows_.size() == 1 && cursor_->chunk_start() == 0)
          return While("expression " + Quote(texts_[expression]), error);
        return {error.kind,
                fmt::format("expression {}, row {} of the batch: {}", Quote(texts_[expression]),
                            cursor_->chunk_start() + row, error.message)};
      }
    }
    return While("expression " + Quote(texts_[expression]),
                 Translate(whole, Phase::kRun, nullptr, &query_->state()));
  }

  std::unique_ptr<RunningQuery> query_;
  Bound bound_;
  const std::vector<std::string> texts_;
  const std::shared_ptr<arrow::Schema> input_;
  std::unique_ptr<ArrowOutput> output_;
  std::unique_ptr<duckdb::ExpressionExecutor> executor_;
  std::unique_ptr<ArrowCursor> cursor_;
  duckdb::DataChunk rows_;
  duckdb::DataChunk results_;
};

}  // namespace

const char* const kExpressionRows = "calve_rows";

Result<std::unique_ptr<BatchExpressions>> CompileExpressions(
    const Context& context, std::unique_ptr<RunningQuery> query,
    const std::shared_ptr<arrow::Schema>& input, const std::vector<std::string>& expressions,
    const std::vector<std::string>& names) {
  CALVE_RETURN_IF_ERROR(context.CheckStop());
  if (expressions.size() != names.size() || expressions.empty())
    return BugError("expected one name for each expression");
  CALVE_ASSIGN_OR_RETURN(Bound bound, BindOrExplain(*query, expressions));
  duckdb::vector<duckdb::LogicalType> types;
  for (const auto& expression : bound.expressions()) types.push_back(expression->return_type);
  const duckdb::vector<std::string> result_names(names.begin(), names.end());
  CALVE_ASSIGN_OR_RETURN(auto output, ArrowOutput::Make(query->client(), result_names, types));
  auto compiled = std::make_unique<DuckDbExpressions>(std::move(query), std::move(bound),
                                                      expressions, input, std::move(output));
  const Status prepared = Guarded(Phase::kBind, nullptr, nullptr, [&]() -> Status {
    compiled->Prepare();
    return Status::Ok();
  });
  if (!prepared.ok()) return prepared;
  return std::unique_ptr<BatchExpressions>(std::move(compiled));
}

Result<std::vector<std::string>> ColumnsRead(std::unique_ptr<RunningQuery> query,
                                             const std::shared_ptr<arrow::Schema>& input,
                                             const std::string& expression) {
  CALVE_ASSIGN_OR_RETURN(const Bound bound, BindOrExplain(*query, {expression}));
  // The scan also reads a column when nothing asks for one: what counts is the expression's own
  // references.
  std::set<duckdb::column_t> read;
  duckdb::ExpressionIterator::VisitExpression<duckdb::BoundReferenceExpression>(
      *bound.expressions()[0], [&](const duckdb::BoundReferenceExpression& column) {
        read.insert(bound.columns[column.index]);
      });
  std::vector<std::string> columns;
  for (int i = 0; i < input->num_fields(); ++i) {
    if (read.contains(static_cast<duckdb::column_t>(i))) columns.push_back(input->field(i)->name());
  }
  return columns;
}

}  // namespace calve::engine

#include "transform/validation.h"

#include <arrow/array.h>

#include <utility>

#include "base/text.h"
#include "columnar/arrow_status.h"
#include "transform/registry.h"
#include "transform/row_expressions.h"

namespace calve::transform {
namespace {

class Validation : public Transform {
 public:
  Validation(std::shared_ptr<arrow::Schema> schema, std::vector<ValidationRule> rules,
             RowExpressions expressions)
      : schema_(std::move(schema)),
        rules_(std::move(rules)),
        expressions_(std::move(expressions)) {}

  const std::shared_ptr<arrow::Schema>& schema() const override { return schema_; }

  Result<columnar::TracedBatch> Apply(const Context& context,
                                      columnar::TracedBatch batch) override {
    CALVE_ASSIGN_OR_RETURN(const columnar::Batch passes, expressions_.Evaluate(context, &batch));
    std::vector<int64_t> kept;
    for (int64_t row = 0; row < batch.rows->num_rows(); ++row) {
      const int broken = FirstBroken(*passes, row);
      if (broken < 0) {
        kept.push_back(row);
        continue;
      }
      const ValidationRule& rule = rules_[static_cast<size_t>(broken)];
      batch.rejects.push_back(
          batch.RejectOf(row, "", "the row breaks the rule " + rule.name + ": " + rule.sql));
    }
    return columnar::TakeRows(std::move(batch), kept);
  }

 private:
  static int FirstBroken(const arrow::RecordBatch& passes, int64_t row) {
    for (int i = 0; i < passes.num_columns(); ++i) {
      const auto& column = static_cast<const arrow::BooleanArray&>(*passes.column(i));
      if (column.IsNull(row) || !column.Value(row)) return i;
    }
    return -1;
  }

  const std::shared_ptr<arrow::Schema> schema_;
  const std::vector<ValidationRule> rules_;
  RowExpressions expressions_;
};

class Nothing : public Transform {
 public:
  explicit Nothing(std::shared_ptr<arrow::Schema> schema) : schema_(std::move(schema)) {}
  const std::shared_ptr<arrow::Schema>& schema() const override { return schema_; }
  Result<columnar::TracedBatch> Apply(const Context&, columnar::TracedBatch batch) override {
    return batch;
  }

 private:
  const std::shared_ptr<arrow::Schema> schema_;
};

}  // namespace

config::Shape<ValidationRule> ValidationRule::Declaration() {
  config::Shape<ValidationRule> shape(
      "validation rule",
      "A condition over one row; a row for which it is false or NULL is rejected.");
  shape.Required("name", &ValidationRule::name, "What the rule is called.");
  shape.Required("sql", &ValidationRule::sql, "The condition.", {.example = "\"total >= 0\""});
  return shape;
}

config::Shape<ValidationOptions> ValidationOptions::Declaration() {
  using O = ValidationOptions;
  config::Shape<O> shape("validation transformer",
                         "Hold back rows that break a rule: they go to quarantine.");
  shape.Optional("required_columns", &O::required_columns, "Columns in which no row has NULL.",
                 {.example = "[id]"});
  shape.Optional("rules", &O::rules, "Conditions that every row fulfils.");
  return shape;
}

Result<std::unique_ptr<Transform>> MakeValidation(const Context& context,
                                                  const ValidationOptions& options,
                                                  const std::shared_ptr<arrow::Schema>& input,
                                                  engine::Engine& engine) {
  std::vector<ValidationRule> rules;
  config::Faults faults;
  for (const std::string& column : options.required_columns) {
    if (input->GetFieldIndex(column) < 0) {
      faults.Add({}, "validation names a column '" + column + "', which is not there" +
                         DidYouMean(column, input->field_names()));
    }
    rules.push_back({.name = "required(" + column + ")",
                     .sql = engine::QuoteIdentifier(column) + " IS NOT NULL"});
  }
  CALVE_RETURN_IF_ERROR(faults.ToStatus());
  rules.insert(rules.end(), options.rules.begin(), options.rules.end());
  if (rules.empty()) return std::make_unique<Nothing>(input);
  std::vector<std::string> expressions;
  std::vector<std::string> names;
  for (const ValidationRule& rule : rules) {
    expressions.push_back(rule.sql);
    names.push_back(rule.name);
  }
  CALVE_ASSIGN_OR_RETURN(RowExpressions compiled,
                         RowExpressions::Compile(context, engine, input, expressions, names,
                                                 "validation transformer"));
  for (size_t i = 0; i < rules.size(); ++i) {
    const Status is_condition = compiled.RequireCondition(static_cast<int>(i), rules[i].sql);
    if (!is_condition.ok()) faults.Add({}, is_condition.error().message);
  }
  CALVE_RETURN_IF_ERROR(faults.ToStatus());
  return std::make_unique<Validation>(input, std::move(rules), std::move(compiled));
}

CALVE_PART(validation) {
  registry.Add({.type = "validation",
                .meaning = "Rows that break a rule go to quarantine",
                .part = config::MakePart<ValidationOptions>("validation"),
                .make = [](const Context& context, const config::Node& node,
                           const std::shared_ptr<arrow::Schema>& input,
                           const Resources& resources) -> Result<std::unique_ptr<Transform>> {
                  CALVE_ASSIGN_OR_RETURN(const auto options,
                                         ValidationOptions::Declaration().Parse(node));
                  return MakeValidation(context, options, input, *resources.engine);
                }});
}

}  // namespace calve::transform

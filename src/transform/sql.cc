#include <arrow/array.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/text.h"
#include "columnar/arrow_status.h"
#include "engine/engine.h"
#include "transform/registry.h"
#include "transform/row_expressions.h"

namespace calve::transform {
namespace {

struct SqlOptions {
  std::string select;
  std::vector<std::pair<std::string, std::string>> columns;
  std::string where;

  static config::Shape<SqlOptions> Declaration() {
    config::Shape<SqlOptions> shape(
        "sql transformer",
        "Compute columns and filter rows with DuckDB's expressions, or run a SELECT over each "
        "batch. A SELECT sees one "
        "batch at a time as `batch`: aggregates over all rows belong into a model.");
    shape.Optional("columns", &SqlOptions::columns,
                   "Columns by name and the expression that gives them; new ones come last, known "
                   "ones are replaced.",
                   {.example = "{total: price * quantity}"});
    shape.Optional("where", &SqlOptions::where,
                   "Only rows for which this is true go on; the others are counted as left out.",
                   {.example = "\"status <> 'test'\""});
    shape.Optional("select", &SqlOptions::select,
                   "A whole SELECT FROM batch, in place of columns and where. A run says of how "
                   "many rows it made how many.",
                   {.example = "SELECT id, unnest(tags) AS tag FROM batch"});
    shape.AtMostOneOf({"columns", "select"});
    shape.AtMostOneOf({"where", "select"});
    shape.CheckNode([](const SqlOptions& o, const config::Node& node, config::Faults& faults) {
      if (o.select.empty() && o.columns.empty() && o.where.empty())
        faults.Add(node.place(), "a sql transformer has either select, or columns, where or both");
    });
    return shape;
  }
};

/// Expressions row by row: origins stay known.
class Expressions : public Transform {
 public:
  Expressions(std::shared_ptr<arrow::Schema> schema, std::vector<int> places, bool filters,
              RowExpressions compiled)
      : schema_(std::move(schema)),
        places_(std::move(places)),
        filters_(filters),
        compiled_(std::move(compiled)) {}

  const std::shared_ptr<arrow::Schema>& schema() const override { return schema_; }

  Result<columnar::TracedBatch> Apply(const Context& context,
                                      columnar::TracedBatch batch) override {
    CALVE_ASSIGN_OR_RETURN(const columnar::Batch computed, compiled_.Evaluate(context, &batch));
    arrow::ArrayVector arrays = batch.rows->columns();
    arrays.resize(static_cast<size_t>(schema_->num_fields()));
    for (size_t i = 0; i < places_.size(); ++i)
      arrays[static_cast<size_t>(places_[i])] = computed->column(static_cast<int>(i));
    const int64_t rows = batch.rows->num_rows();
    batch.rows = arrow::RecordBatch::Make(schema_, rows, std::move(arrays));
    if (!filters_) return batch;
    const auto& pass = static_cast<const arrow::BooleanArray&>(
        *computed->column(static_cast<int>(places_.size())));
    std::vector<int64_t> kept;
    for (int64_t row = 0; row < rows; ++row) {
      if (pass.IsValid(row) && pass.Value(row)) kept.push_back(row);
    }
    batch.rows_dropped += rows - static_cast<int64_t>(kept.size());
    return columnar::TakeRows(std::move(batch), kept);
  }

 private:
  const std::shared_ptr<arrow::Schema> schema_;
  const std::vector<int> places_;  ///< Where each computed column goes.
  const bool filters_;
  RowExpressions compiled_;
};

/// A SELECT over each batch: rows may come and go.
class Select : public Transform {
 public:
  Select(std::string sql, std::shared_ptr<arrow::Schema> schema, engine::Engine& engine)
      : sql_(std::move(sql)), schema_(std::move(schema)), engine_(engine) {}

  const std::shared_ptr<arrow::Schema>& schema() const override { return schema_; }

  Result<columnar::TracedBatch> Apply(const Context& context,
                                      columnar::TracedBatch batch) override {
    engine::QueryOptions options;
    options.tables.emplace_back(
        "batch", engine::ArrowTable{.schema = batch.rows->schema(), .batches = {batch.rows}});
    CALVE_ASSIGN_OR_RETURN(const auto stream, engine_.Query(context, sql_, options));
    std::vector<columnar::Batch> pieces;
    while (true) {
      CALVE_ASSIGN_OR_RETURN(columnar::Batch piece, stream->Next(context));
      if (piece == nullptr) break;
      pieces.push_back(std::move(piece));
    }
    const int64_t taken = batch.rows->num_rows();
    CALVE_ASSIGN_OR_RETURN(batch.rows, columnar::Concatenate(schema_, pieces));
    batch.CountRemade(taken, batch.rows->num_rows());
    batch.origin_rows.assign(static_cast<size_t>(batch.rows->num_rows()), -1);
    return batch;
  }

 private:
  const std::string sql_;
  const std::shared_ptr<arrow::Schema> schema_;
  engine::Engine& engine_;
};

Result<std::unique_ptr<Transform>> MakeExpressions(const Context& context,
                                                   const SqlOptions& options,
                                                   const std::shared_ptr<arrow::Schema>& input,
                                                   engine::Engine& engine) {
  std::vector<std::string> expressions;
  std::vector<std::string> names;
  for (const auto& [name, expression] : options.columns) {
    expressions.push_back(expression);
    names.push_back(name);
  }
  if (!options.where.empty()) {
    expressions.push_back(options.where);
    names.emplace_back("where");
  }
  CALVE_ASSIGN_OR_RETURN(
      RowExpressions compiled,
      RowExpressions::Compile(context, engine, input, expressions, names, "sql transformer"));
  if (!options.where.empty()) {
    CALVE_RETURN_IF_ERROR(
        compiled.RequireCondition(static_cast<int>(options.columns.size()), options.where));
  }
  arrow::FieldVector fields = input->fields();
  std::vector<int> places;
  for (size_t i = 0; i < options.columns.size(); ++i) {
    auto field = arrow::field(names[i], compiled.schema()->field(static_cast<int>(i))->type());
    const int known = input->GetFieldIndex(names[i]);
    if (known >= 0) {
      fields[static_cast<size_t>(known)] = std::move(field);
      places.push_back(known);
    } else {
      places.push_back(static_cast<int>(fields.size()));
      fields.push_back(std::move(field));
    }
  }
  return std::make_unique<Expressions>(arrow::schema(std::move(fields)), std::move(places),
                                       !options.where.empty(), std::move(compiled));
}

Status RequireOneOfEachName(const arrow::Schema& schema) {
  for (const auto& field : schema.fields()) {
    if (schema.GetAllFieldIndices(field->name()).size() > 1)
      return ConfigError("sql transformer: select gives two columns named '" + field->name() +
                         "'; name one of them otherwise, by AS");
  }
  return Status::Ok();
}

}  // namespace

CALVE_PART(sql) {
  registry.Add(
      {.type = "sql",
       .meaning = "Columns and filters by SQL expressions, or a SELECT over each batch",
       .part = config::MakePart<SqlOptions>("sql"),
       .make = [](const Context& context, const config::Node& node,
                  const std::shared_ptr<arrow::Schema>& input,
                  const Resources& resources) -> Result<std::unique_ptr<Transform>> {
         CALVE_ASSIGN_OR_RETURN(const SqlOptions options, SqlOptions::Declaration().Parse(node));
         if (options.select.empty())
           return MakeExpressions(context, options, input, *resources.engine);
         engine::QueryOptions query;
         query.tables.emplace_back("batch", engine::ArrowTable{.schema = input, .batches = {}});
         Result<std::shared_ptr<arrow::Schema>> schema =
             resources.engine->Describe(context, options.select, query);
         if (!schema.ok())
           return While("sql transformer, whose rows are the table batch",
                        std::move(schema).error());
         CALVE_RETURN_IF_ERROR(RequireOneOfEachName(**schema));
         return std::make_unique<Select>(options.select, std::move(*schema), *resources.engine);
       }});
}

}  // namespace calve::transform

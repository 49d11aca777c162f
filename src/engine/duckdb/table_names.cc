#include "engine/duckdb/table_names.h"

#include <duckdb/parser/expression/columnref_expression.hpp>
#include <duckdb/parser/expression/comparison_expression.hpp>
#include <duckdb/parser/expression/constant_expression.hpp>
#include <duckdb/parser/expression/function_expression.hpp>

#include "engine/duckdb/batch_scan.h"
#include "engine/duckdb/query_state.h"
#include "engine/duckdb/table_scan.h"

namespace calve::engine {
namespace {

duckdb::unique_ptr<duckdb::TableFunctionRef> ScanOf(const QueryState::Resolved& table) {
  duckdb::vector<duckdb::unique_ptr<duckdb::ParsedExpression>> arguments;
  // The scan of files takes a text, as DuckDB's scans of files do.
  duckdb::Value index = table.is_iceberg ? duckdb::Value(std::to_string(table.index))
                                         : duckdb::Value::UBIGINT(table.index);
  arguments.push_back(duckdb::make_uniq<duckdb::ConstantExpression>(std::move(index)));
  if (table.is_iceberg) {
    // Bounds in Parquet leave NaN out, and DuckDB puts it above all numbers: row groups must not be
    // pruned as if there were none.
    arguments.push_back(duckdb::make_uniq<duckdb::ComparisonExpression>(
        duckdb::ExpressionType::COMPARE_EQUAL,
        duckdb::make_uniq<duckdb::ColumnRefExpression>(kCanHaveNan),
        duckdb::make_uniq<duckdb::ConstantExpression>(duckdb::Value::BOOLEAN(true))));
  }
  auto scan = duckdb::make_uniq<duckdb::TableFunctionRef>();
  scan->function = duckdb::make_uniq<duckdb::FunctionExpression>(
      table.is_iceberg ? kTableScan : kBatchScan, std::move(arguments));
  scan->alias = table.alias;
  return scan;
}

duckdb::unique_ptr<duckdb::TableRef> FindTable(duckdb::ClientContext& client,
                                               duckdb::ReplacementScanInput& input,
                                               duckdb::optional_ptr<duckdb::ReplacementScanData>) {
  const auto state = QueryState::Of(client);
  if (!state) return nullptr;
  std::vector<std::string> parts;
  for (const auto* part : {&input.catalog_name, &input.schema_name, &input.table_name}) {
    if (!part->empty()) parts.push_back(*part);
  }
  const auto found = ValueOrThrow(*state, state->Resolve(parts));
  return found ? ScanOf(*found) : nullptr;
}

duckdb::unique_ptr<duckdb::TableRef> BindIceberg(duckdb::ClientContext& client,
                                                 duckdb::TableFunctionBindInput& input) {
  const auto state = QueryState::Of(client);
  if (!state) throw duckdb::PermissionException("iceberg() reads the tables of a query");
  if (input.inputs[0].IsNull())
    throw duckdb::BinderException("iceberg() expects the place of a table, found NULL");
  return ScanOf(
      ValueOrThrow(*state, state->ResolvePlace(duckdb::StringValue::Get(input.inputs[0]))));
}

}  // namespace

void AddTableNames(duckdb::DBConfig& config) { config.replacement_scans.emplace_back(FindTable); }

void RegisterIcebergFunction(duckdb::ClientContext& client) {
  duckdb::TableFunction function("iceberg", {duckdb::LogicalType::VARCHAR}, nullptr, nullptr);
  function.bind_replace = BindIceberg;
  duckdb::CreateTableFunctionInfo info(function);
  info.internal = true;
  duckdb::Catalog::GetSystemCatalog(client).CreateTableFunction(client, info);
}

}  // namespace calve::engine

#include "engine/duckdb/batch_scan.h"

#include <algorithm>
#include <atomic>

#include "engine/duckdb/arrow_input.h"
#include "engine/duckdb/query_state.h"

namespace calve::engine {
namespace {

using duckdb::ClientContext;

struct BindData : duckdb::TableFunctionData {
  std::shared_ptr<const ArrowTable> table;
  std::shared_ptr<const ArrowColumns> columns;
};

struct GlobalState : duckdb::GlobalTableFunctionState {
  std::atomic<size_t> next{0};
  size_t batch_count = 0;
  duckdb::vector<duckdb::column_t> columns;
  duckdb::idx_t MaxThreads() const override { return std::max<size_t>(batch_count, 1); }
};

struct LocalState : duckdb::LocalTableFunctionState {
  LocalState(ClientContext& client, const BindData& bind, const GlobalState& global)
      : cursor(client, bind.columns, global.columns) {}
  ArrowCursor cursor;
  size_t batch = 0;
  bool has_batch = false;
};

duckdb::unique_ptr<duckdb::FunctionData> Bind(ClientContext& client,
                                              duckdb::TableFunctionBindInput& input,
                                              duckdb::vector<duckdb::LogicalType>& types,
                                              duckdb::vector<std::string>& names) {
  const auto state = QueryState::Of(client);
  auto bind = duckdb::make_uniq<BindData>();
  if (state) bind->table = state->batches(input.inputs[0].GetValue<uint64_t>());
  if (!bind->table) throw duckdb::PermissionException("there is no such table in this query");
  bind->columns = std::make_shared<ArrowColumns>(client, *ForDuckDb(*bind->table->schema));
  types = bind->columns->types();
  names = bind->columns->names();
  if (types.empty()) throw duckdb::BinderException("a table without columns cannot be read");
  return bind;
}

duckdb::unique_ptr<duckdb::GlobalTableFunctionState> InitGlobal(
    ClientContext&, duckdb::TableFunctionInitInput& input) {
  auto state = duckdb::make_uniq<GlobalState>();
  state->batch_count = input.bind_data->Cast<BindData>().table->batches.size();
  const size_t column_count = input.bind_data->Cast<BindData>().columns->types().size();
  // Rows that are only counted come with a column that nobody reads.
  for (const auto column : input.column_ids)
    state->columns.push_back(column < column_count ? column : duckdb::COLUMN_IDENTIFIER_ROW_ID);
  return state;
}

duckdb::unique_ptr<duckdb::LocalTableFunctionState> InitLocal(
    duckdb::ExecutionContext& context, duckdb::TableFunctionInitInput& input,
    duckdb::GlobalTableFunctionState* global) {
  return duckdb::make_uniq<LocalState>(context.client, input.bind_data->Cast<BindData>(),
                                       global->Cast<GlobalState>());
}

void Scan(ClientContext&, duckdb::TableFunctionInput& input, duckdb::DataChunk& chunk) {
  const auto& table = *input.bind_data->Cast<BindData>().table;
  auto& global = input.global_state->Cast<GlobalState>();
  auto& local = input.local_state->Cast<LocalState>();
  while (!local.has_batch || !local.cursor.Next(chunk)) {
    local.batch = global.next.fetch_add(1);
    if (local.batch >= table.batches.size()) return;
    local.cursor.SetBatch(table.batches[local.batch]);
    local.has_batch = true;
  }
}

duckdb::OperatorPartitionData PartitionData(ClientContext&,
                                            duckdb::TableFunctionGetPartitionInput& input) {
  if (input.partition_info.RequiresPartitionColumns())
    throw duckdb::InternalException("batches are not partitioned");
  return duckdb::OperatorPartitionData(input.local_state->Cast<LocalState>().batch);
}

duckdb::unique_ptr<duckdb::NodeStatistics> Cardinality(ClientContext&,
                                                       const duckdb::FunctionData* bind) {
  duckdb::idx_t rows = 0;
  for (const auto& batch : bind->Cast<BindData>().table->batches)
    rows += static_cast<duckdb::idx_t>(batch->num_rows());
  return duckdb::make_uniq<duckdb::NodeStatistics>(rows, rows);
}

}  // namespace

void RegisterBatchScan(ClientContext& client) {
  duckdb::TableFunction scan(kBatchScan, {duckdb::LogicalType::UBIGINT}, Scan, Bind, InitGlobal,
                             InitLocal);
  scan.projection_pushdown = true;
  scan.get_partition_data = PartitionData;
  scan.cardinality = Cardinality;
  duckdb::CreateTableFunctionInfo info(scan);
  info.internal = true;
  duckdb::Catalog::GetSystemCatalog(client).CreateTableFunction(client, info);
}

}  // namespace calve::engine

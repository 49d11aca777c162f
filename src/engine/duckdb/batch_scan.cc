#include "engine/duckdb/batch_scan.h"

#include <algorithm>
#include <atomic>
#include <mutex>

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
  std::mutex mutex;  ///< Of the stream.
  std::unique_ptr<ResultStream> stream;
  /// A stream gives one batch at a time, and its readers would wait for each other.
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
    ClientContext& client, duckdb::TableFunctionInitInput& input) {
  auto state = duckdb::make_uniq<GlobalState>();
  const ArrowTable& table = *input.bind_data->Cast<BindData>().table;
  state->batch_count = table.batches.size();
  const size_t column_count = input.bind_data->Cast<BindData>().columns->types().size();
  std::vector<int> looked_at;
  // Rows that are only counted come with a column that nobody reads.
  for (const auto column : input.column_ids) {
    const bool is_column = column < column_count;
    state->columns.push_back(is_column ? column : duckdb::COLUMN_IDENTIFIER_ROW_ID);
    if (is_column) looked_at.push_back(static_cast<int>(column));
  }
  if (table.stream != nullptr) {
    QueryState& query = *QueryState::Of(client);
    state->stream = ValueOrThrow(query, table.stream(query.context(), looked_at));
  }
  return state;
}

duckdb::unique_ptr<duckdb::LocalTableFunctionState> InitLocal(
    duckdb::ExecutionContext& context, duckdb::TableFunctionInitInput& input,
    duckdb::GlobalTableFunctionState* global) {
  return duckdb::make_uniq<LocalState>(context.client, input.bind_data->Cast<BindData>(),
                                       global->Cast<GlobalState>());
}

/// The next batch, and its place in their order; null when there are no more.
columnar::Batch NextBatch(ClientContext& client, const ArrowTable& table, GlobalState& global,
                          size_t* place) {
  if (global.stream == nullptr) {
    *place = global.next.fetch_add(1);
    return *place < table.batches.size() ? table.batches[*place] : nullptr;
  }
  QueryState& query = *QueryState::Of(client);
  std::lock_guard lock(global.mutex);
  *place = global.next.fetch_add(1);
  return ValueOrThrow(query, global.stream->Next(query.context()));
}

void Scan(ClientContext& client, duckdb::TableFunctionInput& input, duckdb::DataChunk& chunk) {
  const auto& table = *input.bind_data->Cast<BindData>().table;
  auto& global = input.global_state->Cast<GlobalState>();
  auto& local = input.local_state->Cast<LocalState>();
  while (!local.has_batch || !local.cursor.Next(chunk)) {
    const columnar::Batch batch = NextBatch(client, table, global, &local.batch);
    if (batch == nullptr) return;
    local.cursor.SetBatch(ValueOrThrow(*QueryState::Of(client), ForDuckDb(batch)));
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
  if (bind->Cast<BindData>().table->stream != nullptr) return nullptr;
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

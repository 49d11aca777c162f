#pragma once

#include "engine/duckdb/arrow_input.h"
#include "engine/duckdb/query_state.h"
#include "reader/reader.h"

namespace calve::engine {

/// Reads one data file through reader::OpenTask, for files that DuckDB's Parquet reader cannot read
/// exactly. One thread scans it.
class TaskReader : public duckdb::BaseFileReader {
 public:
  TaskReader(duckdb::OpenFileInfo info, duckdb::shared_ptr<QueryState> state, QueryState::File task,
             const duckdb::vector<duckdb::MultiFileColumnDefinition>& table_columns);

  void AddVirtualColumn(duckdb::column_t virtual_column_id) override;
  bool TryInitializeScan(duckdb::ClientContext& client, duckdb::GlobalTableFunctionState& global,
                         duckdb::LocalTableFunctionState& local) override;
  duckdb::AsyncResult Scan(duckdb::ClientContext& client, duckdb::GlobalTableFunctionState& global,
                           duckdb::LocalTableFunctionState& local,
                           duckdb::DataChunk& chunk) override;
  std::string GetReaderType() const override { return "Iceberg"; }

 private:
  void Open(duckdb::ClientContext& client);
  void Filter(duckdb::ClientContext& client, duckdb::DataChunk& chunk);
  columnar::Batch WithKeptBytes(const columnar::Batch& rows, const arrow::RecordBatch& batch) const;

  duckdb::shared_ptr<QueryState> state_;
  QueryState::File task_;
  bool started_ = false;
  std::unique_ptr<reader::BatchReader> batches_;
  iceberg::SchemaPtr projection_;
  std::vector<int> kept_;  ///< Columns of the projection whose bytes are asked for too.
  std::shared_ptr<arrow::Schema> schema_;  ///< As DuckDB takes the batches.
  std::unique_ptr<ArrowCursor> cursor_;
  bool has_batch_ = false;
};

}  // namespace calve::engine

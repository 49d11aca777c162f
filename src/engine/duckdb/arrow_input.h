#pragma once

#include <arrow/record_batch.h>

#include <memory>
#include <string>
#include <vector>

#include "columnar/convert.h"
#include "engine/duckdb/library.h"

namespace calve::engine {

/// How batches of one Arrow schema become DuckDB's vectors. Immutable. Throws DuckDB's exceptions.
class ArrowColumns {
 public:
  ArrowColumns(duckdb::ClientContext& client, const arrow::Schema& schema);
  const duckdb::vector<duckdb::LogicalType>& types() const { return types_; }
  const duckdb::vector<std::string>& names() const { return names_; }
  const duckdb::arrow_column_map_t& map() const { return schema_.GetColumns(); }

 private:
  duckdb::ArrowTableSchema schema_;
  duckdb::vector<duckdb::LogicalType> types_;
  duckdb::vector<std::string> names_;
};

/// The schema as DuckDB shall take it: a timestamp in nanoseconds loses its zone (which is UTC)
/// instead of its digits, and variants that are columns are JSON.
std::shared_ptr<arrow::Schema> ForDuckDb(const arrow::Schema& schema);
/// A batch as that schema has it. Fails with kData naming the column of a broken variant.
Result<columnar::Batch> ForDuckDb(const columnar::Batch& batch);
/// The same for the batches of a table, whose uuids stand in plain 16 bytes, and whose variants are
/// texts (see columnar::WithVariantText).
std::shared_ptr<arrow::Schema> ForDuckDb(const arrow::Schema& schema, const iceberg::Schema& table);

/// Cuts batches into DuckDB's chunks, without copying where the layouts agree. For one thread.
/// Throws DuckDB's exceptions.
class ArrowCursor {
 public:
  /// `columns` are the positions in the batches of the chunks' columns; one that no batch has stays
  /// as it is.
  ArrowCursor(duckdb::ClientContext& client, std::shared_ptr<const ArrowColumns> input,
              duckdb::vector<duckdb::column_t> columns);
  void SetBatch(const columnar::Batch& batch);
  /// Fill the chunk with the next rows; false when the batch has none left.
  bool Next(duckdb::DataChunk& chunk);
  /// The row of the batch at which the last chunk began.
  size_t chunk_start() const { return chunk_start_; }

 private:
  std::shared_ptr<const ArrowColumns> input_;
  duckdb::ArrowScanLocalState state_;
  size_t chunk_start_ = 0;
};

}  // namespace calve::engine

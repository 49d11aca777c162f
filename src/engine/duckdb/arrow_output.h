#pragma once

#include <arrow/record_batch.h>

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "columnar/convert.h"
#include "engine/duckdb/library.h"

namespace calve::engine {

/// Turns DuckDB's chunks into Arrow batches of one schema.
///
/// | DuckDB | Arrow |
/// |---|---|
/// | HUGEINT, UHUGEINT (sums of whole numbers) | decimal128(38, 0); a value of 39 digits fails with
/// kData | | DECIMAL | decimal128 | | UUID | the extension arrow.uuid over fixed_size_binary(16) |
/// | TIMESTAMPTZ | timestamp(us, "UTC") |
/// | VARCHAR, JSON, ENUM, BIT, TIMETZ, BIGNUM | utf8 |
/// | VARIANT | the extension arrow.parquet.variant, by way of JSON |
/// | INTERVAL | month_day_nano_interval |
/// | others | the type of the same name and width |
class ArrowOutput {
 public:
  /// Fails with kRefused for a type that has no Arrow form, naming the column.
  static Result<std::unique_ptr<ArrowOutput>> Make(
      duckdb::ClientContext& client, const duckdb::vector<std::string>& names,
      const duckdb::vector<duckdb::LogicalType>& types);
  ~ArrowOutput();

  const std::shared_ptr<arrow::Schema>& schema() const { return schema_; }
  /// Add rows to the batch being made. Throws DuckDB's exceptions.
  void Append(duckdb::DataChunk& chunk);
  int64_t rows() const { return rows_; }
  /// About how many bytes the rows take.
  int64_t bytes() const { return bytes_; }
  /// Give the batch and start another one.
  Result<columnar::Batch> Finish();

 private:
  explicit ArrowOutput(duckdb::ClientContext& client) : client_(client) {}

  duckdb::ClientContext& client_;
  std::shared_ptr<arrow::Schema> schema_;
  std::shared_ptr<arrow::Schema>
      carried_schema_;  ///< As DuckDB's appender lays it out: uuids as binary.
  duckdb::vector<duckdb::LogicalType> carried_;
  bool has_casts_ = false;
  duckdb::unique_ptr<duckdb::ArrowAppender> appender_;
  int64_t rows_ = 0;
  int64_t bytes_ = 0;
};

}  // namespace calve::engine

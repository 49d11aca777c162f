#pragma once

#include <arrow/record_batch.h>

#include <memory>
#include <vector>

#include "base/result.h"
#include "columnar/convert.h"
#include "iceberg/schema.h"

namespace calve::writer {

/// How rows of a schema lie in a Parquet file: as columnar's exact types, but uuids as Parquet's
/// UUID, variants as its VARIANT, and columns of type unknown left out, as the spec demands. Immutable. Threads: any.
class FileShape {
 public:
  /// Fails with kRefused on a type that a file cannot hold, naming the column.
  static Result<FileShape> Of(iceberg::SchemaPtr schema);

  const iceberg::Schema& schema() const { return *schema_; }
  /// The exact types of the rows that come in.
  const std::shared_ptr<arrow::Schema>& row_schema() const { return row_schema_; }
  /// The schema that Parquet's writer is given.
  const std::shared_ptr<arrow::Schema>& file_schema() const { return file_schema_; }
  /// Rows in the file's form; columns that need no change are shared.
  columnar::Batch ToFile(const columnar::Batch& rows) const;

 private:
  iceberg::SchemaPtr schema_;
  std::shared_ptr<arrow::Schema> row_schema_;
  std::shared_ptr<arrow::Schema> file_schema_;
  std::vector<int> columns_;  ///< Of the rows, for each column of the file.
};

}  // namespace calve::writer

#pragma once

#include <parquet/properties.h>

#include <cstdint>
#include <memory>

#include "base/result.h"
#include "iceberg/metadata.h"

namespace calve::writer {

/// What a table's properties say about its data files (Iceberg's documented names, write.*).
struct WriteProperties {
  int64_t target_file_bytes = 512 << 20;  ///< write.target-file-size-bytes
  /// write.parquet.row-group-size-bytes; of the rows in memory, before encoding.
  int64_t row_group_bytes = 128 << 20;
  std::shared_ptr<parquet::WriterProperties> parquet;

  /// Fails with kConfig naming property and value, with kRefused for another format than Parquet.
  static Result<WriteProperties> Of(const iceberg::TableMetadata& table,
                                    const iceberg::Schema& schema);
};

}  // namespace calve::writer

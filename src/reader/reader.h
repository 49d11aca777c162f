#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "base/context.h"
#include "base/result.h"
#include "columnar/convert.h"
#include "iceberg/deletion_vector.h"
#include "iceberg/scan.h"

namespace calve::io {
class FileSystem;
}

namespace calve::reader {

/// Batches, one after another. For one thread.
class BatchReader {
 public:
  virtual ~BatchReader() = default;
  /// The next batch, or null at the end.
  virtual Result<columnar::Batch> Next(const Context& context) = 0;
};

/// One of several parts of a file, for threads that share it: of a Parquet file row groups that
/// follow each other, each in one part; a file of another format is wholly in the first.
struct FilePart {
  int number = 0;  ///< In [0, count).
  int count = 1;
};

struct ReadOptions {
  /// The columns to give, in this order: a schema made of fields of the table (their ids count), or
  /// reserved ones (_file, _pos, _row_id, _last_updated_sequence_number, _spec_id, _partition).
  iceberg::SchemaPtr projection;
  int64_t batch_rows_max = 64 * 1024;
  /// Rows for which this is surely not true may be left out (row groups by statistics); the caller
  /// still filters.
  iceberg::Expression filter;
  FilePart part;
};

/// Read the live rows of one scan task: columns by field id, else by name mapping, else null or the
/// initial default; promoted types widened; nested fields likewise; identity partition values for
/// columns absent from the file; all delete kinds applied. Parquet, Avro and ORC data files.
Result<std::unique_ptr<BatchReader>> OpenTask(const Context& context, io::FileSystem& files,
                                              const iceberg::TableMetadata& metadata,
                                              const iceberg::ScanTask& task,
                                              const ReadOptions& options);

/// The positions of one task's file that its deletion vector, or its position delete files, name.
Result<iceberg::PositionSet> NamedPositions(const Context& context, io::FileSystem& files,
                                            const iceberg::ScanTask& task);

/// The deleted positions of one task's file: its deletion vector, or its position deletes, and its
/// equality deletes resolved to positions by reading the equality columns. Empty optional when
/// nothing is deleted.
Result<std::optional<iceberg::PositionSet>> DeletedPositions(const Context& context,
                                                             io::FileSystem& files,
                                                             const iceberg::TableMetadata& metadata,
                                                             const iceberg::ScanTask& task);

}  // namespace calve::reader

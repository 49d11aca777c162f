#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/context.h"
#include "base/result.h"
#include "columnar/convert.h"
#include "iceberg/manifest.h"
#include "iceberg/metadata.h"

namespace calve::io {
class FileSystem;
}

namespace calve::writer {

/// How data files are written. Table properties (write.target-file-size-bytes, write.parquet.*,
/// write.metadata.metrics.*, write.data.path, write.object-storage.enabled) decide what is not
/// given here.
struct WriteOptions {
  iceberg::MetadataPtr table;
  /// Of the rows; its id may be newer than the table's current (staged evolution).
  iceberg::SchemaPtr schema;
  iceberg::PartitionSpec spec;
  std::string run_id;  ///< In file names: <partition path>/<split>-<run>-<n>.parquet.
  int split = 0;       ///< Several writers of one load differ here.
  /// Open partitions are flushed to files, largest first, above this many bytes in this writer.
  int64_t buffer_bytes_max = 128 << 20;
};

/// Turn batches into Parquet data files of one table. For one thread; several work side by side,
/// one per split.
///
/// Rows fan out to partitions in bounded memory. After an error call Abort. Nothing is visible to
/// readers until a commit.
class DataFileWriter {
 public:
  virtual ~DataFileWriter() = default;
  /// Rows in the exact types of the schema (columnar::Conform). Required columns are checked: a
  /// null fails with kData.
  virtual Status Write(const Context& context, const columnar::Batch& batch) = 0;
  /// Close all files, durable; give them with metrics. The writer is done.
  virtual Result<std::vector<iceberg::DataFilePtr>> Close(const Context& context) = 0;
  /// Remove what was written; for a load that surely will not commit.
  virtual Status Abort(const Context& context) = 0;
};

/// See that data files can hold rows of a schema. Fails with kRefused on types that cannot be
/// written, naming the column.
Status CheckWritable(const iceberg::SchemaPtr& schema);

/// Fails as CheckWritable does, and with kRefused on formats that cannot be written.
Result<std::unique_ptr<DataFileWriter>> OpenDataFileWriter(const Context& context,
                                                           io::FileSystem& files,
                                                           WriteOptions options);

/// Where data files lie: write.data.path, or <location>/data; without trailing slash.
std::string DataLocation(const iceberg::TableMetadata& metadata);

}  // namespace calve::writer

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
struct FileInfo;
}  // namespace calve::io

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
  /// Of rows that wait for their row group in memory; more are set aside on the local disk.
  int64_t buffer_bytes_max = 128 << 20;
};

/// A table, there or to be made, as far as a file of another program must suit it to become one of
/// its data files as it is.
struct AdoptionTerms {
  const iceberg::TableMetadata& table;  ///< Its properties and sort order.
  const iceberg::Schema& schema;        ///< Of the rows. Its ids mean nothing here.
  bool is_partitioned = false;
};

/// Why a Parquet file does not become one of the table's data files as it is, in a few words for a
/// person ("column tags is nested"); empty when it may (docs/adr/0015-adopted-files.md). Reads its
/// footer, if that.
Result<std::string> WhyNotAdopted(const Context& context, io::FileSystem& files,
                                  const AdoptionTerms& terms, const io::FileInfo& file);

/// Turn batches into Parquet data files of one table. For one thread; several work side by side,
/// one per split.
///
/// Rows fan out to partitions in bounded memory, and are put into the table's sort order: each file
/// is sorted as a whole, by runs on the local disk where its rows do not fit in memory.
/// After an error call Abort. Nothing is visible to
/// readers until a commit.
class DataFileWriter {
 public:
  virtual ~DataFileWriter() = default;
  /// Rows in the exact types of the schema (columnar::Conform). Required columns are checked: a
  /// null fails with kData.
  virtual Status Write(const Context& context, const columnar::Batch& batch) = 0;
  /// Make a Parquet file of another program one of the data files without decoding it: a copy with
  /// a footer of ours. False when it cannot be (see WhyNotAdopted): its rows are to be written.
  /// `copied` is told of every further piece of the copy.
  virtual Result<bool> Adopt(const Context& context, const io::FileInfo& file,
                             const std::function<void(ByteCount)>& copied) = 0;
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

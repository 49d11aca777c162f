#pragma once

#include <parquet/arrow/writer.h>

#include <memory>
#include <string>
#include <vector>

#include "base/context.h"
#include "base/result.h"
#include "columnar/convert.h"
#include "iceberg/manifest.h"
#include "iceberg/metrics.h"
#include "io/file_system.h"
#include "writer/file_shape.h"
#include "writer/nan_counts.h"
#include "writer/write_properties.h"

namespace calve::writer {

/// What all Parquet files of one writer share. Outlives them.
struct ParquetFileOptions {
  FileShape shape;
  WriteProperties properties;
  iceberg::MetricsConfig modes;

  /// Choose the encodings that suit the first rows.
  Status SuitTo(const columnar::Batch& rows);
};

/// Encoded bytes over bytes in memory, learnt from the row groups written so far.
class SizeRatio {
 public:
  int64_t Estimate(int64_t memory_bytes) const {
    return static_cast<int64_t>(static_cast<double>(memory_bytes) * ratio_);
  }
  void Learn(int64_t memory_bytes, int64_t encoded_bytes) {
    if (memory_bytes > 0)
      ratio_ = static_cast<double>(encoded_bytes) / static_cast<double>(memory_bytes);
  }

 private:
  double ratio_ = 1.0;
};

/// One Parquet data file being written. For one thread. Destroyed without Close() it leaves
/// nothing.
class ParquetFile {
 public:
  static Result<std::unique_ptr<ParquetFile>> Open(const Context& context, io::FileSystem& files,
                                                   std::string uri,
                                                   const ParquetFileOptions& options,
                                                   SizeRatio& ratio);
  ~ParquetFile();

  /// Encode rows into the row group under way, which ends at its size.
  Status Append(const columnar::Batch& rows);
  /// Write rows as one row group; nothing of them stays in memory.
  Status AppendRowGroup(const std::vector<columnar::Batch>& rows);

  /// Whether it has reached the target size, by what was written and an estimate of what is under
  /// way.
  bool IsFull() const;
  const std::string& uri() const { return uri_; }

  /// End the file durably, and describe it but for its partition. The file is done.
  Result<iceberg::DataFile> Close();

 private:
  ParquetFile(std::string uri, const ParquetFileOptions& options, SizeRatio& ratio)
      : uri_(std::move(uri)), options_(options), ratio_(ratio) {}
  Status EndRowGroup();

  const std::string uri_;
  const ParquetFileOptions& options_;
  SizeRatio& ratio_;
  std::unique_ptr<io::OutputFile> output_;
  std::unique_ptr<parquet::arrow::FileWriter> parquet_;
  NanCounts nans_;
  int64_t row_count_ = 0;
  bool is_group_open_ = false;
  int64_t group_rows_ = 0;
  int64_t group_bytes_ = 0;  ///< Of its rows in memory.
  int64_t group_start_ = 0;  ///< Position in the file.
};

}  // namespace calve::writer

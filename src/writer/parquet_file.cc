#include "writer/parquet_file.h"

#include <arrow/table.h>
#include <arrow/util/key_value_metadata.h>
#include <parquet/exception.h>
#include <parquet/metadata.h>

#include "columnar/arrow_status.h"
#include "io/arrow_bridge.h"
#include "writer/encodings.h"
#include "writer/footer_metrics.h"

namespace calve::writer {
namespace {

/// More rows in one group serve no reader.
constexpr int64_t kGroupRowsMax = 1 << 20;

/// Files end at row groups: one that is nearly full is full, so that none ends in a splinter.
constexpr int64_t kFullPercent = 95;

}  // namespace

Status ParquetFileOptions::SuitTo(const columnar::Batch& rows) {
  CALVE_ASSIGN_OR_RETURN(properties.parquet,
                         WithSuitableEncodings(properties.parquet, shape.ToFile(rows)));
  return Status::Ok();
}

Result<std::unique_ptr<ParquetFile>> ParquetFile::Open(const Context& context,
                                                       io::FileSystem& files, std::string uri,
                                                       const ParquetFileOptions& options,
                                                       SizeRatio& ratio) {
  std::unique_ptr<ParquetFile> file(new ParquetFile(std::move(uri), options, ratio));
  CALVE_ASSIGN_OR_RETURN(file->output_, files.OpenOutput(context, file->uri_));
  const auto arrow_properties = parquet::ArrowWriterProperties::Builder().build();
  CALVE_ASSIGN_OR_RETURN(
      file->parquet_,
      parquet::arrow::FileWriter::Open(*options.shape.file_schema(), arrow::default_memory_pool(),
                                       io::ToArrow(*file->output_), options.properties.parquet,
                                       arrow_properties));
  return file;
}

/// Parquet's writer ends its file when destroyed, so it goes before the bytes it writes to are
/// forgotten.
ParquetFile::~ParquetFile() {
  parquet_.reset();
  if (output_ != nullptr) output_->Abort();
}

Status ParquetFile::Append(const columnar::Batch& rows) {
  const int64_t bytes = columnar::BatchBytes(*rows);
  if (is_group_open_ &&
      (group_bytes_ >= options_.properties.row_group_bytes || group_rows_ >= kGroupRowsMax)) {
    CALVE_RETURN_IF_ERROR(EndRowGroup());
  }
  if (!is_group_open_) {
    CALVE_RETURN_IF_ERROR(parquet_->NewBufferedRowGroup());
    is_group_open_ = true;
    group_start_ = output_->position().value();
  }
  CALVE_RETURN_IF_ERROR(parquet_->WriteRecordBatch(*options_.shape.ToFile(rows)));
  nans_.Add(options_.shape.schema(), *rows);
  row_count_ += rows->num_rows();
  group_rows_ += rows->num_rows();
  group_bytes_ += bytes;
  return Status::Ok();
}

/// Arrow writes a buffered group out when the next one begins.
Status ParquetFile::EndRowGroup() {
  CALVE_RETURN_IF_ERROR(parquet_->NewBufferedRowGroup());
  const int64_t position = output_->position().value();
  ratio_.Learn(group_bytes_, position - group_start_);
  group_start_ = position;
  group_rows_ = 0;
  group_bytes_ = 0;
  return Status::Ok();
}

Status ParquetFile::AppendRowGroup(const std::vector<columnar::Batch>& rows) {
  std::vector<columnar::Batch> shaped;
  int64_t bytes = 0;
  for (const columnar::Batch& batch : rows) {
    shaped.push_back(options_.shape.ToFile(batch));
    bytes += columnar::BatchBytes(*batch);
    nans_.Add(options_.shape.schema(), *batch);
    row_count_ += batch->num_rows();
  }
  CALVE_ASSIGN_OR_RETURN(const std::shared_ptr<arrow::Table> table,
                         arrow::Table::FromRecordBatches(options_.shape.file_schema(), shaped));
  const int64_t start = output_->position().value();
  CALVE_RETURN_IF_ERROR(parquet_->WriteTable(*table, kGroupRowsMax));
  ratio_.Learn(bytes, output_->position().value() - start);
  return Status::Ok();
}

bool ParquetFile::IsFull() const {
  const int64_t estimate = output_->position().value() + ratio_.Estimate(group_bytes_);
  return estimate >= options_.properties.target_file_bytes / 100 * kFullPercent;
}

Result<iceberg::DataFile> ParquetFile::Close() {
  CALVE_RETURN_IF_ERROR(parquet_->Close());
  if (group_bytes_ > 0) ratio_.Learn(group_bytes_, output_->position().value() - group_start_);
  iceberg::DataFile file;
  CALVE_ASSIGN_OR_RETURN(const ByteCount size, output_->Close());
  output_.reset();
  file.path = uri_;
  file.format = iceberg::FileFormat::kParquet;
  file.record_count = row_count_;
  file.file_size_in_bytes = size.value();
  try {
    const parquet::FileMetaData& footer = *parquet_->metadata();
    if (footer.num_rows() != row_count_) {
      return BugError("file " + uri_ + " holds another number of rows than were written");
    }
    file.split_offsets = SplitOffsets(footer);
    CALVE_ASSIGN_OR_RETURN(file.metrics, FooterMetrics(footer, options_.shape.schema(),
                                                       options_.modes, nans_.counts()));
  } catch (const parquet::ParquetException& e) {
    return BugError("the footer of " + uri_ + " cannot be read back: " + e.what());
  }
  return file;
}

}  // namespace calve::writer

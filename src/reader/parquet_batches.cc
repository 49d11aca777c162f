#include <arrow/util/key_value_metadata.h>
#include <parquet/arrow/reader.h>
#include <parquet/exception.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>

#include <algorithm>
#include <vector>

#include "columnar/arrow_status.h"
#include "io/arrow_bridge.h"
#include "reader/file_batches.h"
#include "reader/row_group_filter.h"

namespace calve::reader {
namespace {

parquet::ArrowReaderProperties ArrowProperties(int64_t batch_rows_max) {
  parquet::ArrowReaderProperties properties(/*use_threads=*/false);
  properties.set_batch_size(batch_rows_max);
  properties.set_pre_buffer(false);
  // Old Spark and Impala files hold moments as INT96; nanoseconds would not reach before 1677 or
  // beyond 2262.
  properties.set_coerce_int96_timestamp_unit(arrow::TimeUnit::MICRO);
  return properties;
}

void AddLeaves(const std::vector<FileField>& fields, std::vector<int>& leaves) {
  for (const FileField& field : fields) {
    if (!field.is_read) continue;
    if (field.leaf >= 0) leaves.push_back(field.leaf);
    AddLeaves(field.children, leaves);
  }
}

class ParquetBatches : public FileBatches {
 public:
  static Result<std::unique_ptr<FileBatches>> Open(std::shared_ptr<io::InputFile> input,
                                                   FileOptions options);

  Result<std::optional<FileBatch>> Next(const Context& context) override;

 private:
  ParquetBatches(std::unique_ptr<parquet::arrow::FileReader> parquet, FileOptions options)
      : parquet_(std::move(parquet)), options_(std::move(options)) {}

  Status Plan();
  Status OpenGroup();
  Result<FileBatch> OfNothing();
  const parquet::FileMetaData& footer() const { return *parquet_->parquet_reader()->metadata(); }

  std::unique_ptr<parquet::arrow::FileReader> parquet_;
  const FileOptions options_;
  std::optional<ColumnPlan> plan_;
  std::vector<FileField> fields_;
  std::vector<int> leaves_;
  int group_ = 0;
  int groups_end_ = 0;
  std::unique_ptr<arrow::RecordBatchReader> rows_;
  int64_t position_ = 0;   ///< Of the next row.
  int64_t group_end_ = 0;  ///< Of the rows of the group under way.
};

Result<std::unique_ptr<FileBatches>> ParquetBatches::Open(std::shared_ptr<io::InputFile> input,
                                                          FileOptions options) {
  parquet::arrow::FileReaderBuilder builder;
  CALVE_RETURN_IF_ERROR(builder.Open(io::ToArrow(std::move(input))));
  builder.properties(ArrowProperties(options.batch_rows_max));
  CALVE_ASSIGN_OR_RETURN(std::unique_ptr<parquet::arrow::FileReader> reader, builder.Build());
  std::unique_ptr<ParquetBatches> batches(
      new ParquetBatches(std::move(reader), std::move(options)));
  CALVE_RETURN_IF_ERROR(batches->Plan());
  return batches;
}

Status ParquetBatches::Plan() {
  fields_ = FieldsOf(parquet_->manifest());
  if (options_.is_foreign) ForgetIds(fields_);
  ApplyNameMapping(fields_, options_.name_mapping);
  CALVE_ASSIGN_OR_RETURN(plan_, ColumnPlan::Bind(options_.wanted, fields_, options_.constants));
  AddLeaves(fields_, leaves_);
  const int64_t groups = footer().num_row_groups();
  const FilePart& part = options_.part;
  const auto first = static_cast<int>(groups * part.number / part.count);
  groups_end_ = static_cast<int>(groups * (part.number + 1) / part.count);
  for (; group_ < first; ++group_) group_end_ += footer().RowGroup(group_)->num_rows();
  position_ = group_end_;
  return Status::Ok();
}

/// Begin the next row group that may hold rows of interest; `rows_` stays null at the end of the
/// part.
Status ParquetBatches::OpenGroup() {
  for (; group_ < groups_end_; ++group_) {
    const auto group = footer().RowGroup(group_);
    position_ = group_end_;
    group_end_ += group->num_rows();
    if (group->num_rows() == 0) continue;
    if (options_.schema != nullptr &&
        !RowGroupMayMatch(options_.filter, *options_.schema, fields_, *group))
      continue;
    if (!leaves_.empty()) {
      CALVE_ASSIGN_OR_RETURN(rows_, parquet_->GetRecordBatchReader({group_}, leaves_));
    }
    ++group_;
    return Status::Ok();
  }
  position_ = group_end_;
  return Status::Ok();
}

/// Rows of which no column is in the file.
Result<FileBatch> ParquetBatches::OfNothing() {
  const int64_t count = std::min(group_end_ - position_, options_.batch_rows_max);
  const auto none =
      arrow::RecordBatch::Make(arrow::schema(arrow::FieldVector{}), count, arrow::ArrayVector{});
  FileBatch batch{.rows = nullptr, .first_position = position_};
  CALVE_ASSIGN_OR_RETURN(batch.rows, plan_->Adapt(*none));
  position_ += count;
  return batch;
}

Result<std::optional<FileBatch>> ParquetBatches::Next(const Context&) try {
  while (true) {
    if (position_ == group_end_) {
      rows_.reset();
      CALVE_RETURN_IF_ERROR(OpenGroup());
      if (position_ == group_end_) return std::optional<FileBatch>();
    }
    if (leaves_.empty()) {
      CALVE_ASSIGN_OR_RETURN(FileBatch batch, OfNothing());
      return std::optional(std::move(batch));
    }
    CALVE_ASSIGN_OR_RETURN(const columnar::Batch read, rows_->Next());
    if (read == nullptr) return DataError("a row group ends before its last row");
    if (read->num_rows() == 0) continue;
    FileBatch batch{.rows = nullptr, .first_position = position_};
    position_ += read->num_rows();
    if (position_ > group_end_) return DataError("a row group has more rows than its footer says");
    CALVE_ASSIGN_OR_RETURN(batch.rows, plan_->Adapt(*read));
    return std::optional(std::move(batch));
  }
} catch (const parquet::ParquetException& e) {
  return DataError(e.what());
}

}  // namespace

Result<std::unique_ptr<FileBatches>> OpenParquet(std::shared_ptr<io::InputFile> input,
                                                 FileOptions options) try {
  return ParquetBatches::Open(std::move(input), std::move(options));
} catch (const parquet::ParquetException& e) {
  return DataError(e.what());
}

}  // namespace calve::reader

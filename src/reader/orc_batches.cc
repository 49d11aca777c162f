#include <arrow/adapters/orc/adapter.h>

#include <algorithm>
#include <exception>

#include "columnar/arrow_status.h"
#include "io/arrow_bridge.h"
#include "reader/file_batches.h"
#include "reader/orc_check.h"
#include "reader/orc_layout.h"
#include "reader/orc_timestamps.h"

namespace calve::reader {
namespace {

/// The attribute of ORC types under which Iceberg's writers put field ids.
constexpr const char* kOrcIdAttribute = "iceberg.id";

/// ORC is read by whole top-level columns, stripe by stripe: by Arrow, but for moments of
/// microseconds, which OrcTimestamps reads as far as they go.
///
/// Arrow keeps the stripes whose writer's clock was not in UTC, and files in codecs that are not
/// had here.
class OrcBatches : public FileBatches {
 public:
  static Result<std::unique_ptr<FileBatches>> Open(std::shared_ptr<io::InputFile> input,
                                                   FileOptions options);

  Result<std::optional<FileBatch>> Next(const Context& context) override;

 private:
  /// A top-level column that is read.
  struct Column {
    int index = 0;                         ///< In the file.
    uint64_t number = 0;                   ///< In stripes.
    bool is_timestamp = false;             ///< Wanted in microseconds.
    bool is_instant = false;               ///< In UTC, wherever it was written.
    std::optional<OrcTimestamps> moments;  ///< Of the current stripe, unless Arrow reads them.
  };

  OrcBatches(std::shared_ptr<io::InputFile> input,
             std::unique_ptr<arrow::adapters::orc::ORCFileReader> orc, FileOptions options)
      : input_(std::move(input)), orc_(std::move(orc)), options_(std::move(options)) {}

  Status Plan();
  Status PlanColumn(int index);
  Status OpenStripe(const OrcStripe& stripe);
  Status OpenByArrow(const std::vector<int>& columns);
  Status OpenMoments(const OrcStripe& stripe);
  Result<std::shared_ptr<arrow::RecordBatch>> ReadNext();
  Result<std::shared_ptr<arrow::RecordBatch>> ReadByArrow();

  const std::shared_ptr<io::InputFile> input_;
  std::unique_ptr<arrow::adapters::orc::ORCFileReader> orc_;
  const FileOptions options_;
  OrcLayout layout_;
  std::optional<OrcCompression> compression_;
  std::shared_ptr<arrow::Schema> schema_;
  std::optional<ColumnPlan> plan_;
  std::vector<Column> columns_;

  size_t next_stripe_ = 0;
  int64_t rows_left_ = 0;                             ///< Of the current stripe.
  std::shared_ptr<arrow::RecordBatchReader> stripe_;  ///< Null when Arrow reads none of it.
  /// Reads these columns of all stripes, one after the other, as long as every stripe wants them.
  std::shared_ptr<arrow::RecordBatchReader> all_stripes_;
  std::vector<int> columns_of_all_;
  std::string arrow_zone_;  ///< Whose timestamps are left to Arrow for it; empty when none are.
  int64_t position_ = 0;
};

void ReadWhole(FileField& field) {
  field.is_read = true;
  for (FileField& child : field.children) ReadWhole(child);
}

Result<std::unique_ptr<FileBatches>> OrcBatches::Open(std::shared_ptr<io::InputFile> input,
                                                      FileOptions options) {
  CALVE_ASSIGN_OR_RETURN(auto orc, arrow::adapters::orc::ORCFileReader::Open(
                                       io::ToArrow(input), arrow::default_memory_pool()));
  std::unique_ptr<OrcBatches> batches(
      new OrcBatches(std::move(input), std::move(orc), std::move(options)));
  CALVE_RETURN_IF_ERROR(batches->Plan());
  return batches;
}

/// Bind once to learn which columns are needed, and again knowing that all below them is read.
Status OrcBatches::Plan() {
  CALVE_ASSIGN_OR_RETURN(schema_, orc_->ReadSchema());
  CALVE_ASSIGN_OR_RETURN(layout_, ParseOrcTail(orc_->GetSerializedFileTail()));
  CALVE_ASSIGN_OR_RETURN(compression_, OrcCompression::Of(layout_));
  std::vector<FileField> fields = FieldsOf(*schema_, options_.is_foreign ? "" : kOrcIdAttribute);
  ApplyNameMapping(fields, options_.name_mapping);
  CALVE_RETURN_IF_ERROR(ColumnPlan::Bind(options_.wanted, fields, options_.constants));
  for (FileField& field : fields)
    if (field.is_read) ReadWhole(field);
  CALVE_ASSIGN_OR_RETURN(plan_, ColumnPlan::Bind(options_.wanted, fields, options_.constants));
  for (size_t i = 0; i < fields.size(); ++i)
    if (fields[i].is_read) CALVE_RETURN_IF_ERROR(PlanColumn(static_cast<int>(i)));
  return Status::Ok();
}

Status OrcBatches::PlanColumn(int index) {
  const std::vector<uint64_t>& numbers = layout_.types[0].children;
  if (layout_.types[0].kind != kOrcStruct ||
      numbers.size() != static_cast<size_t>(schema_->num_fields()))
    return DataError("the columns of the ORC file are not the fields of its type");
  Column& column = columns_.emplace_back();
  column.index = index;
  column.number = numbers[static_cast<size_t>(index)];
  const uint64_t kind = layout_.types[column.number].kind;
  column.is_instant = kind == kOrcTimestampInstant;
  for (size_t i = 0; i < options_.wanted.size(); ++i) {
    if (plan_->FileIndex(i) != index) continue;
    const iceberg::TypeKind wanted = options_.wanted[i].type.kind();
    column.is_timestamp =
        (kind == kOrcTimestamp || kind == kOrcTimestampInstant) &&
        (wanted == iceberg::TypeKind::kTimestamp || wanted == iceberg::TypeKind::kTimestampTz);
  }
  return Status::Ok();
}

Status OrcBatches::OpenStripe(const OrcStripe& stripe) {
  stripe_.reset();
  rows_left_ = stripe.rows;
  if (rows_left_ == 0) return Status::Ok();
  if (options_.is_foreign && compression_) {
    CALVE_ASSIGN_OR_RETURN(const OrcStripeFooter footer,
                           ReadOrcStripeFooter(*input_, stripe, *compression_));
    CALVE_RETURN_IF_ERROR(footer.CheckStreams(stripe, layout_.types.size()));
    CALVE_RETURN_IF_ERROR(
        CheckOrcLengths(*input_, footer, layout_, *compression_, options_.batch_rows_max));
  }
  CALVE_RETURN_IF_ERROR(OpenMoments(stripe));
  std::vector<int> others;
  for (const Column& column : columns_)
    if (!column.moments) others.push_back(column.index);
  if (all_stripes_ != nullptr && others != columns_of_all_) all_stripes_.reset();
  if (others.empty()) return Status::Ok();
  return OpenByArrow(others);
}

/// ORC's library finds a row by the file's row index, which it trusts: a damaged one ends the
/// program. So stripes are read one after the other, without looking for any, unless their columns
/// change from one to the next or can't be named.
Status OrcBatches::OpenByArrow(const std::vector<int>& columns) {
  std::vector<std::string> names;
  for (const int index : columns) names.push_back(schema_->field(index)->name());
  const bool can_be_named = std::ranges::all_of(names, [&](const std::string& name) {
    return !name.empty() && name.find_first_of(".`") == std::string::npos &&
           schema_->GetAllFieldIndices(name).size() == 1;
  });
  if (position_ == 0 && can_be_named) {
    columns_of_all_ = columns;
    CALVE_ASSIGN_OR_RETURN(all_stripes_,
                           orc_->GetRecordBatchReader(options_.batch_rows_max, names));
  }
  stripe_ = all_stripes_;
  if (stripe_ != nullptr) return Status::Ok();
  CALVE_RETURN_IF_ERROR(orc_->Seek(position_));
  CALVE_ASSIGN_OR_RETURN(stripe_, orc_->NextStripeReader(options_.batch_rows_max, columns));
  if (stripe_ == nullptr) return DataError("the ORC file ends before its last stripe");
  return Status::Ok();
}

Status OrcBatches::OpenMoments(const OrcStripe& stripe) {
  for (Column& column : columns_) column.moments.reset();
  arrow_zone_.clear();
  if (!compression_ || std::ranges::none_of(columns_, &Column::is_timestamp)) return Status::Ok();
  CALVE_ASSIGN_OR_RETURN(const OrcStripeFooter footer,
                         ReadOrcStripeFooter(*input_, stripe, *compression_));
  // Columns have no values for rows that are null as a whole, which no writer of tables makes.
  if (footer.Find(0, OrcStreamKind::kPresent) != nullptr) return Status::Ok();
  for (Column& column : columns_) {
    if (!column.is_timestamp) continue;
    if (!column.is_instant && !IsUtc(footer.writer_zone)) {
      arrow_zone_ = footer.writer_zone;
      continue;
    }
    CALVE_ASSIGN_OR_RETURN(
        column.moments,
        OrcTimestamps::Open(*input_, footer, column.number, *compression_,
                            options_.is_foreign ? OrcFiner::kRefuse : OrcFiner::kCut));
  }
  return Status::Ok();
}

Result<std::shared_ptr<arrow::RecordBatch>> OrcBatches::ReadByArrow() {
  auto next = stripe_->Next();
  if (!next.ok()) {
    Error error = StatusOf(next).error();
    if (arrow_zone_.empty()) return error;
    return While("timestamps that were written in the time zone " + arrow_zone_ +
                     ", which are read in nanoseconds",
                 std::move(error));
  }
  const std::shared_ptr<arrow::RecordBatch> rows = *std::move(next);
  if (rows != nullptr && rows->num_rows() > 0 && rows->num_rows() <= rows_left_) return rows;
  return DataError("a stripe of the ORC file has other rows than the footer says");
}

/// The next rows of any stripe, or null at the end.
Result<std::shared_ptr<arrow::RecordBatch>> OrcBatches::ReadNext() {
  while (rows_left_ == 0) {
    if (next_stripe_ == layout_.stripes.size()) return std::shared_ptr<arrow::RecordBatch>();
    CALVE_RETURN_IF_ERROR(OpenStripe(layout_.stripes[next_stripe_++]));
  }
  int64_t rows = std::min(rows_left_, options_.batch_rows_max);
  std::shared_ptr<arrow::RecordBatch> others;
  if (stripe_ != nullptr) {
    CALVE_ASSIGN_OR_RETURN(others, ReadByArrow());
    rows = others->num_rows();
  }
  arrow::FieldVector fields;
  arrow::ArrayVector arrays;
  int next_other = 0;
  for (Column& column : columns_) {
    std::shared_ptr<arrow::Array>& array = arrays.emplace_back();
    if (column.moments) {
      auto moments = column.moments->Read(rows);
      if (!moments.ok())
        return While("column " + schema_->field(column.index)->name(), std::move(moments).error());
      array = *std::move(moments);
    } else {
      array = others->column(next_other++);
    }
    fields.push_back(schema_->field(column.index)->WithType(array->type()));
  }
  rows_left_ -= rows;
  return arrow::RecordBatch::Make(arrow::schema(std::move(fields)), rows, std::move(arrays));
}

Result<std::optional<FileBatch>> OrcBatches::Next(const Context&) try {
  auto read = ReadNext();
  if (!read.ok()) {
    // What ORC's library did not foresee it calls unknown; it is the file's fault.
    Error error = std::move(read).error();
    if (error.kind == ErrorKind::kBug) error.kind = ErrorKind::kData;
    return error;
  }
  const std::shared_ptr<arrow::RecordBatch>& rows = *read;
  if (rows == nullptr) return std::optional<FileBatch>();
  FileBatch batch{.rows = nullptr, .first_position = position_};
  position_ += rows->num_rows();
  CALVE_ASSIGN_OR_RETURN(batch.rows, plan_->Adapt(*rows));
  return std::optional(std::move(batch));
} catch (const std::exception& e) {
  return DataError(e.what());
}

}  // namespace

Result<std::unique_ptr<FileBatches>> OpenOrc(std::shared_ptr<io::InputFile> input,
                                             FileOptions options) try {
  return OrcBatches::Open(std::move(input), std::move(options));
} catch (const std::exception& e) {
  return DataError(e.what());
}

}  // namespace calve::reader

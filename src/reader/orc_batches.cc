#include <arrow/adapters/orc/adapter.h>

#include <exception>

#include "columnar/arrow_status.h"
#include "io/arrow_bridge.h"
#include "reader/file_batches.h"

namespace calve::reader {
namespace {

/// The attribute of ORC types under which Iceberg's writers put field ids.
constexpr char kOrcIdAttribute[] = "iceberg.id";

/// ORC is read by whole top-level columns, stripe by stripe.
class OrcBatches : public FileBatches {
 public:
  static Result<std::unique_ptr<FileBatches>> Open(std::shared_ptr<io::InputFile> input,
                                                   FileOptions options);

  Result<std::optional<FileBatch>> Next(const Context& context) override;

 private:
  OrcBatches(std::unique_ptr<arrow::adapters::orc::ORCFileReader> orc, FileOptions options)
      : orc_(std::move(orc)), options_(std::move(options)) {}

  Status Plan();
  Result<std::shared_ptr<arrow::RecordBatch>> ReadNext();

  std::unique_ptr<arrow::adapters::orc::ORCFileReader> orc_;
  const FileOptions options_;
  std::optional<ColumnPlan> plan_;
  std::vector<int> columns_;
  std::shared_ptr<arrow::RecordBatchReader> stripe_;
  int64_t position_ = 0;
};

void ReadWhole(FileField& field) {
  field.is_read = true;
  for (FileField& child : field.children) ReadWhole(child);
}

Result<std::unique_ptr<FileBatches>> OrcBatches::Open(std::shared_ptr<io::InputFile> input,
                                                      FileOptions options) {
  CALVE_ASSIGN_OR_RETURN(auto orc,
                         arrow::adapters::orc::ORCFileReader::Open(io::ToArrow(std::move(input)),
                                                                   arrow::default_memory_pool()));
  std::unique_ptr<OrcBatches> batches(new OrcBatches(std::move(orc), std::move(options)));
  CALVE_RETURN_IF_ERROR(batches->Plan());
  return batches;
}

/// Bind once to learn which columns are needed, and again knowing that all below them is read.
Status OrcBatches::Plan() {
  CALVE_ASSIGN_OR_RETURN(const std::shared_ptr<arrow::Schema> schema, orc_->ReadSchema());
  std::vector<FileField> fields = FieldsOf(*schema, kOrcIdAttribute);
  ApplyNameMapping(fields, options_.name_mapping);
  CALVE_RETURN_IF_ERROR(ColumnPlan::Bind(options_.wanted, fields, options_.constants));
  for (size_t i = 0; i < fields.size(); ++i) {
    if (!fields[i].is_read) continue;
    ReadWhole(fields[i]);
    columns_.push_back(static_cast<int>(i));
  }
  CALVE_ASSIGN_OR_RETURN(plan_, ColumnPlan::Bind(options_.wanted, fields, options_.constants));
  return Status::Ok();
}

/// The next rows of any stripe, or null at the end.
Result<std::shared_ptr<arrow::RecordBatch>> OrcBatches::ReadNext() {
  while (true) {
    if (stripe_ == nullptr) {
      CALVE_ASSIGN_OR_RETURN(stripe_, orc_->NextStripeReader(options_.batch_rows_max, columns_));
      if (stripe_ == nullptr) return std::shared_ptr<arrow::RecordBatch>();
    }
    CALVE_ASSIGN_OR_RETURN(std::shared_ptr<arrow::RecordBatch> rows, stripe_->Next());
    if (rows != nullptr) return rows;
    stripe_.reset();
  }
}

Result<std::optional<FileBatch>> OrcBatches::Next(const Context&) try {
  std::shared_ptr<arrow::RecordBatch> read;
  if (columns_.empty()) {
    const int64_t count = std::min(orc_->NumberOfRows() - position_, options_.batch_rows_max);
    if (count == 0) return std::optional<FileBatch>();
    read =
        arrow::RecordBatch::Make(arrow::schema(arrow::FieldVector{}), count, arrow::ArrayVector{});
  } else {
    CALVE_ASSIGN_OR_RETURN(read, ReadNext());
    if (read == nullptr) return std::optional<FileBatch>();
  }
  FileBatch batch{.rows = nullptr, .first_position = position_};
  position_ += read->num_rows();
  CALVE_ASSIGN_OR_RETURN(batch.rows, plan_->Adapt(*read));
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

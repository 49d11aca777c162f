#include <arrow/array/util.h>
#include <arrow/builder.h>
#include <arrow/util/checked_cast.h>
#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "avro/decoder.h"
#include "avro/file_reader.h"
#include "columnar/arrow_status.h"
#include "reader/avro_column.h"
#include "reader/file_batches.h"

namespace calve::reader {
namespace {

/// Hands our file to the codec piece by piece.
class FileInput : public avro::Input {
 public:
  explicit FileInput(std::shared_ptr<io::InputFile> file) : file_(std::move(file)) {}

  Result<size_t> Read(char* out, size_t size) override {
    CALVE_ASSIGN_OR_RETURN(const size_t got, file_->ReadInto(offset_, std::span(out, size)));
    offset_ += static_cast<int64_t>(got);
    return got;
  }

 private:
  std::shared_ptr<io::InputFile> file_;
  int64_t offset_ = 0;
};

/// Avro rows, built column by column as they are decoded.
class AvroBatches : public FileBatches {
 public:
  AvroBatches(avro::FileReader file, FileOptions options)
      : file_(std::move(file)), options_(std::move(options)) {}

  Status Plan();
  Result<std::optional<FileBatch>> Next(const Context& context) override;

 private:
  Result<columnar::Batch> Build(int64_t rows);

  avro::FileReader file_;
  const FileOptions options_;
  AvroRow row_;
  std::shared_ptr<arrow::Schema> schema_;
  std::optional<avro::Block> block_;
  std::optional<avro::Decoder> decoder_;
  int64_t left_ = 0;  ///< Rows of the block not yet decoded.
  int64_t position_ = 0;
};

Status AvroBatches::Plan() {
  CALVE_ASSIGN_OR_RETURN(row_, AvroRow::Bind(file_.schema().root(), options_.wanted,
                                             options_.name_mapping, options_.constants));
  CALVE_ASSIGN_OR_RETURN(const std::shared_ptr<arrow::DataType> type,
                         columnar::ToArrowType(iceberg::Type::Struct(options_.wanted)));
  schema_ = arrow::schema(type->fields());
  return Status::Ok();
}

Result<columnar::Batch> AvroBatches::Build(int64_t rows) {
  CALVE_ASSIGN_OR_RETURN(const std::unique_ptr<arrow::ArrayBuilder> builder,
                         arrow::MakeBuilder(arrow::struct_(schema_->fields())));
  auto& rows_builder = arrow::internal::checked_cast<arrow::StructBuilder&>(*builder);
  for (int64_t i = 0; i < rows && decoder_->ok(); ++i)
    CALVE_RETURN_IF_ERROR(row_.Append(*decoder_, rows_builder));
  CALVE_RETURN_IF_ERROR(decoder_->status());
  CALVE_ASSIGN_OR_RETURN(const std::shared_ptr<arrow::Array> array, builder->Finish());
  const arrow::ArrayVector& columns =
      arrow::internal::checked_cast<const arrow::StructArray&>(*array).fields();
  return arrow::RecordBatch::Make(schema_, rows, columns);
}

Result<std::optional<FileBatch>> AvroBatches::Next(const Context&) {
  while (left_ == 0) {
    if (decoder_) CALVE_RETURN_IF_ERROR(decoder_->Finish());
    CALVE_ASSIGN_OR_RETURN(block_, file_.Next());
    if (!block_) return std::optional<FileBatch>();
    left_ = block_->record_count;
    decoder_.emplace(block_->bytes);
  }
  const int64_t rows = std::min(left_, options_.batch_rows_max);
  FileBatch batch{.rows = nullptr, .first_position = position_};
  CALVE_ASSIGN_OR_RETURN(batch.rows, Build(rows));
  left_ -= rows;
  position_ += rows;
  return std::optional(std::move(batch));
}

}  // namespace

Result<std::unique_ptr<FileBatches>> OpenAvro(std::shared_ptr<io::InputFile> input,
                                              FileOptions options) {
  CALVE_ASSIGN_OR_RETURN(avro::FileReader file,
                         avro::FileReader::Open(std::make_unique<FileInput>(std::move(input))));
  auto batches = std::make_unique<AvroBatches>(std::move(file), std::move(options));
  CALVE_RETURN_IF_ERROR(batches->Plan());
  return batches;
}

}  // namespace calve::reader

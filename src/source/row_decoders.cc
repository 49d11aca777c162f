#include "source/row_decoders.h"

#include <arrow/record_batch.h>

#include <utility>

namespace calve::source {
namespace {

constexpr int64_t kRowsPerReserve = 1024;

}  // namespace

RowDecoders::RowDecoders(
    const Relation& relation,
    const std::function<std::unique_ptr<ValueDecoder>(const TableColumn&)>& make) {
  arrow::FieldVector fields;
  for (const TableColumn& column : relation.columns) {
    decoders_.push_back(make(column));
    fields.push_back(arrow::field(column.name, column.type));
  }
  schema_ = arrow::schema(std::move(fields));
}

Status RowDecoders::ReserveMore() {
  for (const auto& decoder : decoders_) CALVE_RETURN_IF_ERROR(decoder->Reserve(kRowsPerReserve));
  reserved_ = rows_ + kRowsPerReserve;
  return Status::Ok();
}

void RowDecoders::Refuse(size_t column, std::string_view value) {
  if (!misfits_.empty() && misfits_.back().row == rows_) return;
  RowsRead::Misfit misfit{.row = rows_, .column = column};
  decoders_[column]->Explain(value, &misfit.text, &misfit.reason);
  misfits_.push_back(std::move(misfit));
}

Result<std::optional<RowsRead>> RowDecoders::Finish(ByteCount bytes) {
  if (rows_ == 0) return std::optional<RowsRead>();
  RowsRead read;
  arrow::ArrayVector arrays;
  for (const auto& decoder : decoders_) {
    CALVE_ASSIGN_OR_RETURN(auto array, decoder->Finish());
    arrays.push_back(std::move(array));
  }
  read.rows = arrow::RecordBatch::Make(schema_, rows_, std::move(arrays));
  read.misfits = std::exchange(misfits_, {});
  read.bytes = bytes;
  rows_ = 0;
  reserved_ = 0;
  return std::optional<RowsRead>(std::move(read));
}

}  // namespace calve::source

#include "writer/row_spill.h"

#include <arrow/buffer.h>
#include <arrow/io/memory.h>
#include <arrow/ipc/dictionary.h>
#include <arrow/ipc/reader.h>
#include <arrow/ipc/writer.h>
#include <arrow/record_batch.h>

#include <utility>

#include "columnar/arrow_status.h"

namespace calve::writer {

Result<RowSpill::Place> RowSpill::Append(const columnar::Batch& rows) {
  auto options = arrow::ipc::IpcWriteOptions::Defaults();
  options.use_threads = false;
  CALVE_ASSIGN_OR_RETURN(const std::shared_ptr<arrow::Buffer> bytes,
                         arrow::ipc::SerializeRecordBatch(*rows, options));
  CALVE_ASSIGN_OR_RETURN(const int64_t offset, file_.Append(std::string_view(*bytes)));
  return Place{.offset = offset, .length = bytes->size()};
}

Result<columnar::Batch> RowSpill::TakeBack(const Place& place) {
  CALVE_ASSIGN_OR_RETURN(std::shared_ptr<arrow::Buffer> bytes, arrow::AllocateBuffer(place.length));
  CALVE_RETURN_IF_ERROR(file_.ReadAt(place.offset, {reinterpret_cast<char*>(bytes->mutable_data()),
                                                    static_cast<size_t>(place.length)}));
  file_.Discard(place.offset, place.length);
  auto options = arrow::ipc::IpcReadOptions::Defaults();
  options.use_threads = false;
  arrow::io::BufferReader stream(std::move(bytes));
  arrow::ipc::DictionaryMemo dictionaries;
  CALVE_ASSIGN_OR_RETURN(columnar::Batch rows,
                         arrow::ipc::ReadRecordBatch(schema_, &dictionaries, options, &stream));
  return rows;
}

}  // namespace calve::writer

#include "source/postgresql/copy_reader.h"

#include <arrow/record_batch.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "columnar/arrow_status.h"
#include "source/postgresql/column_types.h"
#include "source/postgresql/wire.h"

namespace calve::source::postgresql {
namespace {

// PostgreSQL's manual, COPY, Binary Format.
constexpr std::string_view kSignature("PGCOPY\n\377\r\n\0", 11);
constexpr int64_t kRowsPerReserve = 1024;

class CopyReader : public RowReader {
 public:
  CopyReader(Lease lease, const Relation& relation, CopyOptions options)
      : lease_(std::move(lease)), options_(std::move(options)) {
    arrow::FieldVector fields;
    for (const TableColumn& column : relation.columns) {
      const auto& native = std::any_cast<const NativeColumn&>(column.native);
      decoders_.push_back(native.is_array
                              ? MakeArrayDecoder(native.form, column.type, options_.decoding)
                              : MakeDecoder(native.form, column.type, options_.decoding));
      fields.push_back(arrow::field(column.name, column.type));
    }
    schema_ = arrow::schema(std::move(fields));
  }

  ~CopyReader() override {
    if (lease_.connection != nullptr) lease_.connection->Cancel();
  }

  Result<std::optional<RowsRead>> Next(const Context& context) override {
    RowsRead read;
    int64_t rows = 0;
    int64_t bytes = 0;
    while (lease_.connection != nullptr && rows < options_.batch_rows_max &&
           bytes < options_.batch_bytes_max) {
      if (rows % kRowsPerReserve == 0) CALVE_RETURN_IF_ERROR(Reserve());
      auto copied = lease_.connection->NextCopied(context);
      if (!copied.ok()) return Named(std::move(copied).error());
      if (!copied->has_value()) {
        lease_.give_back(std::move(lease_.connection));
        break;
      }
      CALVE_ASSIGN_OR_RETURN(const bool is_row, Take(**copied, rows, &read.misfits));
      bytes += static_cast<int64_t>((*copied)->size());
      if (is_row) ++rows;
    }
    if (rows == 0) return std::optional<RowsRead>();
    arrow::ArrayVector arrays;
    for (const auto& decoder : decoders_) {
      CALVE_ASSIGN_OR_RETURN(auto array, decoder->Finish());
      arrays.push_back(std::move(array));
    }
    read.rows = arrow::RecordBatch::Make(schema_, rows, std::move(arrays));
    read.bytes = ByteCount(bytes);
    return std::optional<RowsRead>(std::move(read));
  }

 private:
  Status Reserve() {
    const int64_t room = std::min(kRowsPerReserve, options_.batch_rows_max);
    for (const auto& decoder : decoders_) CALVE_RETURN_IF_ERROR(decoder->Reserve(room));
    return Status::Ok();
  }

  /// Take one message; false for the one that ends the copy.
  Result<bool> Take(std::string_view message, int64_t row, std::vector<RowsRead::Misfit>* misfits) {
    WireReader wire(message);
    if (!begun_) {
      const bool signed_well = message.starts_with(kSignature) && wire.Skip(kSignature.size());
      const auto flags = wire.Number<int32_t>();
      const auto extension = wire.Number<int32_t>();
      if (!signed_well || !flags || !extension || *extension < 0 ||
          !wire.Skip(static_cast<size_t>(*extension)))
        return Cut();
      begun_ = true;
      if (wire.rest().empty()) return false;  // The rows begin with the next message.
    }
    const auto fields = wire.Number<int16_t>();
    if (fields == -1) return false;
    if (fields != static_cast<int16_t>(decoders_.size())) return Cut();
    // As WireReader::Value, with nothing in memory in between: this runs for every value.
    const char* next = wire.rest().data();
    const char* const end = next + wire.rest().size();
    bool fits = true;
    for (size_t i = 0; i < decoders_.size(); ++i) {
      if (end - next < 4) return Cut();
      const auto size = static_cast<int32_t>(LoadNumber<uint32_t>(next));
      next += 4;
      if (size == -1) {
        decoders_[i]->AppendNull();
        continue;
      }
      if (size < 0 || size > end - next) return Cut();
      const std::string_view value(next, static_cast<size_t>(size));
      next += size;
      if (!decoders_[i]->Append(value) && fits) [[unlikely]] {
        RowsRead::Misfit misfit{.row = row, .column = i};
        decoders_[i]->Explain(value, &misfit.text, &misfit.reason);
        misfits->push_back(std::move(misfit));
        fits = false;
      }
    }
    return true;
  }

  Error Cut() const {
    return DataError(options_.place +
                     ": the server sent rows that are no binary COPY; expected PostgreSQL's own "
                     "format: see that nothing between changes it");
  }
  Error Named(Error error) const { return While("read " + options_.place, std::move(error)); }

  Lease lease_;
  const CopyOptions options_;
  std::shared_ptr<arrow::Schema> schema_;
  std::vector<std::unique_ptr<ValueDecoder>> decoders_;
  bool begun_ = false;
};

}  // namespace

Result<std::unique_ptr<RowReader>> MakeCopyReader(Lease lease, const Relation& relation,
                                                  CopyOptions options) {
  return std::make_unique<CopyReader>(std::move(lease), relation, std::move(options));
}

}  // namespace calve::source::postgresql

#include "source/postgresql/copy_reader.h"

#include <utility>

#include "source/postgresql/column_types.h"
#include "source/postgresql/wire.h"
#include "source/row_decoders.h"

namespace calve::source::postgresql {
namespace {

// PostgreSQL's manual, COPY, Binary Format.
constexpr std::string_view kSignature("PGCOPY\n\377\r\n\0", 11);

class CopyReader : public RowReader {
 public:
  CopyReader(Lease lease, const Relation& relation, CopyOptions options)
      : lease_(std::move(lease)),
        options_(std::move(options)),
        rows_(relation, [this](const TableColumn& column) {
          const auto& native = std::any_cast<const NativeColumn&>(column.native);
          return native.is_array ? MakeArrayDecoder(native.form, column.type, options_.decoding)
                                 : MakeDecoder(native.form, column.type, options_.decoding);
        }) {}

  ~CopyReader() override {
    if (lease_.connection != nullptr) lease_.connection->Cancel();
  }

  Result<std::optional<RowsRead>> Next(const Context& context) override {
    int64_t bytes = 0;
    while (lease_.connection != nullptr && rows_.rows() < options_.batch_rows_max &&
           bytes < options_.batch_bytes_max) {
      CALVE_RETURN_IF_ERROR(rows_.Reserve());
      auto copied = lease_.connection->NextCopied(context);
      if (!copied.ok()) return Named(std::move(copied).error());
      if (!copied->has_value()) {
        lease_.give_back(std::move(lease_.connection));
        break;
      }
      CALVE_RETURN_IF_ERROR(Take(**copied));
      bytes += static_cast<int64_t>((*copied)->size());
    }
    return rows_.Finish(ByteCount(bytes));
  }

 private:
  /// Take one message: a row, or what stands before and behind all rows.
  Status Take(std::string_view message) {
    WireReader wire(message);
    if (!begun_) {
      const bool signed_well = message.starts_with(kSignature) && wire.Skip(kSignature.size());
      const auto flags = wire.Number<int32_t>();
      const auto extension = wire.Number<int32_t>();
      if (!signed_well || !flags || !extension || *extension < 0 ||
          !wire.Skip(static_cast<size_t>(*extension)))
        return Cut();
      begun_ = true;
      if (wire.rest().empty()) return Status::Ok();  // The rows begin with the next message.
    }
    const auto fields = wire.Number<int16_t>();
    if (fields == -1) return Status::Ok();
    if (fields != static_cast<int16_t>(rows_.columns())) return Cut();
    // As WireReader::Value, with nothing in memory in between: this runs for every value.
    const char* next = wire.rest().data();
    const char* const end = next + wire.rest().size();
    for (size_t i = 0; i < rows_.columns(); ++i) {
      if (end - next < 4) return Cut();
      const auto size = static_cast<int32_t>(LoadNumber<uint32_t>(next));
      next += 4;
      if (size == -1) {
        rows_.TakeNull(i);
        continue;
      }
      if (size < 0 || size > end - next) return Cut();
      rows_.Take(i, std::string_view(next, static_cast<size_t>(size)));
      next += size;
    }
    rows_.EndRow();
    return Status::Ok();
  }

  Error Cut() const {
    return DataError(options_.place +
                     ": the server sent rows that are no binary COPY; expected PostgreSQL's own "
                     "format: see that nothing between changes it");
  }
  Error Named(Error error) const { return While("read " + options_.place, std::move(error)); }

  Lease lease_;
  const CopyOptions options_;
  RowDecoders rows_;
  bool begun_ = false;
};

}  // namespace

Result<std::unique_ptr<RowReader>> MakeCopyReader(Lease lease, const Relation& relation,
                                                  CopyOptions options) {
  return std::make_unique<CopyReader>(std::move(lease), relation, std::move(options));
}

}  // namespace calve::source::postgresql

#include "source/record_reader.h"

#include <optional>
#include <utility>
#include <vector>

#include "base/text.h"

namespace calve::source {
namespace {

using columnar::Reject;
using columnar::TracedBatch;

constexpr size_t kRawBytesMax = 1 << 20;

class RecordOrigins : public columnar::Origins {
 public:
  RecordOrigins(std::string place, std::vector<int64_t> numbers)
      : place_(std::move(place)), numbers_(std::move(numbers)) {}
  std::string Describe(int64_t row) const override {
    return place_ + FormatCount(numbers_[static_cast<size_t>(row)]);
  }

 private:
  const std::string place_;
  const std::vector<int64_t> numbers_;
};

class RecordReader : public SplitReader {
 public:
  RecordReader(std::unique_ptr<RecordStream> records, std::unique_ptr<JsonColumns> columns,
               std::string place, const PlanOptions& plan)
      : records_(std::move(records)),
        columns_(std::move(columns)),
        place_(std::move(place)),
        plan_(plan) {}

  Result<std::optional<TracedBatch>> Next(const Context& context) override {
    CALVE_RETURN_IF_ERROR(context.CheckStop());
    TracedBatch batch;
    std::vector<int64_t> numbers;
    const int64_t before = records_->bytes_read();
    int64_t bytes = 0;
    while (batch.rows_read < plan_.batch_rows_max && bytes < plan_.batch_bytes_max.value()) {
      CALVE_ASSIGN_OR_RETURN(const bool more, records_->Next());
      if (!more) break;
      ++batch.rows_read;
      CALVE_ASSIGN_OR_RETURN(const size_t size, Append(&batch, &numbers));
      bytes += static_cast<int64_t>(size);
    }
    if (batch.rows_read == 0) return std::optional<TracedBatch>();
    batch.bytes_read = ByteCount(records_->bytes_read() - before);
    CALVE_ASSIGN_OR_RETURN(batch.rows, columns_->Finish());
    batch.origins = std::make_shared<RecordOrigins>(place_, std::move(numbers));
    return std::optional(std::move(batch));
  }

 private:
  /// Append the record as a row or a reject; give the bytes that it has.
  Result<size_t> Append(TracedBatch* batch, std::vector<int64_t>* numbers) {
    JsonMisfit misfit;
    std::string odd;
    const std::string_view record = records_->Print(&odd);
    if (odd.empty()) CALVE_RETURN_IF_ERROR(columns_->Append(record, &misfit));
    if (odd.empty() && misfit.reason.empty()) {
      numbers->push_back(records_->number());
      return record.size();
    }
    std::string raw(record.substr(0, kRawBytesMax));
    batch->rejects.push_back(
        Reject{.origin = place_ + FormatCount(records_->number()),
               .column = std::move(misfit.column),
               .reason = odd.empty() ? std::move(misfit.reason) : std::move(odd),
               .raw = IsValidUtf8(raw) ? std::move(raw) : "(bytes that are no UTF-8)"});
    return record.size();
  }

  const std::unique_ptr<RecordStream> records_;
  const std::unique_ptr<JsonColumns> columns_;
  const std::string place_;
  const PlanOptions plan_;
};

}  // namespace

std::unique_ptr<SplitReader> ReadRecords(std::unique_ptr<RecordStream> records,
                                         std::unique_ptr<JsonColumns> columns, std::string place,
                                         const PlanOptions& plan) {
  return std::make_unique<RecordReader>(std::move(records), std::move(columns), std::move(place),
                                        plan);
}

}  // namespace calve::source

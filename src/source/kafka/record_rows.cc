#include "source/kafka/record_rows.h"

#include <arrow/array/builder_binary.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/array/builder_time.h>
#include <arrow/array/util.h>
#include <arrow/scalar.h>

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "columnar/arrow_status.h"
#include "source/json_columns.h"
#include "source/json_cursor.h"

namespace calve::source::kafka {
namespace {

using columnar::Reject;
using columnar::TracedBatch;
using Record = RecordBlock::Record;

constexpr size_t kRawBytesMax = 1 << 20;
constexpr int64_t kMicrosOfMilli = 1000;

std::string PlaceOf(const std::string& topic, int32_t partition, int64_t offset) {
  return topic + " partition " + std::to_string(partition) + " offset " + FormatCount(offset);
}

class RecordOrigins : public columnar::Origins {
 public:
  RecordOrigins(std::string topic, std::vector<std::pair<int32_t, int64_t>> places)
      : topic_(std::move(topic)), places_(std::move(places)) {}
  std::string Describe(int64_t row) const override {
    const auto& [partition, offset] = places_[static_cast<size_t>(row)];
    return PlaceOf(topic_, partition, offset);
  }

 private:
  const std::string topic_;
  const std::vector<std::pair<int32_t, int64_t>> places_;
};

template <typename Builder, typename Append>
Result<std::shared_ptr<arrow::Array>> Build(Builder builder, const std::vector<Record>& rows,
                                            Append append) {
  CALVE_RETURN_IF_ERROR(builder.Reserve(static_cast<int64_t>(rows.size())));
  for (const Record& row : rows) CALVE_RETURN_IF_ERROR(append(builder, row));
  std::shared_ptr<arrow::Array> array;
  CALVE_RETURN_IF_ERROR(builder.Finish(&array));
  return array;
}

arrow::Status AppendText(arrow::StringBuilder& builder, bool is_there, std::string_view text) {
  return is_there ? builder.Append(text) : builder.AppendNull();
}

/// The value of a header as HeadersAsJson has printed it; false when it has none.
bool FindHeader(std::string_view headers, const std::string& name, std::string* value) {
  if (headers.empty()) return false;
  JsonCursor cursor(headers);
  cursor.EnterObject();
  std::string_view key;
  bool found = false;
  while (cursor.NextKey(&key)) {
    const bool is_it = key == name;  // The last one of a name holds, as in most programs.
    if (cursor.Peek() != JsonKind::kString) {
      cursor.TakeScalar();
      if (is_it) found = false;
      continue;
    }
    const std::string_view text = cursor.TakeString();
    if (!is_it) continue;
    value->assign(text);
    found = true;
  }
  return found && cursor.ok();
}

class RecordReader : public SplitReader {
 public:
  RecordReader(RecordRange range, const KafkaOptions& options,
               std::shared_ptr<arrow::Schema> schema, std::unique_ptr<JsonColumns> columns,
               const PlanOptions& plan)
      : range_(std::move(range)),
        topic_(options.topic),
        facts_(options.Facts()),
        schema_(std::move(schema)),
        columns_(std::move(columns)),
        plan_(plan),
        at_(range_.begin) {}

  Result<std::optional<TracedBatch>> Next(const Context& context) override {
    CALVE_RETURN_IF_ERROR(context.CheckStop());
    TracedBatch batch;
    std::vector<Record> rows;
    std::vector<std::pair<int32_t, int64_t>> places;
    int64_t bytes = 0;
    for (; at_ < range_.end && batch.rows_read < plan_.batch_rows_max &&
           bytes < plan_.batch_bytes_max.value();
         ++at_, ++batch.rows_read) {
      const Record& record = range_.block->records()[at_];
      bytes += static_cast<int64_t>(record.value.size() + record.key.size());
      JsonMisfit misfit;
      CALVE_RETURN_IF_ERROR(Append(record, &misfit));
      if (misfit.reason.empty()) {
        rows.push_back(record);
        places.emplace_back(record.partition, record.offset);
      } else {
        batch.rejects.push_back(RejectOf(record, std::move(misfit)));
      }
    }
    if (batch.rows_read == 0) return std::optional<TracedBatch>();
    batch.bytes_read = ByteCount(bytes);
    CALVE_ASSIGN_OR_RETURN(batch.rows, Finish(rows));
    batch.origins = std::make_shared<RecordOrigins>(topic_, std::move(places));
    return std::optional(std::move(batch));
  }

 private:
  Status Append(const Record& record, JsonMisfit* misfit) {
    if (!record.has_value) {
      misfit->reason = "the record has no value (a tombstone)";
    } else if (!IsValidUtf8(record.key) && TellsKey()) {
      misfit->reason = "the record's key is no UTF-8";
    } else if (columns_ != nullptr) {
      return columns_->Append(record.value, misfit);
    }
    return Status::Ok();
  }

  bool TellsKey() const {
    return std::any_of(facts_.begin(), facts_.end(),
                       [](const FactColumn& column) { return column.fact == Fact::kKey; });
  }

  Reject RejectOf(const Record& record, JsonMisfit misfit) const {
    Reject reject{.origin = PlaceOf(topic_, record.partition, record.offset),
                  .column = std::move(misfit.column),
                  .reason = std::move(misfit.reason),
                  .raw = std::string(record.value.substr(0, kRawBytesMax))};
    if (!IsValidUtf8(reject.raw)) reject.raw = "(bytes that are no UTF-8)";
    return reject;
  }

  Result<columnar::Batch> Finish(const std::vector<Record>& rows) {
    const auto count = static_cast<int64_t>(rows.size());
    arrow::ArrayVector arrays;
    if (columns_ != nullptr) {
      CALVE_ASSIGN_OR_RETURN(const columnar::Batch values, columns_->Finish());
      arrays = values->columns();
    } else {
      CALVE_ASSIGN_OR_RETURN(arrays.emplace_back(), Build(arrow::BinaryBuilder(), rows,
                                                          [](auto& builder, const Record& r) {
                                                            return builder.Append(r.value);
                                                          }));
    }
    for (const FactColumn& fact : facts_) {
      CALVE_ASSIGN_OR_RETURN(arrays.emplace_back(), Tell(fact, rows));
    }
    return arrow::RecordBatch::Make(schema_, count, std::move(arrays));
  }

  Result<std::shared_ptr<arrow::Array>> Tell(const FactColumn& column,
                                             const std::vector<Record>& rows) const {
    const auto timestamps = [&] {
      return arrow::TimestampBuilder(FieldOf(column)->type(), arrow::default_memory_pool());
    };
    switch (column.fact) {
      case Fact::kTopic:
        return Build(arrow::StringBuilder(), rows,
                     [&](auto& builder, const Record&) { return builder.Append(topic_); });
      case Fact::kPartition:
        return Build(arrow::Int32Builder(), rows,
                     [](auto& builder, const Record& r) { return builder.Append(r.partition); });
      case Fact::kOffset:
        return Build(arrow::Int64Builder(), rows,
                     [](auto& builder, const Record& r) { return builder.Append(r.offset); });
      case Fact::kTimestamp:
        return Build(timestamps(), rows, [](auto& builder, const Record& r) {
          return r.timestamp_ms < 0 ? builder.AppendNull()
                                    : builder.Append(r.timestamp_ms * kMicrosOfMilli);
        });
      case Fact::kKey:
        return Build(arrow::StringBuilder(), rows, [](auto& builder, const Record& r) {
          return AppendText(builder, r.has_key, r.key);
        });
      case Fact::kHeaders:
        return Build(arrow::StringBuilder(), rows, [](auto& builder, const Record& r) {
          return AppendText(builder, !r.headers.empty(), r.headers);
        });
      case Fact::kHeader: {
        std::string value;
        return Build(arrow::StringBuilder(), rows, [&](auto& builder, const Record& r) {
          const bool found = FindHeader(r.headers, column.header, &value);
          return AppendText(builder, found, value);
        });
      }
      case Fact::kLoadedAt:
        return Build(timestamps(), rows, [&](auto& builder, const Record&) {
          return builder.Append(range_.loaded_at.time_since_epoch().count());
        });
    }
    return BugError("a fact that no record has");
  }

  const RecordRange range_;
  const std::string topic_;
  const std::vector<FactColumn> facts_;
  const std::shared_ptr<arrow::Schema> schema_;
  const std::unique_ptr<JsonColumns> columns_;  ///< Null: values are taken as they are.
  const PlanOptions plan_;
  size_t at_;
};

}  // namespace

std::shared_ptr<arrow::Field> FieldOf(const FactColumn& column) {
  switch (column.fact) {
    case Fact::kPartition:
      return arrow::field(column.name, arrow::int32());
    case Fact::kOffset:
      return arrow::field(column.name, arrow::int64());
    case Fact::kTimestamp:
    case Fact::kLoadedAt:
      return arrow::field(column.name, arrow::timestamp(arrow::TimeUnit::MICRO, "UTC"));
    default:
      return arrow::field(column.name, arrow::utf8());
  }
}

Result<std::unique_ptr<SplitReader>> ReadRange(RecordRange range, const KafkaOptions& options,
                                               std::shared_ptr<arrow::Schema> schema,
                                               const PlanOptions& plan) {
  std::unique_ptr<JsonColumns> columns;
  if (options.format == Format::kJson) {
    const size_t values = static_cast<size_t>(schema->num_fields()) - options.Facts().size();
    const arrow::FieldVector& all = schema->fields();
    const arrow::FieldVector of_values(all.begin(), all.begin() + static_cast<ptrdiff_t>(values));
    CALVE_ASSIGN_OR_RETURN(columns, JsonColumns::Make(arrow::schema(of_values)));
  }
  return std::make_unique<RecordReader>(std::move(range), options, std::move(schema),
                                        std::move(columns), plan);
}

}  // namespace calve::source::kafka

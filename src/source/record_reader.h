#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "source/json_columns.h"
#include "source/source.h"

namespace calve::source {

/// The records of one file, one after the other, each as the text of a JSON object. For one thread.
class RecordStream {
 public:
  virtual ~RecordStream() = default;
  /// Go to the next record; false at the end.
  virtual Result<bool> Next() = 0;
  /// The record, good until the next call, and why it cannot be a row; "" when it can.
  virtual std::string_view Print(std::string* misfit) = 0;
  /// The line or row at which the record begins.
  virtual int64_t number() const = 0;
  /// Bytes of the file that were gone through.
  virtual int64_t bytes_read() const = 0;
};

/// Make the reader of a split whose rows are the records of a stream, read as `columns` are. `place`
/// stands before the record's number in messages: "a.xml line ".
std::unique_ptr<SplitReader> ReadRecords(std::unique_ptr<RecordStream> records,
                                         std::unique_ptr<JsonColumns> columns, std::string place,
                                         const PlanOptions& plan);

}  // namespace calve::source

#pragma once

#include <arrow/array/builder_base.h>
#include <arrow/type.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace calve::source::postgresql {

/// The forms in which PostgreSQL sends values (its manual: COPY, Binary Format; the types' _send
/// functions).
enum class Form {
  kBoolean,
  kInt2,
  kInt4,
  kInt8,
  kUnsigned4,  ///< oid, xid, cid
  kFloat4,
  kFloat8,
  kNumeric,
  kMoney,
  kDate,
  kTime,
  kTimestamp,
  kUuid,
  kText,
  kBytes,
  kJsonb,
};

struct DecoderOptions {
  bool check_texts = false;       ///< The server does not know the encoding of what it holds.
  bool infinity_is_null = false;  ///< Of dates and timestamps; else such a row does not fit.
};

/// Turns the values of one column, as the server sends them, into an array. For one thread.
class ValueDecoder {
 public:
  virtual ~ValueDecoder() = default;
  virtual arrow::ArrayBuilder& builder() = 0;
  /// Append one value, for which Reserve made room; false when the type cannot hold it: a null is
  /// there then. What fails for other reasons is told by Finish.
  virtual bool Append(std::string_view value) = 0;
  /// Say of a value that Append refused how the server prints it, and why it does not fit.
  virtual void Explain(std::string_view value, std::string* text, std::string* reason) const = 0;
  virtual Result<std::shared_ptr<arrow::Array>> Finish();

  Status Reserve(int64_t rows);
  void AppendNull();

 protected:
  void Note(const arrow::Status& status);
  Status failed_;
};

/// A decoder of values of `form` into arrays of `type`.
std::unique_ptr<ValueDecoder> MakeDecoder(Form form, const std::shared_ptr<arrow::DataType>& type,
                                          const DecoderOptions& options);
/// A decoder of arrays of such values into lists.
std::unique_ptr<ValueDecoder> MakeArrayDecoder(Form form,
                                               const std::shared_ptr<arrow::DataType>& list,
                                               const DecoderOptions& options);

}  // namespace calve::source::postgresql

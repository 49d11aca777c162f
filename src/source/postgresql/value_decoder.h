#pragma once

#include <arrow/type.h>

#include <memory>

#include "source/value_decoder.h"

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

/// A decoder of values of `form` into arrays of `type`.
std::unique_ptr<ValueDecoder> MakeDecoder(Form form, const std::shared_ptr<arrow::DataType>& type,
                                          const DecoderOptions& options);
/// A decoder of arrays of such values into lists.
std::unique_ptr<ValueDecoder> MakeArrayDecoder(Form form,
                                               const std::shared_ptr<arrow::DataType>& list,
                                               const DecoderOptions& options);

}  // namespace calve::source::postgresql

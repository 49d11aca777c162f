#pragma once

#include <arrow/type.h>

#include <memory>

#include "source/value_decoder.h"

namespace calve::source::mysql {

/// The forms in which the binary protocol sends values (MySQL's manual, Binary Protocol Value).
enum class Form {
  kTiny,
  kUnsignedTiny,
  kShort,
  kUnsignedShort,  ///< Also years.
  kInt,
  kUnsignedInt,
  kBigint,
  kUnsignedBigint,
  kBoolean,  ///< A kTiny of 0 or 1.
  kFloat,
  kDouble,
  kDecimal,
  kDate,
  kDateTime,
  kTime,
  kBit,
  kUuid,  ///< As text.
  kText,
  kBytes,
};

/// What becomes of dates that have a part of zero.
enum class ZeroDates { kHoldBack, kNull };

/// What a TIME becomes, which is rather a stretch than a time of day.
enum class TimeAs { kTime, kMicroseconds, kString };

struct DecoderOptions {
  ZeroDates zero_dates = ZeroDates::kHoldBack;
  TimeAs time = TimeAs::kTime;
  unsigned decimals = 0;  ///< Digits behind the second of times as text.
};

/// A decoder of values of `form` into arrays of `type`.
std::unique_ptr<ValueDecoder> MakeDecoder(Form form, const std::shared_ptr<arrow::DataType>& type,
                                          const DecoderOptions& options);

}  // namespace calve::source::mysql

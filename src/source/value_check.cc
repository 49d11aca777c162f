#include "source/value_check.h"

#include <arrow/array/array_binary.h>
#include <arrow/array/array_decimal.h>
#include <arrow/array/array_dict.h>
#include <arrow/array/array_nested.h>
#include <arrow/util/decimal.h>

#include <algorithm>

#include "base/text.h"

namespace calve::source {
namespace {

constexpr const char* kNoUtf8 =
    "the text is no UTF-8; write it as bytes, or write it again in UTF-8";
constexpr const char* kTooLarge =
    "the decimal has more digits than its type; the file is damaged, write it again";

const char* FaultOf(const arrow::Array& array);

const char* FaultOfDecimals(const arrow::Decimal128Array& array) {
  const int32_t precision = static_cast<const arrow::Decimal128Type&>(*array.type()).precision();
  for (int64_t i = 0; i < array.length(); ++i) {
    if (array.IsNull(i)) continue;
    if (!arrow::Decimal128(array.GetValue(i)).FitsInPrecision(precision)) return kTooLarge;
  }
  return nullptr;
}

const char* FaultOfPart(const arrow::Array& values, int64_t first, int64_t end) {
  return FaultOf(*values.Slice(first, end - first));
}

/// What is wrong with a value of the array; null when nothing is.
const char* FaultOf(const arrow::Array& array) {
  switch (array.type_id()) {
    case arrow::Type::STRING:
      return static_cast<const arrow::StringArray&>(array).ValidateUTF8().ok() ? nullptr : kNoUtf8;
    case arrow::Type::LARGE_STRING:
      return static_cast<const arrow::LargeStringArray&>(array).ValidateUTF8().ok() ? nullptr
                                                                                    : kNoUtf8;
    case arrow::Type::DECIMAL128:
      return FaultOfDecimals(static_cast<const arrow::Decimal128Array&>(array));
    case arrow::Type::DICTIONARY:
      return FaultOf(*static_cast<const arrow::DictionaryArray&>(array).dictionary());
    case arrow::Type::STRUCT:
      for (const auto& field : static_cast<const arrow::StructArray&>(array).fields())
        if (const char* fault = FaultOf(*field)) return fault;
      return nullptr;
    case arrow::Type::LIST: {
      const auto& list = static_cast<const arrow::ListArray&>(array);
      return FaultOfPart(*list.values(), list.value_offset(0), list.value_offset(list.length()));
    }
    case arrow::Type::MAP: {
      const auto& map = static_cast<const arrow::MapArray&>(array);
      const int64_t first = map.value_offset(0);
      const int64_t end = map.value_offset(map.length());
      const char* fault = FaultOfPart(*map.keys(), first, end);
      return fault != nullptr ? fault : FaultOfPart(*map.items(), first, end);
    }
    default:
      return nullptr;
  }
}

}  // namespace

const char* FaultOfValues(const arrow::Array& array) { return FaultOf(array); }

Status CheckValues(const arrow::RecordBatch& rows, const std::string& file, int64_t rows_before) {
  for (int i = 0; i < rows.num_columns(); ++i) {
    const char* fault = FaultOf(*rows.column(i));
    if (fault == nullptr) continue;
    int64_t row = 0;
    while (FaultOf(*rows.column(i)->Slice(row, 1)) == nullptr) ++row;
    return DataError(file + " row " + FormatCount(rows_before + row + 1) + ", column " +
                     rows.column_name(i) + ": " + fault);
  }
  return Status::Ok();
}

}  // namespace calve::source

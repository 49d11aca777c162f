#pragma once

#include <arrow/array.h>
#include <arrow/type.h>

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "columnar/text_value.h"
#include "iceberg/type.h"

namespace calve::columnar {

/// One value of a text source; `null` wins over the text.
struct TextValue {
  std::string_view text;
  bool null = false;
};

/// Texts of one column, which lie apart by a stride where they are part of rows.
class TextValues {
 public:
  TextValues(std::span<const TextValue> values)  // NOLINT(google-explicit-constructor)
      : first_(values.data()), size_(values.size()) {}
  TextValues(const std::vector<TextValue>& values)  // NOLINT(google-explicit-constructor)
      : TextValues(std::span(values)) {}
  /// `stride` 0: the same value again and again.
  TextValues(const TextValue* first, size_t size, size_t stride)
      : first_(first), size_(size), stride_(stride) {}
  size_t size() const { return size_; }
  const TextValue& operator[](size_t index) const { return first_[index * stride_]; }

 private:
  const TextValue* first_;
  size_t size_;
  size_t stride_ = 1;
};

/// Turns the texts of one column into an Arrow array of an exact type. For one thread.
class TextColumn {
 public:
  virtual ~TextColumn() = default;
  /// Append one value for each text. Where a text is no value of the type, a null is appended and
  /// its index within `values` is added to `misfits`.
  virtual Status Append(TextValues values, std::vector<int64_t>* misfits) = 0;
  /// Give what was appended and start anew.
  virtual Result<std::shared_ptr<arrow::Array>> Finish() = 0;
};

/// The Arrow type of a column that is given an Iceberg type by name: as ToArrowType, but with uuid
/// and variant as Arrow's own types, so that a table made of the column has them too.
Result<std::shared_ptr<arrow::DataType>> TextType(const iceberg::Type& type);

/// For boolean, integers, floats, decimals, dates, times, timestamps, strings, uuid (Arrow's, or
/// fixed_size_binary(16)), and variant, whose texts are JSON (see columnar/variant_encode.h). Fails with kRefused on others.
Result<std::unique_ptr<TextColumn>> MakeTextColumn(const std::shared_ptr<arrow::DataType>& type,
                                                   const TextFormats& formats);

/// Say why a text is no value of a type, and what to do: "'12,50' is no decimal(10, 2); if commas
/// are decimal here, set decimal: ','".
std::string MisfitReason(std::string_view text, const arrow::DataType& type,
                         const TextFormats& formats);

/// Guesses the exact type that holds every text it has seen: boolean, long, decimal, date, time,
/// timestamp with or without zone, double for numbers with an exponent, else string. Numbers with
/// leading zeros are codes: strings. A decimal gets room for 18 or 38 digits. For one thread.
class TypeGuess {
 public:
  explicit TypeGuess(const TextFormats& formats) : formats_(formats) {}
  void See(std::string_view text);
  /// The guess; string when nothing but nulls was seen.
  std::shared_ptr<arrow::DataType> type() const;
  bool saw_value() const { return values_ > 0; }
  /// A text that a person should know of, such as the one that made the column a double; "" when
  /// there is none.
  const std::string& surprise() const { return surprise_; }

 private:
  enum Candidate : unsigned {
    kBoolean = 1,
    kInteger = 2,
    kDecimal = 4,
    kDouble = 8,
    kDate = 16,
    kTime = 32,
    kTimestamp = 64,
    kTimestampTz = 128,
  };
  void SeeNumber(std::string_view text);
  void Drop(unsigned candidates) { left_ &= ~candidates; }

  TextFormats formats_;
  unsigned left_ = 255;
  int64_t values_ = 0;
  int whole_digits_max_ = 0;
  int scale_max_ = 0;
  std::string surprise_;
};

}  // namespace calve::columnar

#include "source/value_decoder.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "base/text.h"
#include "columnar/text_value.h"

namespace calve::source {

Status ValueDecoder::Reserve(int64_t rows) { return StatusOf(builder().Reserve(rows)); }

void ValueDecoder::AppendNull() { Note(builder().AppendNull()); }

void ValueDecoder::Note(const arrow::Status& status) {
  if (!status.ok() && failed_.ok()) failed_ = StatusOf(status);
}

Result<std::shared_ptr<arrow::Array>> ValueDecoder::Finish() {
  CALVE_RETURN_IF_ERROR(failed_);
  std::shared_ptr<arrow::Array> array;
  CALVE_RETURN_IF_ERROR(builder().Finish(&array));
  return array;
}

template <typename Builder>
bool BytesDecoder<Builder>::Append(std::string_view value) {
  value.remove_prefix(std::min(options_.skipped, value.size()));
  if (options_.check && !IsValidUtf8(value)) {
    builder_.UnsafeAppendNull();
    return false;
  }
  Note(builder_.Append(value));
  return true;
}

template <typename Builder>
void BytesDecoder<Builder>::Explain(std::string_view value, std::string* text,
                                    std::string* reason) const {
  *text = std::to_string(value.size()) + " bytes";
  *reason = *text + " are no text in UTF-8; " + options_.hint;
}

template class BytesDecoder<arrow::StringBuilder>;
template class BytesDecoder<arrow::BinaryBuilder>;

std::unique_ptr<ValueDecoder> MakeDecimalDecoder(const std::shared_ptr<arrow::DataType>& type,
                                                 std::string hint) {
  const auto& decimal = static_cast<const arrow::DecimalType&>(*type);
  const int precision = decimal.precision();
  const int scale = decimal.scale();
  return MakeFixedDecoder<arrow::Decimal128Builder>(
      type,
      [precision, scale](std::string_view v) -> std::optional<arrow::Decimal128> {
        static const columnar::TextFormats plain;
        const auto unscaled = columnar::ReadDecimal(v, precision, scale, plain);
        if (!unscaled.has_value()) return std::nullopt;
        return arrow::Decimal128(static_cast<int64_t>(*unscaled >> 64),
                                 static_cast<uint64_t>(*unscaled));
      },
      [precision, scale, hint = std::move(hint)](std::string_view v, std::string* text,
                                                 std::string* reason) {
        *text = v;
        *reason = fmt::format("'{}' has more digits than decimal({}, {}) holds; {}", v, precision,
                              scale, hint);
      });
}

}  // namespace calve::source

#include "source/value_decoder.h"

#include <algorithm>

#include "base/text.h"

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

}  // namespace calve::source

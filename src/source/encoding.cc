#include "source/encoding.h"

#include <unicode/ucnv.h>

#include <algorithm>
#include <array>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "base/text.h"

namespace calve::source {
namespace {

constexpr size_t kBufferBytes = 256 << 10;
constexpr size_t kMarkBytes = 4;

struct CloseConverter {
  void operator()(UConverter* converter) const { ucnv_close(converter); }
};
using Converter = std::unique_ptr<UConverter, CloseConverter>;

bool IsUtf8(const std::string& encoding) {
  const std::string name = ToLower(encoding);
  return name == "utf-8" || name == "utf8";
}

Result<Converter> OpenConverter(const std::string& encoding) {
  UErrorCode code = U_ZERO_ERROR;
  Converter converter(ucnv_open(encoding.c_str(), &code));
  if (U_FAILURE(code) != 0) {
    return ConfigError(Quote(encoding) +
                       " is no encoding; expected one such as utf-8, utf-16, latin-1, windows-1252 "
                       "or shift_jis");
  }
  ucnv_setToUCallBack(converter.get(), UCNV_TO_U_CALLBACK_STOP, nullptr, nullptr, nullptr, &code);
  if (U_FAILURE(code) != 0) return BugError("ICU does not take a callback");
  return converter;
}

/// Bytes that were read already, then those that follow.
class Rejoined : public io::InputStream {
 public:
  Rejoined(std::string head, std::unique_ptr<io::InputStream> rest)
      : head_(std::move(head)), rest_(std::move(rest)) {}

  Result<size_t> Read(std::span<char> out) override {
    if (used_ == head_.size()) return rest_->Read(out);
    const size_t count = std::min(out.size(), head_.size() - used_);
    std::copy_n(head_.begin() + static_cast<ptrdiff_t>(used_), count, out.begin());
    used_ += count;
    return count;
  }

 private:
  const std::string head_;
  size_t used_ = 0;
  const std::unique_ptr<io::InputStream> rest_;
};

/// Text of another encoding, converted as it is read.
class Converted : public io::InputStream {
 public:
  Converted(std::string encoding, Converter from, Converter to,
            std::unique_ptr<io::InputStream> bytes)
      : encoding_(std::move(encoding)),
        from_(std::move(from)),
        to_(std::move(to)),
        bytes_(std::move(bytes)),
        buffer_(kBufferBytes) {}

  Result<size_t> Read(std::span<char> out) override {
    while (true) {
      if (begin_ == end_ && !at_end_) CALVE_RETURN_IF_ERROR(Fill());
      CALVE_ASSIGN_OR_RETURN(const size_t count, Convert(out));
      if (count > 0 || (at_end_ && begin_ == end_)) return count;
    }
  }

 private:
  Status Fill() {
    begin_ = 0;
    CALVE_ASSIGN_OR_RETURN(end_, bytes_->Read(buffer_));
    at_end_ = end_ == 0;
    return Status::Ok();
  }

  Result<size_t> Convert(std::span<char> out) {
    char* target = out.data();
    const char* source = buffer_.data() + begin_;
    UErrorCode code = U_ZERO_ERROR;
    ucnv_convertEx(to_.get(), from_.get(), &target, out.data() + out.size(), &source,
                   buffer_.data() + end_, pivot_.data(), &pivot_from_, &pivot_to_,
                   pivot_.data() + pivot_.size(), 0, at_end_ ? 1 : 0, &code);
    const size_t used = static_cast<size_t>(source - buffer_.data()) - begin_;
    begin_ += used;
    offset_ += static_cast<int64_t>(used);
    if (U_FAILURE(code) == 0 || code == U_BUFFER_OVERFLOW_ERROR)
      return static_cast<size_t>(target - out.data());
    return DataError("the bytes before offset " + FormatCount(offset_) + " are no " + encoding_ +
                     "; set the encoding of the file for the source");
  }

  const std::string encoding_;
  const Converter from_;
  const Converter to_;
  const std::unique_ptr<io::InputStream> bytes_;
  std::vector<char> buffer_;
  size_t begin_ = 0;
  size_t end_ = 0;
  bool at_end_ = false;
  int64_t offset_ = 0;
  std::array<UChar, 4096> pivot_{};
  UChar* pivot_from_ = pivot_.data();
  UChar* pivot_to_ = pivot_.data();
};

}  // namespace

Status CheckEncoding(const std::string& encoding) {
  if (IsUtf8(encoding)) return Status::Ok();
  return StatusOf(OpenConverter(encoding));
}

Result<std::unique_ptr<io::InputStream>> AsUtf8(std::unique_ptr<io::InputStream> stream,
                                                const std::string& encoding) {
  std::string head(kMarkBytes, '\0');
  size_t size = 0;
  while (size < head.size()) {
    CALVE_ASSIGN_OR_RETURN(const size_t got, stream->Read(std::span<char>(head).subspan(size)));
    if (got == 0) break;
    size += got;
  }
  head.resize(size);
  const bool utf16 = head.starts_with("\xFF\xFE") || head.starts_with("\xFE\xFF");
  const std::string actual = IsUtf8(encoding) && utf16 ? "utf-16" : encoding;
  if (IsUtf8(actual)) {
    if (head.starts_with("\xEF\xBB\xBF")) head.erase(0, 3);
    return std::make_unique<Rejoined>(std::move(head), std::move(stream));
  }
  CALVE_ASSIGN_OR_RETURN(Converter from, OpenConverter(actual));
  CALVE_ASSIGN_OR_RETURN(Converter to, OpenConverter("utf-8"));
  return std::make_unique<Converted>(
      actual, std::move(from), std::move(to),
      std::make_unique<Rejoined>(std::move(head), std::move(stream)));
}

}  // namespace calve::source

#include "source/odbc/wide_text.h"

#include <unicode/utf16.h>
#include <unicode/utf8.h>

#include <cstdint>

namespace calve::source::odbc {

std::u16string ToUtf16(std::string_view utf8) {
  std::u16string wide;
  wide.reserve(utf8.size());
  const auto length = static_cast<int32_t>(utf8.size());
  for (int32_t at = 0; at < length;) {
    UChar32 sign = 0;
    U8_NEXT_OR_FFFD(utf8.data(), at, length, sign);
    if (sign <= 0xFFFF) {
      wide += static_cast<char16_t>(sign);
    } else {
      wide += static_cast<char16_t>(U16_LEAD(sign));
      wide += static_cast<char16_t>(U16_TRAIL(sign));
    }
  }
  return wide;
}

void AppendUtf8(std::u16string_view utf16, std::string* out) {
  const auto length = static_cast<int32_t>(utf16.size());
  for (int32_t at = 0; at < length;) {
    UChar32 sign = 0;
    U16_NEXT(utf16.data(), at, length, sign);
    char bytes[U8_MAX_LENGTH];
    int32_t count = 0;
    U8_APPEND_UNSAFE(bytes, count, sign);
    out->append(bytes, static_cast<size_t>(count));
  }
}

}  // namespace calve::source::odbc

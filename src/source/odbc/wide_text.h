#pragma once

#include <string>
#include <string_view>

namespace calve::source::odbc {

/// A text as ODBC's functions for wide characters take it.
std::u16string ToUtf16(std::string_view utf8);

/// A text out of UTF-16. Half of a surrogate pair becomes bytes that are no UTF-8, so that whoever
/// checks finds it.
void AppendUtf8(std::u16string_view utf16, std::string* out);

}  // namespace calve::source::odbc

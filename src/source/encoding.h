#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "io/compression.h"

namespace calve::source {

/// See that text in this encoding can be read: utf-8, utf-16, latin-1, windows-1252, shift_jis and
/// what else ICU has, by any of its names.
Status CheckEncoding(const std::string& encoding);

/// The text of `stream` as UTF-8. A byte order mark is left out; it wins over `encoding` when that
/// is utf-8. Bytes that are no text in an encoding other than UTF-8 fail with kData; those that are
/// no UTF-8 come through, for the rows that they are in to be held back.
Result<std::unique_ptr<io::InputStream>> AsUtf8(std::unique_ptr<io::InputStream> stream,
                                                const std::string& encoding);

}  // namespace calve::source

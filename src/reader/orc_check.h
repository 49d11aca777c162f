#pragma once

#include "base/result.h"
#include "io/file_system.h"
#include "reader/orc_layout.h"
#include "reader/orc_stream.h"

namespace calve::reader {

/// See that the end of an ORC file that anybody may have written makes sense: sizes that lie in the
/// file, and a tree of types that a table can have. ORC's library trusts them, and ends the program
/// over a decimal of 1,000 digits or a type that contains itself. Reads the end of the file. Fails
/// with kData.
Status CheckOrcTail(io::InputFile& file);

/// See that no text and no list of a stripe is longer than a row may be, nor all those of `rows`
/// rows: the library makes room for as much as the file says. Reads the lengths. Fails with kData.
Status CheckOrcLengths(io::InputFile& file, const OrcStripeFooter& footer, const OrcLayout& layout,
                       const OrcCompression& compression, int64_t rows);

}  // namespace calve::reader

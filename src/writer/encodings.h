#pragma once

#include <parquet/properties.h>

#include <memory>

#include "base/result.h"
#include "columnar/convert.h"

namespace calve::writer {

/// The properties, with what suits top-level columns whose values hardly repeat in `rows`, which
/// are shaped as the file's. Few rows tell nothing and change nothing.
///
/// Such a column has no dictionary: it would be built, outgrow its limit and be thrown away, in
/// every row group anew. With data pages of version 2 its integers, dates, times and decimals are
/// kept as differences, its texts as lengths and bytes, or as what differs from the value before
/// where values begin alike.
Result<std::shared_ptr<parquet::WriterProperties>> WithSuitableEncodings(
    const std::shared_ptr<parquet::WriterProperties>& properties, const columnar::Batch& rows);

}  // namespace calve::writer

#pragma once

#include <parquet/properties.h>

#include <memory>

#include "base/result.h"
#include "columnar/convert.h"

namespace calve::writer {

/// The properties, without dictionaries for top-level columns whose values hardly repeat in `rows`,
/// which are shaped as the file's: they would be built, outgrow their limit and be thrown away, in
/// every row group anew. Few rows tell nothing and change nothing.
Result<std::shared_ptr<parquet::WriterProperties>> WithUsefulDictionaries(
    const std::shared_ptr<parquet::WriterProperties>& properties, const columnar::Batch& rows);

}  // namespace calve::writer

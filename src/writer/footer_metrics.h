#pragma once

#include <parquet/metadata.h>

#include <cstdint>
#include <map>
#include <vector>

#include "base/result.h"
#include "iceberg/manifest.h"
#include "iceberg/metrics.h"
#include "iceberg/schema.h"

namespace calve::writer {

/// Where each row group of a file begins.
std::vector<int64_t> SplitOffsets(const parquet::FileMetaData& footer);

/// Counts and bounds of a Parquet file from its footer, by field id, and NaN counts as given.
/// Columns within lists and maps have a size only; NaNs are in no bound; bounds are cut to the
/// column's mode, upper ones rounded up. Floats whose NaNs nobody counted have no bounds. Variants have
/// counts only, as Iceberg Java gives them. A bound that the footer leaves out (strings beyond 4 KiB)
/// is left out here too.
Result<iceberg::Metrics> FooterMetrics(const parquet::FileMetaData& footer,
                                       const iceberg::Schema& schema,
                                       const iceberg::MetricsConfig& modes,
                                       const std::map<iceberg::FieldId, int64_t>& nan_counts);

}  // namespace calve::writer

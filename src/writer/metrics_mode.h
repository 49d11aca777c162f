#pragma once

#include <string>

#include "base/result.h"
#include "iceberg/manifest.h"
#include "iceberg/metadata.h"

namespace calve::writer {

/// How much a file's entry in a manifest says of one column (property write.metadata.metrics.*).
struct MetricsMode {
  enum class Kind { kNone, kCounts, kTruncate, kFull };
  Kind kind = Kind::kTruncate;
  int length = 16;  ///< Of kTruncate: code points of strings, bytes of binaries.

  bool operator==(const MetricsMode&) const = default;
};

/// The mode of every column: its own property, else that of a struct above it, else the default. Of tables with more columns than
/// write.metadata.metrics.max-inferred-column-defaults (100), only the first so many have bounds by default.
Result<iceberg::FieldMap<MetricsMode>> MetricsModes(const iceberg::TableMetadata& table, const iceberg::Schema& schema);

}  // namespace calve::writer

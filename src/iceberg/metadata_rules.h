#pragma once

#include <string>

#include "base/result.h"
#include "iceberg/metadata.h"

namespace calve::iceberg {

/// The highest version that this program reads and writes.
inline constexpr int kFormatVersionMax = 3;

/// A table's location as metadata holds it.
std::string WithoutTrailingSlash(std::string location);

/// Check what holds in all metadata, read or applied: current schema, default spec and order exist,
/// ids are there once, refs name snapshots, main is the current snapshot, no snapshot is ahead of
/// last-sequence-number. Fails with kData.
Status CheckMetadata(const TableMetadata& metadata);

/// Check that a schema's types and defaults exist in a format version (v3 types, defaults). Fails
/// with kData naming the column.
Status CheckSchemaVersion(const Schema& schema, int format_version);

}  // namespace calve::iceberg

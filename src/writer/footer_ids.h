#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/result.h"
#include "iceberg/ids.h"

namespace calve::writer {

/// Field ids by the names of columns.
using FieldIds = std::map<std::string, iceberg::FieldId, std::less<>>;

/// The footer of a Parquet file without nested columns (FileMetaData in Thrift's compact protocol),
/// with the field ids of its columns set to those given and without its key-value metadata, which
/// describes the schema that the file had before (Arrow's copy of it has field ids of its own).
/// Everything else stays byte for byte: who wrote the pages (created_by), by which readers know
/// whose faults to expect, statistics, and the places of page indexes and bloom filters.
///
/// Fails with kData when the bytes are no such footer, or hold a column without an id.
Result<std::string> WithFieldIds(std::string_view footer, const FieldIds& ids);

}  // namespace calve::writer

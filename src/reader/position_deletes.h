#pragma once

#include <string>
#include <vector>

#include "base/context.h"
#include "base/result.h"
#include "iceberg/deletion_vector.h"
#include "iceberg/manifest.h"
#include "io/file_system.h"

namespace calve::reader {

/// Read the positions that position delete files (Parquet, Avro, ORC) name for one data file; its
/// path is compared byte for byte.
Result<iceberg::PositionSet> ReadPositionDeletes(const Context& context, io::FileSystem& files,
                                                 const std::vector<iceberg::DataFilePtr>& deletes,
                                                 const std::string& data_path);

/// Read one deletion vector from where its manifest says it lies; the file around it need not be
/// Puffin. Fails with kData when it is broken or has another cardinality than the manifest says.
Result<iceberg::PositionSet> ReadDeletionVector(const Context& context, io::FileSystem& files,
                                                const iceberg::DataFile& vector);

}  // namespace calve::reader

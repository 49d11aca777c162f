#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/context.h"
#include "base/result.h"
#include "engine/engine.h"
#include "iceberg/manifest.h"
#include "iceberg/metadata.h"
#include "io/file_system.h"
#include "load/delta/log.h"

namespace calve::load::delta {

/// A table of Iceberg's with these columns in a folder, for the writer of data files: nothing of it
/// is stored. Fails with kConfig on columns that files cannot be told apart by.
Result<iceberg::MetadataPtr> LayoutOf(const Context& context, const std::string& location,
                                      const std::vector<iceberg::Field>& fields,
                                      const std::vector<std::string>& partition_columns);

/// A file that was written by that layout, as the log names it.
Result<AddedFile> FileOf(const iceberg::TableMetadata& layout, const iceberg::DataFile& file);
/// Its statistics as the log has them: rows, least and greatest values, NULLs.
std::string StatsOf(const iceberg::TableMetadata& layout, const iceberg::DataFile& file);

/// The address of a file of the log.
Result<std::string> AddressOf(const std::string& location, const AddedFile& file);

/// The rows of files, for the engine: columns by their names, and by the files' partitions. What it
/// is made of outlives the table.
Result<engine::ArrowTable> FileTable(io::FileSystem& files, iceberg::MetadataPtr layout,
                                     std::vector<AddedFile> added);

}  // namespace calve::load::delta

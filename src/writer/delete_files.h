#pragma once

#include <string>
#include <vector>

#include "base/context.h"
#include "base/result.h"
#include "iceberg/deletion_vector.h"
#include "iceberg/manifest.h"
#include "iceberg/metadata.h"

namespace calve::io {
class FileSystem;
}

namespace calve::writer {

/// Rows of one data file that a file of deletes is to name.
struct RowDeletes {
  iceberg::DataFilePtr file;
  /// In version 3 all of the file's deleted rows, since the new deletion vector takes the place of
  /// what there was; in version 2 those that no delete that stays names are enough.
  iceberg::PositionSet positions;
};

struct DeleteOptions {
  iceberg::MetadataPtr table;
  std::string run_id;  ///< In file names.
};

/// Whether position deletes in version 2 are of one data file each: write.delete.granularity. Fails
/// with kConfig on a value that is neither file nor partition.
Result<bool> IsOneFilePerDataFile(const iceberg::TableMetadata& table);

/// Delete rows without touching their data files: by deletion vectors in Puffin files from version 3
/// on, by position delete files in version 2 (Iceberg spec, Row-level Deletes).
///
/// With write.delete.granularity `file`, the default, each position delete file is of one data file
/// and goes when that goes; with `partition` one is of all in a partition. Durable when returned,
/// visible to nobody until a commit. After an error the files in `attempted`, which gets each URI
/// before it is written, are to be removed. Fails with kConfig on a granularity that is neither.
Result<std::vector<iceberg::DataFilePtr>> WriteDeletes(const Context& context,
                                                       io::FileSystem& files,
                                                       const DeleteOptions& options,
                                                       std::vector<RowDeletes> deletes,
                                                       std::vector<std::string>* attempted);

}  // namespace calve::writer

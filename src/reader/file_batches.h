#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/context.h"
#include "base/result.h"
#include "columnar/convert.h"
#include "iceberg/expression.h"
#include "iceberg/manifest.h"
#include "iceberg/name_mapping.h"
#include "io/file_system.h"
#include "reader/column_plan.h"
#include "reader/reader.h"

namespace calve::reader {

/// Rows of one file that follow each other.
struct FileBatch {
  columnar::Batch rows;
  int64_t first_position = 0;  ///< Of its first row, in the file.
};

/// All rows of one file, deleted or not, as wanted fields. For one thread.
class FileBatches {
 public:
  virtual ~FileBatches() = default;
  virtual Result<std::optional<FileBatch>> Next(const Context& context) = 0;
};

struct FileOptions {
  std::vector<iceberg::Field> wanted;
  iceberg::NameMapping name_mapping;  ///< For files without field ids.
  Constants constants;
  int64_t batch_rows_max = 64 * 1024;
  /// No writer of an Iceberg table has made the file: ids in it say nothing and, of ORC, times that
  /// are finer than the wanted type are a fault rather than cut. Of ORC and Parquet.
  bool is_foreign = false;
  /// Row groups for which this is surely not true are passed over. Needs `schema`.
  iceberg::Expression filter;
  iceberg::SchemaPtr schema;
  FilePart part;  ///< Of Parquet; other formats are read whole.
};

/// Open a file of any format. Fails with kNotFound when it is gone, kData when it is broken,
/// kRefused when it is encrypted or its format has no reader; messages name the file.
Result<std::unique_ptr<FileBatches>> OpenFile(const Context& context, io::FileSystem& files,
                                              const iceberg::DataFile& file, FileOptions options);

Result<std::unique_ptr<FileBatches>> OpenParquet(std::shared_ptr<io::InputFile> input,
                                                 FileOptions options);
Result<std::unique_ptr<FileBatches>> OpenOrc(std::shared_ptr<io::InputFile> input,
                                             FileOptions options);
Result<std::unique_ptr<FileBatches>> OpenAvro(std::shared_ptr<io::InputFile> input,
                                              FileOptions options);

}  // namespace calve::reader

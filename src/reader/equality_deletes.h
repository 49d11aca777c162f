#pragma once

#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "base/context.h"
#include "base/result.h"
#include "columnar/convert.h"
#include "iceberg/manifest.h"
#include "iceberg/metadata.h"
#include "io/file_system.h"

namespace calve::reader {

/// The rows that a task's equality delete files delete: those equal to a deleted row in all of its
/// file's equality columns (Iceberg spec, Equality Delete Files). Immutable. Threads: any.
class EqualityDeletes {
 public:
  /// Read the delete files. Their columns may since have been dropped from the table's schema.
  /// Fails with kData when a file has no equality columns or one that no schema knows.
  static Result<EqualityDeletes> Read(const Context& context, io::FileSystem& files,
                                      const iceberg::TableMetadata& metadata,
                                      const std::vector<iceberg::DataFilePtr>& deletes);

  bool empty() const { return groups_.empty(); }
  /// The columns that Mark needs of a data file, in this order; each is a top-level field cut down
  /// to one column.
  const std::vector<iceberg::Field>& columns() const { return columns_; }
  /// Set deleted[i] for the deleted rows of a batch whose columns from `first_column` on are
  /// columns().
  Status Mark(const arrow::RecordBatch& rows, int first_column, std::vector<bool>& deleted) const;

 private:
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view key) const { return std::hash<std::string_view>()(key); }
  };
  using KeySet = std::unordered_set<std::string, Hash, std::equal_to<>>;
  /// The deletes over one set of columns.
  struct Group {
    std::vector<iceberg::FieldId> ids;
    std::vector<size_t> columns;  ///< Of columns_.
    KeySet keys;
  };

  Result<Group*> GroupFor(const iceberg::TableMetadata& metadata, const iceberg::DataFile& file);
  Result<size_t> ColumnFor(const iceberg::TableMetadata& metadata, iceberg::FieldId id);

  std::vector<iceberg::Field> columns_;
  std::vector<iceberg::FieldId> column_ids_;
  std::vector<Group> groups_;
};

}  // namespace calve::reader

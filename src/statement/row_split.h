#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "columnar/convert.h"
#include "engine/statement.h"
#include "iceberg/deletion_vector.h"
#include "iceberg/schema.h"
#include "statement/statement.h"

namespace calve::statement {

/// Parts the rows that a statement changes into those that go, kept as positions in files, and those
/// that come, in the table's exact types. For one thread.
class RowSplit {
 public:
  /// `table`: its name, for messages. Fails with kRefused for columns that come and cannot be
  /// written.
  static Result<std::unique_ptr<RowSplit>> Make(const engine::RowChanges& changes,
                                                const iceberg::Schema& schema, std::string table);

  /// Take a batch of the statement's rows; give those that come, null where none can. Counts in
  /// `outcome`. Fails with kData for a row of the table that is to change twice, or a value that
  /// does not fit its column.
  Result<columnar::Batch> Take(const columnar::Batch& rows, Outcome* outcome);

  /// The columns of the rows that come; from format version 3 on with who each row is.
  const iceberg::SchemaPtr& written() const { return written_; }
  /// The rows that go, by data file.
  const std::map<std::string, iceberg::PositionSet>& gone() const { return gone_; }

 private:
  RowSplit() = default;
  Status TakeGone(const columnar::Batch& rows, Outcome* outcome);
  Result<columnar::Batch> Coming(const columnar::Batch& rows) const;

  int file_ = -1;
  int position_ = -1;
  int row_id_ = -1;
  int comes_ = -1;
  int columns_ = 0;
  bool has_columns_ = false;
  std::string table_;
  iceberg::SchemaPtr written_;
  std::map<std::string, iceberg::PositionSet> gone_;
  std::map<std::string, iceberg::PositionSet> replaced_;  ///< Of them, those that come again.
};

}  // namespace calve::statement

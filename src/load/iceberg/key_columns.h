#pragma once

#include <arrow/record_batch.h>

#include <string>
#include <vector>

#include "base/result.h"
#include "iceberg/schema.h"
#include "reader/row_keys.h"

namespace calve::load {

/// The columns by which a merge knows a row again. Immutable. Threads: any.
class KeyColumns {
 public:
  /// Find them in a schema. Fails with kConfig on a name that it does not have, or a type whose
  /// values cannot be told apart exactly.
  static Result<KeyColumns> Of(const iceberg::Schema& schema,
                               const std::vector<std::string>& names);

  const std::vector<iceberg::Field>& fields() const { return fields_; }
  /// What is read of a file to find its keys: the columns, then the position of the row (_pos).
  const iceberg::SchemaPtr& projection() const { return projection_; }
  /// "id, region"
  std::string names() const;

  // Of rows of the projection:
  reader::RowKeys KeysOf(const arrow::RecordBatch& rows) const;
  static int64_t PositionOf(const arrow::RecordBatch& rows, int64_t row);
  /// "id 5, region EU"
  std::string TextOf(const arrow::RecordBatch& rows, int64_t row) const;

 private:
  std::vector<iceberg::Field> fields_;
  iceberg::SchemaPtr projection_;
};

/// The position of a row in its file, as a field to read.
iceberg::Field PositionField();

}  // namespace calve::load

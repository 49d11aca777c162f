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
  /// `latest_by`: those by which the latest of several rows with one key is told.
  static Result<KeyColumns> Of(const iceberg::Schema& schema, const std::vector<std::string>& names,
                               const std::vector<std::string>& latest_by = {});

  const std::vector<iceberg::Field>& fields() const { return fields_; }
  const std::vector<iceberg::Field>& latest_by() const { return latest_by_; }
  /// What is read of a file to find its keys: the columns, then the position of the row (_pos).
  const iceberg::SchemaPtr& projection() const { return projection_; }
  /// What is read of a file to find its latest rows: the key, latest_by, then _pos.
  Result<iceberg::SchemaPtr> LatestProjection() const;
  /// The key and latest_by, as columns of files of their own.
  Result<iceberg::SchemaPtr> Stored() const;
  /// "id, region"
  std::string names() const;

  // Of rows of either projection:
  reader::RowKeys KeysOf(const arrow::RecordBatch& rows) const;
  static int64_t PositionOf(const arrow::RecordBatch& rows, int64_t row);
  /// "id 5, region EU"
  std::string TextOf(const arrow::RecordBatch& rows, int64_t row) const;
  /// Of rows of the LatestProjection: the values of latest_by.
  std::vector<iceberg::Value> LatestOf(const arrow::RecordBatch& rows, int64_t row) const;

 private:
  std::vector<iceberg::Field> fields_;
  std::vector<iceberg::Field> latest_by_;
  iceberg::SchemaId schema_id_;
  iceberg::SchemaPtr projection_;
};

/// The position of a row in its file, as a field to read.
iceberg::Field PositionField();

}  // namespace calve::load

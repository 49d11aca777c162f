#pragma once

#include <arrow/array/array_base.h>
#include <arrow/type.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "io/sqlite.h"
#include "source/table_source.h"

namespace calve::source::sqlite {

/// Gathers the values of one column as SQLite has stored them, each by itself, and makes an array of
/// them. For one thread.
class ValueColumn {
 public:
  virtual ~ValueColumn() = default;
  /// Take the value of a column of the row that the statement is at.
  virtual void Take(const io::SqliteStatement& row, int column) = 0;
  /// The values so far; those that the type cannot hold are null and told, without their column.
  virtual Result<std::shared_ptr<arrow::Array>> Finish(std::vector<RowsRead::Misfit>* misfits) = 0;
};

Result<std::unique_ptr<ValueColumn>> MakeValueColumn(const std::shared_ptr<arrow::DataType>& type);

}  // namespace calve::source::sqlite

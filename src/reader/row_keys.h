#pragma once

#include <arrow/array.h>

#include <memory>
#include <string>
#include <vector>

namespace calve::reader {

/// Turns rows of some columns of exact primitive types into byte strings that are equal exactly
/// when the rows are: null equals null, every NaN the other, -0.0 not 0.0 (as Iceberg Java
/// compares). For one thread.
class RowKeys {
 public:
  explicit RowKeys(std::vector<std::shared_ptr<arrow::Array>> columns)
      : columns_(std::move(columns)) {}

  /// Put the key of row `i` in `key`, replacing what is there.
  void KeyOf(int64_t i, std::string& key) const;

 private:
  std::vector<std::shared_ptr<arrow::Array>> columns_;
};

}  // namespace calve::reader

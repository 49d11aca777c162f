#pragma once

#include <arrow/type.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "source/comparison.h"
#include "source/decimal_policy.h"
#include "source/table_source.h"

namespace calve::source::adbc {

struct TypePolicy {
  /// For decimals of no known size, and those with more than 38 digits; nothing: as text.
  std::optional<DecimalSize> numeric;
  std::map<std::string, std::string> types;  ///< Iceberg's names of types, by column; checked.
};

/// A column as it is to be read. `given` is what the driver gives; `declared` is what it says when
/// it may round, else the same. `wanted` may be null. Fails with kConfig, or with kData on types that
/// no table holds.
Result<TableColumn> ChooseColumn(const arrow::Field& given, const arrow::Field& declared,
                                 const TypePolicy& policy, const arrow::DataType* wanted,
                                 std::vector<std::string>* notes);

/// How the database puts a column's values in an order; the column is one of ChooseColumn.
Comparison ComparisonOf(const TableColumn& column);

}  // namespace calve::source::adbc

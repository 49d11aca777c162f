#pragma once

#include <arrow/type.h>

#include <string>
#include <vector>

#include "audit/check.h"
#include "base/result.h"

namespace calve::audit {

/// See that a table has every column that a check names. Fails with kConfig naming check, column
/// and the nearest names.
Status RequireColumns(const Check& check, const arrow::Schema& schema,
                      const std::vector<std::string>& columns);

/// Print a value that a person wrote in a contract as SQL: numbers as they are, everything else
/// quoted, cast to the column's type by the engine.
std::string SqlValue(const config::Node& value);

/// Join quoted identifiers: "a", "b".
std::string ColumnList(const std::vector<std::string>& columns);

}  // namespace calve::audit

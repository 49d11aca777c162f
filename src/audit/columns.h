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

/// See that a column holds texts, or dates and timestamps, for a check that is about these.
Status RequireText(const Check& check, const arrow::Schema& schema, const std::string& column);
Status RequireMoment(const Check& check, const arrow::Schema& schema, const std::string& column);
/// See that columns hold single values, which can be compared: no lists, structs or variants.
Status RequireValues(const Check& check, const arrow::Schema& schema,
                     const std::vector<std::string>& columns);
/// See that a value of the contract can be compared with a column's values.
Status RequireComparable(const Check& check, const arrow::Schema& schema, const std::string& column,
                         const config::Node& value);

/// Whether `low` is above `high`, where both are numbers or both are dates.
bool IsAbove(const config::Node& low, const config::Node& high);

/// Print a value that a person wrote in a contract as SQL: numbers as they are, everything else
/// quoted, cast to the column's type by the engine.
std::string SqlValue(const config::Node& value);

/// A column as a person would write it in SQL: bare where that is plain, else quoted.
std::string ShownName(const std::string& column);

/// Join quoted identifiers: "a", "b".
std::string ColumnList(const std::vector<std::string>& columns);

}  // namespace calve::audit

#pragma once

#include <functional>
#include <string>

#include "base/result.h"
#include "source/table_source.h"

namespace calve::source {

/// How a database that is known by its driver alone puts the values of a column in an order.
enum class Comparison { kNone, kNumber, kDate, kTimestamp, kTimestampTz, kText };

/// DatabaseView::Before for such a column; `literal` is its Literal.
Result<std::string> ValueBefore(const TableColumn& column, Comparison comparison,
                                const std::string& text, const LookBack& back,
                                const std::function<std::string(const std::string&)>& literal);

/// DatabaseView::CheckCursor for such a column.
Status CheckComparison(const Relation& relation, const TableColumn& column, Comparison comparison);

}  // namespace calve::source

#pragma once

#include "base/result.h"
#include "config/fault.h"
#include "config/yaml.h"
#include "iceberg/expression.h"

namespace calve::load {

/// Add a fault for each thing that `where` says and no row filter can: it is a mapping of columns
/// to a value, a list of values, null, or a range of min, max and below.
void CheckRowFilter(const config::Node& where, config::Faults& faults);

/// The rows that `where` describes: those for which every column is as it says. Fails with kConfig
/// naming a column that the table does not have, or a value that is none of the column's type.
Result<iceberg::Expression> MakeRowFilter(const config::Node& where, const iceberg::Schema& schema);

}  // namespace calve::load

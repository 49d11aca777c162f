#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "iceberg/type.h"

namespace calve::load::delta {

/// Read a table's schema (Delta's protocol, Schema Serialization Format). Ids count from 1 on in the
/// order of the columns, level by level. Fails with kRefused, naming the column, on types that calve
/// does not write, and on columns that the table generates or checks.
Result<std::vector<iceberg::Field>> ParseSchema(const std::string& text);

/// Print columns as a schema. Fields that stand alike in `before` (a schema, or empty) keep what it
/// says of them. Fails with kRefused, naming the column, on types that Delta does not have.
Result<std::string> PrintSchema(const std::vector<iceberg::Field>& fields,
                                const std::string& before);

/// Whether a column, or something in it, is a timestamp without zone: a feature of the table.
bool HoldsTimestampNtz(const std::vector<iceberg::Field>& fields);

}  // namespace calve::load::delta

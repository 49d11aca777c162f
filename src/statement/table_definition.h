#pragma once

#include <string>

#include "statement/statement.h"

namespace calve::statement {

/// CREATE TABLE, from a query too: then the table comes with its first rows.
Result<Outcome> CreateTable(const Context& context, const std::string& sql,
                            const engine::Statement& statement, const std::string& run,
                            const Resources& resources, load::Observer* observer);

/// DROP TABLE, ALTER TABLE, CREATE SCHEMA and DROP SCHEMA. The files of a table that is dropped
/// stay.
Result<Outcome> ChangeDefinition(const Context& context, const engine::Statement& statement,
                                 const Resources& resources);

}  // namespace calve::statement

#include "source/driver_table_options.h"

#include <algorithm>

#include "base/text.h"
#include "source/decimal_policy.h"
#include "source/typing.h"

namespace calve::source {

config::Shape<DriverTableOptions> DriverTableOptions::Declaration() {
  using Options = DriverTableOptions;
  config::Shape<Options> shape("tables by a driver");
  shape.Optional("schema", &Options::schema,
                 "Where tables are that are named without a schema. A name of a table may have "
                 "its own: `sales.orders`.");
  shape.Include(TableOptions::Declaration());
  shape.Optional("chunk_column", &Options::chunk_column,
                 "A column of whole numbers, best one with an index, by whose ranges several "
                 "connections read a table at once. Each sees the rows as the database shows them "
                 "to it: of rows that change meanwhile some may be seen earlier, some later. "
                 "Without it one connection reads all by one statement.",
                 {.example = "id"});
  shape.Optional("session", &Options::session,
                 "Statements that are run on each connection before it reads, such as one that "
                 "sets the time zone.",
                 {.example = "[\"SET TIME ZONE 'UTC'\"]"});
  shape.Optional("numeric", &Options::numeric,
                 "What decimals with more than 38 digits, or of a size that the driver does not "
                 "tell, become: string, or a decimal such as `decimal(38, 9)`; a value that has "
                 "more digits is held back, never rounded. A decimal that the table or its "
                 "contract has for the column wins.");
  shape.Optional("types", &Options::types,
                 "Types of columns, in place of those that the driver tells: Iceberg's names. A "
                 "timestamp that is made timestamptz is taken for UTC.",
                 {.example = "{updated_at: timestamptz}"});
  shape.Check("numeric",
              [](const Options& o) { return StatusOf(ParseDecimalPolicy(o.numeric, "numeric")); });
  shape.Check("types", [](const Options& o) { return CheckTypes(o.types); });
  return shape;
}

Status CheckTypesOf(const std::map<std::string, std::string>& types, const std::string& relation,
                    const std::vector<std::string>& columns) {
  for (const auto& [name, type] : types) {
    if (std::find(columns.begin(), columns.end(), name) != columns.end()) continue;
    return ConfigError("types: " + relation + " has no column '" + name + "'" +
                       DidYouMean(name, columns) + "; name it as the database does");
  }
  return Status::Ok();
}

}  // namespace calve::source

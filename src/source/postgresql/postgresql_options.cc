#include "source/postgresql/postgresql_options.h"

namespace calve::source::postgresql {

config::Names<Infinity> NamesOf(Infinity) {
  return {{"hold_back", Infinity::kHoldBack, "The row is held back."},
          {"as_null", Infinity::kNull, "They are NULL."}};
}

config::Shape<PostgresqlOptions> PostgresqlOptions::Declaration() {
  using Options = PostgresqlOptions;
  config::Shape<Options> shape(
      "postgresql source",
      "Read tables, views and queries of PostgreSQL (10 or later) in its binary form, as they are "
      "at one moment, by several connections at once. Rights to SELECT are enough.");
  shape.Include(io::PostgresAddress::Declaration());
  shape.Optional("schema", &Options::schema,
                 "Where tables are that are named without one. A name of a table may have its own: "
                 "`sales.orders`.");
  shape.Include(TableOptions::Declaration());
  shape.Optional(
      "statement_timeout", &Options::statement_timeout,
      "How long the server may work at one query before it gives up.",
      {.min = std::chrono::milliseconds(1), .default_text = "as the server or the user is set"});
  shape.Optional("numeric", &Options::numeric,
                 "What numeric without precision becomes: string, or a decimal such as "
                 "`decimal(38, 9)`; a value that has more digits is held back, never rounded. A "
                 "decimal that the table or its contract has for the column wins.");
  shape.Optional("infinity", &Options::infinity,
                 "What becomes of a row with a date or timestamp that is infinite.");
  shape.Check("numeric",
              [](const Options& o) { return StatusOf(ParseDecimalPolicy(o.numeric, "numeric")); });
  return shape;
}

TypePolicy PostgresqlOptions::types() const {
  auto size = ParseDecimalPolicy(numeric, "numeric");
  return {.numeric = size.ok() ? *size : std::nullopt,
          .decoding = {.infinity_is_null = infinity == Infinity::kNull}};
}

}  // namespace calve::source::postgresql
